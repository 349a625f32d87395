"""What several commands share: options, and how they read, start and print."""

import importlib
import logging
import os
import sys
import warnings
from pathlib import Path
from typing import Annotated

import typer

from tfkit.errors import UsageError
from tfkit.seeding import MOST_REPLICATES

Sets = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="PATH=VALUE", help="Change a value; may be repeated."),
]
SetFiles = Annotated[
    list[Path] | None,
    typer.Option("--set-file", metavar="FILE", help="YAML merged over the recipe before --set."),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on the last line.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print no progress.")]
RunFolders = Annotated[list[Path], typer.Argument(metavar="RUN...", help="Run folders.")]
Workers = Annotated[int | None, typer.Option(metavar="N", min=1, help="Processes on this machine.")]
Metrics = Annotated[
    list[str] | None,
    typer.Option("--metric", metavar="METRIC", help="Only this; may be repeated."),
]
Goals = Annotated[
    list[str] | None,
    typer.Option(metavar="METRIC=max|min", help="Which way is better; may be repeated."),
]
Html = Annotated[Path | None, typer.Option(metavar="FILE", help="Write a page.")]
Csv = Annotated[Path | None, typer.Option(metavar="FILE", help="Write a row per seed.")]


def load_recipe(path: Path, sets, set_files):
    """The recipe that a command was given; all its mistakes at once."""
    from tfkit import recipe

    return recipe.load(path, sets or (), tuple(set_files or ()))


def heavy(module: str):
    """A module that brings TensorFlow; the last moment to see that Keras would not use it."""

    from tfkit.backend import require_tensorflow

    require_tensorflow()
    # TensorFlow's start-up notes, "no GPU" among them as an error, are no news to users
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    warnings.formatwarning = lambda message, *rest: f"warning: {message}\n"
    # its warnings of functions traced anew, one for each trial and replicate, neither
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    return importlib.import_module(module)


def seed_list(text: str) -> list[int]:
    """What `--seeds` says: a number of replicates, or their seeds."""
    try:
        numbers = [int(part) for part in text.removesuffix(",").split(",")]
    except ValueError:
        raise UsageError(f'--seeds takes a number or "1,2,3", got {text}') from None
    if "," in text:
        return numbers
    if not 1 <= numbers[0] <= MOST_REPLICATES:
        raise UsageError(
            f"--seeds {text} asks for {text} replicates, and may ask for 1 to {MOST_REPLICATES}; "
            f'one replicate from this seed is "{text},"'
        )
    return list(range(1, numbers[0] + 1))


def whole_numbers(option: str, text: str, count: int) -> list[int]:
    """What an option of `count` numbers says."""
    try:
        numbers = [int(part) for part in text.split(",")]
    except ValueError:
        numbers = []
    if len(numbers) != count:
        raise UsageError(f"{option} takes {count} whole numbers with commas between, got {text}")
    return numbers


def meant(word: str, names: list[str]) -> str:
    """ "; did you mean …?", or nothing."""
    from tfkit.recipe.components import nearest

    near = nearest(word, names)
    return f"; did you mean {near}?" if near else ""


def show(result: dict, as_json: bool) -> None:
    """Print a result, for people or as JSON."""
    from tfkit.terminal import print_result

    print_result(result, as_json)


def show_each(results: list[dict], as_json: bool) -> None:
    """Print several results."""
    if as_json:
        show(results[0] if len(results) == 1 else {"runs": results}, True)
        return
    for result in results:
        show(result, False)


def show_table(found: dict, as_text, as_json: bool, *written: Path | None) -> None:
    """Print a table, for people or as JSON, and say which files were written."""
    if as_json:
        show(found, True)
        return
    print(as_text(found))
    for path in filter(None, written):
        print(f"wrote {path}", file=sys.stderr)
