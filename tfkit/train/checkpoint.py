"""A checkpoint is one file: every variable of the model, of all its optimizers, and the step.

Keras' own `save_weights` and `BackupAndRestore` lose optimizers and seed generators; here the
variables are listed one by one, so what is restored is what was saved, or an error.
"""

import io
import json
from pathlib import Path
from typing import NamedTuple

import keras
import numpy as np

from tfkit.errors import TfkitError
from tfkit.train.folder import write_atomically

# NumPy's file format knows no bfloat16: such arrays travel as the 16 bits that they are.
BFLOAT16 = "bfloat16"


class Checkpoint(NamedTuple):
    """What a checkpoint file holds: `step` updates done, `memory` of the callbacks, the arrays."""

    step: int
    memory: dict
    arrays: dict[str, np.ndarray]


def optimizers(model: keras.Model) -> dict[str, keras.optimizers.Optimizer]:
    """All optimizers that are attributes of `model`, by attribute name, in alphabetical order."""
    found = {
        name.lstrip("_"): value
        for name, value in vars(model).items()
        if isinstance(value, keras.optimizers.Optimizer)
    }
    return dict(sorted(found.items()))


def variables(model: keras.Model) -> dict[str, keras.Variable]:
    """Every variable that training changes, under a unique name: model, seeds, optimizers."""
    named = {f"model/{i:04d}/{v.path}": v for i, v in enumerate(model.variables)}
    for name, optimizer in optimizers(model).items():
        # an optimizer's own name is numbered by how often one was made in this process
        paths = [variable.path.partition("/")[2] for variable in optimizer.variables]
        owned = zip(paths, optimizer.variables, strict=True)
        named |= {f"{name}/{index:04d}/{path}": v for index, (path, v) in enumerate(owned)}
    return named


def snapshot(model: keras.Model) -> dict[str, np.ndarray]:
    """Copies of all values on the host."""
    return {name: keras.ops.convert_to_numpy(v.value) for name, v in variables(model).items()}


def put_back(model: keras.Model, arrays: dict[str, np.ndarray], source: str) -> None:
    """Assign a snapshot; refuse one whose variables are not exactly the model's."""
    targets = variables(model)
    if different := sorted(targets.keys() ^ arrays.keys()):
        raise TfkitError(
            f"{source} does not fit the model: {len(different)} variables are in only one of the "
            f"two, the first is {different[0]}. Was the recipe or the code changed?"
        )
    for name, variable in targets.items():
        if tuple(variable.shape) != arrays[name].shape:
            raise TfkitError(
                f"{source} does not fit the model: {name} has shape {arrays[name].shape}, "
                f"the model wants {tuple(variable.shape)}."
            )
        variable.assign(arrays[name])


def save(path: Path, checkpoint: Checkpoint) -> None:
    """Write the file beside its final name, then rename it: a kill leaves the old or the new."""
    bits = {
        name: array.view(np.uint16) if array.dtype.name == BFLOAT16 else array
        for name, array in checkpoint.arrays.items()
    }
    narrow = [name for name, array in checkpoint.arrays.items() if array.dtype.name == BFLOAT16]
    header = json.dumps({"step": checkpoint.step, "memory": checkpoint.memory, BFLOAT16: narrow})
    buffer = io.BytesIO()  # NumPy cannot close a file half written to a full disk in peace
    np.savez(buffer, header=np.array(header), **bits)
    write_atomically(path, buffer.getbuffer())


def load(path: Path) -> Checkpoint:
    """Read a file that `save` wrote."""
    with np.load(path) as file:
        header = json.loads(str(file["header"]))
        arrays = {name: file[name] for name in file.files if name != "header"}
    for name in header[BFLOAT16]:
        arrays[name] = arrays[name].view(BFLOAT16)
    return Checkpoint(header["step"], header["memory"], arrays)


class Checkpoints:
    """The checkpoints of one training: the last, and the best where a callback asks for it."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.best = folder / "best.npz"

    def last(self) -> Path | None:
        """The newest checkpoint, or None before the first."""
        return max(self.folder.glob("step-*.npz"), default=None)

    def reached(self) -> int:
        """The step of the newest checkpoint of this stage or of a stage below; 0 before any."""
        found = sorted(self.folder.rglob("step-*.npz"), key=lambda path: path.stat().st_mtime)
        return int(found[-1].stem.removeprefix("step-")) if found else 0

    def write(self, checkpoint: Checkpoint, is_best: bool) -> None:
        """Keep `checkpoint` as the last one, and as the best one where it is."""
        path = self.folder / f"step-{checkpoint.step:010d}.npz"
        if is_best:
            save(self.best, checkpoint)
        save(path, checkpoint)
        for older in self.folder.glob("step-*.npz"):
            if older != path:
                older.unlink()
