"""The contract of recipe files: valid, reproducible, and they say what they reach."""

import re
from pathlib import Path

from tests.contracts.subject import ROOT
from tfkit import catalog
from tfkit import recipe as recipes

_DURATION = re.compile(r"\d\s*(s|min|h|seconds|minutes|hours|days)\b")


def header(path: Path) -> str:
    """The comment at the top of a file."""
    lines = path.read_text(encoding="utf-8").splitlines()
    length = next((i for i, line in enumerate(lines) if not line.startswith("#")), len(lines))
    return "\n".join(line.lstrip("# ") for line in lines[:length])


def is_its_own_resolution(path: Path) -> None:
    """It is valid, and its resolved form is a recipe that resolves to itself."""
    known = recipes.load(path)
    again = recipes.from_dict(recipes.parse(known.dump()))
    assert again.resolved == known.resolved and again.hash == known.hash, f"{path}: not a fixpoint"


def lies_with_its_method(path: Path) -> None:
    """recipes/<stem>/ holds recipes of that room's models."""
    resolved = recipes.load(path).resolved
    room = catalog.find("model", resolved["model"]["name"]).room
    assert room.rpartition(".")[2] == path.parent.name, f"{path}: a recipe of {room}"


def says_command_and_result(path: Path) -> None:
    """The header tells the command, how long it takes, and a figure that it reaches; or, where the
    data are the user's own, that `no figure is claimed`.
    """
    text = header(path)
    verb = "sweep" if recipes.load(path).resolved["sweep"] else "run"
    command = rf"(tfkit|scripts/)\s?{verb} {re.escape(path.relative_to(ROOT).as_posix())}"
    assert re.search(command, text), f"{path}: the header tells not `tfkit {verb} <this file>`"
    assert _DURATION.search(text), f"{path}: the header tells not how long it takes"
    model = catalog.find("model", recipes.load(path).resolved["model"]["name"])
    evaluator = catalog.load().beside(model, "evaluator")
    names = [*(evaluator.given_names if evaluator else ()), *model.logs]
    figure = rf"\b({'|'.join(names)})\b[^\n]*\d"
    silent = "no figure is claimed" in text
    assert silent or re.search(figure, text, re.IGNORECASE), (
        f"{path}: the header tells no figure of {', '.join(names)}"
    )


def extends_whole_recipes(path: Path) -> None:
    """The file that it extends is valid by itself."""
    base = recipes.parse(path.read_text(encoding="utf-8")).get("extends")
    assert base is None or recipes.load(path.parent / base).resolved


RECIPE = (
    is_its_own_resolution,
    lies_with_its_method,
    says_command_and_result,
    extends_whole_recipes,
)
