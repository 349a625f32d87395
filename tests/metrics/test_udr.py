from pathlib import Path

import numpy as np
import pytest

from tfkit.metrics import unsupervised_disentanglement_ranking as rank

NAME = rank.__name__
GOLDEN = np.load(Path(__file__).parents[1] / "golden" / "disentanglement_udr.npz")
CODES, KL = GOLDEN["representations"], GOLDEN["kl"]


@pytest.mark.parametrize("similarity", ("lasso", "spearman"))
@pytest.mark.parametrize("filtered", (False, True))
def test_golden(similarity, filtered):
    found = rank(CODES, KL, similarity=similarity, filter_low_kl=filtered)
    known = f"{similarity}_filter{int(filtered)}"
    pairwise = GOLDEN[f"{known}_pairwise"].reshape(len(CODES), -1)
    np.testing.assert_allclose(found["pairwise"], pairwise, rtol=0, atol=1e-6)
    np.testing.assert_allclose(found[NAME], GOLDEN[f"{known}_scores"], rtol=0, atol=1e-6)


@pytest.mark.parametrize("similarity", ("lasso", "spearman"))
def test_a_signed_permutation_is_the_same_model(similarity):
    codes = np.random.default_rng(0).normal(size=(1000, 4))
    twin = codes[:, [2, 0, 3, 1]] * [1, -2, 3, -1]
    rotated = codes @ np.linalg.qr(np.random.default_rng(1).normal(size=(4, 4)))[0]
    kl = np.ones((2, 4))
    same = rank([codes, twin], kl, similarity=similarity)[NAME]
    other = rank([codes, rotated], kl, similarity=similarity)[NAME]
    assert (same > 0.85).all() and (other < 0.75).all()


def test_the_median_leaves_the_model_itself_out():
    found = rank(CODES, KL)
    others = [np.median(np.delete(found["pairwise"][:, j], j)) for j in range(len(CODES))]
    np.testing.assert_array_equal(found[NAME], others)
    assert not found["pairwise"].diagonal().any()


def test_collapsed_latents():
    kl = KL.copy()
    kl[0] = 0.0
    found = rank(CODES, kl)
    assert np.isfinite(found["pairwise"]).all() and not found["pairwise"][0].any()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"representations": CODES[0]}, r"\[M, N, D\] and \[M, D\], got"),
        ({"kl": KL[:, :2]}, r"\[M, N, D\] and \[M, D\], got"),
        ({"representations": CODES[:1], "kl": KL[:1]}, "a model is ranked by others, got 1"),
        ({"representations": CODES[:, :1]}, "at least 2 images"),
        ({"kl": np.full_like(KL, np.nan)}, "must be finite"),
        ({"similarity": "pearson"}, "'pearson'"),
    ],
)
def test_bad_input(change, message):
    with pytest.raises(ValueError, match=message):
        rank(**{"representations": CODES, "kl": KL, **change})
