"""Run by test_model.py in its own process: logical devices must be made before the first op."""

import keras
import numpy as np
import tensorflow as tf

from tfkit.models import BetaTCVAE, BetaVAE


def build(kind):
    keras.utils.set_random_seed(0)
    images = keras.Input((4, 4, 1))
    flat = keras.layers.Flatten()(images)
    encoder = keras.Model(images, [keras.layers.Dense(3)(flat), keras.layers.Dense(3)(flat)])
    codes = keras.Input((3,))
    logits = keras.layers.Reshape((4, 4, 1))(keras.layers.Dense(16)(codes))
    model = kind(encoder, keras.Model(codes, logits), beta=7.0)
    model.compile(optimizer=keras.optimizers.SGD(0.01))
    return model


def train(model, images):
    kind = type(model)
    # on the class, since a function of the instance would make the model run eagerly
    model.__class__ = type(kind.__name__, (kind,), {"draw_noise": lambda self, s: 0.3 * tf.ones(s)})
    data = tf.data.Dataset.from_tensor_slices(images).batch(8)
    history = model.fit(data, epochs=2, verbose=0).history
    return np.concatenate([value.ravel() for value in model.get_weights()]), history


def main():
    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
    images = np.random.default_rng(0).random((16, 4, 4, 1)).astype(np.float32)
    strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    for kind in (BetaVAE, BetaTCVAE):
        weights, history = train(build(kind), images)
        with strategy.scope():
            model = build(kind)
        noise = strategy.run(lambda model=model: model.draw_noise((4, 3)))
        one, other = strategy.experimental_local_results(noise)
        assert not np.array_equal(one, other), "both replicas draw the same noise"
        shared_weights, shared_history = train(model, images)
        np.testing.assert_allclose(shared_weights, weights, atol=1e-5)
        for name, values in history.items():
            np.testing.assert_allclose(shared_history[name], values, rtol=1e-4, err_msg=name)


if __name__ == "__main__":
    main()
