import keras
import numpy as np
import pytest
import tensorflow as tf

from tfkit import metrics
from tfkit.data import ArraySource, dsprites
from tfkit.losses import kl_to_standard_normal, reconstruction
from tfkit.methods.disentanglement.codes import Codes, encoder_of
from tfkit.methods.disentanglement.evaluate import arrays, check, evaluate, figures, floors
from tfkit.methods.disentanglement.names import ASKED, DEFAULT
from tfkit.models import BetaVAE

SIDE, LATENTS, ROWS = 16, 4, 90
SIZES = (3, 2, 4, 6, 6)
FEW = {"samples": 300, "votes": 60}
UNSUPERVISED = ("gaussian_tc", "gaussian_tc_active", "gaussian_wasserstein")


def vae(latents=LATENTS):
    keras.utils.set_random_seed(0)
    images = keras.Input((SIDE, SIDE, 1))
    flat = keras.layers.Flatten()(images)
    codes = [keras.layers.Dense(latents)(flat) for _ in range(2)]
    vectors = keras.Input((latents,))
    pixels = keras.layers.Dense(SIDE * SIDE)(vectors)
    decoder = keras.Model(vectors, keras.layers.Reshape((SIDE, SIDE, 1))(pixels))
    return BetaVAE(keras.Model(images, codes), decoder)


@pytest.fixture(scope="module")
def model():
    return vae()


@pytest.fixture(scope="module")
def source():
    return world()


def world(**options):
    return dsprites.load(SIDE, values=list(SIZES), validation_size=ROWS, test_size=ROWS, **options)


def held(source, *names):
    """The test part in memory: a source without a grid."""
    batch = next(iter(source.held_out("test", ROWS)))
    part = {name: batch[name].numpy() for name in names}
    parts = dict.fromkeys(("train", "valid", "test"), part)
    return ArraySource(parts, source.shapes, source="sprites")


def drawn(model, source, count, seed):
    """Means and factors of independent draws, encoded one by one."""
    random_state = np.random.RandomState(seed)
    factors = source.sample_factors(count, random_state)
    return np.array(model.encoder(source.observe(factors, random_state))[0]), factors


def test_scores_are_of_draws_from_the_grid(model, source):
    names = ["mig", "sap", "explicitness", "irs", "gaussian_tc", "modularity"]
    values = evaluate(model, source, "test", names, 5, **FEW)
    random_state = np.random.RandomState(5)
    factors = [source.sample_factors(count, random_state) for count in (300, 150)]
    codes = [np.array(model.encoder(source.observe(f, random_state))[0]) for f in factors]
    tests = {"seed": 5, "codes_test": codes[1], "factors_test": factors[1]}
    train = codes[0], factors[0]
    assert values["mig"] == pytest.approx(metrics.mutual_information_gap(*train))
    assert values["modularity"] == pytest.approx(metrics.modularity(*train)["modularity"])
    assert values["irs"] == pytest.approx(metrics.irs(*train)["irs"], rel=1e-4)
    assert values["sap"] == pytest.approx(metrics.sap(*train, **tests)["sap"], abs=1e-6)
    expected = metrics.explicitness(*train, **tests)["explicitness"]
    assert values["explicitness"] == pytest.approx(expected, abs=1e-4)
    expected = metrics.gaussian_total_correlation(codes[0])["gaussian_total_correlation"]
    assert values["gaussian_tc"] == pytest.approx(expected, rel=1e-3)


def test_votes_go_through_the_same_encoder(model, source):
    found = evaluate(model, source, "test", ["beta_vae_score", "factor_vae_score"], 5, **FEW)
    for name, value in found.items():
        score = getattr(metrics, name)
        known = score(
            lambda images: np.array(model.encoder(images)[0]),
            source,
            seed=5,
            num_train=60,
            num_eval=30,
        )
        assert value == pytest.approx(known[name], abs=1e-6)


