"""Contracts of the parts that a recipe assembles: networks, optimizers, schedules, callbacks,
engines, sections.
"""

import functools
import itertools
import json

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.contracts.subject import Subject, bad_values, literals, shapes
from tests.contracts.tensors import HALF, close
from tests.contracts.words import WORDS, documented, refuse, tested
from tfkit import catalog
from tfkit import recipe as recipes
from tfkit.errors import RecipeError
from tfkit.recipe.template import template
from tfkit.search import make_engine

# --- networks ---------------------------------------------------------------------------------


def variants(given: Subject) -> list[dict]:
    """Every choice of every enumerated option."""
    choices = {p.name: literals(p.type) for p in given.entry.options.values() if literals(p.type)}
    return [dict(zip(choices, c, strict=True)) for c in itertools.product(*choices.values())]


def built(given: Subject, policy="float32", seed=0, **options) -> keras.Model:
    """The network, its weights from `seed`."""
    keras.utils.set_random_seed(seed)
    keras.config.set_dtype_policy(policy)
    try:
        return given.make(**options)
    finally:
        keras.config.set_dtype_policy("float32")


def rows_for(network: keras.Model, rows: int):
    """Random inputs as the network takes them: an array, or a list of several."""
    generator = np.random.default_rng(0)
    drawn = [
        generator.integers(0, 3, (rows, *i.shape[1:]), "int32")
        if "int" in i.dtype
        else generator.random((rows, *i.shape[1:])).astype("float32")
        for i in network.inputs
    ]
    return drawn[0] if len(drawn) == 1 else drawn


def network_has_open_batch_and_said_shapes(given: Subject) -> None:
    """Named inputs, an open batch, outputs as the docstring says, rows independent of another."""
    inputs, result = shapes(given.entry)
    for options in variants(given):
        network = built(given, **options)
        told = f"{given.name} {options}"
        assert [len(i.shape) for i in network.inputs] == [t.count(",") + 1 for t in inputs], told
        ranks = [text.strip(" ,").count(",") + 1 for text in result.split("]")[:-1]]
        assert [len(o.shape) for o in network.outputs] == ranks, f"{told}: Shapes says {result}"
        assert all(t.shape[0] is None for t in (*network.inputs, *network.outputs)), told
        five = rows_for(network, 5)
        answers = keras.tree.flatten(network(five, training=False))
        first = keras.tree.map_structure(lambda array: array[:1], five)
        alone = network(first, training=False)
        close(alone, [answer[:1] for answer in answers], f"{told}: one row alone", rtol=1e-4)


def network_is_made_by_its_seed(given: Subject) -> None:
    """The same seed makes the same weights, another seed others."""
    one, again, other = (built(given, seed=seed).get_weights() for seed in (0, 0, 1))
    assert all(map(np.array_equal, one, again)), f"{given.name}: one seed, two sets of weights"
    assert not all(map(np.array_equal, one, other)), f"{given.name}: the seed changes no weight"


def network_runs_everywhere(given: Subject) -> None:
    """XLA and mixed bfloat16 give the same numbers, as far as they go."""
    network = built(given)
    rows = rows_for(network, 4)
    answers = network(rows, training=False)
    compiled = tf.function(lambda a: network(a, training=False), jit_compile=True)
    close(compiled(rows), answers, f"{given.name}: jit_compile=True", rtol=1e-4)
    low = built(given, "mixed_bfloat16")
    assert low.layers[-1].compute_dtype == "bfloat16", f"{given.name}: ignores the dtype policy"
    close(low(rows, training=False), answers, f"{given.name}: mixed_bfloat16", rtol=2 * HALF)


def network_is_saved(given: Subject, folder) -> None:
    """A `.keras` file answers as the network does."""
    network = built(given)
    network.save(folder / "network.keras")
    rows = rows_for(network, 3)
    loaded = keras.saving.load_model(folder / "network.keras")
    close(loaded(rows, training=False), network(rows, training=False), f"{given.name}: .keras")


NETWORK = (
    *WORDS,
    network_has_open_batch_and_said_shapes,
    network_is_made_by_its_seed,
    network_runs_everywhere,
    network_is_saved,
)


# --- optimizers and schedules -----------------------------------------------------------------


def descended(optimizer, steps=30) -> tuple[np.ndarray, list[float]]:
    """Where a small least-squares problem is after some steps, and its losses on the way."""
    weights = keras.Variable(np.zeros((3, 1), "float32"))
    x = np.random.default_rng(0).normal(size=(20, 3)).astype("float32")
    y = x @ np.float32([[1], [-1], [0.5]])

    @tf.function
    def step():
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(x @ weights.value - y))
        optimizer.apply(tape.gradient(loss, [weights.value]), [weights])
        return loss

    optimizer.build([weights])
    losses = [float(step()) for _ in range(steps)]
    return weights.numpy(), losses


def optimizer_descends_and_is_saved(given: Subject) -> None:
    """It lowers a loss, with a schedule too; what its configuration rebuilds takes its steps."""
    made = given.make()
    kept = keras.saving.serialize_keras_object(made)
    where, losses = descended(made)
    assert losses[-1] < losses[0], f"{given.name}: {losses[0]} became {losses[-1]}"
    again, _ = descended(keras.saving.deserialize_keras_object(kept))
    np.testing.assert_array_equal(again, where, err_msg=f"{given.name}: rebuilt, it goes elsewhere")
    for schedule in catalog.load().of("schedule"):
        _, losses = descended(given.make(learning_rate={"name": schedule.name}), steps=8)
        assert losses[-1] < losses[0], f"{given.name} with {schedule.name}: {losses}"


