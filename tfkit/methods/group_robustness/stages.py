"""What trains in more than one go: teachers first, errors found, last layers fitted anew."""

import keras
import numpy as np

from tfkit.classification.evaluation import answers, rows_at_once
from tfkit.classification.networks import features_of
from tfkit.classification.teaching import Taught, teacher_stages
from tfkit.methods.group_robustness.balance import batches_of_rows
from tfkit.methods.group_robustness.dfr import DFR
from tfkit.methods.group_robustness.jtt import JTT
from tfkit.methods.group_robustness.model import ERM, Subsampling
from tfkit.methods.group_robustness.transplant import DeTT
from tfkit.stage import Stage


def stages(model, source) -> list[Stage]:
    """The stages of a method: none for what trains in one go.

    Subsampling: train.  DFR: network, refit.  JTT: identify, errors, train.  KnowledgeDistillation
    and SimKD: teacher, train.  DeTT: teacher, identify, errors, train. A teacher from a file has no
    stage.
    """
    planned = teacher_stages(model, source) if isinstance(model, Taught) else []
    if isinstance(model, DFR):
        return [Stage("network", model), Stage("refit", work=refit)]
    if isinstance(model, Subsampling) or getattr(model, "sampling", "plain") == "groups":
        return [Stage("train", model, batches=balanced_batches)]
    if isinstance(model, (JTT, DeTT)):
        first = ERM(fresh_copy(model), model.weight_decay)

        def errors(assembly, carried, folder):
            return find_errors(first, assembly)

        length = {"epochs": model.identify_epochs}
        planned += [Stage("identify", first, train=length), Stage("errors", work=errors)]
        return [*planned, Stage("train", model, batches=upsampled_batches)]
    return [*planned, Stage("train", model)] if planned or isinstance(model, Taught) else []


def fresh_copy(model) -> keras.Model:
    """The network, or the student, with variables of its own that are where its own begin, since
    they may have been trained before. (A student's last layer, which it leaves away, begins anew.)
    """
    if isinstance(model, JTT):
        copy = keras.models.clone_model(model.network)
        copy.set_weights(model.network.get_weights())
        return copy
    copy = keras.saving.deserialize_keras_object(model.student_config)
    own = features_of("DeTT", "student", copy)
    own.set_weights(model.student_features.get_weights())
    return copy


def find_errors(first, assembly) -> dict:
    """Tell the room's model which training examples the first training got wrong."""
    known = answers(first, assembly.source, "train")
    wrong = known.chosen != known.labels
    assembly.model.set_errors(wrong)
    return {"errors": np.flatnonzero(wrong)}


def refit(assembly, carried, folder) -> dict:
    """The last layer of a `DFR`."""
    model, source = assembly.model, assembly.source
    size = rows_at_once(source)
    batches = (batch["inputs"] for batch in source.in_order(model.part, size))
    seed = assembly.seeds["data"]
    model.refit(batches, source.labels(model.part), source.group_ids(model.part), seed)
    return {}


def balanced_batches(assembly, step: int):
    """Batches of rows in which all groups are alike."""
    seed = assembly.seeds["data"]
    rows = assembly.model.rows(assembly.source.group_ids("train"), seed)
    return batches_of_rows(assembly, rows, step)


def upsampled_batches(assembly, step: int):
    """Batches of the training set with its errors repeated."""
    return batches_of_rows(assembly, assembly.model.rows(), step)
