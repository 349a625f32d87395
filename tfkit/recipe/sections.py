"""The sections of a recipe. These classes are the definition: their fields are the recipe's keys,
their docstrings its documentation; catalogue, checks, JSON schema and `describe` come from here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import keras

    from tfkit.search.engines.base import Engine
    from tfkit.search.executors.base import Executor


@dataclass(frozen=True)
class Recipe:
    """One experiment: data, model, training, and if wished search, evaluation and export.

    A component is always `{name: X, **options}`; "X" alone is short for `{name: X}`; a component of
    your own is `{name: "my_module:build_encoder"}`. `extends: other.yaml` (a path relative to the
    recipe) takes another recipe as the base: mappings merge, lists replace, a component whose name
    changes starts anew.

    Args:
        name: what runs and exports are called after; letters, digits, "-", "_" and ".".
        seed: from it every random number of the experiment is derived, >= 0.
        data: the data set and its options; see `describe data`.
        model: the method and its options, with the networks it is made of.
        train: see `describe train`.
        search: see `describe search`; null: no search.
        sweep: see `describe sweep`; null: no sweep. Not beside `search`.
        evaluate: see `describe evaluate`.
        export: see `describe export`; null: no export.
    """

    name: str
    data: dict | str
    model: dict | str
    seed: int = 0
    train: dict | None = None
    search: dict | None = None
    sweep: dict | None = None
    evaluate: dict | None = None
    export: dict | None = None


@dataclass(frozen=True)
class Data:
    """The data set: `{name: X, batch_size: B, **options of X}`.

    Args:
        batch_size: examples in one training step, >= 1.
    """

    batch_size: int = 64


@dataclass(frozen=True)
class Train:
    """How the model is trained.

    Args:
        steps: training steps, >= 1; 1000 when `epochs` is absent too. Not beside `epochs`.
        epochs: passes over the training data, >= 1; null: `steps` says how long.
        save_every: steps between two checkpoints, >= 1; also the interval of metrics.jsonl. It may
            exceed `steps`.
        optimizer: the optimizer and its options. Models with further optimizers have further keys
            here, such as `discriminator_optimizer`; null or left out is the model's default.
        validate: metrics computed on the validation split at every checkpoint, such as [loss, mig].
        callbacks: callbacks, in order.
        precision: Keras' dtype policy; the mixed ones are slow on CPUs.
        jit: XLA compilation; auto: only where Keras finds that it pays.
        steps_per_execution: steps in one call of the compiled training function, >= 1; auto: chosen
            from the first steps. It never changes results.
        strategy: mirrored: one replica on each GPU of this machine, the batch divided among them.
        threads: CPU threads, >= 1; auto: the processors available, recorded, because their number
            changes the last digits.
        deterministic: deterministic GPU kernels; switches XLA off.
        stages: options of single stages by the stage's name, where a method trains in several; each
            holds keys of this section that go over the others.
        tensorboard: write event files under tb/ for TensorBoard.
    """

    steps: int | None = None
    epochs: int | None = None
    save_every: int = 250
    optimizer: keras.optimizers.Optimizer = "adam"
    validate: list[str] = field(default_factory=list)
    callbacks: list[keras.callbacks.Callback] = field(default_factory=list)
    precision: Literal["float32", "mixed_bfloat16", "mixed_float16"] = "float32"
    jit: bool | Literal["auto"] = "auto"
    steps_per_execution: int | Literal["auto"] = "auto"
    strategy: Literal["none", "mirrored"] = "none"
    threads: int | Literal["auto"] = "auto"
    deterministic: bool = False
    stages: dict | None = None
    tensorboard: bool = False


@dataclass(frozen=True)
class Search:
    """Which values of which options are tried, and which number decides.

    Args:
        objective: a number that training logs (`loss`) or one of the held-out sample (`valid/mig`).
        space: recipe path -> distribution: `{float: [lo, hi], log: true}`, `{int: [lo, hi],
            step: s}`, `{choice: [a, b]}`, `{bool: true}`, `{fixed: v}`; each with
            `when: {other.path: [v, …]}` if it exists only for some values of another one. Names in
            braces vary as one: `model.{lower,upper}.layer`.
        goal: whether the objective is to be large or small.
        engine: what proposes the trials.
        executor: what runs them.
        trials: number of trials, >= 1; null: all that grid and hyperband have, 10 of the others.
        select: which of a trial's values counts: `last`, that of the trained model; `best`, that of
            its best chunk, whose weights it then keeps; `mean_last`, the mean over its last 5
            chunks, or `{mean_last: k}` over k.
        confirm: the best trials are trained anew; see `describe confirm`.
        keep: whose weights and checkpoints stay: `metrics`, of no trial; `best`, of the best one;
            `all`.
        budget: wall-clock time of one command, such as 2h, with room left to confirm; null: none.
        timeout: longest time of one trial, such as 30m, before it counts as failed; null: none.
    """

    objective: str
    space: dict
    goal: Literal["max", "min"]
    engine: Engine = "random"
    executor: Executor = "inline"
    trials: int | None = None
    select: Literal["last", "best", "mean_last"] | dict = "last"
    confirm: dict | None = None
    keep: Literal["metrics", "best", "all"] = "best"
    budget: str | float | None = None
    timeout: str | float | None = None


@dataclass(frozen=True)
class Confirm:
    """What of a search is trained anew from fresh seeds, since the best of many noisy trials looks
    better than it is. The winner is the one with the best mean over the seeds.

    Args:
        top: how many of the best trials, >= 1.
        seeds: from how many fresh seeds each (1, 2, …), >= 1; null: from `evaluate.seeds`.
    """

    top: int = 1
    seeds: int | None = None


@dataclass(frozen=True)
class Sweep:
    """Every combination of some values, each trained from every seed: `tfkit sweep`. Points come in
    the order of the grid, the last path's values moving fastest, and each with all its seeds.

    Args:
        grid: recipe path -> its values: `[a, b]`, short for `{choice: [a, b]}`, or `{bool: true}`;
            each with `when: {other.path: [v, …]}` if it exists only for some values of another one;
            or a list of such mappings, each with its `when`: other values for other cases. Null
            leaves out a path of the recipe that this one extends.
        seeds: how many (5: from 1 to 5) or which, >= 0; null: those of `evaluate.seeds`.
        executor: what runs the trainings.
    """

    grid: dict
    seeds: int | list[int] | None = None
    executor: Executor = "inline"


@dataclass(frozen=True)
class Evaluate:
    """What is measured on the test split; the method's own options of evaluation are keys here too.

    Args:
        seeds: training replicates, >= 0; one seed: the run itself; several: one run each, with
            intervals.
        metrics: which metrics; null: all that the data allow.
    """

    seeds: list[int] = field(default_factory=lambda: [1])
    metrics: list[str] | None = None


@dataclass(frozen=True)
class Export:
    """The SavedModel (a TF-Hub module too) that is written to savedmodels/NAME/VERSION.

    Args:
        name: folder under savedmodels/; null: the recipe's name.
        signatures: which of the method's signatures; null: all. `predict` is always there.
        hub: also write the module as .tar.gz, as TF-Hub serves it.
        batching: merge requests that come at the same time; see `describe batching`; null: no.
    """

    name: str | None = None
    signatures: list[str] | None = None
    hub: bool = True
    batching: dict | None = None


@dataclass(frozen=True)
class Batching:
    """Requests that come at the same time are computed as one batch, inside the exported signatures
    and so in every runtime. Measure what it gains: it can pay where many clients send few rows
    each, and every request of less than a full batch waits `wait_ms`. Not for signatures with an
    open size besides the batch.

    Args:
        max: rows of the largest merged batch, in [2, 100000]; requests of so many are not merged.
        wait_ms: longest wait of a request for others, in milliseconds, in [0, 60000]; 0 merges what
            came in while the batch before was computed.
        threads: batches computed at once, in [1, 1000]; the fewer, the more each of them merges.
    """

    max: int = 32
    wait_ms: float = 0.0
    threads: int = 1
