"""The engine on an Optuna storage: what it proposes, what it hears, who may join it."""

import os
import sys
import time

import pytest

from tests.search.engines.joining import SPACE
from tfkit.errors import UsageError
from tfkit.search import make_engine


@pytest.fixture(autouse=True)
def no_waiting_for_disks(monkeypatch):
    monkeypatch.setattr(os, "fsync", lambda *_: None)


def engine(folder, kind="journal", space=SPACE, trials=12, seed=3, **options):
    if kind == "sqlite":
        options = {"storage": f"sqlite:///{folder}/search.db", **options}
    return make_engine("optuna", space, trials=trials, seed=seed, directory=folder, **options)


def run(made, objective=lambda values: values["a"] + values["b"], most=1000):
    """Ask and tell until nothing is left; the values in the order of asking."""
    found = []
    while len(found) < most and (trial := made.ask()) is not None:
        found.append(trial.values)
        made.tell(trial.id, objective(trial.values))
    return found


# --- proposals --------------------------------------------------------------------------------


@pytest.mark.parametrize("sampler", ["tpe", "cma_es", "random"])
def test_a_search_goes_on_as_if_nothing_had_happened(sampler, tmp_path):
    whole = run(engine(tmp_path / "whole", sampler=sampler, trials=16))
    pieces = []
    for count in (1, 3, 7, 16):  # TPE and CMA-ES have begun to learn by then
        made = engine(tmp_path / "cut", sampler=sampler, trials=16)
        pieces += run(made, most=count)
        made.close()
    assert pieces == whole
    assert len({str(values) for values in whole}) == 16
    other = run(engine(tmp_path / "other", sampler=sampler, trials=3, seed=4))
    assert other[0] != whole[0]


@pytest.mark.parametrize(("kind", "trials"), [("journal", 14), ("sqlite", 5)])
def test_it_does_not_matter_which_process_asks(kind, trials, tmp_path):
    whole = run(engine(tmp_path, trials=trials))
    (tmp_path / "shared").mkdir()
    several = [engine(tmp_path / "shared", kind, trials=trials) for _ in range(3)]
    found = []
    for turn in range(trials):
        found += run(several[turn % 3], most=1)
    assert found == whole
    assert all(made.done and made.ask() is None for made in several)
    assert several[0].told == several[1].told and len(several[2].told) == trials


def test_unlike_one_sampler_in_two_processes_the_draws_of_parallel_trials_differ(tmp_path):
    one, other = engine(tmp_path, trials=20), engine(tmp_path, trials=20)
    found = [made.ask() for _ in range(10) for made in (one, other)]
    assert [trial.id for trial in found] == [f"{n:04d}" for n in range(20)]
    assert len({str(trial.values) for trial in found}) == 20
    assert one.ask() is None and not one.done  # the others still run


@pytest.mark.parametrize("sampler", ["tpe", "cma_es"])
def test_what_learns_finds_better_values_than_chance(sampler, tmp_path):
    space = {path: {"float": [0, 1]} for path in ("x", "y", "z")}

    def loss(values):
        return sum((value - 0.3) ** 2 for value in values.values())

    def losses(kind, seed):
        made = engine(tmp_path / f"{kind}{seed}", space=space, trials=40, seed=seed, sampler=kind)
        return [loss(values) for values in run(made, loss)]

    wins = 0
    for seed in range(5):
        learnt, by_chance = losses(sampler, seed), losses("random", seed)
        assert sum(learnt[20:]) < 0.6 * sum(by_chance[20:])
        wins += min(learnt) < min(by_chance)
    assert wins >= 4


@pytest.mark.parametrize("kind", ["journal", "sqlite"])
def test_what_one_process_tells_every_process_reads(kind, tmp_path):
    one, other = (engine(tmp_path, kind, goal="max") for _ in range(2))
    about = {"seconds": 1.5, "error": "Traceback …\nValueError: ü", "curve": [[1, 0.5], [2, None]]}
    one.tell(one.ask().id, 2.0)
    one.tell(one.ask().id, 7.0, about=about)
    one.tell(one.ask().id, None, status="failed", about=about)
    one.tell(one.ask().id, float("nan"))
    one.tell(one.ask().id, 0.5, status="diverged")
    lost = one.ask()
    assert not other.done
    statuses = {id: told.status for id, told in other.told.items()}
    assert list(statuses.values()) == ["completed", "completed", "failed", "diverged", "diverged"]
    assert other.told["0001"].about == about and other.told["0002"].about == about
    assert other.told["0004"].objective == 0.5 and other.told["0002"].objective is None
    assert other.asked[lost.id].values == lost.values and other.open() == [lost.id]
    # Optuna hears the worst value so far of what did not complete
    assert [trial.value for trial in other.memory.trials()] == [2.0, 7.0, 2.0, 2.0, 2.0, None]


def test_a_trial_is_told_once_and_by_who_asked_it(tmp_path):
    one, other = engine(tmp_path), engine(tmp_path)
    id = one.ask().id
    with pytest.raises(UsageError, match="another process's"):
        other.tell(id, 1.0)
    one.tell(id, 1.0)
    for made in (one, other):
        with pytest.raises(UsageError, match="not open"):
            made.tell(id, 1.0)


def test_ten_trials_unless_the_recipe_says_otherwise_and_more_are_welcome(tmp_path):
    assert len(run(engine(tmp_path, trials=None))) == 10
    assert len(run(engine(tmp_path, trials=13))) == 3
    assert engine(tmp_path, trials=5).done


