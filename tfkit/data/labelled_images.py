"""A folder of the user's own images with a table of their factors."""

import math
from typing import Literal

import numpy as np

from tfkit.data import images
from tfkit.data.factor_table import read_table
from tfkit.data.ground_truth import GroundTruth, checked_classes
from tfkit.data.pictures import files_below
from tfkit.data.source import ArraySource, Source
from tfkit.errors import DataMissing


def load(
    path: str,
    table: str = "factors.csv",
    file_column: str = "file",
    factors: list[str] | None = None,
    image_size: int = 64,
    channels: Literal[1, 3] = 3,
    validation: float = 0.1,
    test: float = 0.1,
) -> Source:
    """Images of a folder, and what a table says of each of them.

        file,shape,size        a line for each image of the folder and its subfolders
        a/001.png,cup,3        values are numbers or words; the classes are the values in order

    Images are cropped, resized and parted into training, validation and test as by the data set
    `images`. Where the table has every combination of its factors, metrics that ask for images of
    factors are answered with those images, one of several drawn anew each time; where it has not,
    they are refused with the first combination that is missing.

    Gives: images, factors
    Args:
        path: the folder; a relative one is looked for under $TFKIT_DATA, then here.
        table: the CSV file, relative to the folder.
        file_column: the column of file names, relative to the folder.
        factors: the columns that are factors, in this order; null takes all others.
        image_size: side in pixels after resizing, >= 8.
        channels: 1 for grey, 3 for colour.
        validation: share of the images held out for choosing, in (0, 1).
        test: share of the images held out for reporting, in (0, 1).
    Raises:
        DataMissing: no such folder or table, images or lines without the other, a file named twice,
            an empty value; the message names file and line.
        ValueError: columns that are not there, shares that leave nothing to train on.
    """
    images.checked(image_size, channels, validation, test)
    folder = images.find(path)
    names = [file.relative_to(folder).as_posix() for file in files_below(folder)]
    if not names:
        raise DataMissing(f"labelled_images: no image in {folder}; expected {images.LAYOUT}.")
    known = read_table(folder / table, file_column, factors, names)
    pixels = images.read(folder, names, image_size, channels)
    parts = images.split(names, validation, test)
    return LabelledImages(pixels, known, parts, source=str(folder.resolve()))


class LabelledImages(ArraySource, GroundTruth):
    """Images in memory with the classes of their factors.

    Args:
        pixels: [N, H, W, C] uint8.
        table: a FactorTable of the same images.
        parts: rows of "train", "valid" and "test".
        source: where the data come from.
    """

    few_images = True  # draws from all of them would be judged by what was learned from

    def __init__(self, pixels, table, parts, *, source):
        columns = {"images": pixels, "factors": table.classes}
        splits = {
            part: {name: array[rows] for name, array in columns.items()}
            for part, rows in parts.items()
        }
        shapes = {"image_shape": pixels.shape[1:]}
        super().__init__(splits, shapes, source=source, factor_names=tuple(table.values))
        self.values = table.values
        self.pixels = pixels
        sizes = tuple(map(len, table.values.values()))
        self.why_no_grid = _missing(table, sizes)
        self.deterministic = len(np.unique(table.classes, axis=0)) == len(pixels)
        if self.why_no_grid:
            return
        self.factor_sizes = sizes
        number = np.ravel_multi_index(table.classes.T, sizes)
        self.rows = np.argsort(number, kind="stable")  # those of one combination side by side
        self.counts = np.bincount(number)

    def observe(self, factors, random_state):
        """Images of factors, one of those that a combination has drawn anew."""
        if self.factor_sizes is None:
            raise ValueError(f"observe: {self.why_no_grid}")
        classes = checked_classes("observe", self.factor_names, self.factor_sizes, factors)
        number = np.ravel_multi_index(tuple(classes.T), self.factor_sizes)
        first = (np.cumsum(self.counts) - self.counts)[number]
        if not self.deterministic:
            first = first + random_state.randint(0, self.counts[number])
        return self.pixels[self.rows[first]].astype(np.float32) / 255


def _missing(table, sizes):
    """Why there are not images of every combination; empty where there are."""
    needed = "metrics that ask for images of any factors need one of every combination"
    if (whole := math.prod(sizes)) > len(table.classes):
        return f"{len(table.classes)} images are not all {whole} combinations; {needed}"
    found = np.zeros(sizes, bool)
    found[tuple(table.classes.T)] = True
    if found.all():
        return ""
    pairs = zip(table.values.items(), np.argwhere(~found)[0], strict=True)
    told = ", ".join(f"{name} {values[k]}" for (name, values), k in pairs)
    return f"{np.sum(~found)} of {whole} combinations have no image, such as {told}; {needed}"
