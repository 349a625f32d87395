"""Templates to pages: no script, no network, for light, dark, phone and paper."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from tfkit.errors import TfkitError
from tfkit.report.numbers import number

_HERE = Path(__file__).parent


def render(template: str, variables: dict[str, Any]) -> str:
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
    return environment.get_template(template).render(style=style, **variables)


def write_page(path: Path, page: str) -> Path:
    """Write a file whole or not at all; returns its path."""
    partial = path.parent / f".{path.name}.{os.getpid()}.tmp"
    try:
        partial.write_text(page, encoding="utf-8")
        os.replace(partial, path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise TfkitError(f"{path} could not be written: {error.strerror or error}.") from error
    return path
