"""Times disentanglement_lib's own metric code; disentanglement.py starts it in an environment of

    uv venv reference && uv pip install --python reference/bin/python \
        'scikit-learn==1.9.*' 'numpy==1.26.*' scipy absl-py six 'gin-config<0.5'
    uv pip install --python reference/bin/python --no-deps disentanglement_lib==1.5

TensorFlow is not there: of gin only `gin.tf` would import it, so an alias of gin stands for it.
Reads a line `name seed rows`, answers with a line of JSON: seconds and scores.
"""

import json
import sys
import time
import types

import gin
import numpy as np
from metrics_world import TEST, TRAIN, World

sys.modules["gin.tf"] = gin.tf = types.ModuleType("gin.tf")
gin.tf.configurable, gin.tf.REQUIRED = gin.configurable, gin.REQUIRED

from disentanglement_lib.evaluation.metrics import (  # noqa: E402
    beta_vae,
    dci,
    downstream_task,
    factor_vae,
    irs,
    mig,
    modularity_explicitness,
    sap_score,
    unsupervised_metrics,
    utils,
)

ROWS = {"num_train": TRAIN}
SPLIT = {"num_train": TRAIN, "num_test": TEST}
VOTES = {"batch_size": 64, "num_train": TRAIN, "num_eval": TEST}
METRICS = {
    "mig": (mig.compute_mig, ROWS),
    "modularity, explicitness": (modularity_explicitness.compute_modularity_explicitness, SPLIT),
    "sap": (sap_score.compute_sap, {**SPLIT, "continuous_factors": False}),
    "sap, continuous": (sap_score.compute_sap, {**SPLIT, "continuous_factors": True}),
    "irs": (irs.compute_irs, ROWS),
    "unsupervised": (unsupervised_metrics.unsupervised_metrics, ROWS),
    "beta_vae": (beta_vae.compute_beta_vae_sklearn, VOTES),
    "factor_vae": (factor_vae.compute_factor_vae, {**VOTES, "num_variance_estimate": TRAIN}),
    "lr-cv, 1000": (
        downstream_task.compute_downstream_task,
        {"num_train": [1000], "num_test": TEST},
    ),
    "dci": (dci.compute_dci, SPLIT),
}
SCORES = {  # of ours -> theirs
    "mig": {"mig": "discrete_mig"},
    "modularity, explicitness": {
        "modularity": "modularity_score",
        "explicitness": "explicitness_score_test",
    },
    "sap": {"sap": "SAP_score"},
    "sap, continuous": {"sap": "SAP_score"},
    "irs": {"irs": "IRS"},
    "unsupervised": {
        "gaussian_total_correlation": "gaussian_total_correlation",
        "gaussian_wasserstein_correlation": "gaussian_wasserstein_correlation",
        "mutual_information_score": "mutual_info_score",
    },
    "beta_vae": {"beta_vae_score": "eval_accuracy"},
    "factor_vae": {"factor_vae_score": "eval_accuracy"},
    "lr-cv, 1000": {"downstream_accuracy": "1000:mean_test_accuracy"},
    "dci": {name: name for name in ("disentanglement", "completeness", "informativeness_test")},
}


def timed(name, seed, rows, world):
    """Seconds and scores of one metric on the codes of a seed, which are computed beforehand."""
    compute, options = METRICS[name]
    options = {**options, "num_train": rows} if rows != TRAIN else options
    parts = iter(world.drawn(seed))

    def ready(data, representation, count, random_state, batch_size):
        codes, factors = next(parts)
        return codes[:count].T, factors[:count].T

    utils.generate_batch_factor_code = ready
    needs = {"batch_size": 16} if "batch_size" not in options else {}
    began = time.perf_counter()
    found = compute(
        world, world.representation, np.random.RandomState(seed), **{**options, **needs}
    )
    seconds = time.perf_counter() - began
    return seconds, {ours: float(found[theirs]) for ours, theirs in SCORES[name].items()}


def main():
    """Answer until the input ends."""
    gin.bind_parameter("discretizer.discretizer_fn", utils._histogram_discretize)
    gin.bind_parameter("discretizer.num_bins", 20)
    gin.bind_parameter("prune_dims.threshold", 0.05)
    gin.bind_parameter("predictor.predictor_fn", utils.logistic_regression_cv)
    world = World()
    for line in sys.stdin:
        name, seed, rows = line.strip().rsplit(" ", 2)
        seconds, scores = timed(name, int(seed), int(rows), world)
        print(json.dumps({"seconds": seconds, "scores": scores}), flush=True)


if __name__ == "__main__":
    main()
