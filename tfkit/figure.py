"""A figure as data: what a room's `evaluate.py` returns and the report draws.

Rooms know what to show, the report knows how to draw it. NumPy only, so that neither side pays for
the other's libraries.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np

Kind = Literal["images", "line", "bars", "heatmap", "scatter", "violins"]

_HEADER = "__figure__"  # the array of the .npz that holds everything that is not an array

# kind -> {array: ranks allowed}; an array marked "?" may be left out.
_LAYOUT: dict[str, dict[str, tuple[int, ...]]] = {
    "images": {"images": (5,)},
    "line": {"x": (1,), "y": (1, 2), "low?": (1, 2), "high?": (1, 2)},
    "bars": {"values": (1, 2), "low?": (1, 2), "high?": (1, 2)},
    "heatmap": {"values": (2,)},
    "scatter": {"x": (1,), "y": (1,), "group?": (1,)},
    "violins": {"values": (1,), "group": (1,)},
}


@dataclass(frozen=True)
class Figure:
    """One picture: its kind, the arrays it needs, a caption and a text for who cannot see it.

    | kind | arrays | labels (all optional) |
    |---|---|---|
    | images | images [R, N, H, W, 1 or 3] in [0, 1]: R rows of N | rows [R], columns [N] |
    | line | x [T], y [T] or [S, T], low and high like y (a band) | x, y, series [S] |
    | bars | values [N] or [S, N], low and high like values (whiskers) | names [N], series [S], y |
    | heatmap | values [R, C] | rows [R], columns [C], x, y, value |
    | scatter | x [N], y [N], group [N] of ints | x, y, groups [G] |
    | violins | values [N], group [N] of ints: a distribution for each group | names [G], y |

    `x`, `y` and `value` of labels are axis titles; the others are lists of words.

    Args:
        kind: one of the table's.
        arrays: by the names of the table.
        caption: one or two sentences under the picture: what is shown and how to read it.
        alt: the same in words for a reader without the picture.
        labels: the table's third column.
    """

    kind: Kind
    arrays: dict[str, np.ndarray]
    caption: str
    alt: str
    labels: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self):
        """Refuse what could not be drawn, where it is made and not where it is drawn."""
        if self.kind not in get_args(Kind):
            raise ValueError(f"Figure: kind must be one of {get_args(Kind)}, got {self.kind!r}.")
        layout = {name.rstrip("?"): ranks for name, ranks in _LAYOUT[self.kind].items()}
        arrays = {name: np.asarray(array) for name, array in self.arrays.items()}
        object.__setattr__(self, "arrays", arrays)
        missing = [
            name for name in _LAYOUT[self.kind] if not name.endswith("?") and name not in arrays
        ]
        unknown = [name for name in arrays if name not in layout]
        if missing or unknown:
            raise ValueError(
                f"Figure: kind {self.kind!r} takes the arrays {sorted(_LAYOUT[self.kind])} "
                f"(? may be left out), got {sorted(arrays)}."
            )
        for name, array in arrays.items():
            if array.ndim not in layout[name]:
                raise ValueError(
                    f"Figure: {self.kind}.{name} must have rank "
                    f"{' or '.join(map(str, layout[name]))}, got shape {array.shape}."
                )
        self._check_sizes()

    def _check_sizes(self) -> None:
        arrays = self.arrays
        if self.kind == "images" and arrays["images"].shape[-1] not in (1, 3):
            raise ValueError(
                f"Figure: images need 1 or 3 channels last, got shape {arrays['images'].shape}."
            )
        if self.kind in ("line", "scatter") and arrays["y"].shape[-1] != arrays["x"].shape[0]:
            raise ValueError(
                f"Figure: x has {arrays['x'].shape[0]} points, y has shape {arrays['y'].shape}."
            )
        if self.kind == "violins" and arrays["values"].shape != arrays["group"].shape:
            raise ValueError(
                f"Figure: violins need a group for each value, got {arrays['group'].shape} and "
                f"{arrays['values'].shape}."
            )
        main = arrays.get("y" if self.kind == "line" else "values")
        for name in ("low", "high"):
            if name in arrays and arrays[name].shape != main.shape:
                raise ValueError(
                    f"Figure: {name} must have the shape {main.shape}, got {arrays[name].shape}."
                )

    def save(self, path: str | os.PathLike) -> Path:
        """Write one .npz: the arrays, and everything else as one JSON string."""
        path = Path(path)
        words = {"kind": self.kind, "caption": self.caption, "alt": self.alt, "labels": self.labels}
        partial = path.with_name(f".{path.name}.tmp")
        with open(partial, "wb") as file:
            np.savez_compressed(file, **{_HEADER: np.array(json.dumps(words))}, **self.arrays)
        os.replace(partial, path)
        return path

    @classmethod
    def load(cls, path: str | os.PathLike) -> Figure:
        """Read what `save` wrote; never unpickles."""
        with np.load(path, allow_pickle=False) as stored:
            if _HEADER not in stored:
                raise ValueError(f"Figure: {path} was not written by Figure.save.")
            arrays = {name: stored[name] for name in stored.files if name != _HEADER}
            return cls(arrays=arrays, **json.loads(stored[_HEADER].item()))
