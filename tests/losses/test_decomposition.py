import json
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfkit.losses import decomposition, kl_to_standard_normal, total_correlation

GOLDEN = Path(__file__).parents[1] / "golden"
ARRAYS = np.load(GOLDEN / "disentanglement_losses.npz")
NUMBERS = json.loads((GOLDEN / "disentanglement_losses.json").read_text())
SAMPLED = ("mws", "mss", "mss_released")
PARTS = ("mi", "tc", "dwkl")


def codes(case="a", dtype=np.float64):
    return [ARRAYS[f"{case}_{name}"].astype(dtype) for name in ("z", "mu", "logvar")]


def random_codes(rows, latents=4, seed=0):
    generator = np.random.default_rng(seed)
    return [generator.normal(size=(rows, latents)) for _ in range(3)]


@pytest.mark.parametrize(("dtype", "rtol"), [(np.float64, 1e-10), (np.float32, 1e-5)])
@pytest.mark.parametrize("case", "abc")
def test_golden_kl_and_batch_estimator(case, dtype, rtol):
    z, mean, logvar = codes(case, dtype)
    expected = NUMBERS[case]
    kl = np.mean(kl_to_standard_normal(mean, logvar), axis=0)
    np.testing.assert_allclose(kl, ARRAYS[f"{case}_kl_per_dim"], rtol=rtol)
    parts = total_correlation(z, mean, logvar)
    np.testing.assert_allclose(parts["tc"], expected["total_correlation"], rtol=rtol)
    joint, product = (ARRAYS[f"{case}_log_qz{kind}_noconst"] for kind in ("", "_product"))
    conditional, prior = ARRAYS[f"{case}_log_qzx"], ARRAYS[f"{case}_log_pz"]
    np.testing.assert_allclose(parts["mi"], np.mean(conditional - joint), rtol=rtol, atol=1e-5)
    np.testing.assert_allclose(parts["dwkl"], np.mean(product - prior), rtol=rtol, atol=1e-5)


@pytest.mark.parametrize(("dtype", "rtol"), [(np.float64, 1e-10), (np.float32, 1e-5)])
@pytest.mark.parametrize("estimator", SAMPLED)
@pytest.mark.parametrize("case", "abc")
def test_golden_sampled_estimators(case, estimator, dtype, rtol):
    sizes = (len(ARRAYS[f"{case}_z"]), 1000, 737280)
    for size in sizes:
        parts = total_correlation(*codes(case, dtype), estimator=estimator, dataset_size=size)
        expected = NUMBERS[case][f"{estimator}_N{size}"]
        # in float32 a part near zero is the difference of numbers about 20
        np.testing.assert_allclose(
            [parts[name] for name in PARTS],
            [expected[name] for name in PARTS],
            rtol=rtol,
            atol=0 if dtype == np.float64 else 2e-5,
        )


@pytest.mark.parametrize("estimator", ("batch", *SAMPLED))
def test_parts_add_up_to_the_log_ratio_of_posterior_and_prior(estimator):
    z, mean, logvar = random_codes(12)
    posterior = -0.5 * ((z - mean) ** 2 / np.exp(logvar) + logvar)
    expected = np.mean(np.sum(posterior + 0.5 * z**2, axis=1))
    parts = total_correlation(z, mean, logvar, estimator=estimator, dataset_size=50)
    np.testing.assert_allclose(sum(parts[name] for name in PARTS), expected, rtol=1e-10)


def test_one_latent_has_no_total_correlation():
    assert abs(total_correlation(*random_codes(20, latents=1))["tc"]) < 1e-12


def test_equal_posteriors_leave_the_constant_that_was_dropped():
    z = np.random.default_rng(0).normal(size=(2000, 10)).astype(np.float32)
    tc = total_correlation(z, 0 * z, 0 * z)["tc"]
    np.testing.assert_allclose(tc, -9 * np.log(2000), rtol=1e-5)


@pytest.mark.parametrize("estimator", ("mss", "mss_released"))
def test_weights_of_stratified_sampling(estimator):
    weights = np.exp(decomposition._log_weights(estimator, 8, 40, "float64"))
    if estimator == "mss":
        np.testing.assert_allclose(weights.sum(axis=1), 1.0, rtol=1e-12)
        np.testing.assert_allclose(np.diag(weights), 1 / 40)
    else:
        np.testing.assert_allclose(weights[[0, 1, 2, 3, 4, 5, 7], 0], 1 / 40)


