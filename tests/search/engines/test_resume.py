"""A search killed after any question or answer goes on as if nothing had happened."""

import json
from types import SimpleNamespace

import pytest
from keras_tuner.src.tuners import bayesian

from tests.search.engines.proposals import CASES, SPACES, drive, make

KINDS = list(CASES)


def look_once(function, x0, **_):
    """A minimiser that stays where it starts."""
    return SimpleNamespace(x=x0, fun=float(function(x0)[0]))


@pytest.fixture
def quick(monkeypatch):
    """The Gaussian process's optimum is the best of its 50 random starts, which takes 10 ms and
    depends on the same fit and the same random numbers as the real one.
    """
    known = SimpleNamespace(optimize=SimpleNamespace(minimize=look_once))
    monkeypatch.setattr(bayesian, "scipy", known)


def moves_of(directory, kind, space, width):
    """All trials of an uninterrupted search, and how many questions and answers it had."""
    engine = make(directory, kind, space)
    return drive(engine, width), len(engine.asked) + len(engine.told)


def resumed(directory, kind, space, width, moves):
    """The trials of a search killed after some moves and gone on with, in the order of their ids.

    A parallel search asks and tells in another order after a kill, because all that ran is asked
    for again; here the running ones are taken up as they were.
    """
    first = make(directory, kind, space)
    drive(first, width, kill_after=moves)
    second = make(directory, kind, space)
    assert second.asked == first.asked
    assert second.told == first.told
    drive(second, width)
    assert second.done
    return list(second.asked.values())


@pytest.mark.parametrize("space", SPACES.values(), ids=SPACES)
@pytest.mark.parametrize("kind", KINDS)
def test_one_by_one(kind, space, tmp_path, quick):
    whole, moves = moves_of(tmp_path / "whole", kind, space, 1)
    for kill in range(moves + 1):
        found = resumed(tmp_path / f"killed{kill}", kind, space, 1, kill)
        assert found == whole, f"killed after {kill} of {moves} moves"


@pytest.mark.parametrize("kind", KINDS)
def test_three_at_a_time(kind, tmp_path, quick):
    whole, moves = moves_of(tmp_path / "whole", kind, SPACES["plain"], 3)
    assert len(whole) >= 6
    for kill in range(moves + 1):
        found = resumed(tmp_path / f"killed{kill}", kind, SPACES["plain"], 3, kill)
        assert found == whole, f"killed after {kill} of {moves} moves"


@pytest.mark.parametrize("kind", KINDS)
def test_a_journal_cut_in_its_last_line(kind, tmp_path, quick):
    whole, _ = moves_of(tmp_path / "whole", kind, SPACES["plain"], 1)
    drive(make(tmp_path / "cut", kind), kill_after=7)
    path = tmp_path / "cut" / "journal.jsonl"
    path.write_text(path.read_text()[:-9])
    second = make(tmp_path / "cut", kind)
    drive(second)
    assert list(second.asked.values()) == whole


@pytest.mark.parametrize("kind", KINDS)
def test_digits_of_another_processor(kind, tmp_path, quick):
    """What the journal says was tried was tried, and the search goes on from there."""
    drive(make(tmp_path, kind), kill_after=9)
    path = tmp_path / "journal.jsonl"
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    for line in lines:
        if "ask" in line:
            line["values"]["rate"] *= 1 + 1e-15
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    second = make(tmp_path, kind)
    drive(second)
    asked = [line for line in lines if "ask" in line]
    assert [second.asked[line["ask"]].values for line in asked] == [
        line["values"] for line in asked
    ]
    assert second.done


def test_the_real_optimum_is_found_again(tmp_path):
    """With trials running at the kill, so that the fit before it matters."""
    whole = drive(make(tmp_path / "whole", "bayesian", trials=6), width=2)
    assert resumed(tmp_path / "killed", "bayesian", SPACES["plain"], 2, 9)[:6] == whole
