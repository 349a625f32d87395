"""One file that tells the whole run."""

from __future__ import annotations

import os
from pathlib import Path

from tfkit.report.content import content
from tfkit.report.folder import read
from tfkit.report.page import render, write_page


def write(run_folder: str | os.PathLike) -> Path:
    """Read the files of a run folder and write its `report.html`; return the path.

    Everything is optional but `resolved.yaml`: an interrupted run has a report too. The same files
    give the same bytes.

    Args:
        run_folder: made by `tfkit run`.
    Raises: UsageError when it is no run folder, TfkitError when a file of it cannot be read.
    """
    folder = Path(run_folder)
    return write_page(folder / "report.html", render("report.html.jinja", content(read(folder))))
