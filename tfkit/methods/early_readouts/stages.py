"""The teacher, then the student with its rounds, then the table of weights."""

import keras

from tfkit.classification.evaluation import rows_at_once
from tfkit.classification.teaching import teacher_stages
from tfkit.methods.early_readouts.audit import write_audit
from tfkit.methods.early_readouts.rounds import Rounds, warn_of_no_round
from tfkit.stage import Stage


def stages(model, source) -> list[Stage]:
    """`teacher`, left out where a file gave a trained one; `student`; `audit`."""
    student = Stage("student", model, callbacks=rounds)
    return [*teacher_stages(model, source), student, Stage("audit", work=audit)]


def rounds(assembly) -> list[keras.callbacks.Callback]:
    """Rounds before the steps that begin an epoch, over the training part in its order."""
    source, model = assembly.source, assembly.model
    size = min(rows_at_once(source), model.num_train)

    def training_set(epoch=None):
        found = source.in_order("train", size)
        if epoch is not None:
            found = source.drawn("train", size, seed=epoch).take(model.num_train // size)
        return map(model.labelled, found)

    epoch = source.steps_per_epoch(assembly.recipe["data"]["batch_size"])
    return [Rounds(training_set, every=model.round_steps or epoch)]


def audit(assembly, carried, folder) -> dict:
    """Write `weights.csv`: what every training example weighed, and why."""
    warn_of_no_round(assembly.model)
    folder.mkdir(parents=True, exist_ok=True)
    source = assembly.source
    columns = {"label": source.labels("train"), "group": source.group_ids("train")}
    write_audit(assembly.model, folder / "weights.csv", **columns)
    return {}
