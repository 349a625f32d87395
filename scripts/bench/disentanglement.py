"""The renderer inside the pipeline against the training step that it feeds.

    .venv/bin/python scripts/bench/disentanglement.py --rounds 5

Prints images per second of both, medians over interleaved rounds, for the study's convolutional
β-TCVAE; the renderer must not be the bottleneck.
"""

import argparse
import os
import statistics
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from tfkit import recipe as recipes  # noqa: E402
from tfkit.train import device  # noqa: E402
from tfkit.train.build import assemble, load_data  # noqa: E402


def seconds(work) -> float:
    """Wall-clock time of a call."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def recipe(side: int, batch_size: int) -> dict:
    """The study's convolutional β-TCVAE on rendered dSprites."""
    return recipes.load(
        {
            "name": "bench",
            "data": {"name": "dsprites", "image_size": side, "batch_size": batch_size},
            "model": {"name": "beta_tcvae", "encoder": "study_encoder", "decoder": "study_decoder"},
            "train": {"threads": device.available_cpus()},
        }
    ).resolved


def throughput(known: dict, steps: int, rounds: int) -> tuple[float, float]:
    """Images per second rendered, and trained on."""
    device.prepare(known["train"])
    with device.configured(known["train"]):
        assembly = assemble(known, 1, load_data(known))

        def render():
            for _ in assembly.batches(0).take(10 * steps):
                pass

        def step():
            assembly.model.fit(assembly.batches(0), steps_per_epoch=steps, verbose=0, shuffle=False)

        render(), step()
        pairs = [(seconds(render) / 10, seconds(step)) for _ in range(rounds)]
    images = steps * known["data"]["batch_size"]
    drawn, trained = (images / statistics.median(part) for part in zip(*pairs, strict=True))
    return drawn, trained


def main() -> None:
    """One line an image size."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=30)
    parser.add_argument("--batch-size", type=int, default=64)
    options = parser.parse_args()
    for side in (16, 32, 64):
        known = recipe(side, options.batch_size)
        drawn, trained = throughput(known, options.steps, options.rounds)
        print(
            f"{side}×{side}, batch {options.batch_size}: {drawn:,.0f} images/s rendered, "
            f"{trained:,.0f} images/s trained, ratio {drawn / trained:.0f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
