"""What the methods of this room share: a Gaussian code between any encoder and any decoder."""

import keras
import tensorflow as tf
from keras import ops

from tfkit.losses import kl_to_standard_normal, reconstruction
from tfkit.objective import ObjectiveModel

_ROOM = (__name__, f"{__package__}.model", f"{__package__}.factor_vae")  # where our own chance is


class VAE(ObjectiveModel):
    """Variational autoencoder: two Keras models, the noise between them, and the two ELBO terms.

        z = mean + exp(logvar / 2) * noise        noise ~ N(0, I)
        elbo = -(reconstruction + kl)

    A subclass turns the terms into a loss; `reconstruction_error` is there to be overridden where
    the pixels are not Bernoulli. Calling the model reconstructs at the mean.

    Chance comes in by `draw_noise(shape)`, and `permute_codes(codes)` of FactorVAE. Overridden, in
    a class of your own or on an instance, they are asked at every step, which therefore runs
    eagerly; `traced_chance = True` says that yours consist of TensorFlow operations, for a graph.
    """

    logged = ("reconstruction", "kl", "elbo")
    network_names = ("encoder", "decoder")
    drawn_by = ("draw_noise",)  # where chance comes in
    traced_chance = False

    def __init__(self, encoder, decoder, *further, **kwargs):
        super().__init__(**kwargs)
        check_networks(type(self).__name__, encoder, decoder)
        for name, network in zip(self.network_names, (encoder, decoder, *further), strict=True):
            setattr(self, name, network)
        self.seed_generator = keras.random.SeedGenerator()
        self.make_state()
        if _signature(encoder):  # build it, so that compile() can build the optimizer
            self(keras.KerasTensor((None, *encoder.inputs[0].shape[1:])))

    def make_state(self):
        """Make a method's own variables: Keras takes none once the model is built. None here."""

    def __setattr__(self, name, value):
        super().__setattr__(name, value)
        if name in self.drawn_by:  # compiled functions hold the answer of the one before
            self.train_function = self.test_function = None

    @property
    def run_eagerly(self):
        """As compiled; always where a method of `drawn_by` is another one than the room's, since a
        graph would ask it once and keep the answer.
        """
        return self._chance_is_foreign() or super().run_eagerly

    @run_eagerly.setter
    def run_eagerly(self, value):
        keras.Model.run_eagerly.fset(self, value)

    def _chance_is_foreign(self) -> bool:
        if any(name in vars(self) for name in self.drawn_by):
            return True
        methods = (getattr(type(self), name) for name in self.drawn_by)
        known = all(getattr(method, "__module__", None) in _ROOM for method in methods)
        return not known and not self.traced_chance

    def call(self, images, training=False):
        """Reconstructions at the mean, in [0, 1].  [B, H, W, C] -> [B, H, W, C]"""
        mean, _ = self.encoder(images, training=training)
        return ops.sigmoid(self.decoder(mean, training=training))

    def draw_noise(self, shape):
        """Standard normal noise of the reparametrisation, float32.

            noise = Phi^-1((bits + 1/2) / 2^24)

        Only the bits of TensorFlow's generator are the same with XLA and without, hence the
        inverse of the distribution function.
        """
        bits = tf.cast(self.draw_bits(shape, 24), tf.float32)
        return tf.math.ndtri((bits + 0.5) / 2.0**24)

    def draw_bits(self, shape, count):
        """Uniform integers of so many random bits, at most 31; int32.

        The replica's number is folded into the seed: under `tf.distribute` all keep the same seed
        state and would otherwise draw the same.
        """
        replica = tf.distribute.get_replica_context().replica_id_in_sync_group
        seed = tf.cast(self.seed_generator.next(), tf.int32)
        seed = tf.random.experimental.stateless_fold_in(seed, replica)
        bits = tf.random.stateless_uniform(shape, seed, None, None, dtype=tf.uint32, alg="philox")
        return tf.cast(tf.bitwise.right_shift(bits, tf.constant(32 - count, tf.uint32)), tf.int32)

    def reconstruction_error(self, images, logits):
        """Reconstruction error of each image: Bernoulli pixels.  [B, H, W, C] twice -> [B]"""
        return reconstruction(images, logits)

    def encode(self, images, training):
        """z, mean and logvar of a batch, float32.  [B, H, W, C] -> [B, D] each"""
        mean, logvar = self.encoder(images, training=training)
        mean, logvar = ops.cast(mean, "float32"), ops.cast(logvar, "float32")  # [B, D]
        noise = ops.cast(self.draw_noise(ops.shape(mean)), "float32")  # [B, D]
        return mean + ops.exp(0.5 * logvar) * noise, mean, logvar

    def terms_of(self, images, codes, training):
        """Reconstruction and KL (scalars) of images and what `encode` made of them."""
        z, mean, logvar = codes
        logits = self.decoder(z, training=training)  # [B, H, W, C]
        error = ops.mean(ops.cast(self.reconstruction_error(images, logits), "float32"))
        return error, ops.mean(ops.sum(kl_to_standard_normal(mean, logvar), axis=1))

    def terms(self, images, training):
        """Reconstruction and KL of a batch (scalars), and z, mean and logvar (each [B, D])."""
        codes = self.encode(images, training)
        return *self.terms_of(images, codes, training), codes

    def get_config(self):
        """The networks and the Keras options."""
        networks = {name: getattr(self, name) for name in self.network_names}
        return {
            **super().get_config(),
            **{name: keras.saving.serialize_keras_object(net) for name, net in networks.items()},
        }

    @classmethod
    def from_config(cls, config):
        """Rebuild the networks, then the model."""
        networks = {
            name: keras.saving.deserialize_keras_object(config[name]) for name in cls.network_names
        }
        return cls(**{**config, **networks})


