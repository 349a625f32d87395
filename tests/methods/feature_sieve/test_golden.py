"""The three updates, update by update, as derived in NumPy and repeated with torch."""

from pathlib import Path

import keras
import numpy as np
import pytest

from tests.methods.feature_sieve import toys
from tfkit.models import FeatureSieve

GOLDEN = np.load(Path(__file__).parents[2] / "golden" / "feature_sieve.npz")
RTOL = {"float64": 1e-9, "float32": 1e-5}
CASES = ("traj_plain", "traj_official", "traj_F1")


@pytest.fixture(autouse=True)
def floatx(request):
    """Keras keeps learning rates and sums in its default type, so that one must be float64."""
    keras.config.set_floatx(request.node.callspec.params.get("dtype", "float64"))
    yield
    keras.config.set_floatx("float32")


def sieve(case, dtype):
    """The model at its start, and the batches."""
    given = {k.split("/")[2]: GOLDEN[k] for k in GOLDEN.files if k.startswith(f"{case}/in/")}
    features, hidden = given["W1"].shape
    classes = len(given["c"])
    lower = toys.dense((features,), hidden, dtype=dtype)
    upper = toys.dense((hidden,), dtype=dtype, last=classes)
    readout = toys.dense((hidden,), dtype=dtype, last=classes)
    for network, names in ((lower, "W1 b1"), (upper, "W2 b2"), (readout, "A c")):
        network.set_weights([given[name] for name in names.split()])
    model = FeatureSieve(
        lower,
        upper,
        readout,
        forget_every=int(given["F"]),
        weight_decay=float(given["weight_decay"]),
        readout_weight_decay=float(given["aux_weight_decay"]),
    )
    momentum = given["momentum"][()]  # a Python float would go through float32 inside SGD
    model.compile(
        optimizer=keras.optimizers.SGD(float(given["lr"]), momentum=momentum),
        readout_optimizer=keras.optimizers.SGD(float(given["aux_lr"]), momentum=momentum),
        forget_optimizer=keras.optimizers.SGD(float(given["forget_lr"])),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        jit_compile=False,
    )
    return model, given["X"].astype(dtype), given["y"]


@pytest.mark.parametrize("dtype", RTOL)
@pytest.mark.parametrize("case", CASES)
def test_trajectory(case, dtype):
    model, x, y = sieve(case, dtype)
    rtol, wanted = RTOL[dtype], GOLDEN[f"{case}/out/losses_aux_forget_main"]
    names = ("readout_loss", "forget_loss", "loss")
    for step, batch in enumerate(zip(x, y, strict=True)):
        found = model.train_on_batch(*batch, return_dict=True)
        losses = [found[name] for name in names]
        np.testing.assert_allclose(losses, wanted[step], rtol=rtol, atol=rtol)
        if f"{case}/out/step{step + 1}/W1" not in GOLDEN:
            continue
        for network, pair in (
            (model.lower, "W1 b1"),
            (model.upper, "W2 b2"),
            (model.readout, "A c"),
        ):
            for name, value in zip(pair.split(), network.get_weights(), strict=True):
                golden = GOLDEN[f"{case}/out/step{step + 1}/{name}"]
                np.testing.assert_allclose(value, golden, rtol=rtol, atol=rtol, err_msg=name)
    assert f"{case}/out/step{len(x)}/W1" in GOLDEN


@pytest.mark.parametrize("case", CASES)
def test_first_forgetting_gradient(case):
    """After the readout's first update, from the lower part as it started."""
    model, x, y = sieve(case, "float64")
    toys.compiled(
        model,
        optimizer=keras.optimizers.SGD(0.0),  # rests, so that D moves by what it forgets alone
        forget_optimizer=keras.optimizers.SGD(1.0),
        readout_optimizer=model.readout_optimizer,
    )
    before = toys.values(model.lower_variables)
    model.train_on_batch(x[0], y[0])
    for start, after, name in zip(before, model.lower_variables, ("dW1", "db1"), strict=True):
        golden = GOLDEN[f"{case}/out/first_forget_{name}"]
        np.testing.assert_allclose(start - np.array(after), golden, rtol=1e-9, atol=1e-12)
