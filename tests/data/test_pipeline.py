import itertools
import json
from pathlib import Path

import numpy as np
import pytest

from tfkit.data import step_indexed

CASES = json.loads((Path(__file__).parents[1] / "golden" / "toolkit_shuffle.json").read_text())


def batches(count, arrays, *args, **options):
    taken = itertools.islice(step_indexed(arrays, *args, **options), count)
    return [{name: np.asarray(value) for name, value in batch.items()} for batch in taken]


@pytest.mark.parametrize("case", CASES["cases"], ids=lambda case: f"{case['size']}-{case['epoch']}")
def test_golden_order(case):
    rows = {"row": np.arange(case["size"])}
    for batch_size in (1, len(case["first"])):
        steps = case["size"] // batch_size
        (batch, *_) = batches(
            1, rows, batch_size, seed=case["data_seed"], start_step=case["epoch"] * steps
        )
        assert batch["row"].tolist() == case["first"][:batch_size]


def test_any_step_is_reached_directly():
    arrays = {"row": np.arange(10), "square": np.arange(10) ** 2}
    whole = batches(25, arrays, 3, seed=5)
    for start in (0, 1, 2, 3, 7, 20):
        later = batches(5, arrays, 3, seed=5, start_step=start)
        for one, other in zip(whole[start:], later, strict=False):
            np.testing.assert_array_equal(one["row"], other["row"])
    assert all(np.array_equal(batch["row"] ** 2, batch["square"]) for batch in whole)


def test_an_epoch_repeats_no_example_and_the_next_has_another_order():
    rows = np.array([batch["row"] for batch in batches(6, {"row": np.arange(11)}, 3, seed=1)])
    first, second = rows[:3].ravel(), rows[3:].ravel()
    assert len(set(first)) == len(set(second)) == 9
    assert first.tolist() != second.tolist()


def test_seeds_differ_and_unshuffled_batches_are_in_stored_order():
    rows = {"row": np.arange(64)}
    one, other = (batches(1, rows, 64, seed=seed)[0]["row"] for seed in (1, 2))
    assert one.tolist() != other.tolist()
    plain = batches(3, {"row": np.arange(5)}, 2, seed=1, shuffle=False)
    assert [batch["row"].tolist() for batch in plain] == [[0, 1], [2, 3], [0, 1]]


def test_keeps_types_and_strings():
    arrays = {"image": np.zeros((4, 2, 2), np.uint8), "word": np.array(["a", "b", "c", "d"])}
    (batch,) = batches(1, arrays, 4, seed=0)
    assert batch["image"].dtype == np.uint8 and sorted(batch["word"]) == [b"a", b"b", b"c", b"d"]


@pytest.mark.parametrize(
    ("arrays", "options", "message"),
    [
        ({}, {}, "arrays is empty"),
        ({"a": np.zeros(3), "b": np.zeros(4)}, {}, "same number of examples"),
        ({"a": np.zeros(3)}, {"batch_size": 4}, "between 1 and the 3 examples, got 4"),
        ({"a": np.zeros(3)}, {"batch_size": 0}, "got 0"),
        ({"a": np.zeros(3)}, {"seed": -1}, "seed and start_step must be >= 0, got -1"),
        ({"a": np.zeros(3)}, {"start_step": -2}, "got 0 and -2"),
    ],
)
def test_bad_arguments(arrays, options, message):
    with pytest.raises(ValueError, match=message):
        step_indexed(arrays, **{"batch_size": 2, "seed": 0, **options})
