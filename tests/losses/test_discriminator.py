import json
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from tfkit.losses import discriminator_loss, discriminator_total_correlation

GOLDEN = Path(__file__).parents[1] / "golden"
ARRAYS = np.load(GOLDEN / "disentanglement_losses.npz")
NUMBERS = json.loads((GOLDEN / "disentanglement_losses.json").read_text())


@pytest.mark.parametrize(("dtype", "rtol"), [(np.float64, 1e-10), (np.float32, 1e-5)])
@pytest.mark.parametrize("case", "abc")
def test_golden(case, dtype, rtol):
    joint, permuted = (ARRAYS[f"{case}_disc_logits_{x}"].astype(dtype) for x in ("z", "perm"))
    expected = NUMBERS[case]
    found = discriminator_total_correlation(joint)
    np.testing.assert_allclose(found, expected["factor_vae_tc"], rtol=rtol)
    objective = expected["factor_vae_discriminator_objective"]
    np.testing.assert_allclose(discriminator_loss(joint, permuted), -objective, rtol=rtol)


def test_a_clipped_probability_has_no_gradient():
    logits = tf.constant([[20.0, 0.0], [1.0, 0.0]])
    with tf.GradientTape() as tape:
        tape.watch(logits)
        loss = discriminator_loss(logits, tf.zeros((3, 2)))
    gradient = tape.gradient(loss, logits).numpy()
    assert not gradient[0].any() and gradient[1, 0] < 0 < gradient[1, 1]


def test_who_knows_nothing_pays_log_2_and_sees_no_dependence():
    zeros = np.zeros((5, 2))
    assert float(discriminator_loss(zeros, zeros)) == pytest.approx(np.log(2))
    assert float(discriminator_total_correlation(zeros)) == 0.0


def test_the_best_discriminator_gives_the_total_correlation():
    """Two latents that share a fair bit: log q(z) / prod q(z_l) = log 2 wherever q(z) > 0."""
    answers = np.log([[0.5, 0.25]] * 8)
    assert float(discriminator_total_correlation(answers)) == pytest.approx(np.log(2))


@pytest.mark.parametrize("shape", [(4, 1), (4, 3), (4,)])
def test_bad_arguments(shape):
    bad, good = np.zeros(shape), np.zeros((4, 2))
    with pytest.raises(ValueError, match=r"discriminator_total_correlation: .*\[B, 2\]"):
        discriminator_total_correlation(bad)
    for pair in ((bad, good), (good, bad)):
        with pytest.raises(ValueError, match=r"discriminator_loss: logits must have shape"):
            discriminator_loss(*pair)
