"""Waterbirds (Sagawa et al. 2020): birds of land and water on backgrounds of land and water."""

import numpy as np

from tfkit.data.finding import find
from tfkit.data.listing import check_size, crossed, pictures_of, warn_of_other_counts
from tfkit.data.metadata import column, numbers, parts_of, read_csv
from tfkit.data.source import Source

CLASSES = ("landbird", "waterbird")
PLACES = ("land", "water")
PUBLISHED = (3498, 184, 56, 1057)  # training examples by group
_LAYOUT = (
    "the folder waterbird_complete95_forest2water2 with metadata.csv (img_filename, y, place in 0 "
    "and 1, split in 0, 1, 2) and the pictures that it names, from "
    "https://nlp.stanford.edu/data/dro/waterbird_complete95_forest2water2.tar.gz"
)


def load(path: str, image_size: int = 224, in_memory: bool | None = None) -> Source:
    """Landbirds and waterbirds, cut out of one picture and put on another.

        group = 2 y + place: landbird on land, on water, waterbird on land, on water

    In training 95 % of the birds are where they live; in the other two parts half of each kind are.
    11,788 pictures, cropped to the square in their middle. The average of most papers weights the
    groups' accuracies by their share in training (`train_weighted`).

    Gives: inputs, labels, groups, index
    Args:
        path: the folder; a relative one is looked for under $TFKIT_DATA, then here.
        image_size: side in pixels after resizing, >= 8; 224 is the papers'.
        in_memory: hold all pixels in memory; null does so up to a gigabyte of them.
    Raises:
        DataMissing: no such folder, a table of another layout, pictures that are not there.
        ValueError: options out of range.
    References: Sagawa et al. 2020, arXiv:1911.08731.
    """
    check_size("waterbirds", image_size)
    folder = find("waterbirds", path, _LAYOUT, "folder")
    file = folder / "metadata.csv"
    table = read_csv("waterbirds", file, _LAYOUT)
    given = ("waterbirds", file, table)
    labels, places = (
        numbers(*given, name, _LAYOUT, (0, 1)).astype(np.int64) for name in ("y", "place")
    )
    files = column(*given, "img_filename", _LAYOUT).tolist()
    parts = parts_of(*given, "split", _LAYOUT)
    listing = crossed(files, labels, places, parts, CLASSES, PLACES)
    trained = np.bincount(listing.groups[parts == 0], minlength=4)
    warn_of_other_counts("waterbirds", "training groups of", trained, PUBLISHED)
    return pictures_of(
        "waterbirds", folder, listing, _LAYOUT, image_size=image_size, in_memory=in_memory
    )
