"""CelebA (Liu et al. 2015): faces with forty attributes, one to tell and one that misleads."""

from pathlib import Path

import numpy as np

from tfkit.data.archives import reading
from tfkit.data.finding import find
from tfkit.data.listing import check_size, crossed, pictures_of, warn_of_other_counts
from tfkit.data.source import Source
from tfkit.errors import DataMissing

PUBLISHED = {("Blond_Hair", "Male"): (71629, 66874, 22880, 1387)}  # training examples by group
_IMAGES = "img_align_celeba"
_LAYOUT = (
    "a folder with img_align_celeba/*.jpg, list_attr_celeba and list_eval_partition (.txt or .csv; "
    "attributes 1 and -1, parts 0, 1, 2), from https://mmlab.ie.cuhk.edu.hk/projects/CelebA.html"
)


def load(
    path: str,
    target: str = "Blond_Hair",
    attribute: str = "Male",
    image_size: int = 224,
    in_memory: bool | None = False,
) -> Source:
    """Faces, of which one attribute is to be told whatever the other is.

        group = 2 target + attribute, each 1 where it is there; by default
        dark-haired women, dark-haired men, blond women, blond men (1,387 of 162,770 in training)

    202,599 pictures of 178 x 218, of which the square in the middle is resized. The parts are the
    official ones.

    Gives: inputs, labels, groups, index
    Args:
        path: the folder; a relative one is looked for under $TFKIT_DATA, then here.
        target: the attribute to tell, by its official name.
        attribute: the attribute that goes with it in training.
        image_size: side in pixels after resizing, >= 8; 224 is the papers'.
        in_memory: hold all pixels in memory (30 GB at 224); null does so up to a gigabyte of them.
    Raises:
        DataMissing: no such folder, tables of another layout, pictures that are not there.
        ValueError: options out of range, an attribute that the table does not have.
    References: Liu et al. 2015, arXiv:1411.7766; groups: Sagawa et al. 2020, arXiv:1911.08731.
    """
    check_size("celeba", image_size)
    folder = find("celeba", path, _LAYOUT, "folder")
    attributes = _table(folder, "list_attr_celeba", skip=1)
    split = _table(folder, "list_eval_partition", header=None).iloc[:, 0]
    for option, name in (("target", target), ("attribute", attribute)):
        if name not in attributes.columns:
            raise ValueError(
                f"celeba: {option} must be one of {', '.join(attributes.columns)}, got {name!r}."
            )
    if not attributes.index.equals(split.index):
        raise DataMissing(
            f"celeba: the tables of attributes and of parts in {folder} name different pictures; "
            f"expected {_LAYOUT}."
        )
    parts = _values(folder, split, (0, 1, 2))
    labels, others = (_values(folder, attributes[n], (-1, 1)) > 0 for n in (target, attribute))
    images = _images(folder)
    files = [f"{images}/{name}" for name in attributes.index]
    names = [(f"not {name}", name) for name in (target, attribute)]
    listing = crossed(files, labels.astype(int), others.astype(int), parts, *names)
    if (target, attribute) in PUBLISHED:
        trained = np.bincount(listing.groups[parts == 0], minlength=4)
        published = PUBLISHED[target, attribute]
        warn_of_other_counts("celeba", "training groups of", trained, published)
    return pictures_of(
        "celeba", folder, listing, _LAYOUT, image_size=image_size, in_memory=in_memory
    )


def _table(folder: Path, stem: str, skip: int = 0, header: int | None = 0):
    """One of the tables, as the authors wrote it (.txt) or with commas; files are its index."""
    import pandas

    text = folder / f"{stem}.txt"
    file = text if text.is_file() else folder / f"{stem}.csv"
    with reading("celeba", file, _LAYOUT):
        if file.suffix == ".csv":
            return pandas.read_csv(file, index_col=0)
        # the first line is the number of pictures; names of columns lack one for the files
        return pandas.read_csv(file, sep=r"\s+", skiprows=skip, header=header, index_col=0)


def _values(folder, column, allowed) -> np.ndarray:
    """Whole numbers of a column; DataMissing for others.  -> [N] int"""
    values = column.to_numpy()
    if wrong := [value for value in np.unique(values.astype(str)) if not _is(value, allowed)]:
        raise DataMissing(
            f"celeba: column {column.name} in {folder} has the value {wrong[0]!r}; "
            f"expected {_LAYOUT}."
        )
    return values.astype(np.float64).astype(np.int64)


def _is(text, allowed):
    try:
        return float(text) in allowed
    except ValueError:
        return False


def _images(folder: Path) -> str:
    """Where the pictures are: some archives have the folder twice."""
    twice = f"{_IMAGES}/{_IMAGES}"
    return twice if (folder / twice).is_dir() else _IMAGES
