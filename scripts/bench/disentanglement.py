"""Disentanglement: the renderer against the training step, and the metrics against the reference.

    .venv/bin/python scripts/bench/disentanglement.py renderer --rounds 5
    .venv/bin/python scripts/bench/disentanglement.py metrics --reference-python P [--tree-rows N]

`renderer` prints images per second of rendering and of training, medians over interleaved rounds,
for the study's convolutional β-TCVAE; the renderer must not be the bottleneck. `metrics` prints
seconds of disentanglement_lib's metric code and of ours on the same codes, and the scores' largest
difference; reference_metrics.py says how to make the environment whose Python it asks for.
"""

import argparse
import os
import statistics
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


def seconds(work) -> float:
    """Wall-clock time of a call."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def recipe(side: int, batch_size: int) -> dict:
    """The study's convolutional β-TCVAE on rendered dSprites."""
    from tfkit import recipe as recipes
    from tfkit.train import device

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
    from tfkit.train import device
    from tfkit.train.build import assemble, load_data

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


def renderer(options) -> None:
    """One line an image size."""
    for side in (16, 32, 64):
        known = recipe(side, options.batch_size)
        drawn, trained = throughput(known, options.steps, options.rounds)
        print(
            f"{side}×{side}, batch {options.batch_size}: {drawn:,.0f} images/s rendered, "
            f"{trained:,.0f} images/s trained, ratio {drawn / trained:.0f}",
            flush=True,
        )


def metrics(options) -> None:
    """One line a metric."""
    from disentanglement_metrics import compare

    compare(options.reference_python, options.rounds, options.tree_rows)


def main() -> None:
    """The part that is asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parts = parser.add_subparsers(required=True)
    part = parts.add_parser("renderer")
    part.set_defaults(run=renderer)
    part.add_argument("--rounds", type=int, default=5)
    part.add_argument("--steps", type=int, default=30)
    part.add_argument("--batch-size", type=int, default=64)
    part = parts.add_parser("metrics")
    part.set_defaults(run=metrics)
    part.add_argument("--reference-python", required=True)
    part.add_argument("--rounds", type=int, default=3, help="each on codes of a seed of its own")
    part.add_argument(
        "--tree-rows", type=int, default=0, help="rows for DCI; 10000 take minutes on either side"
    )
    options = parser.parse_args()
    options.run(options)


if __name__ == "__main__":
    main()
