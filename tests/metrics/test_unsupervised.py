import numpy as np
import pytest

from tests.metrics.golden_codes import NAMES, NUMBERS, rows
from tfkit.metrics import (
    gaussian_total_correlation,
    gaussian_wasserstein_correlation,
    mutual_information_score,
)


def of_covariance(covariance, count=50):
    """Codes whose sample covariance is this one."""
    noise = np.random.RandomState(0).normal(size=(count, len(covariance)))
    white = np.linalg.qr(noise - noise.mean(axis=0))[0] * np.sqrt(count - 1)
    return white @ np.linalg.cholesky(np.array(covariance, float)).T


@pytest.mark.parametrize("name", NAMES)
def test_golden(name):
    codes, wanted = rows(name)[0], NUMBERS[name]
    total = gaussian_total_correlation(codes)["gaussian_total_correlation"]
    assert total == pytest.approx(wanted["gaussian_total_correlation"], abs=1e-6)
    found = gaussian_wasserstein_correlation(codes)
    for key, other in (("gaussian_wasserstein_correlation", ""), ("normalized", "_norm")):
        golden = wanted["gaussian_wasserstein_correlation" + other]
        assert found[key] == pytest.approx(golden, abs=1e-4)
    score = mutual_information_score(codes)["mutual_information_score"]
    assert score == pytest.approx(wanted["mutual_info_score"], abs=1e-6)


def test_total_correlation_of_two_latents():
    value = gaussian_total_correlation(of_covariance([[1, 0.9], [0.9, 1]]))
    assert value["gaussian_total_correlation"] == pytest.approx(-np.log(1 - 0.81) / 2)  # 0.8304


@pytest.mark.parametrize("metric", [gaussian_total_correlation, gaussian_wasserstein_correlation])
def test_uncorrelated_latents_score_zero(metric):
    found = metric(of_covariance(np.diag([1.0, 4.0, 1e-4])))
    assert found[metric.__name__] == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize("metric", [gaussian_total_correlation, gaussian_wasserstein_correlation])
def test_collapsed_latents_go_behind_the_mask_and_constants_always(metric):
    active = of_covariance([[1, 0.5], [0.5, 2]])
    collapsed = np.random.RandomState(1).normal(size=(50, 1)) * 0.01
    constant = np.full((50, 1), 0.1)  # whose rounded deviation is not 0
    codes = np.concatenate([active, collapsed + 0.01 * active[:, :1], constant], axis=1)
    name, wanted = metric.__name__, metric(active)
    found = metric(codes, minimum_std=0.05)
    assert found[name] == pytest.approx(wanted[name], abs=1e-9)
    assert (found["used_codes"], found["active_codes"]) == (2, 2)
    found = metric(codes)
    assert (found["used_codes"], found["active_codes"]) == (3, 2)
    assert found[name] > wanted[name]


def test_a_collapsed_copy_moves_total_correlation_and_hardly_wasserstein():
    codes = of_covariance(np.eye(2))
    noise = np.random.RandomState(2).normal(size=50)
    more = np.column_stack([codes, 1e-3 * (codes[:, 0] + 0.1 * noise)])
    assert gaussian_total_correlation(more)["gaussian_total_correlation"] > 2
    assert gaussian_wasserstein_correlation(more)["normalized"] < 1e-5


def test_copies_have_a_large_total_correlation_and_not_nan():
    codes = of_covariance(np.eye(2))
    copied = np.concatenate([codes, codes], axis=1)
    value = gaussian_total_correlation(copied)["gaussian_total_correlation"]
    assert 30 < value < 80
    assert gaussian_total_correlation(codes[:2])["gaussian_total_correlation"] > 10


@pytest.mark.parametrize("metric", [gaussian_total_correlation, gaussian_wasserstein_correlation])
def test_nothing_but_constants(metric):
    found = metric(np.full((5, 3), 0.1))
    assert (found[metric.__name__], found["used_codes"], found["active_codes"]) == (0.0, 0, 0)


def test_mutual_information_of_copies_is_their_entropy():
    codes = np.tile(np.arange(4.0)[:, None], (25, 2))
    assert mutual_information_score(codes)["mutual_information_score"] == pytest.approx(np.log(4))
    apart = np.stack([axis.ravel() for axis in np.indices((4, 5))], axis=1).astype(float)
    assert mutual_information_score(apart)["mutual_information_score"] == pytest.approx(0, abs=1e-9)


def test_a_latent_at_the_mask_itself_counts():
    codes = np.repeat([[0.0], [1.0]], 2, axis=0)  # unbiased deviation 0.57735, biased 0.5
    found = gaussian_total_correlation(codes, minimum_std=0.55)
    assert found["used_codes"] == 1


@pytest.mark.parametrize(
    ("metric", "codes", "options", "message"),
    [
        (gaussian_total_correlation, np.zeros(4), {}, r"\[N, D\] with N >= 1, got shape \(4,\)"),
        (gaussian_total_correlation, np.zeros((1, 2)), {}, "at least 2 examples, got 1"),
        (gaussian_total_correlation, np.full((4, 2), np.nan), {}, "finite"),
        (gaussian_total_correlation, np.zeros((4, 2), complex), {}, "real numbers, got complex"),
        (gaussian_wasserstein_correlation, np.eye(3), {"minimum_std": -1}, "must be >= 0, got -1"),
        (mutual_information_score, np.zeros((4, 1)), {}, "at least 2 latents, got 1"),
        (mutual_information_score, np.zeros((4, 2)), {"bins": 1}, "bins must be >= 2, got 1"),
    ],
)
def test_bad_arguments(metric, codes, options, message):
    with pytest.raises(ValueError, match=message):
        metric(codes, **options)
