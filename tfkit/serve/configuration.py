"""TF Serving's models.config: which models are served, from which folders, by which versions.

A file is the text form of a ModelServerConfig:

    model_config_list {
      config {
        name: "shapes"
        base_path: "/models/shapes"
        model_platform: "tensorflow"
        model_version_policy { latest { num_versions: 2 } }
        version_labels { key: "stable" value: 1 }
      }
    }

References: tensorflow_serving/config/model_server_config.proto.
"""

from __future__ import annotations

import difflib
import os
import re
from pathlib import Path
from typing import Any

from tfkit.errors import DataMissing, UsageError
from tfkit.serve.folders import ModelConfig, Policy, discover, version_folders

__all__ = [
    "ModelConfig",
    "Policy",
    "discover",
    "from_proto",
    "read_models",
    "read_text",
    "to_proto",
    "version_folders",
    "write_models",
]

PLATFORM = "tensorflow"  # TF Serving's name for what a SavedModel runs on
_BLOCK = re.compile(r"\bconfig\s*:?\s*[{<]")


def read_models(path: Path | str) -> list[ModelConfig]:
    """Read a models.config.

    Args:
        path: the file. A relative `base_path` in it is relative to the file's folder.
    Returns: the models in the file's order.
    Raises: DataMissing (no such file); UsageError, with file and line, for anything in it that is
        unknown, doubled, or would have no effect.
    """
    from google.protobuf import text_format
    from tensorflow_serving.config import model_server_config_pb2

    text = read_text(path)
    message = model_server_config_pb2.ModelServerConfig()
    try:
        text_format.Parse(text, message)
    except text_format.ParseError as error:
        place = ":".join(str(n) for n in (path, error.GetLine(), error.GetColumn()) if n)
        reason = re.sub(r"^\d+:\d+ : ", "", str(error))
        raise UsageError(f"{place}: {reason}{_known_fields(reason)}") from error
    if not message.model_config_list.config and not message.HasField("custom_model_config"):
        raise UsageError(f"{path}: lists no model; expected model_config_list {{ config {{ … }} }}")
    try:
        return from_proto(message, root=Path(os.path.abspath(path)).parent)
    except _Mistake as error:
        line = _line(text, error.index, error.word)
        raise UsageError(f"{path}:{line}: {error}" if line else f"{path}: {error}") from error


def read_text(path: Path | str) -> str:
    """A configuration file's text; DataMissing or UsageError where there is none."""
    try:
        return Path(path).read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: is no text file (UTF-8).") from error
    except OSError as error:
        raise DataMissing(f"{path}: cannot be read: {error.strerror or error}.") from error


class _Mistake(UsageError):
    """What is wrong with a model of a list: which, and the key that is to blame."""

    def __init__(self, index: int, name: str, word: str, message: str):
        super().__init__(f"model {name!r}: {message}" if name else f"model {index + 1}: {message}")
        self.index = index
        self.word = word


def from_proto(message: Any, *, root: Path | None = None) -> list[ModelConfig]:
    """The models of a ModelServerConfig message.

    Args:
        message: as HandleReloadConfigRequest brings it; an empty list serves nothing.
        root: what a relative base_path is relative to; None refuses one, as TF Serving does.
    Raises: UsageError that names the model.
    """
    if message.HasField("custom_model_config"):
        raise UsageError("custom_model_config is not supported; list models in model_config_list.")
    models: list[ModelConfig] = []
    for index, config in enumerate(message.model_config_list.config):
        if config.name in [model.name for model in models]:
            raise _Mistake(index, config.name, "name", "is listed twice.")
        models.append(_model(index, config, root))
    return models


