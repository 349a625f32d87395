import keras
import numpy as np
import pytest
import tensorflow as tf

from tfkit.explain import grad_cam, grad_cam_of_layer

IMAGES = np.random.default_rng(0).random((5, 8, 12, 3)).astype("float32")
WEIGHTS = np.random.default_rng(1).normal(size=(4, 2)).astype("float32")


@pytest.fixture(scope="module")
def network():
    keras.utils.set_random_seed(3)
    inputs = keras.Input((8, 12, 3))
    maps = keras.layers.Conv2D(4, 3, strides=2, padding="same", name="maps")(inputs)
    pooled = keras.layers.GlobalAveragePooling2D()(maps)
    logits = keras.layers.Dense(2, use_bias=False, name="last")(pooled)
    model = keras.Model(inputs, logits)
    model.get_layer("last").kernel.assign(WEIGHTS)
    return model, keras.Model(inputs, maps)


def test_on_pooled_maps_it_is_the_class_activation_map(network):
    model, below = network
    classes = np.array([0, 1, 1, 0, 1])
    maps = np.asarray(below(IMAGES))  # [B, 4, 6, 4]
    weights = WEIGHTS[:, classes].T / (4 * 6)  # the gradient of a mean
    wanted = np.maximum((maps * weights[:, None, None]).sum(axis=-1), 0)
    wanted = np.asarray(tf.image.resize(wanted[..., None], (8, 12)))[..., 0]
    found = grad_cam_of_layer(model, "maps", IMAGES, classes)
    assert found.shape == (5, 8, 12) and found.dtype == np.float32
    np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-6)
    assert (wanted > 0).any() and (wanted == 0).any()


def test_both_ways_agree_and_take_the_largest_logit(network):
    model, below = network

    def head(maps):
        return tf.reduce_mean(maps, axis=(1, 2)) @ WEIGHTS

    chosen = np.asarray(model(IMAGES)).argmax(axis=1)
    wanted = grad_cam_of_layer(model, "maps", IMAGES, chosen)
    np.testing.assert_allclose(grad_cam(below, head, IMAGES), wanted, rtol=1e-4, atol=1e-6)
    few = grad_cam(below, head, IMAGES, batch_size=2)
    np.testing.assert_allclose(few, wanted, rtol=1e-4, atol=1e-6)


def test_what_speaks_against_a_class_is_not_shown():
    weights = np.array([[1.0], [-2.0], [0.5]], np.float32)

    def head(maps, sign=1.0):
        return sign * tf.reduce_mean(maps, axis=(1, 2)) @ weights

    speaks = grad_cam(lambda x: x, head, IMAGES)
    against = grad_cam(lambda x: x, lambda maps: head(maps, -1.0), IMAGES)
    assert (speaks >= 0).all() and not (speaks * against).any()
    np.testing.assert_allclose(speaks - against, (IMAGES @ weights)[..., 0] / 96, atol=1e-6)


def test_pictures_without_channels():
    def features(images):
        return tf.stack([images, 1 - images], axis=-1)

    def head(maps):
        return tf.reduce_mean(maps, axis=(1, 2))

    found = grad_cam(features, head, IMAGES[..., 0], np.zeros(5, int))
    np.testing.assert_allclose(found, IMAGES[..., 0] / 96, rtol=1e-5)


def test_what_is_refused(network):
    model, below = network
    with pytest.raises(ValueError, match="layer must be one of .*maps.*got 'none'"):
        grad_cam_of_layer(model, "none", IMAGES)
    with pytest.raises(ValueError, match=r"features must be maps .*got shape \(5, 2\)"):
        grad_cam_of_layer(model, "last", IMAGES)
    with pytest.raises(ValueError, match="do not depend on the features"):
        grad_cam(below, lambda maps: tf.constant(np.ones((5, 2))), IMAGES)
    with pytest.raises(ValueError, match="classes must be 5 class numbers"):
        grad_cam_of_layer(model, "maps", IMAGES, np.zeros((5, 2), int))
    with pytest.raises(ValueError, match="batch_size must be >= 1, got 0"):
        grad_cam_of_layer(model, "maps", IMAGES, batch_size=0)