def test_an_ask_costs_little(tmp_path):
    made = engine(tmp_path, trials=150, sampler="random")
    run(made, most=100)
    other = engine(tmp_path, trials=150, sampler="random")
    times = []
    for _ in range(20):
        started = time.perf_counter()
        assert not other.done
        times.append(time.perf_counter() - started)
    assert sorted(times)[10] < 0.02, times


# --- pruning ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pruner", "warmup"), [("median", 3), ("hyperband", 3), ("successive_halving", 3)]
)
def test_hopeless_trials_are_pruned_and_never_before_the_warmup(pruner, warmup, tmp_path):
    space, seen = {"q": {"float": [0, 1]}}, {}
    made = engine(
        tmp_path, space=space, trials=40, goal="max", pruner=pruner, warmup=warmup, sampler="random"
    )
    assert made.prunes
    while (trial := made.ask()) is not None:
        for step in range(1, 28):
            if made.should_prune(trial.id, step, trial.values["q"]):
                seen[trial.id] = step, trial.values["q"]
                made.tell(trial.id, trial.values["q"], status="pruned")
                break
        else:
            made.tell(trial.id, trial.values["q"])
    assert made.done and 3 <= len(seen) < 40
    assert all(step >= warmup for step, _ in seen.values())
    assert all(made.told[id].status == "pruned" for id in seen)
    kept = [trial.values["q"] for id, trial in made.asked.items() if id not in seen]
    pruned = [quality for _, quality in seen.values()]
    assert sum(kept) / len(kept) > sum(pruned) / len(pruned) + 0.1


def test_reports_that_come_again_after_a_resume_change_nothing(tmp_path):
    options = {"pruner": "median", "space": {"q": {"float": [0, 1]}}}
    made = engine(tmp_path, **options)
    for _ in range(6):
        id = made.ask().id
        assert not made.should_prune(id, 1, 1.0)
        made.tell(id, 1.0)
    trial = made.ask()
    assert not made.should_prune(trial.id, 1, 0.5)
    made.close()
    again = engine(tmp_path, **options)
    assert again.ask() == trial
    assert not again.should_prune(trial.id, 1, 9.0)  # what was said first stands
    assert again.should_prune(trial.id, 2, 9.0) is False  # nobody else came so far
    (state,) = [t for t in again.memory.trials() if t.number == 6]
    assert state.intermediate_values == {1: 0.5, 2: 9.0}


def test_without_a_pruner_nothing_is_reported(tmp_path):
    assert not engine(tmp_path).prunes


# --- identity and options ---------------------------------------------------------------------


def test_another_search_in_the_storage_is_refused_with_what_differs(tmp_path):
    run(engine(tmp_path), most=1)
    with pytest.raises(UsageError, match=r"study tfkit, holds another search(.|\n)*seed: 3 → 4"):
        engine(tmp_path, seed=4)
    with pytest.raises(UsageError, match="goal: 'min' → 'max'(.|\n)*another name"):
        engine(tmp_path, goal="max")
    with pytest.raises(UsageError, match="sampler: 'tpe' → 'random'"):
        engine(tmp_path, sampler="random")
    with pytest.raises(UsageError, match="space: "):
        engine(tmp_path, space={"a": {"float": [0, 1]}})
    made = engine(tmp_path, lease=5.0, constant_liar=True)  # what it is by itself
    assert list(made.told) == ["0000"]
    assert not engine(tmp_path, seed=4, study="second").told


def test_a_storage_elsewhere_is_the_same_search_from_any_folder(tmp_path):
    place = str(tmp_path / "shared" / "search.journal")
    run(engine(tmp_path / "one", storage=place), most=2)
    assert list(engine(tmp_path / "other", storage=place).told) == ["0000", "0001"]
    assert (tmp_path / "shared" / "search.journal.leases").is_dir()
    assert not (tmp_path / "one").exists()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"lease": 0.0}, "lease must be > 0, got 0.0"),
        ({"warmup": -1, "pruner": "median"}, "warmup must be >= 0, got -1"),
        ({"sampler": "gp"}, "sampler must be one of tpe, cma_es, random, got 'gp'"),
        ({"pruner": "mean"}, "pruner must be one of none, median"),
        ({"study": "../x"}, "study must be letters"),
        ({"sampler": "random", "constant_liar": True}, "constant_liar is for tpe alone"),
        ({"warmup": 5}, "warmup=5 needs a pruner"),
        ({"sampler": "cma_es", "space": {"c": {"choice": [1, 2]}}}, "cma_es needs a float or int"),
    ],
)
def test_what_is_wrong_or_would_be_ignored_is_refused(options, words, tmp_path):
    with pytest.raises(UsageError, match=words):
        engine(tmp_path, **options)
    assert not (tmp_path / "optuna.journal").exists()


@pytest.mark.parametrize(("package", "sampler"), [("optuna", "tpe"), ("cmaes", "cma_es")])
def test_a_missing_package_is_named_with_the_command(package, sampler, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(UsageError, match=rf"{package}: pip install 'tfkit\[optuna\]'"):
        engine(tmp_path, sampler=sampler)


def test_nothing_is_printed(tmp_path, capfd, recwarn):
    space = {**SPACE, "e": {"int": [1, 10], "step": 4}}
    for sampler in ("tpe", "cma_es", "random"):
        pruner = "hyperband" if sampler == "tpe" else "median"
        made = engine(tmp_path / sampler, space=space, sampler=sampler, pruner=pruner)
        while trial := made.ask():
            made.should_prune(trial.id, 1, 1.0)
            made.should_prune(trial.id, 1, 1.0)
            made.tell(trial.id, 1.0)
    assert capfd.readouterr() == ("", "") and not recwarn.list
