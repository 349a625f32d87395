import subprocess
import sys
from pathlib import Path

import pytest

from tfkit.errors import DataMissing, UsageError
from tfkit.serve.configuration import (
    ModelConfig,
    Policy,
    from_proto,
    read_models,
    to_proto,
    write_models,
)

CONFIGS = [
    ModelConfig("m", Path("/models/m")),
    ModelConfig("two", Path("/models/two"), Policy("latest", 2), {"canary": 3, "stable": 2}),
    ModelConfig("every", Path("/models/every"), Policy("all")),
    ModelConfig("é", Path("/models/é"), Policy("specific", 1, (1, 4)), {"old": 1}),
]


def test_what_is_written_is_read_back(tmp_path):
    file = tmp_path / "models.config"
    file.write_text(write_models(CONFIGS), encoding="utf-8")
    assert read_models(file) == CONFIGS
    assert from_proto(to_proto(CONFIGS)) == CONFIGS
    assert from_proto(to_proto([])) == []
    assert 'model_platform: "tensorflow"' in file.read_text(encoding="utf-8")


def test_relative_paths_are_relative_to_the_file(tmp_path, monkeypatch):
    (tmp_path / "models.config").write_text(
        'model_config_list: { config: < name: "m", base_path: "../x/m"; > }  # no platform'
    )
    monkeypatch.chdir(tmp_path)
    assert read_models("models.config") == [ModelConfig("m", tmp_path.parent / "x" / "m")]


REFUSED = {
    'name: "b" base_pth: "/b"': (
        r":6:\d+: .*base_pth.* Did you mean base_path\? Allowed: name, base_path, "
    ),
    'name: "a" base_path: "/b"': r":6: model 'a': is listed twice",
    'base_path: "/b"': ":6: model 2: has no name",
    'name: "b"': ":6: model 'b': has no base_path",
    'name: "b"\nbase_path: "gs://x/b"': ":7: .* folder of this machine, got gs://x/b",
    'name: "b" base_path: "/b"\n# c\nmodel_platform: "tflite"': ":8: .*only model_platform",
    'name: "b" base_path: "/b" model_type: OTHER': ":6: .*only model_type",
    'name: "b" base_path: "/b" model_type: TENSORFLOW model_platform: "tensorflow"': "has both",
    'name: "b" base_path: "/b"\nlogging_config {}': ":7: .*logging_config is not supported",
    'name: "b" base_path: "/b" model_version_policy { specific {} }': "specific needs versions",
    'name: "b" base_path: "/b" model_version_policy { specific { versions: -1 } }': "versions >= 0",
    'name: "b" base_path: "/b"\nversion_labels { key: "" value: 1 }': ":7: .*label ''",
    'name: "b" base_path: "/b"\nversion_labels { key: "x" value: -1 }': ":7: .*label 'x'",
    'name: "b" base_path: "/b" model_version_policy { specific { versions: 1 } }\n'
    'version_labels { key: "x" value: 2 }': ":7: .*'x' names version 2, which .* leaves out",
    'name: "b" base_path: 3': r":6:\d+: .*Expected string",
    'name: "b" name: "b"': r":6:\d+: .*multiple \"name\"",
}


@pytest.mark.parametrize("second", REFUSED)
def test_refused_with_file_and_line(tmp_path, second):
    file = tmp_path / "models.config"
    first = (
        '# config { in a comment }\nmodel_config_list {\nconfig {\nname: "a" base_path: "/a"\n}\n'
    )
    file.write_text(f"{first}config {{ {second} }}\n}}\n")
    with pytest.raises(UsageError, match=REFUSED[second]) as raised:
        read_models(file)
    assert str(raised.value).startswith(str(file))


@pytest.mark.parametrize("text", ["", "model_config_list {}", "# nothing"])
def test_a_list_without_models(tmp_path, text):
    (tmp_path / "models.config").write_text(text)
    with pytest.raises(UsageError, match="lists no model"):
        read_models(tmp_path / "models.config")


def test_files_that_are_none(tmp_path):
    with pytest.raises(DataMissing, match="nowhere.config: cannot be read"):
        read_models(tmp_path / "nowhere.config")
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError, match="is no text file"):
        read_models(tmp_path / "binary")


def test_a_message_has_no_folder_to_be_relative_to():
    with pytest.raises(UsageError, match="model 'm': base_path must be absolute, got m"):
        from_proto(to_proto([ModelConfig("m", Path("m"))]))


def test_deprecated_model_type_and_zero_versions_are_read_as_tf_serving_reads_them(tmp_path):
    (tmp_path / "models.config").write_text(
        'model_config_list { config { name: "m" base_path: "/m" model_type: TENSORFLOW '
        "model_version_policy { latest { num_versions: 0 } } } }"
    )
    assert read_models(tmp_path / "models.config") == [ModelConfig("m", Path("/m"))]


def test_configurations_are_read_without_tensorflow(tmp_path):
    (tmp_path / "models.config").write_text(write_models(CONFIGS))
    code = (
        "import sys; from tfkit.serve.configuration import read_models; "
        f"assert len(read_models({str(tmp_path / 'models.config')!r})) == 4; "
        "assert 'tensorflow' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
