"""Images per second that the disentanglement data sets give to training, by variant and size.

    .venv/bin/python scripts/bench/disentanglement_data.py --rounds 5

Medians over interleaved rounds of the whole input pipeline (factors drawn, images made, batched);
`observed` is what metrics get from `observe`. The training step to compare with is measured by
scripts/bench/disentanglement.py.
"""

import argparse
import functools
import os
import statistics
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np  # noqa: E402

from tfkit.data import dsprites  # noqa: E402

VARIANTS = ("plain", "color", "noisy", "scream")


def per_second(count: int, work) -> float:
    """Images per second of a call that makes so many."""
    began = time.perf_counter()
    work()
    return count / (time.perf_counter() - began)


def main() -> None:
    """One line a size and variant."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--batch-size", type=int, default=64)
    options = parser.parse_args()
    count = options.steps * options.batch_size
    for size in (16, 32, 64):
        sources = {name: dsprites.load(size, variant=name) for name in VARIANTS}
        batches = {k: iter(s.train(options.batch_size, seed=0)) for k, s in sources.items()}
        factors = sources["plain"].sample_factors(count, np.random.RandomState(0))
        drawn = {name: [] for name in VARIANTS}
        seen = {name: [] for name in VARIANTS}
        for name in VARIANTS * options.rounds:
            given, source = batches[name], sources[name]
            next(given)
            drawn[name].append(
                per_second(count, lambda given=given: [next(given) for _ in range(options.steps)])
            )
            observe = functools.partial(source.observe, factors, np.random.RandomState(0))
            seen[name].append(per_second(count, observe))
        for name in VARIANTS:
            pipeline, observed = (statistics.median(times[name]) for times in (drawn, seen))
            print(
                f"{size}×{size} {name}: {pipeline:,.0f} images/s in the pipeline, "
                f"{observed:,.0f} observed",
                flush=True,
            )


if __name__ == "__main__":
    main()
