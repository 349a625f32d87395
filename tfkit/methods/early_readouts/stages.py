"""The teacher, then the student with its rounds, then the table of weights."""

import keras

from tfkit.classification.teaching import teacher_stages
from tfkit.methods.early_readouts.audit import write_audit
from tfkit.methods.early_readouts.rounds import Rounds
from tfkit.stage import Stage

_AT_ONCE = 512  # examples of a batch of a round's pass


def stages(model, source) -> list[Stage]:
    """`teacher`, left out where a file gave a trained one; `student`; `audit`."""
    student = Stage("student", model, callbacks=rounds)
    return [*teacher_stages(model, source), student, Stage("audit", work=audit)]


def rounds(assembly) -> list[keras.callbacks.Callback]:
    """Rounds before the steps that begin an epoch, over the training part in its order."""
    source, labelled = assembly.source, assembly.model.labelled

    def training_set():
        return map(labelled, source.in_order("train", _AT_ONCE))

    return [
        Rounds(training_set, every=source.steps_per_epoch(assembly.recipe["data"]["batch_size"]))
    ]


def audit(assembly, carried, folder) -> dict:
    """Write `weights.csv`: what every training example weighed, and why."""
    folder.mkdir(parents=True, exist_ok=True)
    source = assembly.source
    columns = {"label": source.labels("train"), "group": source.group_ids("train")}
    write_audit(assembly.model, folder / "weights.csv", **columns)
    return {}