def test_stratified_sampling_is_unbiased_and_the_released_layout_is_not():
    """Averaged over minibatches, the estimate of q(z_j) is the mixture over the whole set."""
    size, batch = 40, 8
    z, mean, logvar = random_codes(size, latents=2)
    density = np.exp(np.sum(-0.5 * ((z[:, None] - mean) ** 2 / np.exp(logvar) + logvar), axis=2))
    exact = density.mean(axis=1)
    generator = np.random.default_rng(1)
    ratios = {}
    for estimator in ("mss", "mss_released"):
        weights = np.exp(decomposition._log_weights(estimator, batch, size, "float64"))
        rows = np.argsort(generator.random((20000, size)), axis=1)[:, :batch]
        estimate = np.sum(density[rows[:, :, None], rows[:, None]] * weights, axis=2)
        ratios[estimator] = np.mean(estimate / exact[rows])
    assert abs(ratios["mss"] - 1) < 0.005
    assert abs(ratios["mss_released"] - 1) > 0.01


@pytest.mark.parametrize("estimator", ("batch", "mws"))
def test_order_of_examples_and_latents_does_not_matter(estimator):
    generator = np.random.default_rng(3)
    arrays = random_codes(10, latents=5)
    rows, columns = generator.permutation(10), generator.permutation(5)
    shuffled = [array[rows][:, columns] for array in arrays]
    one = total_correlation(*arrays, estimator=estimator, dataset_size=30)
    other = total_correlation(*shuffled, estimator=estimator, dataset_size=30)
    np.testing.assert_allclose(*[[v[name] for name in PARTS] for v in (one, other)], rtol=1e-10)


def test_latents_taken_one_at_a_time_give_the_same(monkeypatch):
    arrays = random_codes(10, latents=5)
    together = total_correlation(*arrays, estimator="mss", dataset_size=30)
    for elements in (1, 2 * 10 * 10):
        monkeypatch.setattr(decomposition, "_ELEMENTS", elements)
        apart = total_correlation(*arrays, estimator="mss", dataset_size=30)
        np.testing.assert_allclose(*[[v[name] for name in PARTS] for v in (together, apart)])


@pytest.mark.parametrize("jit", (False, True))
def test_in_a_graph_with_an_unknown_batch_as_in_eager_mode(jit):
    arrays = random_codes(6)
    spec = [tf.TensorSpec([None, 4], tf.float64)] * 3
    for estimator in ("batch", *SAMPLED):

        def run(z, mean, logvar, estimator=estimator):
            return total_correlation(z, mean, logvar, estimator=estimator, dataset_size=40)

        graph = tf.function(run, input_signature=spec, jit_compile=jit)(*arrays)
        for name, value in run(*arrays).items():
            np.testing.assert_allclose(graph[name], value, rtol=1e-9)


def test_bfloat16_is_computed_in_float32():
    arrays = [keras.ops.cast(array, "bfloat16") for array in random_codes(8)]
    exact = total_correlation(*[np.array(array, np.float32) for array in arrays])["tc"]
    lifted = total_correlation(*arrays)["tc"]
    assert lifted.dtype == "float32" and abs(lifted - exact) < 1e-5


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"z": np.ones((3, 4))}, r"one shape \[B, D\], got \(3, 4\)"),
        ({"z": np.ones(3), "mean": np.ones(3), "logvar": np.ones(3)}, r"one shape \[B, D\]"),
        ({"estimator": "exact"}, "one of batch, mws, mss, mss_released, got 'exact'"),
        ({"estimator": "mws"}, "needs dataset_size >= the batch's 5 rows, got None"),
        ({"estimator": "mss", "dataset_size": 4}, "5 rows, got 4"),
    ],
)
def test_bad_arguments(change, message):
    z, mean, logvar = random_codes(5)
    with pytest.raises(ValueError, match=message):
        total_correlation(**{"z": z, "mean": mean, "logvar": logvar, **change})
