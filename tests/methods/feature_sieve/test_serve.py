import numpy as np

from tests.methods.feature_sieve import toys
from tfkit.methods.feature_sieve.serve import representation, signatures


def test_answers_are_those_of_the_classifier_without_its_readout():
    model, (x, _) = toys.sieve(), toys.blobs()
    (name, known), *rest = signatures(model).items()
    assert name == "predict" and not rest and list(known.inputs) == ["inputs"]
    found = known.function(inputs=x)
    logits = np.array(model(x))
    np.testing.assert_allclose(found["logits"], logits, rtol=1e-6)
    np.testing.assert_array_equal(representation(model)(x), found["logits"])
    np.testing.assert_allclose(np.sum(found["probabilities"], axis=1), np.ones(32), rtol=1e-5)
    assert np.array(found["label"]).tolist() == logits.argmax(axis=1).tolist()
    for variable in model.readout.trainable_variables:
        variable.assign(variable + 1)
    np.testing.assert_array_equal(known.function(inputs=x)["logits"], found["logits"])
