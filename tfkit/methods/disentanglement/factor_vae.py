"""FactorVAE: two networks that play against each other, in one training step."""

import math

import keras
import tensorflow as tf
from keras import ops

from tfkit.losses import discriminator_loss, discriminator_total_correlation
from tfkit.methods.disentanglement.networks import study_discriminator
from tfkit.methods.disentanglement.vae import VAE, check_networks, elbo_logs
from tfkit.objective import share_of_replica, with_penalties


@keras.saving.register_keras_serializable(package="tfkit")
class FactorVAE(VAE):
    """FactorVAE: a VAE that pays for what a discriminator sees of dependence between its latents.

        loss               = reconstruction + kl + gamma * TC
        TC                 = mean_b (logit_0 - logit_1)(z_b)
        discriminator_loss = -[mean_b log p_0(z_b) + mean_b log p_1(z'_b)] / 2

    z' are codes whose latents were each permuted over the batch. Both gradients are taken at the
    old weights, then both optimizers step. The discriminator's loss moves the discriminator alone,
    the VAE's loss the VAE alone. `tc` is logged, and the share of codes that the discriminator
    tells rightly. Under `tf.distribute` a replica permutes its own rows.

    Shapes: images [B, H, W, C] in [0, 1]
    Needs: images
    Logs: loss, reconstruction, kl, elbo, tc, discriminator_loss, discriminator_accuracy
    Args:
        encoder: images -> [mean, logvar], each [B, D].
        decoder: codes [B, D] -> logits [B, H, W, C].
        discriminator: codes [B, D] -> logits [B, 2], class 0 "joint" and class 1 "permuted"; null
            is the study's, `study_discriminator`.
        gamma: weight of the total correlation, >= 0; the study takes 10, 20, 30, 40, 50 and 100.
        second_batch: permute codes of other images than those that the VAE learns from, as in the
            paper: the first half of a training batch is for the VAE, and the second half is the
            second batch (double data.batch_size; of an odd number of rows the middle one is in
            both). False as in the study: one batch for both.
    References: Kim and Mnih 2018, arXiv:1802.05983; Locatello et al. 2019, arXiv:1811.12359.
    """

    logged = ("reconstruction", "kl", "elbo", "tc", "discriminator_loss", "discriminator_accuracy")
    network_names = ("encoder", "decoder", "discriminator")
    drawn_by = ("draw_noise", "permute_codes")

    def __init__(
        self,
        encoder: keras.Model,
        decoder: keras.Model,
        discriminator: keras.Model | None = None,
        gamma: float = 10.0,
        second_batch: bool = False,
        **kwargs,
    ):
        check_networks("FactorVAE", encoder, decoder)
        if not (math.isfinite(gamma) and gamma >= 0):
            raise ValueError(f"FactorVAE: gamma must be finite and >= 0, got {gamma}.")
        latents = encoder.outputs[0].shape[-1] if getattr(encoder, "outputs", None) else None
        if discriminator is None:
            discriminator = _study_discriminator(latents)
        _check(discriminator, latents)
        super().__init__(encoder, decoder, discriminator, **kwargs)
        self.gamma, self.second_batch = float(gamma), second_batch

    def compile(self, optimizer="rmsprop", discriminator_optimizer=None, **kwargs):
        """Two optimizers, each over its own variables.

        Args:
            optimizer: the VAE's.
            discriminator_optimizer: the discriminator's; None is the study's, Adam with learning
                rate 1e-4, beta_1 0.5, beta_2 0.9 and epsilon 1e-8.
            **kwargs: Keras' options.
        """
        super().compile(optimizer=optimizer, **kwargs)
        if discriminator_optimizer is None:
            discriminator_optimizer = keras.optimizers.Adam(
                1e-4, beta_1=0.5, beta_2=0.9, epsilon=1e-8, name="discriminator_optimizer"
            )
        scaled = keras.optimizers.LossScaleOptimizer
        found = keras.optimizers.get(discriminator_optimizer)
        # as Keras does with the first optimizer
        if isinstance(self.optimizer, scaled) and not isinstance(found, scaled):
            found = scaled(found, name="discriminator_loss_scale")
        self.discriminator_optimizer = found
        if self.discriminator.built:
            found.build(self.discriminator.trainable_variables)

    def get_compile_config(self):
        """What `compile` was given, for `.keras` files."""
        if not self.compiled:
            return None
        config = super().get_compile_config()
        second = keras.saving.serialize_keras_object(self.discriminator_optimizer)
        return {**config, "discriminator_optimizer": second}

    @property
    def optimized_variables(self):
        """What `optimizer` updates: all but the discriminator's."""
        apart = {id(variable) for variable in self.discriminator.trainable_variables}
        return [variable for variable in self.trainable_variables if id(variable) not in apart]

    def penalties(self):
        """Regularisation losses of the VAE's layers."""
        return [*self.encoder.losses, *self.decoder.losses]

    def permute_codes(self, codes):
        """Codes with each latent permuted over the batch, independently.  [B, D] -> [B, D]

        The order in which random bits would be sorted, so that it is the same with XLA and without.
        """
        rows = self.draw_bits((codes.shape[1], ops.shape(codes)[0]), 31)  # [D, B]
        rows = tf.argsort(rows, axis=1)
        return tf.transpose(tf.gather(tf.transpose(codes), rows, batch_dims=1))

    def objective(self, images, training):
        """reconstruction + kl + gamma * TC, its parts, and what the discriminator minimises."""
        codes = self.encode(images, training)
        others = codes[0]  # [B, D]
        if self.second_batch and training:
            rows = ops.shape(others)[0]
            half = (rows + 1) // 2
            images, others = images[:half], others[rows - half :]
            codes = [code[:half] for code in codes]
        error, kl = self.terms_of(images, codes, training)
        joint = self.discriminator(codes[0], training=training)  # [B, 2]
        tc = discriminator_total_correlation(joint)
        permuted = ops.stop_gradient(self.permute_codes(ops.stop_gradient(others)))
        logs = self._discriminator_logs(joint, self.discriminator(permuted, training=training))
        return error + kl + self.gamma * tc, {**elbo_logs(error, kl), "tc": tc, **logs}

    def train_step(self, data):
        """Both gradients at the old weights, from one pass; then both updates."""
        with tf.GradientTape(persistent=True) as tape:
            loss, logs = self.measured(data, training=True)
            loss = share_of_replica(loss, self.optimizer)
            other = share_of_replica(logs["discriminator_loss"], self.discriminator_optimizer)
        ours, theirs = self.optimized_variables, self.discriminator.trainable_variables
        # TC's path through the discriminator moves the codes; neither loss is asked for a
        # gradient with respect to the other network's variables.
        gradients, other_gradients = tape.gradient(loss, ours), tape.gradient(other, theirs)
        self.optimizer.apply(gradients, ours)
        self.discriminator_optimizer.apply(other_gradients, theirs)
        return self.running_means.result()

    def _discriminator_logs(self, joint, permuted):
        loss = discriminator_loss(joint, permuted)
        right = (joint[:, 0] > joint[:, 1], permuted[:, 1] > permuted[:, 0])
        shares = [ops.mean(ops.cast(answers, "float32")) for answers in right]
        return {
            "discriminator_loss": with_penalties(loss, self.discriminator.losses),
            "discriminator_accuracy": 0.5 * (shares[0] + shares[1]),
        }

    def get_config(self):
        """The three networks and the options."""
        return {**super().get_config(), "gamma": self.gamma, "second_batch": self.second_batch}


def _study_discriminator(latents):
    if latents is None:
        raise ValueError(
            "FactorVAE: the encoder does not tell its number of latents before its first call; "
            "pass discriminator=study_discriminator(latent_dim)."
        )
    return study_discriminator(latents)


def _check(discriminator, latents):
    if not isinstance(discriminator, keras.Model):
        raise ValueError(
            f"FactorVAE: discriminator must be a keras.Model, got {type(discriminator).__name__}."
        )
    if not getattr(discriminator, "inputs", None):
        return  # a subclassed network: its shapes are known at its first call
    taken = tuple(discriminator.inputs[0].shape[1:])
    if latents is not None and taken != (latents,):
        raise ValueError(
            f"FactorVAE: discriminator must take the encoder's {latents} latents, its input has "
            f"shape {taken}."
        )
    given = [tuple(output.shape[1:]) for output in discriminator.outputs]
    if given != [(2,)]:
        raise ValueError(
            "FactorVAE: discriminator must return two logits, one output of shape [B, 2], got "
            f"{given}."
        )
