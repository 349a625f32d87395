"""Mutual information gap."""

import numpy as np

from tfkit.metrics.histograms import checked_bins, factor_entropies, mutual_information
from tfkit.metrics.inputs import checked, checked_variation


def mutual_information_gap(codes, factors, bins: int = 20, *, seed: int = 0) -> float:
    """How much more the best latent tells about a factor than the second best, averaged.

        MIG = mean_k (I_(1)k - I_(2)k) / H(k)

    I_jk is the plug-in mutual information, in nats, of latent j (in `bins` bins of equal width
    between its extremes) and factor k; H(k) is the factor's entropy in the sample. In [0, 1]:
    1 when each factor is in one latent only, 0 when two latents share each of them. A factor with
    one value only has no information to share and is left out of the mean.

    The bins follow the extremes of the codes: compare values at equal N, 10,000 in the study.

    Shapes: [N, D], [N, K] int -> float
    Args:
        codes: representation of N examples, D >= 2 latents; constant latents tell nothing.
        factors: class numbers of the same examples; floats that are whole numbers will do.
        bins: >= 2; 20 is the study's.
        seed: nothing is drawn; all array metrics are called alike.
    Raises:
        ValueError: wrong shapes, codes that are not finite, factors that are not integers or that
            all are constant.
    References: Chen et al. 2018, arXiv:1802.04942, section 4; bins of Locatello et al. 2019.
    """
    codes, factors = checked("mutual_information_gap", codes, factors, latents=2)
    checked_bins("mutual_information_gap", bins)
    checked_variation("mutual_information_gap", factors)
    information = mutual_information(codes, factors, bins)  # [D, K]
    entropy = factor_entropies(factors)  # [K]
    second, first = np.sort(information, axis=0)[-2:]  # [K] each
    varied = entropy > 0
    return float(np.mean((first - second)[varied] / entropy[varied]))
