"""Reading picture files, the same for training, `tfkit predict` and the client of a server."""

from pathlib import Path
from typing import Literal

import numpy as np
from PIL import Image, ImageOps

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".webp")
_MODES = {1: "L", 3: "RGB", 4: "RGBA"}  # channels -> Pillow's mode


def files_below(folder: Path) -> list[Path]:
    """The images in a folder and its subfolders, in the order of their paths."""
    found = (file for file in folder.rglob("*") if file.suffix.lower() in SUFFIXES)
    return sorted(file for file in found if file.is_file())


def pixels(file: Path, size: tuple[int, int] | None, channels: Literal[1, 3, 4]) -> np.ndarray:
    """One image as training and `tfkit predict` see it: upright, cropped, resized, as bytes.

    The largest part in the middle that has the proportions of `size` is resized to it. Transparency
    becomes black, unless it is the fourth channel.

    Args:
        file: the image.
        size: height and width of the result; None leaves the image as large as it is.
        channels: 1 for grey, 3 for colour, 4 for colour and opacity.
    Returns: [H, W, channels] uint8.
    Raises:
        Exception: of many kinds, those of Pillow for a broken file; ValueError for pixels of more
            than 8 bits.
    """
    with Image.open(file) as image:
        if image.mode.startswith(("I", "F")):
            raise ValueError(f"pixels of more than 8 bits (mode {image.mode}); save it as 8 bits")
        upright = ImageOps.exif_transpose(image)
        if channels != 4 and ("A" in upright.getbands() or "transparency" in upright.info):
            upright = upright.convert("RGBA")
            black = Image.new("RGBA", upright.size, (0, 0, 0, 255))
            upright = Image.alpha_composite(black, upright)
        picture = upright.convert(_MODES[channels])
        if size is not None:
            height, width = size
            picture = ImageOps.fit(picture, (width, height), Image.Resampling.LANCZOS)
    return np.asarray(picture).reshape(picture.height, picture.width, channels)


def small_picture(file: Path, size: tuple[int, int]) -> np.ndarray:
    """A picture in colour, made smaller where it must to fit height and width, whole.

    Shapes: -> [H, W, 3] float64 in [0, 1]
    """
    picture = Image.fromarray(pixels(file, None, 3))
    height, width = size
    picture.thumbnail((width, height), Image.Resampling.LANCZOS)
    return np.asarray(picture) / 255
