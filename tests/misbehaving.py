"""Parts of recipes that misbehave, importable by processes that know nothing of pytest."""

import os


def broken():
    """A callback that cannot be built."""
    raise RuntimeError("broken on purpose")


def deadly():
    """A callback that takes its process along, as a lack of memory would."""
    os._exit(9)
