import keras
import numpy as np
import pytest

from tfkit.networks.applications import application

SHAPE = (32, 32, 3)
X = np.random.default_rng(0).random((2, *SHAPE)).astype("float32")


@pytest.mark.parametrize(
    ("backbone", "family"),
    [("ResNet50", "resnet"), ("MobileNetV2", "mobilenet_v2"), ("DenseNet121", "densenet")],
)
def test_images_are_prepared_as_the_network_was_trained(backbone, family):
    network = application(SHAPE, 2, backbone)
    number = [layer.name.startswith("to_") for layer in network.layers].index(True)
    prepared = keras.Model(network.inputs, network.layers[number].output)([X])
    published = getattr(keras.applications, family).preprocess_input(X.copy() * 255.0)
    np.testing.assert_allclose(prepared, published, atol=1e-4)


def test_it_is_saved_and_its_features_are_read_from_a_file(tmp_path):
    first = application(SHAPE, 2, "MobileNetV2")
    first.save(tmp_path / "it.keras")
    np.testing.assert_allclose(keras.saving.load_model(tmp_path / "it.keras")(X), first(X))
    bare = keras.applications.MobileNetV2(include_top=False, weights=None, input_shape=SHAPE)
    bare.save_weights(tmp_path / "it.weights.h5")
    again = application(SHAPE, 2, "MobileNetV2", str(tmp_path / "it.weights.h5"))
    for one, other in zip(bare.weights, again.weights, strict=False):
        np.testing.assert_array_equal(one.numpy(), other.numpy())


@pytest.mark.parametrize(
    ("shape", "backbone", "words"),
    [((32, 32, 1), "MobileNetV2", "colour images"), (SHAPE, "LeNet", "backbone must be one of")],
)
def test_what_does_not_fit_is_refused(shape, backbone, words):
    with pytest.raises(ValueError, match=words):
        application(shape, 2, backbone)
