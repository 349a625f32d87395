"""Nine classes of ImageNet, tested on pictures that are hard, or that have other backgrounds."""

import re
from pathlib import Path

from tfkit.data.finding import find
from tfkit.data.listing import (
    by_class,
    check_share,
    check_size,
    held_out_for_choosing,
    pictures_of,
)
from tfkit.data.pictures import files_below
from tfkit.data.source import Source
from tfkit.errors import DataMissing

# first and last WordNet number of each class: ILSVRC's folders between them belong to it
CLASSES = {
    "dog": ("n02085620", "n02113978"),
    "cat": ("n02123045", "n02124075"),
    "frog": ("n01641577", "n01644900"),
    "turtle": ("n01664065", "n01669191"),
    "bird": ("n01795545", "n01860187"),
    "primate": ("n02480495", "n02494079"),
    "fish": ("n02514041", "n02655020"),
    "crab": ("n01978287", "n01981276"),
    "insect": ("n02165105", "n02268443"),
}
_LAYOUT = (
    "folders of pictures in a folder for each class, named by its WordNet number (n02085620) as in "
    "ImageNet and ImageNet-A from https://github.com/hendrycks/natural-adv-examples, or numbered "
    "(00_dog) as from https://github.com/MadryLab/backgrounds_challenge"
)


def load(
    path: str,
    train_folder: str = "train",
    validation_folder: str | None = None,
    test_folder: str = "imagenet-a",
    only: list[str] | None = None,
    image_size: int = 224,
    validation: float = 0.1,
    in_memory: bool | None = False,
) -> Source:
    """Nine kinds of things; the test part is ImageNet-A, or a variant of other backgrounds.

        n02085620 to n02113978 is a dog, …
        (and cat, frog, turtle, bird, primate, fish, crab, insect)
        00_dog, 01_bird, …: the classes of the backgrounds challenge, by their numbers

    Folders of other WordNet numbers are left out. No attribute is known of a picture, so the groups
    are the classes. Dogs are 118 of ImageNet's folders and cats 5: `only` picks folders for classes
    of one size.

    Gives: inputs, labels, groups, index
    Args:
        path: the folder; a relative one is looked for under $TFKIT_DATA, then here.
        train_folder: pictures for training, relative to the folder.
        validation_folder: pictures for choosing; null holds out a share of those for training, the
            first by the SHA-256 of their names.
        test_folder: pictures for reporting, such as imagenet-a or bg_challenge/mixed_rand/val.
        only: names of the folders of classes to read; null reads all.
        image_size: side in pixels after resizing, >= 8; 224 is the papers'.
        validation: share that is held out without a folder for choosing, in (0, 1).
        in_memory: hold all pixels in memory; null does so up to a gigabyte of them.
    Raises:
        DataMissing: no such folder, or folders named in two ways, or after no class.
        ValueError: options out of range.
    References: nine classes: Bahng et al. 2020, arXiv:1910.02806; ImageNet-A: Hendrycks et al.
        2021, arXiv:1907.07174; backgrounds: Xiao et al. 2021, arXiv:2006.09994.
    """
    check_size("imagenet9", image_size)
    check_share("imagenet9", "validation", validation)
    folder = find("imagenet9", path, _LAYOUT, "folder")
    folders = {0: train_folder, 1: validation_folder, 2: test_folder}
    found = [
        (file.relative_to(folder).as_posix(), file.parent.name, part)
        for part, name in folders.items()
        if name is not None
        for file in _pictures(folder / name, only)
    ]
    numbers, classes = _numbered(folder, sorted({name for _, name, _ in found}))
    found = [one for one in found if one[1] in numbers]
    files, names, parts = ([one[k] for one in found] for k in range(3))
    if validation_folder is None:
        parts = held_out_for_choosing(files, parts, validation)
    listing = by_class(files, [numbers[name] for name in names], parts, classes)
    return pictures_of(
        "imagenet9", folder, listing, _LAYOUT, image_size=image_size, in_memory=in_memory
    )


def _pictures(folder: Path, only):
    """The pictures in the folders of classes."""
    if not folder.is_dir():
        raise DataMissing(f"imagenet9: no folder {folder}; expected {_LAYOUT}.")
    for part in sorted(part for part in folder.iterdir() if part.is_dir()):
        if only is None or part.name in only:
            yield from files_below(part)


def _numbered(folder, names):
    """{folder's name: its class} and the names of the classes."""
    if names and all(re.fullmatch(r"n\d{8}", name) for name in names):
        numbers = {
            name: number
            for name in names
            for number, (first, last) in enumerate(CLASSES.values())
            if first <= name <= last
        }
        return numbers, list(CLASSES)
    numbers = {name: int(m[1]) for name in names if (m := re.fullmatch(r"(\d\d)_(.+)", name))}
    if len(numbers) < len(names) or sorted(numbers.values()) != list(range(len(names))):
        named = ", ".join(names[:9]) or "no folder"
        raise DataMissing(
            f"imagenet9: the folders of classes in {folder} are {named}; expected {_LAYOUT}."
        )
    return numbers, [name[3:] for name in sorted(numbers)]
