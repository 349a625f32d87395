"""Models as folders on disk: NAME/1, NAME/2, …, and which of the versions are served."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from tfkit.errors import DataMissing

LARGEST_VERSION = 2**63 - 1  # versions are int64 on the wire
_EXPECTED = (
    "expected a model's folder (NAME with 1, 2, … in it), a folder of those, or one version "
    "(NAME/3); `tfkit run RECIPE --export` and `tfkit export RUN` make them."
)


@dataclass(frozen=True)
class Policy:
    """Which of the numbered versions in a model's folder are served at once.

    Args:
        kind: latest: the `count` highest; all: every one; specific: those of `versions`.
        count: of latest, >= 1.
        versions: of specific.
    """

    kind: Literal["latest", "all", "specific"] = "latest"
    count: int = 1
    versions: tuple[int, ...] = ()

    def chosen(self, available: list[int]) -> list[int]:
        """Those of the available versions that this policy serves, ascending."""
        numbers = sorted(set(available))
        if self.kind == "latest":
            return numbers[-self.count :]
        return [n for n in numbers if self.kind == "all" or n in self.versions]


@dataclass(frozen=True)
class ModelConfig:
    """One model: its name in requests, its folder of numbered versions and what of them is served.

    Args:
        name: what requests call it.
        folder: holds the version folders `1`, `2`, …
        policy: which versions are served.
        labels: {label: version}, further names of versions.
    """

    name: str
    folder: Path
    policy: Policy = Policy()
    labels: dict[str, int] = field(default_factory=dict)


def version_folders(folder: Path) -> dict[int, Path]:
    """The numbered folders in a model's folder, ascending; empty where there is none.

    As in TF Serving, `007` is version 7; of two folders with one number the plain one counts.
    """
    found: dict[int, Path] = {}
    if not folder.is_dir():
        return found
    for path in sorted(folder.iterdir(), key=lambda path: (len(path.name), path.name)):
        if _number(path.name) is not None and path.is_dir():
            found.setdefault(_number(path.name), path)
    return dict(sorted(found.items()))


def discover(path: Path | str) -> list[ModelConfig]:
    """The models at a path, each under its folder's name and by its latest version.

    Args:
        path: one model's folder (`savedmodels/NAME`), a folder of such folders (`savedmodels`), or
            one version (`savedmodels/NAME/3`), which then is the only one served.
    Raises: DataMissing where no version is found. A model without a version yet, beside others
        that have some, is left out.
    """
    place = Path(os.path.abspath(path))  # not resolve(): a link's own name is the model's
    if not place.is_dir():
        raise DataMissing(f"{path} is no folder; {_EXPECTED}")
    if any((place / name).is_file() for name in ("saved_model.pb", "saved_model.pbtxt")):
        number = _number(place.name)
        if number is None:
            raise DataMissing(
                f"{path} is a SavedModel, but its folder is no version number; move it to "
                f"{place / '1'} and serve {path}."
            )
        return [ModelConfig(place.parent.name, place.parent, Policy("specific", 1, (number,)))]
    if version_folders(place):
        return [ModelConfig(place.name, place)]
    children = [p for p in sorted(place.iterdir()) if p.is_dir() and not p.name.startswith(".")]
    models = [ModelConfig(p.name, p) for p in children if version_folders(p)]
    if not models:
        raise DataMissing(f"{path} holds no numbered versions; {_EXPECTED}")
    return models


def _number(name: str) -> int | None:
    """The version that a folder's name stands for."""
    if not re.fullmatch(r"[0-9]+", name) or int(name[:30]) > LARGEST_VERSION:
        return None
    return int(name)
