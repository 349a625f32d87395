"""Several stages: each done once, later ones reading what earlier ones left."""

import json

import numpy as np
import pytest

from tests.train import runs
from tfkit.errors import Diverged


def staged(**train):
    keys = {"steps": 6, "save_every": 3, "stages": {"second": {"steps": 4}}, **train}
    known = runs.recipe(**keys).given
    return runs.recipes.load({**known, "model": {"name": "staged_room.model:Staged"}})


def test_stages_run_in_order_with_their_own_options(tmp_path):
    folder, _ = runs.run(tmp_path / "run", staged())
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    assert [(line["stage"], line["step"]) for line in lines] == [
        ("first", 3),
        ("first", 6),
        ("second", 3),
        ("second", 4),
    ]
    assert (folder / "stages" / "moments" / "moments.txt").read_text() == "1 stages before\n"


SLOW = pytest.mark.slow


@pytest.mark.parametrize(
    "kills", [pytest.param([4], marks=SLOW), pytest.param([8], marks=SLOW), [2, 5, 2]], ids=str
)
def test_resumed_stages_equal_uninterrupted_ones(kills, tmp_path, monkeypatch):
    whole, _ = runs.run(tmp_path / "whole", staged())
    for updates in kills:
        with monkeypatch.context() as patch:
            runs.kill_after(patch, updates)
            with pytest.raises(runs.Killed):
                runs.run(tmp_path / "resumed", staged())
    resumed, assembly = runs.run(tmp_path / "resumed", staged())
    assert runs.bytes_of(resumed) == runs.bytes_of(whole)
    assert np.isfinite(np.asarray(assembly.model.net.layers[-1].bias)).all()


def acting(**train):
    keys = {"steps": 14, "save_every": 3, **train}
    known = runs.recipe(**keys).given
    return runs.recipes.load({**known, "model": {"name": "acting_room.model:Acting"}})


@pytest.mark.parametrize("kills", [[5], pytest.param([3, 6, 2], marks=SLOW)], ids=str)
def test_what_happens_between_steps_is_resumed_exactly(kills, tmp_path, monkeypatch):
    whole, _ = runs.run(tmp_path / "whole", acting())
    for updates in kills:
        with monkeypatch.context() as patch:
            runs.kill_after(patch, updates)
            with pytest.raises(runs.Killed):
                runs.run(tmp_path / "resumed", acting())
    resumed, _ = runs.run(tmp_path / "resumed", acting())
    assert runs.bytes_of(resumed) == runs.bytes_of(whole)


@pytest.mark.parametrize("at_once", [2, 12])
def test_steps_at_once_end_where_something_happens_between(at_once, tmp_path, monkeypatch):
    from acting_room.stages import SEEN

    keys = {"steps": 24, "save_every": 12}
    one, _ = runs.run(tmp_path / "one", acting(**keys, steps_per_execution=1))
    SEEN.clear()
    many, assembly = runs.run(tmp_path / "many", acting(**keys, steps_per_execution=at_once))
    assert SEEN == [0, 4, 8, 12, 16, 20]
    assert assembly.model.steps_per_execution == min(at_once, 4)
    assert runs.bytes_of(one) == runs.bytes_of(many)


def test_a_stage_may_have_batches_of_its_own(tmp_path):
    own, _ = runs.run(tmp_path / "own", acting(steps=3))
    known = runs.recipe(steps=3, save_every=3)
    plain, _ = runs.run(tmp_path / "plain", known)
    losses = [json.loads((f / "metrics.jsonl").read_text())["loss"] for f in (own, plain)]
    assert losses[0] > 2 * losses[1]  # of y twice as large


def test_a_divergence_is_found_by_a_replay_that_acts_too(tmp_path, monkeypatch):
    monkeypatch.setattr("acting_room.stages.POISON", [8])
    with pytest.raises(Diverged) as error:
        runs.run(tmp_path / "run", acting(save_every=7))
    assert (error.value.step, error.value.tensor) == (9, "log/critic")


def test_options_of_a_stage_go_over_the_recipes_and_under_those_that_name_it():
    from tfkit.stage import Stage
    from tfkit.train.stages import stage_options

    train = {"steps": 9, "epochs": None, "save_every": 3, "stages": {"two": {"steps": 4}}}
    own = {"epochs": 1, "save_every": 2}
    found = [stage_options(train, Stage(name, train=own)) for name in ("one", "two")]
    told = [(f["steps"], f["epochs"], f["save_every"]) for f in found]
    assert told == [(None, 1, 2), (4, None, 2)]
    assert stage_options(train, Stage("plain")) == train
