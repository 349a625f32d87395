"""What a user has to type to call tfkit again, as it was called this time."""

import os
import shutil
import sys
from pathlib import Path


def program() -> str:
    """`tfkit` where the shell would find this one, else the path of the program that runs."""
    called = Path(sys.argv[0])
    if called.name != "tfkit":
        return "tfkit" if shutil.which("tfkit") else f"{sys.executable} -m tfkit"
    if (found := shutil.which("tfkit")) and os.path.samefile(found, called):
        return "tfkit"
    return min(str(called), os.path.relpath(called), key=len)
