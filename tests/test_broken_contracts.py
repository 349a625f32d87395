"""A contract that cannot fail is none: what breaks a promise is caught, and by the right check."""

import keras
import numpy as np
import pytest
from keras import ops

from tests import contract
from tests.contracts import data, metrics, parts, tensors, words
from tests.contracts.subject import Subject, bad_values, subject
from tfkit import catalog
from tfkit.data import ArraySource
from tfkit.losses.precision import at_least_float32


@keras.saving.register_keras_serializable(package="tfkit")
class Scaled(keras.layers.Layer):
    """A learned scale on every feature, at most `most`.

        f(x) = min(most, w) * x

    Shapes: [B, D] -> [B, D]
    Args:
        most: the largest scale, > 0.
    References: made for the tests.
    """

    def __init__(self, most: float = 2.0, **kwargs):
        super().__init__(**kwargs)
        if most <= 0:
            raise ValueError(f"Scaled: most must be > 0, got {most}.")
        self.most = most

    def build(self, shape):
        """One weight a feature."""
        self.scale = self.add_weight(shape=shape[-1:], initializer="glorot_uniform", name="scale")

    def call(self, inputs):
        """The product."""
        return ops.minimum(self.scale, self.most) * inputs

    def get_config(self):
        """The argument."""
        return {**super().get_config(), "most": self.most}


class Unchecked(Scaled):
    """Takes any number.

    Shapes: [B, D] -> [B, D]
    """

    def __init__(self, most: float = 2.0, **kwargs):
        super().__init__(**kwargs)
        self.most = most


class Forgetful(Scaled):
    """Loses its argument on the way to disk."""

    def get_config(self):
        """Nothing of its own."""
        return keras.layers.Layer.get_config(self)


class Wide(Scaled):
    """Computes in float32 whatever the policy."""

    def call(self, inputs):
        """Casts."""
        return ops.cast(super().call(inputs), "float32")


class Coupled(Scaled):
    """Looks at the other rows."""

    def call(self, inputs):
        """Adds the batch's mean."""
        return super().call(inputs) + ops.mean(inputs, axis=0)


class Frozen(Scaled):
    """Lets no gradient through."""

    def call(self, inputs):
        """Stops it."""
        return ops.stop_gradient(super().call(inputs))


def layer(kind) -> Subject:
    """A layer of this file."""
    return subject(kind, "layer", {"most": 1.5})


def test_a_good_layer_passes():
    contract.assert_layer_contract(Scaled, options={"most": 1.5})


@pytest.mark.parametrize(
    ("kind", "check"),
    [
        (Unchecked, words.refuses_bad_arguments),
        (Unchecked, words.documented),
        (Forgetful, tensors.is_saved_by_its_configuration),
        (Wide, tensors.layer_runs_everywhere),
        (Coupled, tensors.layer_runs_everywhere),
        (Frozen, tensors.layer_has_finite_gradients),
    ],
)
def test_a_broken_layer_fails(kind, check):
    with pytest.raises((AssertionError, pytest.fail.Exception)):
        contract.check(check, layer(kind))


def squared(prediction, target):
    """Mean squared error, one value per example.

        mean_d (p_d - t_d)^2

    Shapes: [B, D], [B, D] -> [B]
    Args:
        prediction: what was said.
        target: what was meant.
    References: made for the tests.
    """
    prediction, target = at_least_float32(prediction, target)
    return ops.mean(ops.square(prediction - target), axis=-1)


def low(prediction, target):
    """Sums in the inputs' own type.

    Shapes: [B, D], [B, D] -> [B]
    """
    return ops.mean(ops.square(ops.convert_to_tensor(prediction) - target), axis=-1)


def total(prediction, target):
    """Forgets the batch.

    Shapes: [B, D], [B, D] -> [B]
    """
    return ops.mean(squared(prediction, target))


def rooted(prediction, target):
    """Has an infinite slope where two equal ones meet.

    Shapes: [B, D], [B, D] -> [B]
    """
    return ops.sqrt(squared(prediction, prediction) + 0.0 * squared(target, target))


def stopped(prediction, target):
    """Teaches nothing.

    Shapes: [B, D], [B, D] -> [B]
    """
    return ops.stop_gradient(squared(prediction, target))


def fixed(prediction, target):
    """Works for six rows.

    Shapes: [B, D], [B, D] -> [B]
    """
    return squared(ops.reshape(prediction, (6, 3)), ops.reshape(target, (6, 3)))


def test_a_good_loss_passes():
    contract.assert_loss_contract(squared)


@pytest.mark.parametrize(
    ("loss", "check"),
    [
        (low, tensors.computes_in_float32_at_least),
        (low, tensors.documented),
        (total, tensors.takes_arrays_and_gives_its_shape),
        (rooted, tensors.has_finite_gradients),
        (stopped, tensors.has_finite_gradients),
        (fixed, tensors.compiles_for_any_batch),
    ],
)
def test_a_broken_loss_fails(loss, check):
    with pytest.raises(Exception, match=r".") as caught:
        contract.check(check, subject(loss, "loss"))
    assert not isinstance(caught.value, AttributeError | TypeError)


def spread(codes, factors, *, seed=0):
    """How far codes are apart.

    Shapes: [N, D], [N, K] int -> dict: "spread"; "per_code" [D]
    Args:
        seed: nothing is drawn.
    References: made for the tests.
    """
    if not np.isfinite(codes).all():
        raise ValueError("spread: codes must be finite.")
    per_code = codes.std(axis=0)
    return {"spread": float(per_code.mean()), "per_code": per_code}


def blind(codes, factors, *, seed=0):
    """Makes a figure of anything.

    Shapes: [N, D], [N, K] int -> float
    """
    return float(np.nanmean(codes))


