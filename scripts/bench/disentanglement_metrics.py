"""Our metrics beside disentanglement_lib's, on the same codes, in turns, one BLAS thread each."""

import json
import os
import statistics
import subprocess
import time
from pathlib import Path

# before NumPy is loaded, and for the reference: threads on small matrices only slow either down
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"

from metrics_world import TEST, TRAIN, World  # noqa: E402

from tfkit import metrics  # noqa: E402
from tfkit.metrics.parallel import checked_workers  # noqa: E402

VOTES = {"batch_size": 64, "num_train": TRAIN, "num_eval": TEST}
PLAIN = ("mig", "modularity, explicitness", "sap", "sap, continuous", "irs", "unsupervised")
VOTED = ("beta_vae", "factor_vae")
FITTED = ("lr-cv, 1000",)


def ours(name: str, seed: int, world: World, rows: int = TRAIN, **options) -> dict:
    """Our scores under one of the reference's names."""
    (codes, factors), (codes_test, factors_test) = world.drawn(seed)
    codes, factors = codes[:rows], factors[:rows]
    test = {"codes_test": codes_test, "factors_test": factors_test}
    compute = {
        "mig": lambda: {"mig": metrics.mutual_information_gap(codes, factors)},
        "modularity, explicitness": lambda: {
            **metrics.modularity(codes, factors),
            **metrics.explicitness(codes, factors, **test),
        },
        "sap": lambda: metrics.sap(codes, factors, **test),
        "sap, continuous": lambda: metrics.sap(codes, factors, continuous=True),
        "irs": lambda: metrics.irs(codes, factors),
        "unsupervised": lambda: {
            **metrics.gaussian_total_correlation(codes),
            **metrics.gaussian_wasserstein_correlation(codes),
            **metrics.mutual_information_score(codes),
        },
        "beta_vae": lambda: metrics.beta_vae_score(world.representation, world, seed=seed, **VOTES),
        "factor_vae": lambda: metrics.factor_vae_score(
            world.representation, world, seed=seed, **VOTES
        ),
        "lr-cv, 1000": lambda: metrics.downstream_accuracy(codes[:1000], factors[:1000], **test),
        "dci": lambda: metrics.dci(codes, factors, seed=seed, **test, **options),
    }[name]
    began = time.perf_counter()
    found = compute()
    return {"seconds": time.perf_counter() - began, "scores": found}


class Reference:
    """The other library, in a process that answers one metric after the other."""

    def __init__(self, python: str):
        script = Path(__file__).with_name("reference_metrics.py")
        self.process = subprocess.Popen(
            [python, "-W", "ignore", str(script)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def __call__(self, name: str, seed: int, rows: int = TRAIN) -> dict:
        """Its seconds and scores."""
        print(f"{name} {seed} {rows}", file=self.process.stdin, flush=True)
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"the reference ended over {name}; run {self.process.args} by hand")
        return json.loads(line)

    def close(self) -> None:
        """End the process."""
        self.process.stdin.close()
        self.process.wait()


def compare(python: str, rounds: int, tree_rows: int) -> None:
    """Print a table; sampling metrics and array metrics together make the last line's ratio."""
    world, reference = World(), Reference(python)
    reference("mig", 0), ours("mig", 0, world), ours("sap", 0, world)  # imports and caches
    print(
        f"{'seconds':26}{'reference':>10}{'ours':>9}{'ratio':>8}   largest difference", flush=True
    )
    totals = [0.0, 0.0]
    for name in (*PLAIN, *VOTED, *FITTED):
        pairs = [(reference(name, seed), ours(name, seed, world)) for seed in range(rounds)]
        taken = line(name, pairs)
        if name not in FITTED:
            totals = [total + one for total, one in zip(totals, taken, strict=True)]
    print(f"{'without trees and LR-CV':26}{totals[0]:10.2f}{totals[1]:9.2f}{ratio(*totals)}")
    if tree_rows:
        dci_table(reference, world, tree_rows)
    reference.close()


def dci_table(reference, world: World, rows: int) -> None:
    """The reference's DCI, ours on one core, on all, and the fast kind on one."""
    print(f"dci on {rows} rows", flush=True)
    theirs = reference("dci", 0, rows)
    cores = checked_workers("bench", None)
    kinds = {
        "dci, exact, 1 process": {"workers": 1},
        f"dci, exact, {cores} processes": {},
        "dci, fast, 1 process": {"method": "fast", "workers": 1},
    }
    for name, options in kinds.items():
        line(name, [(theirs, ours("dci", 0, world, rows, **options))])


def line(name: str, pairs: list) -> tuple[float, float]:
    """Print medians and the scores' largest difference; give the medians."""
    taken = tuple(
        statistics.median(side["seconds"] for side in part) for part in zip(*pairs, strict=True)
    )
    apart = max(
        abs(value - mine["scores"][score])
        for theirs, mine in pairs
        for score, value in theirs["scores"].items()
    )
    print(f"{name:26}{taken[0]:10.2f}{taken[1]:9.2f}{ratio(*taken)}   {apart:.0e}", flush=True)
    return taken


def ratio(theirs: float, mine: float) -> str:
    """How many times faster ours is."""
    return f"{theirs / mine:8.1f}"
