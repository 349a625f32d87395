"""The contract of data sets: batches by step, held-out parts that stay apart."""

import json
import time

import numpy as np
import pytest

from tests.contracts.subject import Subject
from tests.contracts.words import WORDS

BATCH = 8
AT_ONCE = 10_000_000  # a step that nobody reaches by computing all before it
SECONDS = 10.0


def batches(source, count, **where) -> list[dict]:
    """The first training batches from a step on, as arrays."""
    return [arrays(batch) for batch in source.train(BATCH, **where).take(count)]


def arrays(batch) -> dict:
    """One batch as NumPy arrays."""
    return {name: np.asarray(value) for name, value in batch.items()}


def same(one: dict, other: dict) -> bool:
    """Whether two batches are equal in every bit."""
    return one.keys() == other.keys() and all(np.array_equal(one[k], other[k]) for k in one)


def rows(batch_list) -> set[bytes]:
    """Every example of some batches, by its content."""
    return {
        b"".join(np.ascontiguousarray(batch[name][row]).tobytes() for name in sorted(batch))
        for batch in batch_list
        for row in range(len(next(iter(batch.values()))))
    }


def whole(source, split) -> list[dict]:
    """All batches of a held-out part."""
    return [arrays(batch) for batch in source.held_out(split, BATCH)]


def gives_what_it_says(given: Subject) -> None:
    """The keys of `Gives`, the batch first; images float32 in [0, 1], factors int32; networks are
    told the shapes that the batches have.
    """
    source = given.make()
    for batch in (*batches(source, 2, seed=0), *whole(source, "valid")[:1]):
        assert set(batch) == set(given.entry.given_names), f"{given.name}: gives {sorted(batch)}"
        assert len({len(value) for value in batch.values()}) == 1, f"{given.name}: not one batch"
        for name, value in batch.items():
            assert np.all(np.isfinite(value)), f"{given.name}: {name} is not finite"
        if "images" in batch:
            images = batch["images"]
            assert images.dtype == np.float32 and images.ndim == 4, f"{given.name}: images"
            assert 0 <= images.min() < images.max() <= 1, f"{given.name}: images out of [0, 1]"
            assert images.shape[1:] == tuple(source.shapes["image_shape"]), given.name
        if "factors" in batch:
            assert batch["factors"].dtype == np.int32 and batch["factors"].ndim == 2, given.name
            assert batch["factors"].shape[1] == len(source.factor_names), given.name


def train_is_a_function_of_seed_and_step(given: Subject) -> None:
    """The batch of step t is the same whenever and wherever one starts; another seed's is not."""
    source = given.make()
    first = batches(source, 4, seed=3)
    again = batches(given.make(), 4, seed=3)
    later = batches(source, 2, seed=3, start_step=2)
    other = batches(source, 4, seed=4)
    assert all(map(same, first, again)), f"{given.name}: one seed gives two sequences"
    assert all(map(same, first[2:], later)), f"{given.name}: start_step=2 is not the third batch"
    assert not any(map(same, first, other)), f"{given.name}: the seed changes nothing"
    assert not same(first[0], first[1]), f"{given.name}: every step has the same batch"


def any_step_is_reached_at_once(given: Subject) -> None:
    """Starting late costs no more than starting; data have no end."""
    source = given.make()
    began = time.perf_counter()
    assert len(batches(source, 2, seed=0, start_step=AT_ONCE)) == 2, f"{given.name}: ends"
    took = time.perf_counter() - began
    assert took < SECONDS, f"{given.name}: {took:.0f} s to start at step {AT_ONCE:,}"


def held_out_is_fixed_and_apart(given: Subject) -> None:
    """Validation, test and training share no example; order and content are always the same."""
    source = given.make()
    parts = {split: whole(source, split) for split in ("valid", "test")}
    for split, part in parts.items():
        again = whole(given.make(), split)
        assert len(part) == len(again) and all(map(same, part, again)), f"{given.name}: {split}"
    steps = source.steps_per_epoch(BATCH) or 40
    found = {split: rows(part) for split, part in parts.items()}
    found["train"] = rows(batches(source, min(steps, 200), seed=0))
    for one, other in (("valid", "test"), ("valid", "train"), ("test", "train")):
        shared = found[one] & found[other]
        assert not shared, f"{given.name}: {len(shared)} examples are in both {one} and {other}"
    with pytest.raises(ValueError, match="split"):
        source.held_out("train", BATCH)


def an_epoch_is_every_example_once(given: Subject) -> None:
    """`steps_per_epoch` batches hold no example twice, and the next epoch has another order."""
    source = given.make()
    steps = source.steps_per_epoch(BATCH)
    if steps is None:
        return  # drawn without end
    both = batches(source, 2 * steps, seed=0)
    assert len(rows(both[:steps])) == steps * BATCH, f"{given.name}: an example twice an epoch"
    assert not all(map(same, both[:steps], both[steps:])), f"{given.name}: one order for ever"


def is_identified(given: Subject) -> None:
    """The fingerprint is plain JSON, stable, and says source and SHA-256."""
    one, again = given.make().fingerprint(), given.make().fingerprint()
    assert json.loads(json.dumps(one)) == again, f"{given.name}: {one} and {again}"
    assert one["source"] and len(one["sha256"]) == 64, f"{given.name}: {one}"


DATASET = (
    *WORDS,
    gives_what_it_says,
    train_is_a_function_of_seed_and_step,
    any_step_is_reached_at_once,
    held_out_is_fixed_and_apart,
    an_epoch_is_every_example_once,
    is_identified,
)
