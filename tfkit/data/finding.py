"""Where the user's files are: under $TFKIT_DATA, or here."""

import os
from pathlib import Path
from typing import Literal

from tfkit.errors import DataMissing


def find(
    called: str, path: str | os.PathLike, layout: str, what: Literal["file", "folder"] = "file"
) -> Path:
    """The file or folder meant by `path`: as it is, under $TFKIT_DATA, or in the current folder.

    Args:
        called: the data set's name, for the message.
        path: absolute or relative.
        layout: what is expected there, for the message.
        what: a file or a folder.
    Raises:
        DataMissing: it is nowhere; the message says where it was looked for and what is expected.
    """
    roots = [Path(root) for root in (os.environ.get("TFKIT_DATA"), Path.cwd()) if root]
    # joining an absolute path gives that path
    tried = list(dict.fromkeys(root / Path(path).expanduser() for root in roots))
    for place in tried:
        if place.is_dir() if what == "folder" else place.is_file():
            return place
    raise DataMissing(
        f"{called}: no {what} {' or '.join(map(str, tried))}; expected {layout}. Set data.path, or "
        "$TFKIT_DATA to the folder that a relative path starts from."
    )