def elbo_logs(error, kl):
    """What every method of the room logs of the two ELBO terms."""
    return {"reconstruction": error, "kl": kl, "elbo": -(error + kl)}


def mean_of_replicas(value):
    """Mean of a scalar over all replicas of `tf.distribute`."""
    return ops.mean(gather_replicas(ops.expand_dims(value, 0))[0])


def gather_replicas(*tensors):
    """Rows of all replicas of `tf.distribute`; the tensors themselves where there is one."""
    context = tf.distribute.get_replica_context()
    if context.num_replicas_in_sync == 1:
        return tensors
    gathered = (context.all_gather(tensor, axis=0) for tensor in tensors)
    # the number of rows is the replicas' affair, that of latents must stay known
    return tuple(
        tf.ensure_shape(rows, [None, *tensor.shape[1:]])
        for rows, tensor in zip(gathered, tensors, strict=True)
    )


def _signature(network):
    """Whether a network knows its input's shape before its first call."""
    return bool(getattr(network, "inputs", None))


def check_networks(name, encoder, decoder):
    """Refuse an encoder and a decoder that do not fit together; `name` is the model's."""
    for role, network in (("encoder", encoder), ("decoder", decoder)):
        if not isinstance(network, keras.Model):
            raise ValueError(f"{name}: {role} must be a keras.Model, got {type(network).__name__}.")
    if not (_signature(encoder) and _signature(decoder)):
        return  # a subclassed network: its shapes are known at its first call
    outputs = [tuple(output.shape) for output in encoder.outputs]
    if len(outputs) != 2 or outputs[0] != outputs[1] or len(outputs[0]) != 2:
        raise ValueError(
            f"{name}: encoder must return [mean, logvar], two outputs of one shape [B, D], got "
            f"{len(outputs)} of shapes {outputs}."
        )
    latent_dim, codes = outputs[0][1], decoder.inputs[0].shape[1:]
    if tuple(codes) != (latent_dim,):
        raise ValueError(
            f"{name}: decoder must take the encoder's {latent_dim} latents, its input has shape "
            f"{tuple(codes)}."
        )
    images, logits = encoder.inputs[0].shape[1:], decoder.outputs[0].shape[1:]
    if len(decoder.outputs) != 1 or tuple(images) != tuple(logits):
        raise ValueError(
            f"{name}: decoder must return logits of the images' shape {tuple(images)}, got "
            f"{[tuple(output.shape[1:]) for output in decoder.outputs]}."
        )
