"""What codes alone tell, without factors: how far the latents depend on each other."""

import numpy as np
from scipy.linalg import eigvalsh

from tfkit.metrics.histograms import checked_bins, discretized, pairwise_information
from tfkit.metrics.inputs import checked_codes

ACTIVE = 0.05  # the study's least standard deviation of a latent that has not collapsed
EPSILON = np.finfo(
    "float64"
).eps  # an eigenvalue of D latents' correlations below D times this is 0


def gaussian_total_correlation(codes, *, seed: int = 0, minimum_std: float = 0.0) -> dict:
    """Total correlation of the Gaussian that has the codes' covariance, in nats.

        TC = (sum_j log S_jj - log det S) / 2,   S = Cov[codes], divisor N - 1

    0 where no latent correlates with another. Copies of a latent make it infinite: then, and with
    fewer examples than latents, the value stops where float64 resolves no smaller determinant.
    Constant latents are dropped. Collapsed latents weigh as much as others, however small: the mean
    representation's TC can come from them alone, so look at it with `minimum_std=0.05` too.

    Shapes: [N, D] -> dict: "gaussian_total_correlation"; "used_codes", how many latents it is of;
        "active_codes", how many have a standard deviation of 0.05 or more
    Args:
        codes: representation of N >= 2 examples.
        seed: nothing is drawn; all array metrics are called alike.
        minimum_std: least standard deviation of a latent that counts, >= 0; 0 drops constants only.
    Raises:
        ValueError: wrong shape, codes that are not finite, fewer than two examples.
    References: Watanabe 1960, https://doi.org/10.1147/rd.41.0066; as a score of representations in
        Locatello et al. 2019, arXiv:1811.12359, section 5.3; its mask of 0.05 is FactorVAE's.
    """
    name = "gaussian_total_correlation"
    covariance, counts = _covariance(name, codes, minimum_std)
    scale = np.sqrt(np.diag(covariance))
    eigenvalues = eigvalsh(covariance / np.outer(scale, scale)) if len(scale) else np.ones(1)
    logarithm = np.sum(np.log(np.maximum(eigenvalues, len(scale) * EPSILON)))
    return {name: max(float(-logarithm / 2), 0.0) + 0.0, **counts}


def gaussian_wasserstein_correlation(codes, *, seed: int = 0, minimum_std: float = 0.0) -> dict:
    """Squared Wasserstein distance of the codes' Gaussian from the product of its marginals.

        W = 2 tr S - 2 tr (S diag(S))^(1/2),   S = Cov[codes], divisor N - 1

    0 where no latent correlates with another. Small latents weigh little in it; constant latents
    are dropped. `normalized` is W / tr S.

    Shapes: [N, D] -> dict: "gaussian_wasserstein_correlation", "normalized"; "used_codes", how many
        latents it is of; "active_codes", how many have a standard deviation of 0.05 or more
    Args:
        codes: representation of N >= 2 examples.
        seed: nothing is drawn; all array metrics are called alike.
        minimum_std: least standard deviation of a latent that counts, >= 0; 0 drops constants only.
    Raises:
        ValueError: wrong shape, codes that are not finite, fewer than two examples.
    References: Xiao and Wang 2019, arXiv:1905.01723 (total variance and Wasserstein correlation);
        Locatello et al. 2019, arXiv:1811.12359.
    """
    name = "gaussian_wasserstein_correlation"
    covariance, counts = _covariance(name, codes, minimum_std)
    # S diag(S) is no symmetric matrix, but it is similar to diag(S)^(1/2) S diag(S)^(1/2), which
    # is one: the trace of the root is the sum of the roots of its eigenvalues.
    root = np.sqrt(np.diag(covariance))
    eigenvalues = eigvalsh(covariance * np.outer(root, root)) if len(root) else np.zeros(0)
    trace = np.trace(covariance)
    value = 2 * trace - 2 * np.sum(np.sqrt(np.maximum(eigenvalues, 0.0)))
    value = float(max(value, 0.0))  # rounding
    return {name: value, "normalized": value / trace if trace > 0 else 0.0, **counts}


def mutual_information_score(codes, *, seed: int = 0, bins: int = 20) -> dict:
    """Mean mutual information of two different latents, in nats.

        score = sum_{i != j} I(v_i, v_j) / (D (D - 1))

    I is the plug-in mutual information of the latents in `bins` bins of equal width.

    Shapes: [N, D] -> dict: "mutual_information_score"
    Args:
        codes: representation of N examples, D >= 2.
        seed: nothing is drawn; all array metrics are called alike.
        bins: >= 2; 20 is the study's.
    Raises:
        ValueError: wrong shape, codes that are not finite, one latent only.
    References: Locatello et al. 2019, arXiv:1811.12359, section 5.3.
    """
    name = "mutual_information_score"
    codes = checked_codes(name, codes, latents=2)
    checked_bins(name, bins)
    binned, sizes = discretized(codes, bins), np.full(codes.shape[1], bins)
    information = pairwise_information(binned, sizes, binned, sizes)  # [D, D]
    pairs = len(sizes) * (len(sizes) - 1)
    return {name: float((information.sum() - np.trace(information)) / pairs)}


def _covariance(name, codes, minimum_std):
    """Covariance of the latents that count, and how many count and are active."""
    codes = checked_codes(name, codes).astype("float64")
    if len(codes) < 2:
        raise ValueError(f"{name}: needs at least 2 examples, got {len(codes)}.")
    if minimum_std < 0:
        raise ValueError(f"{name}: minimum_std must be >= 0, got {minimum_std}.")
    deviation = codes.std(axis=0, ddof=1)
    varied = (codes != codes[0]).any(axis=0)  # the rounded deviation of a constant may be above 0
    used = varied & (deviation >= minimum_std)
    counts = {
        "used_codes": int(used.sum()),
        "active_codes": int((varied & (deviation >= ACTIVE)).sum()),
    }
    return np.cov(codes[:, used], rowvar=False).reshape(used.sum(), used.sum()), counts
