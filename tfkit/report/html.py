"""One file that tells the whole run: no script, no network, for light, dark, phone and paper."""

from __future__ import annotations

import os
from pathlib import Path

import jinja2
from markupsafe import Markup

from tfkit.errors import TfkitError
from tfkit.report.content import content, number
from tfkit.report.folder import read

_HERE = Path(__file__).parent


def write(run_folder: str | os.PathLike) -> Path:
    """Read the files of a run folder and write its `report.html`; return the path.

    Everything is optional but `resolved.yaml`: an interrupted run has a report too. The same files
    give the same bytes.

    Args:
        run_folder: made by `tfkit run`.
    Raises: UsageError when it is no run folder, TfkitError when a file of it cannot be read.
    """
    folder = Path(run_folder)
    page = render(content(read(folder)))
    path = folder / "report.html"
    partial = folder / f".report.html.{os.getpid()}.tmp"
    try:
        partial.write_text(page, encoding="utf-8")
        os.replace(partial, path)
    except OSError as error:
        raise TfkitError(f"{path} could not be written: {error.strerror or error}.") from error
    return path


def render(variables: dict) -> str:
    """The page; every value from a file is escaped, only our own SVG and CSS are not."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_HERE),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters["number"] = number
    style = Markup((_HERE / "report.css").read_text(encoding="utf-8"))
    return environment.get_template("report.html.jinja").render(style=style, **variables)
