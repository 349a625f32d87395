"""Figures and curves to SVG that takes the page's colours, so that it is legible in light and dark.

Matplotlib lays out; its colours are placeholders that become CSS variables of the page (`--ink`,
`--series-0` …), its text stays text.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from io import StringIO

import matplotlib
import numpy as np
from markupsafe import Markup, escape
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure as Canvas
from matplotlib.ticker import FuncFormatter, NullFormatter

from tfkit.figure import Figure

SERIES = 6  # colours of the page: Okabe and Ito's, told apart with every kind of colour vision
_DASHES = ("solid", (0, (5, 2)), (0, (1.5, 1.5)))  # from the seventh series on
INK, MUTED, GRID, PAPER = "#010101", "#020202", "#030303", "#050505"
_COLOURS = [f"#0400{index:02x}" for index in range(SERIES)]
_VARIABLES = {INK: "ink", MUTED: "muted", GRID: "line", PAPER: "paper"} | {
    colour: f"series-{index}" for index, colour in enumerate(_COLOURS)
}
STYLE = {
    "svg.fonttype": "none",
    "svg.hashsalt": "tfkit",
    "text.parse_math": False,  # a label may hold a dollar sign
    "font.size": 10,
    "text.color": INK,
    "axes.edgecolor": GRID,
    "axes.labelcolor": MUTED,
    "axes.facecolor": "none",
    "axes.grid": True,
    "axes.grid.axis": "y",
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
    "grid.color": GRID,
    "grid.linewidth": 0.8,
    "xtick.color": GRID,
    "ytick.color": GRID,
    "xtick.labelcolor": MUTED,
    "ytick.labelcolor": MUTED,
    "ytick.major.size": 0,
    "lines.linewidth": 1.8,
    "lines.solid_capstyle": "round",
    "figure.facecolor": "none",
}
LOG_RATIO = 200  # a positive curve that spans more than this is drawn on a logarithmic axis
_ANNOTATED = 12  # a heatmap of at most so many rows and columns has its numbers written in
_LONGEST = 40  # letters of a word on an axis
_DENSE = 5  # values that make a density
_MANY_POINTS = 1500  # more points than this are one picture in the SVG, not an element each


def colour(index: int) -> str:
    """The placeholder of the index-th series, which becomes var(--series-…)."""
    return _COLOURS[index % SERIES]


def draw(figure: Figure) -> Markup:
    """The SVG of a figure that is not a grid of images."""
    drawers = {
        "line": _line,
        "bars": _bars,
        "heatmap": _heatmap,
        "scatter": _scatter,
        "violins": _violins,
    }
    with matplotlib.rc_context(STYLE):
        canvas, axes = new_canvas(6.4, 3.4)
        drawers[figure.kind](axes, figure)
        return to_svg(canvas, figure.alt)


def curve(series: Sequence[tuple[np.ndarray, np.ndarray, int]], alt: str) -> Markup:
    """One small multiple: lines (steps, values, index of the colour) on common axes."""
    with matplotlib.rc_context(STYLE):
        canvas, axes = new_canvas(3.7, 2.2)
        many = len(series) > 4
        for steps, values, index in series:
            marker = "o" if len(steps) == 1 else None
            axes.plot(
                steps,
                values,
                color=colour(index),
                marker=marker,
                alpha=0.75 if many else 1,
                linewidth=1.2 if many else 1.8,
            )
        values = np.concatenate([values for _, values, _ in series])
        scale_for(axes, values)
        axes.set_xlabel("step")
        axes.locator_params(axis="x", nbins=5)
        return to_svg(canvas, alt)


def scale_for(axes: Axes, values: np.ndarray) -> None:
    """A logarithmic y axis for positive values that span much."""
    if values.min() > 0 and values.max() / values.min() > LOG_RATIO:
        axes.set_yscale("log")
        # the default labels are powers in mathematical notation, which is off
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axes.yaxis.set_minor_formatter(NullFormatter())


def new_canvas(width: float, height: float) -> tuple[Canvas, Axes]:
    """A drawing of so many inches, which the page then scales, with its axes."""
    canvas = Canvas(figsize=(width, height), layout="constrained")
    FigureCanvasSVG(canvas)
    return canvas, canvas.add_subplot()


def _line(axes: Axes, figure: Figure) -> None:
    x, y = figure.arrays["x"], np.atleast_2d(figure.arrays["y"])  # [T], [S, T]
    for index, values in enumerate(y):
        dash = _DASHES[index // SERIES % len(_DASHES)]
        axes.plot(x, values, color=colour(index), linestyle=dash)
        if "low" in figure.arrays and "high" in figure.arrays:
            low, high = (np.atleast_2d(figure.arrays[k])[index] for k in ("low", "high"))
            axes.fill_between(x, low, high, color=colour(index), alpha=0.18, linewidth=0)
    _titles(axes, figure)


def _bars(axes: Axes, figure: Figure) -> None:
    values = np.atleast_2d(figure.arrays["values"])  # [S, N]
    names = figure.labels.get("names") or [str(n) for n in range(values.shape[1])]
    places, width = np.arange(values.shape[1]), 0.7 / len(values)
    for index, row in enumerate(values):
        at = places + (index - (len(values) - 1) / 2) * width
        axes.bar(at, row, width * 0.92, color=colour(index))
        if "low" in figure.arrays and "high" in figure.arrays:
            low, high = (np.atleast_2d(figure.arrays[k])[index] for k in ("low", "high"))
            axes.vlines(at, low, high, color=INK, linewidth=1.2)
    _name_places(axes, places, names)
    _titles(axes, figure)


def _name_places(axes: Axes, places: np.ndarray, names: Sequence) -> None:
    """Words below the places, aslant where they would run into each other."""
    axes.set_xticks(places, [short(name) for name in names])
    if sum(len(str(name)) for name in names) > 60:
        axes.tick_params(axis="x", labelrotation=40)
        for label in axes.get_xticklabels():
            label.set(ha="right", rotation_mode="anchor")


def _violins(axes: Axes, figure: Figure) -> None:
    """The density of each group, and every value as a dot: few values make no density."""
    values, group = figure.arrays["values"], figure.arrays["group"]  # [N] each
    numbers = np.unique(group)
    names = figure.labels.get("names") or [str(number) for number in numbers]
    for place, number in enumerate(numbers):
        own = values[group == number]
        if len(own) >= _DENSE and np.ptp(own) > 0:
            drawn = axes.violinplot([own], [place], widths=0.8, showextrema=False)
            drawn["bodies"][0].set(facecolor=colour(0), edgecolor="none", alpha=0.25)
        axes.scatter(
            np.full(len(own), place),
            own,
            s=10,
            color=colour(0),
            alpha=0.7,
            linewidths=0,
            rasterized=len(values) > _MANY_POINTS,
        )
        axes.hlines(np.median(own), place - 0.25, place + 0.25, color=INK, linewidth=1.4)
    _name_places(axes, np.arange(len(numbers)), names)
    _titles(axes, figure)


def _heatmap(axes: Axes, figure: Figure) -> None:
    values = figure.arrays["values"].astype(float)  # [R, C]
    picture = axes.imshow(values, cmap="cividis", aspect="auto", interpolation="nearest")
    axes.grid(False)
    axes.spines["bottom"].set_visible(False)
    for set_ticks, key, count in (
        (axes.set_yticks, "rows", values.shape[0]),
        (axes.set_xticks, "columns", values.shape[1]),
    ):
        if figure.labels.get(key):
            set_ticks(range(count), [short(word) for word in figure.labels[key]])
    if max(values.shape) <= _ANNOTATED:
        for (row, column), value in np.ndenumerate(values):
            dark = picture.norm(value) < 0.5
            axes.text(
                column,
                row,
                f"{value:.2g}",
                ha="center",
                va="center",
                fontsize=8,
                color="white" if dark else "black",
            )
    bar = axes.figure.colorbar(
        picture, ax=axes, label=short(figure.labels.get("value", "")), pad=0.02
    )
    bar.outline.set_visible(False)
    _titles(axes, figure)


def _scatter(axes: Axes, figure: Figure) -> None:
    x, y = figure.arrays["x"], figure.arrays["y"]  # [N] each
    group = figure.arrays.get("group", np.zeros(len(x), int))
    for index, which in enumerate(np.unique(group)):
        chosen = group == which
        axes.scatter(
            x[chosen],
            y[chosen],
            s=14,
            color=colour(index),
            alpha=0.7,
            linewidths=0,
            rasterized=len(x) > _MANY_POINTS,
        )
    _titles(axes, figure)


def _titles(axes: Axes, figure: Figure) -> None:
    axes.set_xlabel(short(figure.labels.get("x", "")))
    axes.set_ylabel(short(figure.labels.get("y", "")))


def short(words: object) -> str:
    """A longer word on an axis would leave no room for the drawing."""
    text = str(words)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def to_svg(canvas: Canvas, alt: str) -> Markup:
    """The drawing as an element of the page: named for readers, sized and coloured by CSS."""
    text = StringIO()
    bare = {"Creator": None, "Date": None, "Format": None, "Type": None}
    canvas.savefig(text, format="svg", metadata=bare)
    svg = text.getvalue()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<style.*?</style>", "", svg, count=1, flags=re.S)  # would style the whole page
    svg = re.sub(r"<!--.*?-->", "", svg, flags=re.S)
    svg = re.sub(r'<g id="[a-z]\w*_\d+"', "<g", svg)  # names that repeat from plot to plot
    for placeholder, variable in _VARIABLES.items():
        svg = svg.replace(placeholder, f"var(--{variable})")
    box = re.search(r'viewBox="[^"]*"', svg).group()
    opening = f'<svg class="plot" role="img" aria-label="{escape(alt)}" {box}>'
    return Markup(re.sub(r"<svg[^>]*>", lambda _: opening, svg, count=1))
