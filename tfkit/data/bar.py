"""BAR (Nam et al. 2020): six actions at places that differ between training and test."""

from tfkit.data.finding import find
from tfkit.data.listing import (
    by_class,
    check_share,
    check_size,
    held_out_for_choosing,
    pictures_of,
    warn_of_other_counts,
)
from tfkit.data.pictures import files_below
from tfkit.data.source import Source
from tfkit.errors import DataMissing

CLASSES = ("climbing", "diving", "fishing", "racing", "throwing", "vaulting")
PUBLISHED = (1941, 654)  # pictures for training and test
_FOLDERS = {"train": 0, "test": 2}
_LAYOUT = (
    f"a folder with train and test, and in both pictures named <class>_<number>.jpg, classes "
    f"{', '.join(CLASSES)}, from https://github.com/alinlab/BAR"
)


def load(
    path: str, image_size: int = 224, validation: float = 0.1, in_memory: bool | None = None
) -> Source:
    """Six actions, in training each at its usual place, in the test elsewhere.

    Climbing is on rock walls in training and on ice in the test. No attribute is known of a
    picture, so the groups are the classes. There is no part for choosing: a share of the training
    pictures, the first by the SHA-256 of their names, is taken, which has the places of training.

    Gives: inputs, labels, groups, index
    Args:
        path: the folder; a relative one is looked for under $TFKIT_DATA, then here.
        image_size: side in pixels after resizing, >= 8; 224 is the papers'.
        validation: share of the training pictures that is held out for choosing, in (0, 1).
        in_memory: hold all pixels in memory; null does so up to a gigabyte of them.
    Raises:
        DataMissing: no such folder, names of another kind, parts without pictures.
        ValueError: options out of range.
    References: Nam et al. 2020, arXiv:2007.02561.
    """
    check_size("bar", image_size)
    check_share("bar", "validation", validation)
    folder = find("bar", path, _LAYOUT, "folder")
    found = [(file, part) for name, part in _FOLDERS.items() for file in files_below(folder / name)]
    files = [file.relative_to(folder).as_posix() for file, _ in found]
    parts = [part for _, part in found]
    warn_of_other_counts(
        "bar", "pictures for training and test", map(parts.count, _FOLDERS.values()), PUBLISHED
    )
    listing = by_class(
        files,
        [_class(file) for file, _ in found],
        held_out_for_choosing(files, parts, validation),
        CLASSES,
    )
    return pictures_of("bar", folder, listing, _LAYOUT, image_size=image_size, in_memory=in_memory)


def _class(file):
    name = file.name.rpartition("_")[0].lower()
    if name not in CLASSES:
        raise DataMissing(f"bar: {file} is named after no class; expected {_LAYOUT}.")
    return CLASSES.index(name)
