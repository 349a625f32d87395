"""Several stages: each done once, later ones reading what earlier ones left."""

import json

import numpy as np
import pytest

from tests.train import runs


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


@pytest.mark.parametrize("kills", [[4], [8], [2, 5, 2]], ids=str)
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
