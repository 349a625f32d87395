"""Which trials' weights and checkpoints stay on the disk."""

import shutil
from collections.abc import Iterable

from tfkit.train.folder import RunFolder


def tidy(folders: Iterable[RunFolder]) -> None:
    """Remove weights and checkpoints of trainings that are over; metrics and recipes stay."""
    for folder in folders:
        folder.weights.unlink(missing_ok=True)
        shutil.rmtree(folder / "checkpoints", ignore_errors=True)
