"""Five updates of all six methods through the study's own code."""

import json
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.methods.disentanglement.toys import toy
from tfkit.models import DIPVAE, AnnealedVAE, BetaTCVAE, BetaVAE, FactorVAE

GOLDEN = Path(__file__).parents[2] / "golden"
ARRAYS = np.load(GOLDEN / "disentanglement_train.npz")
LOSSES = json.loads((GOLDEN / "disentanglement_train.json").read_text())
METHODS = {
    "beta_vae": (BetaVAE, {"beta": 4.0}),
    "annealed_vae": (AnnealedVAE, {"gamma": 1000.0, "c_max": 25.0, "iteration_threshold": 4}),
    "factor_vae": (FactorVAE, {"gamma": 10.0}),
    "beta_tc_vae": (BetaTCVAE, {"beta": 6.0}),
    "dip_vae_i": (DIPVAE, {"kind": "i", "lambda_od": 5.0}),
    "dip_vae_ii": (DIPVAE, {"kind": "ii", "lambda_od": 5.0}),
}
LAYERS = {"encoder": ("e1", "e2"), "decoder": ("d1",), "discriminator": ("d1", "d2", "logits")}
COMPILED = ({}, {"run_eagerly": True}, {"jit_compile": True})


def golden_variables(model):
    for network in model.network_names:
        for layer in LAYERS[network]:
            for variable in getattr(model, network).get_layer(layer).variables:
                yield f"{network}/{layer}/{variable.name}", variable


def check(model, name, set_chance):
    """`set_chance(noise, rows)` hands over what is drawn at a step."""
    for key, variable in golden_variables(model):
        variable.assign(ARRAYS[f"init/{key}"])
    for step in range(5):
        set_chance(ARRAYS["eps"][step], ARRAYS["perm"][step])
        loss = model.train_on_batch(ARRAYS["x"][step], return_dict=True)["loss"]
        assert loss == pytest.approx(LOSSES[name]["loss_before_update"][step], rel=1e-5)
        if step in (0, 4):
            for key, variable in golden_variables(model):
                expected = ARRAYS[f"{name}/after{step + 1}/{key}"]
                np.testing.assert_allclose(variable, expected, rtol=0, atol=2e-6, err_msg=key)


@pytest.mark.parametrize("compiled", COMPILED, ids=str)
@pytest.mark.parametrize("name", METHODS)
def test_chance_as_methods_of_a_subclass(name, compiled):
    """A method of the class is traced into the graph, as the model's own is."""
    kind, options = METHODS[name]
    noise = keras.Variable(ARRAYS["eps"][0], trainable=False)
    rows = keras.Variable(ARRAYS["perm"][0], trainable=False, dtype="int32")

    class Fixed(kind):
        traced_chance = True

        def draw_noise(self, shape):
            return noise.value

        def permute_codes(self, codes):
            return tf.transpose(tf.gather(tf.transpose(codes), rows.value, batch_dims=1))

    def set_chance(drawn, order):
        noise.assign(drawn)
        rows.assign(order)

    check(toy(Fixed, compiled=compiled, **options), name, set_chance)


@pytest.mark.parametrize("compiled", ({}, {"jit_compile": True}), ids=str)
@pytest.mark.parametrize("name", METHODS)
def test_chance_set_on_the_instance_at_each_step(name, compiled):
    kind, options = METHODS[name]
    model = toy(kind, compiled=compiled, **options)

    def set_chance(noise, rows):
        model.draw_noise = lambda shape: noise
        if kind is FactorVAE:
            model.permute_codes = lambda codes: np.take_along_axis(codes.numpy(), rows.T, axis=0)

    check(model, name, set_chance)


@pytest.mark.parametrize("compiled", COMPILED, ids=str)
@pytest.mark.parametrize("name", METHODS)
def test_chance_of_a_subclass_with_a_state_of_its_own(name, compiled):
    """Plain Python, which a graph would ask once."""
    kind, options = METHODS[name]

    class Fixed(kind):
        def draw_noise(self, shape):
            return self.noise

        def permute_codes(self, codes):
            return tf.transpose(tf.gather(tf.transpose(codes), self.rows, batch_dims=1))

    model = toy(Fixed, compiled=compiled, **options)

    def set_chance(drawn, order):
        object.__setattr__(model, "noise", drawn)
        object.__setattr__(model, "rows", order)

    check(model, name, set_chance)