def _model(index: int, config: Any, root: Path | None) -> ModelConfig:
    def refuse(word: str, message: str):
        raise _Mistake(index, config.name, word, message)

    if not config.name:
        refuse("config", "has no name.")
    if config.model_type and config.model_platform:
        refuse("model_type", "has both model_type (deprecated) and model_platform; drop the first.")
    if config.model_type not in (0, 1) or config.model_platform not in ("", PLATFORM):
        word = "model_platform" if config.model_platform else "model_type"
        refuse(word, f"only {word} {PLATFORM!r} is served.")
    if config.HasField("logging_config"):
        refuse("logging_config", "logging_config is not supported: requests are not recorded.")
    if not config.base_path:
        refuse("config", "has no base_path.")
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]*://", config.base_path):
        refuse("base_path", f"base_path must be a folder of this machine, got {config.base_path}.")
    if root is None and not os.path.isabs(config.base_path):
        refuse("base_path", f"base_path must be absolute, got {config.base_path}.")
    folder = Path(os.path.normpath((root or Path("/")) / config.base_path))
    policy = _policy(config, refuse)
    for label, version in config.version_labels.items():
        if not label or version < 0:
            refuse("version_labels", f"label {label!r} of version {version}: no such thing can be.")
        if policy.kind == "specific" and version not in policy.versions:
            refuse(
                "version_labels",
                f"label {label!r} names version {version}, which model_version_policy leaves out.",
            )
    return ModelConfig(config.name, folder, policy, dict(sorted(config.version_labels.items())))


def _policy(config: Any, refuse) -> Policy:
    given = config.model_version_policy
    kind = given.WhichOneof("policy_choice") or "latest"
    if kind == "specific":
        versions = tuple(dict.fromkeys(given.specific.versions))
        if not versions or min(versions) < 0:
            refuse("specific", f"specific needs versions >= 0, got {list(versions)}.")
        return Policy("specific", 1, versions)
    return Policy(kind, max(given.latest.num_versions, 1))  # TF Serving takes 0 for 1 too


def to_proto(configs: list[ModelConfig]) -> Any:
    """The ModelServerConfig message of the models."""
    from tensorflow_serving.config import model_server_config_pb2

    message = model_server_config_pb2.ModelServerConfig()
    message.model_config_list.SetInParent()
    for model in configs:
        config = message.model_config_list.config.add()
        config.name, config.base_path = model.name, str(model.folder)
        config.model_platform = PLATFORM
        policy = config.model_version_policy
        if model.policy.kind == "specific":
            policy.specific.versions.extend(model.policy.versions)
        elif model.policy.kind == "all":
            policy.all.SetInParent()
        elif model.policy.count > 1:
            policy.latest.num_versions = model.policy.count
        config.version_labels.update(model.labels)
    return message


def write_models(configs: list[ModelConfig]) -> str:
    """The text of a models.config, which `read_models` and tensorflow_model_server read."""
    from google.protobuf import text_format

    return text_format.MessageToString(to_proto(configs), as_utf8=True)


def _known_fields(reason: str) -> str:
    """What may stand where the parser met an unknown field, best guess first."""
    from google.protobuf import symbol_database

    found = re.search(r'Message type "([\w.]+)" has no field named "([^"]+)"', reason)
    if not found:
        return ""
    fields = symbol_database.Default().pool.FindMessageTypeByName(found[1]).fields_by_name
    close = difflib.get_close_matches(found[2], fields, n=1)
    hint = f" Did you mean {close[0]}?" if close else ""
    return f"{hint} Allowed: {', '.join(fields)}."


def _line(text: str, index: int, word: str) -> int | None:
    """The line of a key in the `index`-th model of a text; None where that cannot be told."""
    plain = re.sub(r"#.*", "", text)
    blocks = [match.start() for match in _BLOCK.finditer(plain)]
    if index >= len(blocks):
        return None
    end = blocks[index + 1] if index + 1 < len(blocks) else len(plain)
    found = re.compile(rf"\b{word}\b").search(plain, blocks[index], end)
    return plain.count("\n", 0, found.start() if found else blocks[index]) + 1
