from pathlib import Path

import pytest

from tfkit.errors import DataMissing
from tfkit.serve.folders import ModelConfig, Policy, discover, version_folders


def version(folder: Path) -> Path:
    folder.mkdir(parents=True)
    (folder / "saved_model.pb").write_bytes(b"")
    return folder


@pytest.fixture
def home(tmp_path):
    """Two models, one of them without a version yet, and a hidden draft."""
    for name in ("a/1", "a/10", "a/2", "b/3"):
        version(tmp_path / name)
    (tmp_path / "empty").mkdir()
    version(tmp_path / ".hidden" / "1")
    version(tmp_path / "a" / ".tmp-11")
    (tmp_path / "a" / "12").write_text("a file is no version")
    return tmp_path


def test_a_folder_of_models(home):
    assert discover(home) == [ModelConfig("a", home / "a"), ModelConfig("b", home / "b")]


def test_one_model_and_a_path_with_a_slash_or_dots(home):
    assert discover(f"{home}/a/") == discover(home / "b" / ".." / "a")
    assert discover(home / "a") == [ModelConfig("a", home / "a")]


def test_one_version_is_then_the_only_one(home):
    (found,) = discover(home / "a" / "2")
    assert (found.name, found.folder) == ("a", home / "a")
    assert found.policy.chosen([1, 2, 10]) == [2]


def test_a_link_is_called_by_its_own_name(home):
    (home / "c").symlink_to(home / "a")
    assert [model.name for model in discover(home)] == ["a", "b", "c"]
    assert discover(home / "c")[0].name == "c"


@pytest.mark.parametrize("path", ["nowhere", "empty", "a/12"])
def test_what_holds_no_version_is_told_what_was_expected(home, path):
    with pytest.raises(DataMissing, match="NAME with 1, 2, … in it"):
        discover(home / path)


def test_a_savedmodel_without_a_number_is_told_where_to_move(tmp_path):
    with pytest.raises(DataMissing, match="move it to .*export/1"):
        discover(version(tmp_path / "export"))


def test_version_folders_are_numbers_as_tf_serving_reads_them(tmp_path):
    for name in ("007", "7", "08", "1x", "-1", "²", "9223372036854775808", "9" * 40):
        (tmp_path / name).mkdir()
    assert version_folders(tmp_path) == {7: tmp_path / "7", 8: tmp_path / "08"}
    assert version_folders(tmp_path / "absent") == {}


def test_policies():
    assert Policy("latest").chosen([3, 1, 2]) == [3]
    assert Policy("latest", 2).chosen([3, 1, 2]) == [2, 3]
    assert Policy("latest", 9).chosen([3, 1]) == [1, 3]
    assert Policy("all").chosen([3, 1]) == [1, 3]
    assert Policy("specific", versions=(4, 1)).chosen([3, 1]) == [1]
