import numpy as np
import pytest

from tfkit.explain import attribution_panels
from tfkit.figure import Figure

PICTURES = np.random.default_rng(0).normal(size=(2, 8, 16))  # also beyond [0, 1]
REGION = np.zeros((8, 16), bool)
REGION[:, :4] = True


def test_a_row_a_picture_and_a_column_a_model(tmp_path):
    left, right = np.zeros((2, 8, 16)), np.zeros((2, 8, 16))
    left[:, 2, 1], right[:, 2, 9] = 7, -3
    found = attribution_panels(PICTURES, {"ERM": left, "ours": right}, REGION, rows=["a", "b"])
    images = found.arrays["images"]
    assert images.shape == (2, 3, 64, 128, 3) and 0 <= images.min() <= images.max() <= 1
    small = images[:, :, ::8, ::8]
    np.testing.assert_allclose(small[:, 0, :, :, 1], np.clip(PICTURES, 0, 1), atol=1e-6)
    for model, place in ((1, (2, 1)), (2, (2, 9))):
        brightest = small[0, model].sum(axis=-1)
        assert np.unravel_index(brightest.argmax(), brightest.shape) == place
        assert brightest.max() == 3  # white, whatever the scale of the model's attributions
    assert found.labels == {
        "columns": ["picture", "ERM: 1.00 on the region", "ours: 0.00 on the region"],
        "rows": ["a", "b"],
    }
    assert "ERM 1.00, ours 0.00" in found.caption and "ERM, ours for 2 pictures" in found.alt
    found.save(tmp_path / "panels.npz")
    assert Figure.load(tmp_path / "panels.npz").labels == found.labels


def test_pictures_and_attributions_with_channels():
    pictures = np.random.default_rng(1).random((1, 80, 70, 3))
    found = attribution_panels(pictures, {"m": np.zeros((1, 80, 70, 3))})
    assert found.arrays["images"].shape == (1, 2, 80, 70, 3)
    np.testing.assert_allclose(found.arrays["images"][0, 0], pictures[0], atol=1e-6)
    pale = found.arrays["images"][0, 1]
    np.testing.assert_allclose(pale, 0.35 * pictures[0].mean(axis=-1, keepdims=True) + 0 * pale)
    assert found.labels == {"columns": ["picture", "m"]}


def test_what_is_refused():
    with pytest.raises(ValueError, match=r"attributions of m must be of \(2, 8, 16\), got"):
        attribution_panels(PICTURES, {"m": np.zeros((2, 8, 15))})
    with pytest.raises(ValueError, match=r"inputs must be .*got shape \(2, 8, 8, 2\)"):
        attribution_panels(np.zeros((2, 8, 8, 2)), {"m": np.zeros((2, 8, 8))})