def schedule_is_a_rate_at_every_step(given: Subject) -> None:
    """Finite and never negative, not constant, also in a training of one step; saved exactly."""
    made = given.make()
    rates = [float(made(step)) for step in range(9)]
    assert np.isfinite(rates).all() and min(rates) >= 0 and len(set(rates)) > 1, rates
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(made))
    assert [float(again(step)) for step in range(9)] == rates, f"{given.name}: rebuilt is another"
    shortest = float(given.object(steps=1)(0))
    assert np.isfinite(shortest) and shortest > 0, f"{given.name}: {shortest} for one step"


OPTIMIZER = (*WORDS, optimizer_descends_and_is_saved)
SCHEDULE = (*WORDS, schedule_is_a_rate_at_every_step)


# --- callbacks, engines, sections -------------------------------------------------------------


def callback_remembers(given: Subject) -> None:
    """Its state is plain JSON; with it a new one goes on where the old one was."""

    def watched(values, state=None):
        made = given.make()
        made.set_model(keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)]))
        made.model.compile("sgd")
        made.on_train_begin()
        if state is not None:
            made.set_state(json.loads(json.dumps(state)))
        for chunk, value in enumerate(values):
            made.on_epoch_end(chunk, {"loss": value})
        return made.get_state()

    fresh = watched([])
    straight = watched([3.0, 2.0, 2.5, 2.5])
    assert straight != fresh, f"{given.name}: get_state does not change with what is watched"
    assert watched([2.5, 2.5], watched([3.0, 2.0])) == straight, f"{given.name}: forgets"


def callback_needs_its_monitor(given: Subject) -> None:
    """A value that is not reported is an error that lists what is."""
    with pytest.raises(ValueError, match="loss"):
        given.make(monitor="no_such_value").on_epoch_end(0, {"loss": 1.0})


CALLBACK = (*WORDS, callback_remembers, callback_needs_its_monitor)
SPACE = {"a": {"float": [0.1, 1.0], "log": True}, "b": {"int": [1, 4]}, "c": {"choice": ["x", "y"]}}


def engine_proposes_by_seed_and_goes_on(given: Subject, folder) -> None:
    """The same seed proposes the same trials, also across an interruption; all in the space."""

    def proposed(place, count, seed=1):
        engine = make_engine(
            given.entry.name, SPACE, trials=4, seed=seed, directory=folder / place, goal="max"
        )
        trials = list(itertools.islice(iter(engine.ask, None), count))
        for trial in trials:
            engine.tell(trial.id, float(trial.values["a"]))
        return [trial.values for trial in trials]

    whole = proposed("whole", 9)
    assert len(whole) == 4 and len({json.dumps(v) for v in whole}) > 1, whole
    assert proposed("cut", 2) + proposed("cut", 9) == whole, f"{given.name}: resumed differs"
    says_so = "The seed draws nothing." in given.object.__doc__
    ignored = proposed("other", 9, seed=2) == whole
    assert ignored == says_so, f"{given.name}: ignores the seed: {ignored}; says so: {says_so}"
    for values in whole:
        assert 0.1 <= values["a"] <= 1 and values["b"] in range(1, 5) and values["c"] in "xy"


def engine_refuses_bad_arguments(given: Subject, folder) -> None:
    """Every bounded or enumerated option is refused outside, by name and value, at once."""

    def make(**options):
        return make_engine(given.entry.name, SPACE, directory=folder, **options)

    refuse(given, make)


ENGINE = (documented, tested, engine_refuses_bad_arguments, engine_proposes_by_seed_and_goes_on)


def executor_says_what_it_needs(given: Subject) -> None:
    """It can be made from its defaults, knows its size, and may be closed without having run."""
    made = given.make()
    assert made.workers >= 1 and (made.threads is None or made.threads >= 1), given.name
    made.close()


EXECUTOR = (*WORDS, executor_says_what_it_needs)


def section_is_checked(given: Subject) -> None:
    """A recipe of defaults is valid, and every value outside an option's bounds is an error that
    names the option.
    """
    model = catalog.load().of("model")[0]
    base = recipes.parse(template(model, catalog.load()))
    places = {"recipe": (), "confirm": ("search", "confirm"), "batching": ("export", "batching")}
    place = places.get(given.entry.name, (given.entry.name,))
    example = {"objective": "loss", "goal": "min", "space": {"train.save_every": {"int": [1, 9]}}}
    base |= {"search": {**example, "confirm": {}}, "export": {"batching": {}}} if place else {}
    if place == ("sweep",):
        base |= {"search": None, "sweep": {"grid": {"train.save_every": [1, 9]}}}
    assert recipes.from_dict(base).resolved
    for option in given.entry.options.values():
        for bad in bad_values(option):
            changed = json.loads(json.dumps(base))
            spot = functools.reduce(dict.get, place, changed)
            spot[option.name] = bad
            if option.name == "epochs":
                spot.pop("steps", None)
            with pytest.raises(RecipeError, match=option.name):
                recipes.from_dict(changed)


SECTION = (documented, section_is_checked)
