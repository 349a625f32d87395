import numpy as np
import pytest

from tests.methods.early_readouts.tasks import network
from tfkit.methods.early_readouts.audit import write_audit
from tfkit.models import DebiasedDistillation


def test_heaviest_first_with_what_else_is_known(tmp_path):
    model = DebiasedDistillation(network(4), network(4, seed=1), 0, 3)
    wrong = np.array([False, True, False])
    model.ledger.remember(np.arange(3), np.float32([1, 7.5, 1]), np.float32([0, 0.8, 0.1]), wrong)
    path = write_audit(model, tmp_path / "weights.csv", name=["a", "b", "c"])
    assert path.read_text().splitlines() == [
        "index,weight,margin,flagged,name",
        "1,7.5,0.8,1,b",
        "0,1,0,0,a",
        "2,1,0.1,0,c",
    ]
    with pytest.raises(ValueError, match=r"name must have shape \(3,\), got \(2,\)"):
        write_audit(model, tmp_path / "weights.csv", name=["a", "b"])