def test_the_elbo_is_of_held_out_images(model, source):
    values = evaluate(model, source, "valid", ["reconstruction", "kl", "elbo", "active_units"], 1)
    batch = next(iter(source.held_out("valid", ROWS)))
    mean, logvar = model.encoder(batch["images"])
    kl = np.array(kl_to_standard_normal(mean, logvar))
    assert values["kl"] == pytest.approx(kl.sum(axis=1).mean(), rel=1e-5)
    assert values["active_units"] == np.sum(kl.mean(axis=0) > 0.01)
    assert values["elbo"] == pytest.approx(-values["reconstruction"] - values["kl"])
    draws = []
    for seed in range(20):
        noise = tf.random.stateless_normal(mean.shape, [seed, 7])
        logits = model.decoder(mean + tf.exp(0.5 * logvar) * noise)
        draws.append(np.mean(reconstruction(batch["images"], logits)))
    assert abs(values["reconstruction"] - np.mean(draws)) < 5 * np.std(draws)


def test_without_a_choice_all_cheap_scores_in_their_order(model, source):
    values = evaluate(model, source, "test", None, 0, **FEW)
    assert list(values) == list(DEFAULT)
    assert np.isfinite(list(values.values())).all()


@pytest.mark.slow
def test_every_score_can_be_asked_for(model):
    shown = world(excluded=[{"shape": [2], "x": [0, 1, 2]}])
    names = [name for name in ASKED if not name.endswith("_10000") and "gbt" not in name]
    names += ["gbt_10", "gbt_100"]
    few = {"samples": 1000, "votes": 40, "trees": "fast"}
    values = evaluate(model, shown, "test", names, 0, **few)
    assert set(values) == set(names) and np.isfinite(list(values.values())).all()
    assert values["lr_100"] < values["lr_1000"]
    assert values["lr_efficiency"] == pytest.approx(values["lr_100"] / values["lr_1000"])
    assert values["excluded_reconstruction"] > 0


def test_sampled_scores_are_of_noisy_codes(model, source):
    names = ["sampled_mig", "mig", "sampled_gaussian_tc", "gaussian_tc"]
    values = evaluate(model, source, "test", names, 0, **FEW)
    assert values["sampled_mig"] < values["mig"]
    assert values["sampled_gaussian_tc"] < values["gaussian_tc"]


def test_seed_and_split_decide_the_draws(model, source):
    def value(seed, split="test"):
        return evaluate(model, source, split, ["mig", "reconstruction"], seed, **FEW)

    one, same, other = value(1), value(1), value(2)
    assert one == same
    assert one["reconstruction"] != other["reconstruction"] and one["mig"] != other["mig"]
    assert value(1, "valid")["mig"] != one["mig"]


def test_held_out_images_instead_of_draws(model, source):
    found = evaluate(model, source, "test", ["mig"], 0, drawn_from="held_out", samples=60)
    batch = next(iter(source.held_out("test", 60)))
    mean, _ = model.encoder(batch["images"])
    assert found["mig"] == pytest.approx(metrics.mutual_information_gap(mean, batch["factors"]))
    assert "factor_vae_score" not in evaluate(model, source, "test", None, 0, drawn_from="held_out")


def test_images_without_a_grid_or_without_factors(model, source):
    rows, plain = held(source, "images", "factors"), held(source, "images")
    assert set(DEFAULT) - set(evaluate(model, rows, "test", None, 0)) == {
        "beta_vae_score",
        "factor_vae_score",
    }
    assert not {"mig", "sap"} & set(evaluate(model, plain, "test", None, 0))
    assert set(UNSUPERVISED) <= set(evaluate(model, plain, "test", None, 0))
    assert "information" not in figures(model, plain, 0)
    assert floors(model, plain, ["mig"]) == floors(model, rows, ["mig"]) == {}


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["mig"], "mig needs factors, and these data have none; leave it out"),
        (["sampled_sap"], "sampled_sap needs factors"),
        (["mgi"], r"among mig, .*, got \['mgi'\]"),
    ],
)
def test_scores_that_images_alone_do_not_allow(model, source, names, message):
    with pytest.raises(ValueError, match=message):
        evaluate(model, held(source, "images"), "test", names, 0)


