"""What the recipe layer costs beside plain `model.fit` of the same model on the same data.

    .venv/bin/python scripts/bench/overhead.py --rounds 7

Both sides train the same model for the same steps, interleaved; the medians' ratio is printed. The
recipe side writes its metrics, timing and checkpoints as a run does.
"""

import argparse
import os
import statistics
import tempfile
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from tfkit import recipe as recipes  # noqa: E402
from tfkit.train import device  # noqa: E402
from tfkit.train.build import assemble, load_data  # noqa: E402
from tfkit.train.fit import Fit, Plan  # noqa: E402


def recipe(side: int, batch: int, steps: int, save_every: int):
    """β-TCVAE with the study's convolutional networks on rendered dSprites."""
    return recipes.load(
        {
            "name": "overhead",
            "data": {"name": "dsprites", "image_size": side, "batch_size": batch},
            "model": {"name": "beta_tcvae", "encoder": "study_encoder", "decoder": "study_decoder"},
            "train": {"steps": steps, "save_every": save_every, "threads": device.available_cpus()},
        }
    ).resolved


def seconds(work) -> float:
    """Wall-clock time of a call."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def main() -> None:
    """Print both medians, their ratio and the absolute difference per step."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--save-every", type=int, default=100)
    parser.add_argument("--image-size", type=int, default=64)
    parser.add_argument("--batch-size", type=int, default=64)
    options = parser.parse_args()
    known = recipe(options.image_size, options.batch_size, options.steps, options.save_every)
    device.prepare(known["train"])
    source = load_data(known)
    with device.configured(known["train"]):
        plain, managed = assemble(known, 1, source), assemble(known, 1, source)

        def fit_plain():
            plain.model.fit(
                plain.batches(0), steps_per_epoch=options.steps, epochs=1, verbose=0, shuffle=False
            )

        def fit_managed():
            with tempfile.TemporaryDirectory() as folder:
                plan = Plan(options.steps, options.save_every, 1)
                Fit(managed.model, managed.batches, Path(folder), plan).run()

        fit_plain(), fit_managed()  # trace
        pairs = []
        for number in range(options.rounds):  # whoever comes second finds a warmer machine
            if number % 2:
                managed_seconds, plain_seconds = seconds(fit_managed), seconds(fit_plain)
            else:
                plain_seconds, managed_seconds = seconds(fit_plain), seconds(fit_managed)
            pairs.append((plain_seconds, managed_seconds))
    base, ours = (statistics.median(side) for side in zip(*pairs, strict=True))
    ratio = statistics.median(b / a for a, b in pairs)
    print(
        f"{options.image_size}×{options.image_size}, batch {options.batch_size}, {options.steps} "
        f"steps, a checkpoint each {options.save_every}: plain fit {base / options.steps * 1e3:.2f}"
        f" ms a step, recipe layer {ours / options.steps * 1e3:.2f} ms; "
        f"median ratio {ratio:.4f} over {options.rounds} interleaved pairs"
    )


if __name__ == "__main__":
    main()
