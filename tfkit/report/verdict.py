"""What a comparison of two runs says in words, and no more than it can."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tfkit.report.goals import ASSUMED
from tfkit.report.numbers import alike
from tfkit.report.tables import p_value

_LEVEL = 0.05


def better_of(means: Sequence[float], goal: str) -> str | None:
    """ "a" or "b", whose mean is better; None where they are equal."""
    a, b = means
    if a == b:
        return None
    return "b" if (b > a) == (goal == "max") else "a"


def words_of(row: Mapping[str, Any], names: tuple[str, str], tested: int) -> str:
    """A metric of `compare` as a sentence.

    Args:
        row: the metric.
        names: the two runs'.
        tested: how many metrics were tested, for which p-values are corrected.
    """
    if row["better"] is None:
        equal = row["means"][0] == row["means"][1]
        return f"{row['metric']}: " + ("equal means." if equal else "not finite, so no better one.")
    text = f"{row['metric']}: {_means(row, names)}"
    n = len(row["seeds"])
    if row["tests"] is None:
        few = f"n={n}, so nothing is tested" if n else "no seed is common, so nothing is paired"
        return f"{text}; {few}."
    step, low, high = alike([row["difference"], row["low"], row["high"]])
    span = "" if low == "–" else f" [{low}, {high}]"
    text += f"; {names[1]} - {names[0]} is {step}{span} over {n} common seeds"
    chance = row["improvement"]
    if chance is not None:
        winner, loser = names if row["better"] == "a" else names[::-1]
        odds = chance if row["better"] == "b" else 1 - chance
        beats = "is above" if row["told"] == ASSUMED else "beats"
        text += f", and a run of {winner} {beats} one of {loser} with probability {odds:.2f}"
    return f"{text}. {_verdict(row, tested)}"


def _means(row: Mapping[str, Any], names: tuple[str, str]) -> str:
    """Who has the better mean; who has the larger one, where nobody says what is better."""
    order = 1 if row["better"] == "a" else -1
    best, worst = alike(row["means"][::order])
    mean = "larger" if row["told"] == ASSUMED else "better"
    text = f"{names[::order][0]} has the {mean} mean, {best} against {worst}"
    all_seeds = [row["a"]["mean"], row["b"]["mean"]]
    if better_of(all_seeds, row["goal"]) == row["better"]:
        return text
    return f"{text} (but {' against '.join(alike(all_seeds[::order]))} over all its seeds)"


def _verdict(row: Mapping[str, Any], metrics: int) -> str:
    least, tests = row["least"] * metrics, row["tests"]
    for_all = f" (corrected for {metrics} metrics)" if metrics > 1 else ""
    same = tests["t"]["p"] is None
    said = "All seeds differ by the same, which leaves no interval and no t test. " if same else ""
    if least > _LEVEL:
        fewest = f"so few seeds cannot give less than {p_value(min(1.0, least))}"
        if same:
            return f"{said}By sign flips {fewest}."
        student = f"If differences are normal, {_p(tests['t']['holm'])}{for_all}"
        return f"{student}; without supposing so, {fewest}."
    p = tests["sign_flip"]["holm"]
    said += "More than chance would do" if p <= _LEVEL else "Not told apart from chance"
    return f"{said} at 5 %: {_p(p)}{for_all}, by sign flips."


def _p(value: float | None) -> str:
    text = p_value(value)
    return f"p {text}" if text.startswith("<") else f"p = {text}"
