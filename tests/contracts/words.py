"""What every entry owes its reader: a docstring that is enough, refusals, a test of its own."""

import re

import pytest

from tests.contracts.subject import ROOT, Subject, bad_values
from tfkit.errors import UsageError

# kinds whose results are tensors or numbers of some shape, from some paper
_SHAPED = ("model", "network", "layer", "activation", "loss", "metric")
_RUN = ("engine", "executor")
_SOURCED = (*_SHAPED, *_RUN, "optimizer", "schedule", "callback", "evaluator")
_TESTED = (*_SHAPED, *_RUN, "optimizer", "schedule", "evaluator")


def documented(given: Subject) -> None:
    """The docstring says what it computes, its shapes, arguments and source."""
    entry = given.entry
    wanted = ["Shapes"] * (entry.kind in _SHAPED) + ["References"] * (entry.kind in _SOURCED)
    wanted += ["Needs", "Logs"] * (entry.kind == "model") + ["Gives"] * (
        entry.kind in ("dataset", "evaluator")
    )
    missing = [part for part in wanted if not re.search(rf"^{part}:", entry.doc, re.MULTILINE)]
    assert not missing, f"{given.name}: the docstring lacks {', '.join(missing)}"
    assert entry.summary.endswith((".", ":")), f"{given.name}: the first paragraph is a sentence"
    named = entry.options.values() if entry.kind not in ("model", "loss") else entry.parameters
    silent = [parameter.name for parameter in named if not parameter.doc]
    assert not silent, f"{given.name}: Args says nothing of {', '.join(silent)}"


def refuses_bad_arguments(given: Subject) -> None:
    """Every bounded or enumerated argument is refused outside, by name and value, at once."""
    refuse(given, given.make)


def refuse(given: Subject, make) -> None:
    """`make(**{name: bad value})` raises a ValueError that names the argument and the value."""
    for parameter in given.entry.parameters:
        for bad in bad_values(parameter):
            told = f"{given.name}: {parameter.name}={bad!r}"
            try:
                make(**{parameter.name: bad})
            except (ValueError, UsageError) as error:
                assert refused(error), f"{told}: {error!r} comes from no constructor's ValueError"
                value = bad[0] if isinstance(bad, list) else bad
                assert parameter.name in str(error) and str(value) in str(error), (
                    f"{told} is refused, but the message names not both: {error}"
                )
            else:
                pytest.fail(f"{told} is accepted; raise ValueError at construction")


def refused(error: Exception) -> bool:
    """Whether an error is a constructor's ValueError, as it is or as the engine hands it on."""
    return isinstance(error, ValueError) or isinstance(error.__cause__, ValueError)


def tested(given: Subject) -> None:
    """The source file has its test file, at the same place under tests/."""
    module = given.entry.module
    if given.entry.kind not in _TESTED or not module.startswith("tfkit."):
        return
    *folders, file = module.split(".")[1:]
    path = ROOT.joinpath("tests", *folders, f"test_{file}.py")
    assert path.exists(), f"{given.name}: no test in {path.relative_to(ROOT)}"


WORDS = (documented, refuses_bad_arguments, tested)
