"""Training in several stages: each reads what the earlier ones left, and is done once.

A room's `stages.py` holds `stages(model, source) -> list[Stage]`, see `tfkit.stage`. What must
outlive training is part of the room's model; the other results of a stage travel as arrays in
`carried`.
"""

from pathlib import Path

import keras
import numpy as np

from tfkit.errors import UsageError
from tfkit.stage import Stage
from tfkit.train import checkpoint

LENGTHS = ("steps", "epochs")  # of a training; one of the two


def refuse_unknown(train: dict, planned: list[Stage]) -> None:
    """`train.stages` may only name stages that the method has."""
    names = [stage.name for stage in planned]
    if unknown := sorted(set(train["stages"] or {}) - set(names)):
        raise UsageError(
            f"train.stages: there is no stage {unknown[0]}; this method "
            + (f"has {', '.join(names)}." if names else "trains in one go.")
        )


def stage_options(train: dict, stage: Stage, model: keras.Model | None = None) -> dict:
    """The `train` section as it holds for one stage: the stage's own options go over the recipe's,
    and `train.stages.<name>` over both. Of steps and epochs the last one told holds.

    What the recipe validates and watches is the room's `model`: a stage of another model has no
    part in it, and callbacks only where the recipe names them for that stage.
    """
    options, named = dict(train), (train["stages"] or {}).get(stage.name, {})
    if stage.model is not model:
        if named.get("validate"):
            raise UsageError(
                f"train.stages.{stage.name}.validate: this stage trains another model than the "
                "recipe's, which the evaluator cannot measure; leave it out."
            )
        options |= {"validate": [], "callbacks": []}
    for given in (stage.train, named):
        if any(given.get(length) is not None for length in LENGTHS):
            options |= dict.fromkeys(LENGTHS)
        options |= given
    return options


def outcome_path(folder: Path, name: str) -> Path:
    """The file that says that a stage is done, and what it left."""
    return folder / "checkpoints" / f"{name}.done.npz"


def weights(models: list[keras.Model]) -> dict[str, keras.Variable]:
    """The variables of the room's model and of the stage's, without optimizers."""
    return {
        f"{index}/{number:04d}/{variable.path}": variable
        for index, model in enumerate(models)
        for number, variable in enumerate(model.variables)
    }


def save_outcome(path: Path, models: list[keras.Model], arrays: dict[str, np.ndarray]) -> None:
    """Write what a stage left: the weights as they are now and the arrays that it carries on."""
    values = {
        f"weights/{name}": keras.ops.convert_to_numpy(variable.value)
        for name, variable in weights(models).items()
    }
    carried = {f"carried/{name}": np.asarray(array) for name, array in arrays.items()}
    checkpoint.save(path, checkpoint.Checkpoint(0, {}, values | carried))


def load_outcome(path: Path, models: list[keras.Model]) -> dict[str, np.ndarray]:
    """Put back a finished stage's weights; its carried arrays."""
    arrays = checkpoint.load(path).arrays
    for name, variable in weights(models).items():
        variable.assign(arrays[f"weights/{name}"])
    return {
        name.removeprefix("carried/"): array
        for name, array in arrays.items()
        if name.startswith("carried/")
    }
