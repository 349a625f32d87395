import pytest

from tfkit.errors import DataMissing
from tfkit.networks.backbones.presets import located, reading

keras_hub = pytest.importorskip("keras_hub", reason="keras-hub is not installed")
NAME = "bert_tiny_en_uncased"


def test_a_folder_goes_before_a_name(tmp_path, monkeypatch):
    monkeypatch.delenv("TFKIT_DATA", raising=False)
    monkeypatch.chdir(tmp_path)
    assert located("x", NAME) == NAME
    assert located("x", "hf://someone/bert") == "hf://someone/bert"
    (tmp_path / "data" / NAME).mkdir(parents=True)
    monkeypatch.setenv("TFKIT_DATA", str(tmp_path / "data"))
    with pytest.raises(DataMissing, match="has no config.json"):
        located("x", NAME)
    (tmp_path / "data" / NAME / "config.json").write_text("{}")
    assert located("x", NAME) == str(tmp_path / "data" / NAME)


def test_what_is_neither_is_missing_data():
    with pytest.raises(DataMissing, match="x: preset bert_of_mine is no folder"):
        located("x", "bert_of_mine")


def test_broken_files_are_missing_data():
    with (
        pytest.raises(DataMissing, match="x: preset folder: truncated; expected"),
        reading("x", "folder"),
    ):
        raise OSError("truncated")
