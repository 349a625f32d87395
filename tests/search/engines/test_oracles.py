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
    with pytest.raises(UsageError, match="there are: bayesian, grid"):
        make_engine("radnom", {}, directory=tmp_path)


def test_an_unknown_option_is_refused(tmp_path):
    with pytest.raises(UsageError, match="random has no option factor"):
        engine(tmp_path, factor=3)


@pytest.mark.parametrize("trials", [0, -3])
def test_fewer_than_one_trial_are_refused(trials, tmp_path):
    with pytest.raises(UsageError, match=f"search.trials: must be >= 1.* got {trials}"):
        engine(tmp_path, trials=trials)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("kind", ["random", "optuna"])
@pytest.mark.parametrize("rule", [{"uniform": [0, 1]}, {"int": [1, 2], "bool": True}, 3], ids=str)
def test_an_unknown_distribution_is_refused_with_its_path(kind, rule, tmp_path):
    with pytest.raises(UsageError, match="search.space.a.b: .* one of float, int, choice, bool"):
        make_engine(kind, {"a.b": rule}, directory=tmp_path)


def test_an_unknown_status_is_refused_with_the_known_ones(tmp_path):
    made = engine(tmp_path)
    id = made.ask().id
    with pytest.raises(UsageError, match="completed, failed, diverged, pruned, not as 'nonsense'"):
        made.tell(id, 1.0, status="nonsense")
    made.tell(id, 1.0)
    assert made.told[id].status == "completed", "the trial stays open"


def test_a_search_for_another_work_is_another_search(tmp_path):
    engine(tmp_path / "without")
    first = json.loads((tmp_path / "without" / "journal.jsonl").read_text().splitlines()[0])
    assert "work" not in first["search"], "who says nothing of it finds his directories again"
    engine(tmp_path / "with", work="1a2b3c")
    with pytest.raises(UsageError, match="work: '1a2b3c' → '4d5e6f'"):
        engine(tmp_path / "with", work="4d5e6f")


def test_a_grid_begins_with_the_recipes_own_values_and_has_each_combination_once(tmp_path):
    space = {"a": {"choice": ["x", "y"]}, "b": {"int": [1, 3]}, "c": {"bool": True}}
    defaults = {"a": "y", "b": 2, "c": True}
    made = make_engine("grid", space, directory=tmp_path, defaults=defaults)
    found = proposals(made)
    assert found[0] == defaults
    assert [tuple(v.values()) for v in found[:7]] == [
        ("y", 2, True),
        ("y", 2, False),
        ("y", 1, True),
        ("y", 1, False),
        ("y", 3, True),
        ("y", 3, False),
        ("x", 2, True),
    ]
    assert len({tuple(v.values()) for v in found}) == len(found) == 12
    assert made.done and made.ask() is None


def test_a_grid_of_conditions(tmp_path):
    found = proposals(make_engine("grid", SPACES[1], directory=tmp_path, trials=None))
    methods = [values["model.name"] for values in found]
    batches = 4  # 32, 64, 128, 256
    betas = 1 + 10  # the default and ten of the range
    assert methods.count("beta_vae") == methods.count("beta_tcvae") == betas * batches
    assert methods.count("dip_vae") == 50 * batches
    assert len({json.dumps(values, sort_keys=True) for values in found}) == len(found)
    assert not any("model.beta" in v and "model.lambda_od" in v for v in found)


def test_a_grid_takes_a_value_off_the_grid_and_none_twice(tmp_path):
    space = {"a": {"float": [0.0, 1.0], "step": 0.1}, "b": {"fixed": 7}}
    found = proposals(make_engine("grid", space, directory=tmp_path, defaults={"a": 0.3}))
    assert [values["a"] for values in found[:3]] == [0.3, 0.0, 0.1]
    assert len(found) == 11 and {values["b"] for values in found} == {7}
    off = make_engine("grid", space, directory=tmp_path / "off", defaults={"a": 0.25})
    assert len(proposals(off)) == 12


def test_the_first_so_many_of_a_grid_and_later_the_rest(tmp_path):
    space = {"a": {"int": [1, 9]}}
    some = proposals(make_engine("grid", space, trials=4, directory=tmp_path))
    rest = proposals(make_engine("grid", space, trials=None, directory=tmp_path))
    assert [values["a"] for values in some + rest] == list(range(1, 10))


def test_a_gaussian_process_finds_the_hollow(tmp_path):
    space = {"x": {"float": [0.0, 1.0]}}
    made = make_engine("bayesian", space, trials=9, seed=1, directory=tmp_path, goal="max")
    seen = []
    while (trial := made.ask()) is not None:
        seen.append(trial.values["x"])
        made.tell(trial.id, -((trial.values["x"] - 0.7) ** 2))
    assert min(abs(x - 0.7) for x in seen[3:]) < 0.02


def test_what_failed_before_anything_completed_does_not_spoil_the_fit(tmp_path):
    space = {"x": {"float": [0.0, 1.0]}}
    made = make_engine("bayesian", space, trials=9, directory=tmp_path, num_initial_points=3)
    for value in (None, 1.0, 2.0):
        made.tell(made.ask().id, value, status="completed" if value else "failed")
    made.ask()
    assert list(made.oracle._vectorize_trials()[1][:3]) == [2.0, 1.0, 2.0]


@pytest.mark.parametrize(
    ("option", "value"), [("alpha", 0.0), ("beta", -1.0), ("num_initial_points", 0)]
)
def test_options_out_of_bounds_are_refused(option, value, tmp_path):
    with pytest.raises(UsageError, match=f"search.engine: bayesian: {option} must be"):
        make_engine("bayesian", SPACES[0], directory=tmp_path, **{option: value})
    assert not list(tmp_path.iterdir())


def test_another_recipes_search_is_refused_although_its_space_is_the_same(tmp_path):
    engine(tmp_path, work="1a2b3c")
    with pytest.raises(UsageError, match="work: '1a2b3c' → '4d5e6f'"):
        engine(tmp_path, work="4d5e6f")
