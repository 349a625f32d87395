from types import SimpleNamespace

import pytest

from tests.methods.group_robustness.toys import COUNTS, network
from tfkit.classification.group_labels import group_labels_used
from tfkit.models import DFR, ERM, GroupDRO, KnowledgeDistillation

PLAIN, TAUGHT = SimpleNamespace(splits=("train",)), SimpleNamespace(splits=("train", "teacher"))
SELECTING = {
    "stages": None,
    "callbacks": [{"name": "restore_best", "monitor": "valid/worst_group"}],
}
NOT = {"stages": None, "callbacks": [{"name": "restore_best", "monitor": "valid/average"}]}


def told(model, source=PLAIN, train=NOT, chosen_by=()):
    return group_labels_used(model, source, train, chosen_by)["group labels used"]


def test_the_methods_own_use():
    assert told(ERM(network())) == "none"
    assert told(GroupDRO(network(), COUNTS)) == "training"
    assert told(DFR(network())) == "validation"
    assert told(DFR(network(), part="train")) == "training"


@pytest.mark.parametrize("choice", [{"train": SELECTING}, {"chosen_by": ("valid/adjusted",)}])
def test_choosing_by_a_group_uses_the_labels_of_validation(choice):
    assert told(ERM(network()), **choice) == "validation"
    assert told(GroupDRO(network(), COUNTS), **choice) == "training, validation"


def test_choosing_in_a_stage_counts_too():
    staged = {"callbacks": [], "stages": {"train": SELECTING}}
    assert told(ERM(network()), train=staged) == "validation"


def test_of_a_teacher_from_a_file_nobody_knows():
    model = KnowledgeDistillation(network(), network(seed=1))
    model.teacher_is_trained = True
    assert told(model) == "perhaps the teacher's"


def test_a_search_by_an_average_uses_none():
    assert told(ERM(network()), chosen_by=("valid/average",)) == "none"


def test_a_teacher_whose_data_were_balanced_is_told():
    assert told(KnowledgeDistillation(network(), network(seed=1)), TAUGHT) == "teacher's data"
    assert told(KnowledgeDistillation(network(), network(seed=1)), PLAIN) == "none"
