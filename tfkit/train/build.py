"""From a resolved recipe to objects: data, networks, model, optimizers."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import keras
import tensorflow as tf

from tfkit import catalog
from tfkit.errors import TfkitError, UsageError
from tfkit.train import device, seeds
from tfkit.train.callbacks import ReduceOnPlateau, Watcher
from tfkit.train.checkpoint import optimizers
from tfkit.train.room import Room


def build(entry: catalog.Entry, options: Mapping, supplied: Mapping, tell=None):
    """Build what `entry` names, and the components inside it, in the order of the signature.

    A parameter that no recipe can give, or that the recipe leaves null, is taken from `supplied`
    where it is there. `tell(parts)` says what the parts built so far supply to the next ones.
    """
    arguments, known = {}, dict(supplied)
    for parameter in entry.parameters:
        name = parameter.name
        if name in options and options[name] is None and name in known:
            arguments[name] = known[name]
        elif name in options:
            arguments[name] = nested(parameter, options[name], known)
            known |= tell(arguments) if tell and parameter.component else {}
        elif name in known and parameter.supplied:
            arguments[name] = known[name]
    missing = [p.name for p in entry.parameters if p.required and p.name not in arguments]
    if missing:
        raise UsageError(
            f"{entry.kind} {entry.name} needs {', '.join(missing)}, which neither the data nor the "
            "parts built before it supply; a network tells its shapes if it is functional."
        )
    try:
        return catalog.resolve(entry)(**arguments)
    except (ValueError, ImportError) as error:  # what a constructor refuses is the recipe's mistake
        raise UsageError(f"{entry.kind} {entry.name}: {error}") from error


def build_component(kinds: tuple[str, ...], component: Mapping, supplied: Mapping):
    """Build `{name: X, **options}`."""
    return build(catalog.find(kinds, component["name"]), component, supplied)


def nested(parameter: catalog.Parameter, value, supplied: Mapping):
    """A parameter's value: built where it is a component, as it is elsewhere."""
    if parameter.component and isinstance(value, list):
        return [nested(parameter, one, supplied) for one in value]
    if parameter.component and isinstance(value, Mapping):
        return build_component(parameter.component, value, supplied)
    return value  # a plain value, or a plain number where a schedule could stand


@dataclass
class Assembly:
    """What one run works with, built from its recipe and its replicate's seeds."""

    recipe: dict
    replicate: int
    source: object
    model: keras.Model
    room: Room
    needs: tuple[str, ...]

    @cached_property
    def seeds(self) -> dict[str, int]:
        """The run's seeds by stream."""
        return seeds.streams(self.recipe["seed"], self.replicate)

    def select(self, batch: dict):
        """What the model needs of a batch: a tensor, or a dict where it needs several."""
        if len(self.needs) == 1:
            return batch[self.needs[0]]
        return {name: batch[name] for name in self.needs} if self.needs else batch

    def batches(self, step: int) -> tf.data.Dataset:
        """The endless training batches from step `step` on."""
        dataset = self.source.train(
            self.recipe["data"]["batch_size"], seed=self.seeds["data"], start_step=step
        )
        return dataset.map(self.select).prefetch(tf.data.AUTOTUNE)

    def held_out(self, split: str) -> tf.data.Dataset:
        """The fixed held-out batches as the model takes them."""
        return self.source.held_out(split, self.recipe["data"]["batch_size"]).map(self.select)


def load_data(recipe: dict):
    """The recipe's data set."""
    return build_component(("dataset",), recipe["data"], {})


def assemble(recipe: dict, replicate: int, source=None) -> Assembly:
    """Data, model and optimizers of one run, with all its seeds set.

    `source` hands over data that are loaded already (another replicate's).
    """
    source = source or load_data(recipe)
    refuse_large_batch(recipe, source)
    derived = seeds.streams(recipe["seed"], replicate)
    seeds.seed_initialisers(derived)
    entry = catalog.find("model", recipe["model"]["name"])
    room = Room(catalog.resolve(entry))
    with device.strategy(recipe["train"]["strategy"]).scope():
        tell = room.function("model", "supplied")
        model = build(entry, recipe["model"], source.shapes, tell)
        compile_model(model, entry, recipe, total_steps(recipe, source))
        seeds.seed_noise(model, derived)
    return Assembly(recipe, replicate, source, model, room, tuple(entry.needs))


def total_steps(recipe: dict, source) -> int:
    """`train.steps`, or `train.epochs` times the steps of an epoch."""
    train = recipe["train"]
    if train["epochs"] is None:
        return train["steps"]
    per_epoch = source.steps_per_epoch(recipe["data"]["batch_size"])
    if per_epoch is None:
        raise UsageError(
            f"train.epochs: data set {recipe['data']['name']} is drawn without end and has no "
            "epochs; give train.steps instead."
        )
    return train["epochs"] * per_epoch


def refuse_large_batch(recipe: dict, source) -> None:
    """A batch must fit into the training part."""
    size = recipe["data"]["batch_size"]
    if source.steps_per_epoch(size) == 0:
        raise UsageError(
            f"data.batch_size: {size} is more than the training part has examples; lower it, or "
            "give more data."
        )


def compile_model(model: keras.Model, entry, recipe: dict, steps: int) -> None:
    """Compile with the recipe's optimizers, and make sure that each has its variables: what is
    not built when a checkpoint is read would silently be lost.
    """
    train = recipe["train"]
    built = {
        name: build_component(("optimizer",), train[name], {"steps": steps})
        for name in ("optimizer", *entry.optimizers)
        if train.get(name)
    }
    for name, optimizer in built.items():
        optimizer.name = name  # Keras would number it by how many this process has made
    model.compile(**built, jit_compile=train["jit"])
    for name, optimizer in optimizers(model).items():
        if not optimizer.built and name == "optimizer":
            optimizer.build(model.trainable_variables)
        elif not optimizer.built:
            raise TfkitError(
                f"{type(model).__name__}.compile must build its {name} over its own variables "
                f"({name}.build(variables)), or a resumed run would start it anew."
            )


def build_watchers(train: dict) -> list:
    """The callbacks that the recipe names, which must be able to remember and to work together."""
    watchers = [build_component(("callback",), component, {}) for component in train["callbacks"]]
    for watcher in watchers:
        if not isinstance(watcher, Watcher):
            raise UsageError(
                f"train.callbacks: {type(watcher).__name__} is no tfkit.train.callbacks.Watcher, "
                "so a resumed run could not give it back its memory."
            )
    if sum(getattr(watcher, "restore_best", False) for watcher in watchers) > 1:
        raise UsageError("train.callbacks: only one of them can restore_best.")
    scheduled = isinstance(train["optimizer"].get("learning_rate"), Mapping)
    if scheduled and any(isinstance(watcher, ReduceOnPlateau) for watcher in watchers):
        raise UsageError(
            "train.callbacks: reduce_on_plateau cannot lower a learning rate that follows a "
            "schedule; leave one of the two out."
        )
    return watchers
