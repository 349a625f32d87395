import numpy as np
import pytest

from tfkit.data import strip_bias
from tfkit.methods.early_readouts.evaluate import contradicted, evaluate, figures, ratio
from tfkit.models import DebiasedDistillation
from tfkit.networks.perceptron import perceptron

SOURCE = strip_bias.load(train_size=60, validation_size=40, test_size=60)


def model_of(readout_bias=(0.0, 0.0), rounds=1):
    model = DebiasedDistillation(
        perceptron((16, 8), 2, [4]), perceptron((16, 8), 2), "hidden_1", 60
    )
    kernel, bias = model.probe.readout.weights
    kernel.assign(np.zeros(kernel.shape))
    bias.assign(readout_bias)
    model.ledger.rounds.assign(rounds)
    return model


def test_conflict_accuracy_is_that_where_the_readout_errs():
    model = model_of(readout_bias=(0.0, 1.0))  # says 1 of everything: errs on label 0
    part = SOURCE.splits["test"]
    chosen = np.asarray(model(part["inputs"])).argmax(axis=1)
    wanted = np.mean(chosen[part["labels"] == 0] == 0)
    found = evaluate(model, SOURCE, "test", ["readout_conflict", "readout_worst_group"], 0)
    assert found == {"readout_conflict": pytest.approx(wanted), "readout_worst_group": 0.0}


def test_before_a_round_there_is_no_conflict_to_choose_by():
    found = evaluate(model_of(rounds=0), SOURCE, "valid", None, 0)
    assert found["readout_conflict"] == found["error_ratio"] == 0.0
    assert found["effective_sample_size"] == 60
    assert list(found)[0] == "average" and np.isfinite(list(found.values())).all()


def test_who_is_contradicted():
    part = SOURCE.splits["test"]

    class Given:
        labels, groups = part["labels"], part["groups"]

    against = contradicted(Given, SOURCE)
    attribute = part["groups"] % 2
    np.testing.assert_array_equal(against, attribute != part["labels"])


def test_ratios_are_of_errors_against_the_shortcut_over_errors_with_it():
    """A readout that follows the attribute, except that it doubts a few where that is right."""
    model, part = model_of(), SOURCE.splits["test"]
    attribute = part["groups"] % 2
    with_it = np.flatnonzero(attribute == part["labels"])
    says, margin = attribute.copy(), np.full(60, 0.8)
    says[with_it[:3]], margin[with_it[:3]] = 1 - attribute[with_it[:3]], 0.2
    gap = 2 * np.arctanh(margin)  # of logits whose probabilities are that far apart
    logits = np.stack([np.where(says == k, gap, 0.0) for k in (0, 1)], axis=1)
    object.__setattr__(model, "probe", lambda inputs: logits)  # the part is one batch
    found = evaluate(model, SOURCE, "test", ["error_ratio", "margin_ratio"], 0)
    assert found["error_ratio"] == pytest.approx(len(with_it) / 3) and found["error_ratio"] > 1
    assert found["margin_ratio"] == pytest.approx(4.0, rel=1e-4)


def test_ratios_are_finite():
    assert ratio(1.0, 4.0) == 0.25 and ratio(0.5, 0.0) == 1e6 and ratio(0.0, 0.0) == 1.0


def test_figures_and_refusals():
    assert set(figures(model_of(), SOURCE, 0)) == {"groups", "weights"}
    with pytest.raises(ValueError, match="no_such"):
        evaluate(model_of(), SOURCE, "valid", ["no_such"], 0)