def ordered(codes, factors, *, seed=0):
    """Reads the first row.

    Shapes: [N, D], [N, K] int -> dict: "ordered"
    """
    return {"ordered": float(codes[0, 0])}


def restless(codes, factors, *, seed=0):
    """Heeds no seed.

    Shapes: [N, D], [N, K] int -> dict: "restless"
    """
    return {"restless": float(np.random.default_rng().normal())}


def renamed(codes, factors, *, seed=0):
    """Gives its score another name.

    Shapes: [N, D], [N, K] int -> dict: "score"
    """
    return {"score": 1.0}


def talkative(codes, factors, *, seed=0):
    """Gives more than it says.

    Shapes: [N, D], [N, K] int -> dict: "talkative"
    """
    return {"talkative": 1.0, "more": 2.0}


def endless(codes, factors, *, seed=0):
    """Is not finite in one entry.

    Shapes: [N, D], [N, K] int -> dict: "endless"; "parts" [D]
    """
    return {"endless": 1.0, "parts": np.array([0.0, np.inf])}


def greedy(codes, factors, *, seed=0):
    """Sorts what is not its own.

    Shapes: [N, D], [N, K] int -> dict: "greedy"
    """
    codes.sort(axis=0)
    return {"greedy": float(codes[0, 0])}


def ravenous(representation, dataset, *, seed=0, num_train=100):
    """Draws as it likes.

    Shapes: representation, dataset -> dict: "ravenous"
    """
    state = np.random.RandomState()
    codes = representation(dataset.observe(state.randint(2, size=(4, 3)), state))
    return {"ravenous": float(codes.sum())}


def test_a_good_metric_passes():
    for check in metrics.METRIC:
        if check is not metrics.tested:
            contract.check(check, subject(spread, "metric"))


@pytest.mark.parametrize(
    ("metric", "check"),
    [
        (blind, metrics.refuses_what_is_not_finite),
        (blind, metrics.documented),
        (ordered, metrics.is_a_number_of_the_set),
        (restless, metrics.is_a_number_of_the_set),
        (renamed, metrics.is_a_number_of_the_set),
        (talkative, metrics.is_a_number_of_the_set),
        (endless, metrics.is_a_number_of_the_set),
        (greedy, metrics.is_a_number_of_the_set),
        (ravenous, metrics.is_a_number_of_the_set),
    ],
)
def test_a_broken_metric_fails(metric, check):
    with pytest.raises(AssertionError):
        contract.check(check, subject(metric, "metric"))


class Broken(ArraySource):
    """Forty rows, and one promise that is not kept."""

    def __init__(self, fault):
        numbers = np.arange(160, dtype="float32").reshape(80, 2)
        splits = {"train": numbers[:40], "valid": numbers[40:60], "test": numbers[60:]}
        if fault == "leak":
            splits["valid"] = numbers[30:60]
        super().__init__({k: {"x": v} for k, v in splits.items()}, {}, source="made up")
        self.fault, self.calls = fault, 0

    def train(self, batch_size, *, seed, start_step=0):
        """Honest, but for the fault."""
        if self.fault == "seed":
            seed = 0
        if self.fault == "state":
            self.calls += 1
            seed += self.calls
        if self.fault == "start":
            start_step = 0
        return super().train(batch_size, seed=seed, start_step=start_step)

    def fingerprint(self):
        """Honest, but for the fault."""
        found = super().fingerprint()
        return {**found, "sha256": "?"} if self.fault == "fingerprint" else found


@pytest.mark.parametrize(
    ("fault", "check"),
    [
        (None, None),
        ("leak", data.held_out_is_fixed_and_apart),
        ("seed", data.train_is_a_function_of_seed_and_step),
        ("state", data.train_is_a_function_of_seed_and_step),
        ("start", data.train_is_a_function_of_seed_and_step),
        ("fingerprint", data.is_identified),
    ],
)
def test_a_broken_data_set_fails_its_check_only(fault, check, monkeypatch):
    entry = catalog.Entry("dataset", "made", "x:load", "Made.", "", (), gives=({"name": "x"},))
    monkeypatch.setattr(Subject, "make", lambda given: Broken(fault))
    failed = []
    for one in data.DATASET[3:]:
        try:
            contract.check(one, Subject(entry))
        except AssertionError:
            failed.append(one)
    assert failed == ([check] if check else [])


def test_an_optimizer_that_loses_an_option_fails(monkeypatch):
    class Sticky(keras.optimizers.SGD):
        def get_config(self):
            return {**super().get_config(), "momentum": 0.0}

    keras.saving.register_keras_serializable(package="broken")(Sticky)
    entry = catalog.find("optimizer", "sgd")
    make = lambda given, **options: Sticky(0.1, momentum=0.9)  # noqa: E731
    monkeypatch.setattr(Subject, "make", make)
    with pytest.raises(AssertionError, match="rebuilt"):
        parts.optimizer_descends_and_is_saved(Subject(entry))


def test_bad_values_lie_outside_of_every_bound():
    def parameter(doc_bounds, type="float"):
        return catalog.Parameter("p", type, 0, False, (), False, doc_bounds, "")

    assert bad_values(parameter({"gt": 0, "lt": 1})) == [0, 1]
    assert min(bad_values(parameter({"ge": 0}))) < 0 and max(bad_values(parameter({"le": 1}))) > 1
    assert bad_values(parameter({"ge": 1}, "int")) == [-999]
    assert bad_values(parameter({}, "Literal['a', 'b']")) == ["no_such_value"]
    assert bad_values(parameter({}, "Literal[16, 32]")) == [33]
    assert bad_values(parameter({"ge": 0}, "list[int]")) == [[-1000]]
