import json
from pathlib import Path

import numpy as np
import pytest

from tfkit.metrics import beta_vae_score, factor_vae_score

GOLDEN = Path(__file__).parents[1] / "golden"
ARRAYS = np.load(GOLDEN / "disentanglement_metrics.npz")
KNOWN = json.loads((GOLDEN / "disentanglement_metrics.json").read_text())
SCORES = {"beta_vae": beta_vae_score, "factor_vae": factor_vae_score}
BOTH = pytest.mark.parametrize("score", SCORES.values(), ids=SCORES)
SMALL = {"batch_size": 16, "num_train": 300, "num_eval": 200}


class World:
    """Images are numbers of states, and a representation is a look-up."""

    def __init__(self, sizes=KNOWN["factor_sizes"]):
        self.factor_sizes, self.seen = sizes, []

    def observe(self, factors, random_state):
        self.seen.append(len(factors))
        return np.ravel_multi_index(factors.T, self.factor_sizes)


def lookup(codes):
    return lambda states: codes[states]


def states(sizes=KNOWN["factor_sizes"]):
    return np.indices(sizes).reshape(len(sizes), -1).T.astype(float)


def value(score, representation, world=None, **options):
    world = world or World()
    return score(representation, world, **{**SMALL, **options})[score.__name__]


@pytest.mark.parametrize("name", KNOWN["representations"])
@pytest.mark.parametrize("seed", (0, 3))
def test_factor_vae_golden(name, seed):
    codes, known = ARRAYS[f"codes_{name}"], KNOWN["representations"][name]["protocol"]
    found = factor_vae_score(
        lookup(codes), World(), seed=seed, num_train=2000, num_eval=1000, num_variance=5000
    )
    assert found["factor_vae_score"] == pytest.approx(known["factor_vae_eval"][seed], abs=1e-12)
    assert found["train_accuracy"] == pytest.approx(known["factor_vae_train"][seed], abs=1e-12)


@pytest.mark.parametrize("name", KNOWN["representations"])
def test_beta_vae_golden(name):
    codes, known = ARRAYS[f"codes_{name}"], KNOWN["representations"][name]["protocol"]
    found = beta_vae_score(lookup(codes), World(), seed=1, num_train=2000, num_eval=1000)
    assert found["beta_vae_score"] == pytest.approx(known["beta_vae_eval"][1], abs=0.003)
    assert found["train_accuracy"] == pytest.approx(known["beta_vae_train"][1], abs=0.003)


@BOTH
def test_the_factors_themselves_score_one_and_nothing_scores_chance(score):
    assert value(score, lookup(states())) == 1.0
    noise = np.random.default_rng(0).normal(size=states().shape)
    assert value(score, lookup(noise)) < 0.4


def test_order_sign_and_scale_of_codes_do_not_matter():
    codes = ARRAYS["codes_rotated"].astype(float)
    moved = codes[:, ::-1] * np.linspace(1.0, -2.5, codes.shape[1])
    known, found = (value(factor_vae_score, lookup(c), threshold=0.0) for c in (codes, moved))
    assert found == known
    turned = lookup(-codes[:, ::-1])  # the scale matters to the classifier's penalty
    known = value(beta_vae_score, lookup(codes))
    assert value(beta_vae_score, turned) == pytest.approx(known, abs=0.01)


@BOTH
def test_a_rotation_lowers_it(score):
    perfect, rotated = (value(score, lookup(ARRAYS[f"codes_{n}"])) for n in ("perfect", "rotated"))
    assert rotated < perfect == 1.0


@BOTH
def test_seeds(score):
    codes = lookup(ARRAYS["codes_rotated"])
    one, same, other = (value(score, codes, seed=seed) for seed in (0, 0, 1))
    assert one == same != other


@BOTH
def test_images_come_in_large_batches(score):
    world = World()
    value(score, lookup(states()), world)
    assert max(world.seen) == 4096 and len(world.seen) < 12


def test_collapsed_codes_do_not_vote():
    codes = ARRAYS["codes_perfect"]
    assert value(factor_vae_score, lookup(0.0 * codes)) == 0.0
    assert value(factor_vae_score, lookup(0.001 * codes)) == 0.0
    assert value(factor_vae_score, lookup(0.001 * codes), threshold=0.0) > 0.5
    found = factor_vae_score(lookup(codes), World(), **SMALL)
    assert found["active"].tolist() == [True] * 5 + [False] * 5
    assert found["votes"].sum() == 300 and not found["votes"][5:].any()


def test_a_constant_code_without_a_threshold_is_no_division_by_zero():
    codes = np.concatenate([np.zeros((len(states()), 1)), states()], axis=1)
    assert value(factor_vae_score, lookup(codes), threshold=0.0) == 1.0


@BOTH
def test_one_factor_only(score):
    world = World([6])
    assert value(score, lookup(states([6])), world) == 1.0


@BOTH
def test_a_data_set_without_a_grid_is_refused_with_its_reason(score):
    class Photographs:
        factor_sizes = None
        why_no_grid = "2 of 6 combinations have no image"

    with pytest.raises(ValueError, match="2 of 6 combinations have no image"):
        score(lookup(states()), Photographs())
    with pytest.raises(ValueError, match="no factor_sizes"):
        score(lookup(states()), object())


@BOTH
@pytest.mark.parametrize("option", ("batch_size", "num_train", "num_eval"))
def test_counts_out_of_range(score, option):
    with pytest.raises(ValueError, match=f"{option} must be >= [12], got 0"):
        score(lookup(states()), World(), **{option: 0})


@BOTH
def test_bad_codes(score):
    with pytest.raises(ValueError, match="must give"):
        value(score, lambda images: np.zeros((len(images), 2, 2)))
    with pytest.raises(ValueError, match="finite"):
        value(score, lookup(np.full((1440, 3), np.nan)))


def test_a_negative_threshold_is_refused():
    with pytest.raises(ValueError, match="threshold must be >= 0, got -1"):
        value(factor_vae_score, lookup(states()), threshold=-1)
