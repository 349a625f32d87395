"""tfkit runs on Keras' TensorFlow backend alone: said clearly, before Keras is imported."""

import json
import os
from pathlib import Path

from tfkit.errors import UsageError


def require_tensorflow() -> None:
    """Raise `UsageError` when Keras would come up on another backend."""
    backend = os.environ.get("KERAS_BACKEND") or _configured()
    if backend != "tensorflow":
        where = "KERAS_BACKEND" if os.environ.get("KERAS_BACKEND") else str(_config_file())
        raise UsageError(
            f"Keras is set to the backend {backend} (by {where}); tfkit needs tensorflow: "
            "set KERAS_BACKEND=tensorflow"
        )


def _config_file() -> Path:
    home = os.environ.get("KERAS_HOME")
    return Path(home or Path.home() / ".keras") / "keras.json"


def _configured() -> str:
    try:
        return json.loads(_config_file().read_text(encoding="utf-8")).get("backend", "tensorflow")
    except (OSError, ValueError, AttributeError):
        return "tensorflow"  # Keras, too, goes on with its default then
