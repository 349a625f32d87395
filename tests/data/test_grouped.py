import numpy as np
import pytest

from tfkit.data import GroupedSource, strip_bias, strip_xor
from tfkit.data.grouped import Groups, group_names

SIZES = {"train": 12, "valid": 5, "test": 4}


def groups_of(overlapping):
    """Numbers below three, or membership in three."""
    ids = {part: np.arange(size) % 3 for part, size in SIZES.items()}
    if not overlapping:
        return Groups(["a", "b", "c"], ids)
    return Groups(["a", "b", "c"], {p: i[:, None] <= np.arange(3) for p, i in ids.items()})


def source(overlapping=False, training=None, **changed):
    splits = {
        part: {
            "inputs": np.arange(size * 2).reshape(size, 2).astype(np.uint8),
            "labels": np.arange(size) % 2,
        }
        for part, size in SIZES.items()
    }
    given = {"classes": 2, "groups": groups_of(overlapping), "source": "test"} | changed
    return GroupedSource(splits, training_groups=training, **given)


def rows(batches):
    return [
        dict(zip(batch, values, strict=True))
        for batch in batches
        for values in zip(*(np.asarray(v) for v in batch.values()), strict=True)
    ]


def test_what_batches_and_builders_are_told():
    given = source()
    assert given.shapes == {
        "input_shape": (2,),
        "classes": 2,
        "num_train": 12,
        "num_groups": 3,
        "group_counts": [4, 4, 4],
    }
    assert given.group_names == ("a", "b", "c")
    np.testing.assert_array_equal(given.group_counts, [4, 4, 4])
    batch = next(iter(given.train(5, seed=0)))
    kinds = {name: (value.dtype.name, tuple(value.shape)) for name, value in batch.items()}
    assert kinds == {
        "inputs": ("float32", (5, 2)),
        "labels": ("int32", (5,)),
        "groups": ("int32", (5,)),
        "index": ("int32", (5,)),
    }
    for row in rows(given.train(5, seed=0).take(4)):
        number = row["index"]
        np.testing.assert_allclose(row["inputs"], [2 * number / 255, (2 * number + 1) / 255])
        assert row["labels"] == number % 2 and row["groups"] == number % 3


def test_held_out_rows_are_numbered_from_nought():
    found = rows(source().held_out("valid", 2))
    assert [row["index"] for row in found] == list(range(5))
    with pytest.raises(ValueError, match="split must be one of valid, test"):
        source().held_out("train", 2)


def test_any_part_is_seen_in_order_and_some_rows_are_drawn():
    given = source()
    assert [row["index"] for row in rows(given.in_order("train", 5))] == list(range(12))
    chosen = [3, 3, 3, 7]  # a row as often as it stands there
    found = rows(given.drawn("train", 4, seed=1, rows=chosen).take(2))
    assert sorted(row["index"] for row in found) == sorted(2 * chosen)
    again = rows(given.drawn("valid", 2, seed=1).skip(3).take(1))
    assert [r["index"] for r in again] == [
        r["index"] for r in rows(given.drawn("valid", 2, seed=1, start_step=3).take(1))
    ]
    with pytest.raises(ValueError, match="part must be one of train, valid, test, got 'x'"):
        given.in_order("x", 2)


def test_groups_that_overlap_are_judged_by_and_not_trained_on():
    given = source(True, training=groups_of(False))
    assert next(iter(given.train(4, seed=0)))["groups"].dtype.name == "int32"
    held = next(iter(given.held_out("test", 4)))["groups"]
    assert held.dtype.name == "bool" and held.shape == (4, 3)
    np.testing.assert_array_equal(given.group_counts, [4, 8, 12])
    np.testing.assert_array_equal(given.group_ids("test"), [0, 1, 2, 0])
    np.testing.assert_array_equal(given.group_ids("train"), np.arange(12) % 3)
    np.testing.assert_array_equal(given.labels("valid"), [0, 1, 0, 1, 0])
    with pytest.raises(ValueError, match="groups of train overlap.*pass disjoint training_groups"):
        source(True)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"classes": 1}, "labels of train must be in 0-0, got 0 to 1"),
        ({"groups": Groups(["a"], groups_of(False).of)}, "groups of train must be in 0-0"),
        (
            {"groups": Groups(["a", "b", "c"], groups_of(False).of | {"valid": [0]})},
            r"valid must have as many of each.*'groups': 1",
        ),
    ],
)
def test_what_does_not_go_together_is_refused(changed, message):
    with pytest.raises(ValueError, match=message):
        source(**changed)
    with pytest.raises(ValueError, match="2 names of groups"):
        wrong = Groups(["a", "b"], groups_of(True).of)
        source(groups=wrong, training=groups_of(False))


def test_names_of_groups_go_with_their_numbers():
    assert group_names(["x", "y"], ["0", "1", "2"])[1 * 3 + 2] == "y, 2"


def test_a_shortcut_task_as_a_source():
    few = {"train_size": 40, "validation_size": 8, "test_size": 9}
    given = strip_xor.load(validation_correlation=0.0, **few)
    assert given.shapes == {
        "input_shape": (8, 24),
        "classes": 2,
        "num_train": 40,
        "num_groups": 4,
        "group_counts": given.group_counts.tolist(),
    }
    assert given.group_names[1] == "y=0, a=1"
    assert given.group_counts[1] == given.group_counts[2] == 0 and given.group_counts.sum() == 40
    held = [row["groups"] for row in rows(given.held_out("valid", 8))]
    assert set(held) <= {1, 2}
    assert given.spurious_region.shape == (8, 24) and given.spurious_region[:, :8].all()
    assert not given.spurious_region[:, 8:].any()


def test_a_teacher_has_a_part_of_its_own():
    few = {"train_size": 400, "validation_size": 8, "test_size": 9}
    given = strip_bias.load(**few)
    taught = rows(given.drawn("teacher", 400, seed=0).take(1))
    agreeing = np.mean([row["groups"] in (0, 3) for row in taught])
    assert 0.4 < agreeing < 0.6 and given.shapes["num_train"] == 400
    other = strip_bias.load(teacher_draw=1, **few)
    assert other.fingerprint() != given.fingerprint()
    for split in ("valid", "test"):
        for one, again in zip(given.held_out(split, 9), other.held_out(split, 9), strict=True):
            np.testing.assert_array_equal(one["inputs"], again["inputs"])
    with pytest.raises(ValueError, match="got 'teacher'"):
        strip_bias.load(teacher_correlation=None, **few).drawn("teacher", 4, seed=0)
