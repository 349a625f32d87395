"""Engines: what they propose, what they hear, and how they go on."""

import json

import pytest

from tests.search.test_space import GOLDEN, SPACES
from tfkit.errors import UsageError
from tfkit.search import make_engine


def engine(directory, space=SPACES[0], seed=6, trials=6, **options):
    return make_engine("random", space, trials=trials, seed=seed, directory=directory, **options)


def proposals(made, value=1.0):
    found = []
    while (trial := made.ask()) is not None:
        found.append(trial.values)
        made.tell(trial.id, value)
    return found


@pytest.mark.parametrize("number", [0, 1])
def test_golden_draws(number, tmp_path):
    made = engine(tmp_path, SPACES[number])
    assert proposals(made) == GOLDEN[f"kt_random_space{number}_seed7"]
    assert made.done and made.ask() is None


def test_seed_zero_is_a_seed(tmp_path):
    draws = [proposals(engine(tmp_path / str(i), seed=0)) for i in range(2)]
    assert draws[0] == draws[1] != GOLDEN["kt_random_space0_seed7"]


@pytest.mark.parametrize("told", range(6))
def test_a_killed_search_goes_on_as_if_nothing_had_happened(told, tmp_path):
    first = engine(tmp_path)
    values = []
    for _ in range(told):
        trial = first.ask()
        values.append(trial.values)
        first.tell(trial.id, 0.5)
    lost = first.ask()  # asked and never told
    second = engine(tmp_path)
    again = second.ask()
    assert again == lost
    second.tell(again.id, 0.5)
    values += [again.values, *proposals(second)]
    assert values == GOLDEN["kt_random_space0_seed7"]


def test_a_journal_cut_short_costs_only_its_last_line(tmp_path):
    first = engine(tmp_path)
    trial = first.ask()
    first.tell(trial.id, 0.5)
    path = tmp_path / "journal.jsonl"
    path.write_text(path.read_text()[:-7])
    second = engine(tmp_path)
    assert second.ask() == trial
    assert path.read_text().endswith("\n")


def test_a_changed_space_or_goal_is_refused_and_more_trials_are_welcome(tmp_path):
    proposals(engine(tmp_path, trials=3))
    with pytest.raises(UsageError, match="goal: 'min' → 'max'"):
        engine(tmp_path, goal="max")
    other = {**SPACES[0], "model.units": {"int": [16, 32], "step": 16}}
    with pytest.raises(UsageError, match="another search"):
        engine(tmp_path, other)
    assert proposals(engine(tmp_path, trials=6)) == GOLDEN["kt_random_space0_seed7"][3:]


def test_ids_have_four_digits_and_diverged_trials_never_win(tmp_path):
    made = engine(tmp_path, goal="max")
    heard = []
    learn = made.learn
    made.learn = lambda id, value, failed: (heard.append((id, value)), learn(id, value, failed))
    for value in (3.0, float("nan"), 5.0):
        made.tell(made.ask().id, value)
    assert heard == [("0000", 3.0), ("0001", 3.0), ("0002", 5.0)]
    statuses = [told.status for told in made.told.values()]
    assert statuses == ["completed", "diverged", "completed"]


def test_a_trial_cannot_be_told_twice(tmp_path):
    made = engine(tmp_path)
    id = made.ask().id
    made.tell(id, 1.0)
    with pytest.raises(UsageError, match="not open"):
        made.tell(id, 1.0)


def test_an_exhausted_space_ends_the_search(tmp_path):
    made = engine(tmp_path, {"a": {"choice": [1, 2]}}, trials=50)
    assert sorted(values["a"] for values in proposals(made)) == [1, 2]
    assert made.done
    assert not proposals(engine(tmp_path, {"a": {"choice": [1, 2]}}, trials=50))


def test_the_journal_stands_where_another_library_would_propose_something_else(tmp_path):
    proposals(engine(tmp_path, trials=3))
    path = tmp_path / "journal.jsonl"
    lines = path.read_text().splitlines()
    event = json.loads(lines[1])
    event["values"]["optimizer.learning_rate"] *= 1 + 1e-15
    path.write_text("\n".join([lines[0], json.dumps(event), *lines[2:]]) + "\n")
    again = engine(tmp_path)
    assert again.asked["0000"].values == event["values"]
    assert proposals(again) == GOLDEN["kt_random_space0_seed7"][3:]


def test_an_unknown_engine_is_refused_with_the_known_ones(tmp_path):
    with pytest.raises(UsageError, match="there are: random"):
        make_engine("radnom", {}, directory=tmp_path)


def test_an_unknown_option_is_refused(tmp_path):
    with pytest.raises(UsageError, match="random has no option factor"):
        engine(tmp_path, factor=3)