def test_reasons(model, source):
    rows = held(source, "images", "factors")
    with pytest.raises(ValueError, match="factor_vae_score fixes factors .* every combination"):
        evaluate(model, rows, "test", ["factor_vae_score"], 0)
    with pytest.raises(ValueError, match='takes drawn_from "grid"'):
        evaluate(model, source, "test", ["beta_vae_score"], 0, drawn_from="held_out")
    with pytest.raises(ValueError, match="excluded_accuracy needs combinations"):
        evaluate(model, source, "test", ["excluded_accuracy"], 0)
    with pytest.raises(ValueError, match="lr_1000 learns from 1000 points, and samples is 300"):
        check(model, source, ["lr_1000"], **FEW)
    with pytest.raises(ValueError, match="dci_completeness compares latents"):
        check(vae(1), source, ["dci_completeness"], **FEW)
    check(model, source, None)
    with pytest.raises(ValueError, match="mig compares latents"):
        evaluate(vae(1), source, "test", ["mig"], 0, **FEW)


@pytest.mark.parametrize(
    ("option", "value"),
    [("samples", 3), ("votes", 0), ("bins", 1), ("trees", "quick"), ("drawn_from", "train")],
)
def test_options_out_of_range(model, source, option, value):
    with pytest.raises(ValueError, match=f"{option} must be .*{value}"):
        evaluate(model, source, "test", None, 0, **{option: value})


def test_a_single_latent_is_evaluated_without_what_compares_latents(source):
    values = evaluate(vae(1), source, "test", None, 0, **FEW)
    assert "mig" not in values and values["gaussian_tc"] == 0.0


def test_each_distinct_image_is_encoded_once(model, source):
    seen = []

    def counted(images):
        seen.append(len(images))
        return encoder_of(model.encoder)(images)

    codes = Codes(source, counted)
    random_state = np.random.RandomState(0)
    rows, factors = codes.sample(20_000, random_state)
    assert sum(seen) == np.prod(SIZES) == 864
    images = source.observe(factors[:50], random_state)
    mean, logvar = model.encoder(images)
    np.testing.assert_allclose(rows[:50], np.concatenate([mean, logvar], axis=1), atol=1e-5)


def test_noisy_images_are_drawn_anew(model):
    noisy = world(variant="noisy")
    small = keras.Sequential([keras.Input((SIDE, SIDE, 3)), keras.layers.Flatten()])
    codes = Codes(noisy, lambda images: np.array(small(images)))
    one = np.zeros((2, 5), int)
    first, second = codes.observe(one, np.random.RandomState(0))
    assert not np.array_equal(first, second)


def test_floors(model, source):
    names = ["mig", "factor_vae_score", "gaussian_tc", "kl"]
    found = floors(model, source, names, **FEW)
    assert set(found) == {"ground truth", "random encoder", "PCA", "permuted"}
    assert all(set(row) == {"mig", "factor_vae_score"} for row in found.values())
    assert found["ground truth"]["mig"] > 0.8 and found["ground truth"]["factor_vae_score"] == 1
    assert found["permuted"]["mig"] < 0.1
    assert floors(vae(), source, names, **FEW) is found  # another model, the same network


def test_arrays_are_of_the_same_images_for_every_model(model, source):
    known = arrays(model, source, 0)["representation"]
    batch = next(iter(source.held_out("test", ROWS)))
    mean, logvar = model.encoder(batch["images"])
    np.testing.assert_allclose(known["codes"], mean, atol=1e-5)
    kl = np.array(kl_to_standard_normal(mean, logvar)).mean(axis=0)
    np.testing.assert_allclose(known["kl"], kl, rtol=1e-4)
    np.testing.assert_array_equal(
        arrays(model, source, 7)["representation"]["codes"], known["codes"]
    )


