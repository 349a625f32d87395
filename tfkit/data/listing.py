"""Which pictures a data set has, what is said of each, and the source made of them."""

import os
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from tfkit.data import images
from tfkit.data.file_source import CHANNELS, FileSource
from tfkit.data.grouped import PARTS, GroupedSource, Groups, group_names
from tfkit.errors import DataMissing

IN_MEMORY = 1 << 30  # bytes of pixels up to which they are decoded once and held
_NAMED = 5  # of many missing files


class Listing(NamedTuple):
    """All pictures of a data set.

    Args:
        files: names relative to the folder.
        labels: [N] int.
        groups: [N] int.
        parts: [N] int, places in `PARTS`.
        classes: names of the classes.
        group_names: names of the groups.
    """

    files: Sequence[str]
    labels: np.ndarray
    groups: np.ndarray
    parts: np.ndarray
    classes: Sequence[str]
    group_names: Sequence[str]

    def rows(self, part: str) -> np.ndarray:
        """The rows of a part."""
        return np.flatnonzero(np.asarray(self.parts) == PARTS.index(part))


def crossed(files, labels, attributes, parts, classes, attribute_names) -> Listing:
    """A listing with a group for each label x attribute, label * A + attribute."""
    labels, attributes = np.asarray(labels), np.asarray(attributes)
    groups = labels * len(attribute_names) + attributes
    return Listing(files, labels, groups, parts, classes, group_names(classes, attribute_names))


def by_class(files, labels, parts, classes) -> Listing:
    """A listing without attributes: the groups are the classes."""
    return Listing(files, np.asarray(labels), np.asarray(labels), parts, classes, list(classes))


def pictures_of(
    called: str,
    folder: Path,
    listing: Listing,
    layout: str,
    *,
    image_size: int,
    in_memory: bool | None,
) -> GroupedSource:
    """The source of a listing: decoded batch by batch, or held in memory.

    Args:
        called: the data set's name, for messages.
        folder: where the files are.
        listing: which files, and what they show.
        layout: what is expected, for messages.
        image_size: side in pixels after resizing, >= 8.
        in_memory: None holds pixels in memory up to a gigabyte of them.
    Raises:
        DataMissing: files that are not there or empty, a part without examples; in memory also
            those that cannot be read.
    """
    check_size(called, image_size)
    sizes = _sizes(called, folder, listing.files, layout)
    rows = {part: listing.rows(part) for part in PARTS}
    if empty := [part for part in PARTS if not len(rows[part])]:
        raise DataMissing(
            f"{called}: {folder} has no picture for {', '.join(empty)}; expected {layout}."
        )
    groups = Groups(listing.group_names, {part: listing.groups[rows[part]] for part in PARTS})
    labels = {part: listing.labels[rows[part]] for part in PARTS}
    files = {part: [listing.files[row] for row in rows[part]] for part in PARTS}
    pixels = len(listing.files) * image_size**2 * CHANNELS
    if pixels <= IN_MEMORY if in_memory is None else in_memory:
        splits = {
            part: {
                "inputs": images.read(folder, files[part], image_size, CHANNELS, called),
                "labels": labels[part],
            }
            for part in PARTS
        }
        return GroupedSource(splits, len(listing.classes), groups, source=str(folder.resolve()))
    splits = {part: {"files": np.array(files[part]), "labels": labels[part]} for part in PARTS}
    return FileSource(
        called,
        folder,
        splits,
        len(listing.classes),
        groups,
        image_size=image_size,
        sizes={part: sizes[rows[part]] for part in PARTS},
    )


def check_size(called: str, image_size: int) -> None:
    """ValueError for pictures too small."""
    if image_size < 8:
        raise ValueError(f"{called}: image_size must be >= 8, got {image_size}.")


def check_share(called: str, name: str, share: float) -> None:
    """ValueError for a share outside (0, 1)."""
    if not 0 < share < 1:
        raise ValueError(f"{called}: {name} must be in (0, 1), got {share}.")


def held_out_for_choosing(files: Sequence[str], parts, share: float) -> np.ndarray:
    """The parts, with a share of the training files moved to "valid": the first by the SHA-256 of
    their names, at least one.
    """
    parts = np.array(parts)
    training = np.flatnonzero(parts == PARTS.index("train"))
    order = images.ordered([files[row] for row in training])
    count = max(1, round(share * len(training)))
    parts[training[order[:count]]] = PARTS.index("valid")
    return parts


def warn_of_other_counts(called: str, what: str, found, published) -> None:
    """A warning where the files are not as many as those of the published set."""
    found, published = [int(n) for n in found], [int(n) for n in published]
    if found != published:
        warnings.warn(
            f"{called}: {what} {found}, the published set has {published}; figures will not be "
            "comparable with published ones.",
            stacklevel=3,
        )


def _sizes(called, folder, files, layout):
    """Bytes of each file; DataMissing for those that are not there, or empty.  -> [N]"""
    sizes = np.zeros(len(files), np.int64)
    for row, name in enumerate(files):
        try:
            sizes[row] = os.stat(os.path.join(folder, name)).st_size
        except OSError:
            continue  # counted as empty
    if len(bad := np.flatnonzero(sizes == 0)):
        named = ", ".join(files[row] for row in bad[:_NAMED])
        more = f" and {len(bad) - _NAMED} more" if len(bad) > _NAMED else ""
        raise DataMissing(
            f"{called}: {len(bad)} of {len(files)} pictures are not in {folder}, or empty: "
            f"{named}{more}; expected {layout}."
        )
    return sizes
