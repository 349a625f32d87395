"""Contracts of metrics: functions of arrays, or of a representation and a data set."""

import keras
import numpy as np

from tests.contracts.subject import Subject, examples, shapes, takes
from tests.contracts.words import documented, refuse, tested

# so that a check takes seconds; a metric takes those of them that it has
SMALL = {
    "num_train": 120,
    "num_eval": 60,
    "num_variance": 60,
    "batch_size": 4,
    "repeats": 1,
    "few": 10,
    "many": 30,
    "model": "logistic_regression",
    "method": "fast",
    "workers": 1,
}
# what a docstring says of a metric that is another one on shuffled rows, and why
ORDERED = "The order of rows matters"


class World:
    """Images of 2 x 2 pixels that show three factors."""

    factor_sizes = (3, 2, 3)

    def observe(self, factors, random_state):
        """Images of factors.  [B, 3] -> [B, 2, 2, 1]"""
        shown = np.concatenate([factors, factors[:, :1]], axis=1)
        return (shown + 0.1 * random_state.normal(size=shown.shape)).reshape(-1, 2, 2, 1)


def flat(images):
    """The representation that is the pixels themselves."""
    return images.reshape(len(images), -1)


def of_images(given: Subject) -> bool:
    """Whether a metric draws its own examples."""
    return takes(given.object, "dataset")


def inputs(given: Subject) -> list:
    """Example inputs."""
    return [flat, World()] if of_images(given) else examples(given)


def value_of(given: Subject, *arrays, **options):
    """The metric of these inputs, small where it can be."""
    small = {name: value for name, value in SMALL.items() if takes(given.object, name)}
    return given.object(*arrays, **{**small, **given.options, **options})


def figures(given: Subject, value) -> dict[str, np.ndarray]:
    """The numbers of a result by name; the score is the one without a name."""
    named = value if isinstance(value, dict) else {"": value}
    numbers = {k: np.asarray(v, "float64") for k, v in named.items() if not isinstance(v, str)}
    said = given.entry.doc
    for name, number in numbers.items():
        may_be_nan = f'"{name}"' in said and "NaN" in said.split(f'"{name}"', 1)[1].split(";")[0]
        finite = np.isfinite(number) | (np.isnan(number) & may_be_nan)
        assert finite.all(), f"{given.name}: {name} is {number}"
    return numbers


def alike(got, wanted, told: str, rtol: float) -> None:
    """Two results are the same, up to rounding."""
    assert got.keys() == wanted.keys(), f"{told}: {sorted(got)} and {sorted(wanted)}"
    for name, number in got.items():
        np.testing.assert_allclose(
            number, wanted[name], rtol=rtol, atol=rtol, err_msg=f"{told}: {name}"
        )


def metric_refuses_bad_arguments(given: Subject) -> None:
    """Every bounded or enumerated option is refused outside."""
    refuse(given, lambda **bad: value_of(given, *inputs(given), **bad))


def is_a_number_of_the_set(given: Subject) -> None:
    """Finite, the same again, whatever the order of the rows; the inputs stay as they were."""
    arrays = inputs(given)
    kept = [np.array(array) for array in arrays] if not of_images(given) else []
    value = value_of(given, *arrays)
    names_what_it_gives(given, value)
    again = value_of(given, *arrays)
    alike(figures(given, again), figures(given, value), f"{given.name}: called again", rtol=0)
    for array, before in zip(arrays, kept, strict=False):
        np.testing.assert_array_equal(array, before, err_msg=f"{given.name} changes its inputs")
    if not (of_images(given) or ORDERED in " ".join(given.entry.doc.split())):
        is_of_the_set_of_rows(given)


def names_what_it_gives(given: Subject, value) -> None:
    """A dict has the score under the metric's own name, and the docstring names all it has."""
    if not isinstance(value, dict):
        assert isinstance(value, float), f"{given.name}: gives a {type(value).__name__}"
        return
    own, said = given.object.__name__, given.entry.doc
    assert own in value, f"{given.name}: no {own!r} among {sorted(value)}"
    odd = [name for name in value if f'"{name}"' not in said and name != own]
    assert not odd and "-> dict" in said, f"{given.name}: the docstring's Shapes lacks {odd}"


def is_of_the_set_of_rows(given: Subject) -> None:
    """The order of examples, the axis N, is nothing; rows would be held out without a test set."""
    arrays, test = examples(given), {}
    axes = [text.strip("[] int").split(", ").index("N") for text in _with_rows(given)]
    if takes(given.object, "codes_test"):
        test = {"codes_test": arrays[0][::-2], "factors_test": arrays[1][::-2]}
    order = np.random.default_rng(1).permutation(arrays[0].shape[axes[0]])
    moved = [np.take(array, order, axis) for array, axis in zip(arrays, axes, strict=False)]
    value = figures(given, value_of(given, *arrays, **test))
    shuffled = figures(given, value_of(given, *moved, *arrays[len(moved) :], **test))
    alike(shuffled, value, f"{given.name}: depends on the order of the rows", rtol=1e-5)


def _with_rows(given):
    """The shapes of the inputs, as far as they have the axis N."""
    return [text for text in shapes(given.entry)[0] if "N" in text]


def refuses_what_is_not_finite(given: Subject) -> None:
    """A NaN among the inputs is an error and not a figure."""
    arrays = inputs(given)
    if of_images(given):
        arrays[0] = lambda images: flat(images) * np.nan
    else:
        index = next((i for i, array in enumerate(arrays) if array.dtype.kind == "f"), 0)
        arrays[index] = arrays[index].astype(np.result_type(arrays[index], np.float32))
        arrays[index].flat[0] = np.nan
    try:
        value = value_of(given, *arrays)
    except ValueError:
        return
    found = keras.tree.flatten(value)
    assert all(np.isnan(v).all() for v in found), f"{given.name}: makes {value} of a NaN"


METRIC = (
    documented,
    tested,
    metric_refuses_bad_arguments,
    is_a_number_of_the_set,
    refuses_what_is_not_finite,
)