def test_figures_show_the_test_images_and_each_latent(model, source):
    found = figures(model, source, 0)
    assert set(found) == {"reconstructions", "traversals", "kl", "latents", "information"}
    batch = next(iter(source.held_out("test", 10)))
    pictures = found["reconstructions"].arrays["images"]
    np.testing.assert_array_equal(pictures[0], batch["images"])
    np.testing.assert_allclose(pictures[1], model(batch["images"]), atol=1e-5)
    nats = found["kl"].arrays["values"]
    assert np.all(np.diff(nats) <= 0) and len(nats) == LATENTS
    assert found["traversals"].arrays["images"].shape == (LATENTS, 9, SIDE, SIDE, 1)
    assert found["traversals"].labels["rows"][0].endswith(f"{nats[0]:.2f} nats")
    assert found["information"].labels["columns"] == list(source.factor_names)
    np.testing.assert_allclose(found["latents"].arrays["values"].sum(axis=1), 1, atol=1e-6)


def test_a_traversal_moves_one_latent(model, source):
    drawn = figures(model, source, 0)["traversals"]
    images = next(iter(source.held_out("test", 1)))["images"]
    code = np.array(model.encoder(images)[0])[0]
    latent = int(drawn.labels["rows"][1].split(":")[0][1:])
    code[latent] = -2.0
    expected = tf.sigmoid(model.decoder(code[None]))[0]
    np.testing.assert_allclose(drawn.arrays["images"][1, 0], expected, atol=1e-5)


def test_no_score_depends_on_which_others_are_computed(model, source):
    names = ["sampled_beta_vae_score", "sampled_factor_vae_score", "sampled_mig"]
    together = evaluate(model, source, "test", names, 0, **FEW)
    for name, value in together.items():
        assert evaluate(model, source, "test", [name], 0, **FEW) == {name: value}


def test_what_the_codes_do_not_allow_is_nan_and_costs_nothing_else(model, source):
    batch = next(iter(source.held_out("test", 2)))
    part = {name: batch[name].numpy() for name in ("images", "factors")}
    two = ArraySource(dict.fromkeys(("train", "valid", "test"), part), source.shapes, source="two")
    with pytest.warns(UserWarning, match="evaluate: no "):
        values = evaluate(model, two, "test", None, 0)
    assert np.isnan(values["gaussian_tc"]) and np.isfinite(values["elbo"])


def test_a_users_images_are_judged_by_held_out_ones(model, source):
    class Few:
        few_images, deterministic = True, True
        factor_sizes, factor_names = source.factor_sizes, source.factor_names
        held_out, observe, sample_factors = source.held_out, source.observe, source.sample_factors

    found = evaluate(model, Few(), "test", ["mig", "factor_vae_score"], 0, **FEW)
    held_out = evaluate(model, source, "test", ["mig"], 0, drawn_from="held_out", samples=300)
    assert found["mig"] == held_out["mig"] and found["factor_vae_score"] > 0


def test_an_encoder_that_cannot_be_cloned_has_no_floor_of_its_own(source):
    class Encoder(keras.Model):
        def __init__(self, latents):
            super().__init__()
            self.flatten = keras.layers.Flatten()
            self.codes = [keras.layers.Dense(latents) for _ in range(2)]

        def call(self, images):
            return [code(self.flatten(images)) for code in self.codes]

    own = BetaVAE(Encoder(LATENTS), vae().decoder)
    assert set(floors(own, world(), ["mig"], **FEW)) == {"ground truth", "PCA"}


def test_held_out_parts_have_no_excluded_combination():
    shown = world(excluded=[{"shape": [2]}])
    for split in ("valid", "test"):
        batch = next(iter(shown.held_out(split, ROWS)))
        assert len(batch["factors"]) == ROWS and np.all(batch["factors"][:, 0] != 2)
