"""A folder of pictures with a table of labels, attributes and parts, as SubpopBench writes it."""

from tfkit.data.finding import find
from tfkit.data.listing import check_size, crossed, pictures_of
from tfkit.data.metadata import classes_of, column, parts_of, read_csv
from tfkit.data.source import Source

_LAYOUT = (
    "a folder with a CSV table of columns filename, y, a (label and attribute, numbers or words) "
    "and split (0, 1, 2 or train, val, test), and the pictures that it names, as written by the "
    "scripts from https://github.com/YyzHarry/SubpopBench"
)


def load(
    path: str,
    table: str = "metadata.csv",
    file_column: str = "filename",
    label_column: str = "y",
    attribute_column: str = "a",
    split_column: str = "split",
    image_size: int = 224,
    in_memory: bool | None = None,
) -> Source:
    """Pictures with a label and an attribute that may mislead; the groups are label x attribute.

        filename,split,y,a        split 0 is training, 1 validation, 2 test
        dogs/1.jpg,0,dog,snow     labels and attributes are numbers or words, numbered in order

    Pictures are cropped to the square in their middle.

    Gives: inputs, labels, groups, index
    Args:
        path: the folder; a relative one is looked for under $TFKIT_DATA, then here.
        table: the CSV file, relative to the folder.
        file_column: the column of file names, relative to the folder, or absolute.
        label_column: the column of labels.
        attribute_column: the column of attributes.
        split_column: the column of parts.
        image_size: side in pixels after resizing, >= 8.
        in_memory: hold all pixels in memory; null does so up to a gigabyte of them.
    Raises:
        DataMissing: no such folder, a table of another layout, pictures that are not there.
        ValueError: options out of range.
    References: Yang et al. 2023, arXiv:2302.12254 (the layout).
    """
    check_size("grouped_images", image_size)
    folder = find("grouped_images", path, _LAYOUT, "folder")
    file = folder / table
    given = ("grouped_images", file, read_csv("grouped_images", file, _LAYOUT))
    labels, classes = classes_of(*given, label_column, _LAYOUT)
    attributes, names = classes_of(*given, attribute_column, _LAYOUT)
    listing = crossed(
        column(*given, file_column, _LAYOUT).tolist(),
        labels,
        attributes,
        parts_of(*given, split_column, _LAYOUT),
        [f"{label_column}={name}" for name in classes],
        [f"{attribute_column}={name}" for name in names],
    )
    return pictures_of(
        "grouped_images", folder, listing, _LAYOUT, image_size=image_size, in_memory=in_memory
    )
