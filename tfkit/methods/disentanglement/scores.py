"""Every score of one representation, computed when it is first asked for."""

import functools
import warnings
import zlib
from functools import cached_property
from typing import NamedTuple

import numpy as np

from tfkit import metrics
from tfkit.methods.disentanglement.codes import Codes, Sample
from tfkit.metrics.loss_capacity import probe_explicitness

ACTIVE_STD = 0.05  # a latent below has collapsed: the study's mask
DOWNSTREAM = {"lr": "logistic_regression", "gbt": "gradient_boosting"}
SIZES = (10, 100, 1000, 10_000)  # training points of the study's downstream tasks
EFFICIENT = 100  # points whose accuracy statistical efficiency sets beside that of all


class Settings(NamedTuple):
    """How much is measured, and how.

    Args:
        samples: points the scores learn from; half as many judge them.
        votes: points the sampling metrics learn from; half as many judge them.
        bins: of equal width per latent for the mutual information.
        trees: what DCI's importances come from, "exact" or "fast".
        seed: of everything drawn.
    """

    samples: int
    votes: int
    bins: int
    trees: str
    seed: int


class Scores:
    """Scores of one representation by name; each is a method.

    Args:
        represent: (rows [N, R], random_state) -> codes [N, D].
        sample: rows and factors to learn from and to be judged on.
        codes: what the sampling metrics draw from; None where there is no grid of factors.
        settings: how much is measured.
    """

    def __init__(self, represent, sample: Sample, codes: Codes | None, settings: Settings):
        self.represent, self.sample, self.drawn, self.settings = represent, sample, codes, settings
        self.codes, self.test = (
            self._noisy("codes")(sample.rows),
            self._noisy("test")(sample.rows_test),
        )
        self._accuracies: dict[tuple[str, int], float] = {}  # by task and size

    def mig(self):
        """Mutual information gap."""
        return metrics.mutual_information_gap(
            self.codes, self.sample.factors, bins=self.settings.bins
        )

    def beta_vae_score(self):
        """Accuracy of BetaVAE's classifier."""
        return self._voted(metrics.beta_vae_score)

    def factor_vae_score(self):
        """Accuracy of FactorVAE's majority votes."""
        return self._voted(metrics.factor_vae_score)

    def modularity(self):
        """Ridgeway and Mozer's modularity."""
        bins, seed = self.settings.bins, self.settings.seed
        found = metrics.modularity(self.codes, self.sample.factors, seed=seed, bins=bins)
        return found["modularity"]

    def explicitness(self):
        """Their explicitness."""
        return self._tested(metrics.explicitness)["explicitness"]

    def sap(self):
        """Separated attribute predictability."""
        return self._tested(metrics.sap)["sap"]

    def irs(self):
        """Interventional robustness."""
        return metrics.irs(self.codes, self.sample.factors, seed=self.settings.seed)["irs"]

    def dci_disentanglement(self):
        """DCI's disentanglement."""
        return self._dci["disentanglement"]

    def dci_completeness(self):
        """DCI's completeness."""
        return self._dci["completeness"]

    def dci_informativeness(self):
        """Accuracy of DCI's trees on the test rows."""
        return self._dci["informativeness_test"]

    def infom(self):
        """InfoMEC's modularity."""
        return self._infomec["infom"]

    def infoe(self):
        """InfoMEC's explicitness."""
        return self._infomec["infoe"]

    def infoc(self):
        """InfoMEC's compactness."""
        return self._infomec["infoc"]

    def dci_es_explicitness(self):
        """How small a probe suffices."""
        return self._tested(probe_explicitness)["explicitness"]

    def gaussian_tc(self):
        """Total correlation of the codes' Gaussian, in nats."""
        return metrics.gaussian_total_correlation(self.codes)["gaussian_total_correlation"]

    def gaussian_tc_active(self):
        """The same over latents that have not collapsed."""
        found = metrics.gaussian_total_correlation(self.codes, minimum_std=ACTIVE_STD)
        return found["gaussian_total_correlation"]

    def gaussian_wasserstein(self):
        """Wasserstein correlation of the codes' Gaussian over its trace."""
        return metrics.gaussian_wasserstein_correlation(self.codes)["normalized"]

    def mutual_information_score(self):
        """Mean mutual information of two latents, in nats."""
        return metrics.mutual_information_score(self.codes, bins=self.settings.bins)[
            "mutual_information_score"
        ]

    def downstream(self, task: str, size: int) -> float:
        """Mean accuracy over the factors of a classifier that learns from `size` points.

        Args:
            task: "lr" or "gbt".
            size: at most the rows that there are.
        """
        if size > len(self.codes):
            raise ValueError(
                f"{task}_{size} learns from {size} points, and there are {len(self.codes)}: more "
                "samples, or more held-out images, are needed"
            )
        if (task, size) not in self._accuracies:
            found = metrics.downstream_accuracy(
                self.codes[:size],
                self.sample.factors[:size],
                seed=self.settings.seed,
                codes_test=self.test,
                factors_test=self.sample.factors_test,
                model=DOWNSTREAM[task],
            )
            self._accuracies[task, size] = found["downstream_accuracy"]
        return self._accuracies[task, size]

    def efficiency(self, task: str) -> float:
        """Accuracy from 100 points over that from all."""
        whole = self.downstream(task, len(self.codes))
        return self.downstream(task, EFFICIENT) / whole if whole else 0.0

    def named(self, name: str) -> float:
        """A score by its name; NaN, with a warning, where these codes do not allow it: what else
        was measured is not lost. `lr_100` is the downstream task of 100 points.
        """
        try:
            return self._named(name)
        except ValueError as error:
            warnings.warn(f"evaluate: no {name}: {error}", stacklevel=2)
            return float("nan")

    def _named(self, name):
        task, _, size = name.partition("_")
        if task not in DOWNSTREAM:
            return getattr(self, name)()
        return self.efficiency(task) if size == "efficiency" else self.downstream(task, int(size))

    def _voted(self, metric):
        found = metric(
            self._noisy(metric.__name__),
            self.drawn,
            seed=self.settings.seed,
            num_train=self.settings.votes,
            num_eval=max(1, self.settings.votes // 2),
        )
        return found[metric.__name__]

    def _noisy(self, purpose: str):
        """The representation with noise that belongs to this purpose alone, so that no score
        depends on which others are computed.
        """
        seed = (self.settings.seed + zlib.crc32(purpose.encode())) % (1 << 32)
        return functools.partial(self.represent, random_state=np.random.RandomState(seed))

    def _tested(self, metric, **options):
        return metric(
            self.codes,
            self.sample.factors,
            seed=self.settings.seed,
            codes_test=self.test,
            factors_test=self.sample.factors_test,
            **options,
        )

    @cached_property
    def _dci(self):
        return self._tested(metrics.dci, method=self.settings.trees)

    @cached_property
    def _infomec(self):
        return metrics.infomec(self.codes, self.sample.factors, seed=self.settings.seed)
