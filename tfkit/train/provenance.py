"""Where a run comes from: versions, code, device, seeds, command, data."""

import hashlib
import platform
import subprocess
import sys
from importlib import metadata
from pathlib import Path

from tfkit.train import device
from tfkit.version import __version__

STACK = ("tensorflow", "keras", "keras-tuner", "numpy")


def collect(threads: int, data: dict) -> dict:
    """The entries of `provenance.json` that are known when a run begins."""
    return {
        "versions": {
            "tfkit": __version__,
            "python": platform.python_version(),
            **{name: metadata.version(name) for name in STACK},
        },
        "git": git_state(),
        "device": device.describe(),
        "threads": threads,
        "argv": sys.argv,
        "data": data,
    }


def git_state() -> dict | None:
    """Commit and hash of the uncommitted changes of the checkout that tfkit runs from, if any."""
    root = Path(__file__).parents[2]
    if not (root / ".git").exists():
        return None
    try:
        commit = git(root, "rev-parse", "HEAD").decode().strip()
        changes = git(root, "diff", "HEAD")
    except (OSError, subprocess.CalledProcessError):
        return None
    digest = hashlib.sha256(changes).hexdigest() if changes else None
    return {"commit": commit, "uncommitted_sha256": digest}


def git(root: Path, *words: str) -> bytes:
    """What a git command prints."""
    return subprocess.run(["git", "-C", root, *words], capture_output=True, check=True).stdout
