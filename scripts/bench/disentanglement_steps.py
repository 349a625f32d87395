"""The training steps of β-TCVAE and FactorVAE against those of disentangling-vae (PyTorch).

    .venv/bin/python scripts/bench/disentanglement_steps.py \
        --peer ~/disentangling-vae --peer-python ~/torch/bin/python

The peer's checkout is github.com/YannDubs/disentangling-vae, its Python has torch and tqdm. Both
sides train the study's networks on the same images, 64 x 64 x 1, on all cores and without a
compiler (no XLA, no torch.compile); each is a process of its own, and in every round all take
their turn. Wall-clock time wants a quiet machine; on a busy one take `--threads 1 --clock cpu`.
Printed are images fed per second, medians over the rounds, and their ratio: the
median of the rounds' ratios.

The peer's FactorVAE splits what it is fed into two halves, one for the VAE and one for the
permuted codes. `FactorVAE(second_batch=True)` does the same. In `FactorVAE()`, as in the study, the
VAE learns from every image that is fed: it is compared by images fed, and by images that the VAE
learns from, for which the peer must be fed twice as many.
"""

import argparse
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

CASES = {  # ours -> the peer's, and how many times as many images it is fed
    "beta_tcvae": ("btcvae", 1),
    "factor_vae, second_batch": ("factor", 1),
    "factor_vae": ("factor", 1),
    "factor_vae, images of the VAE": ("factor", 2),
}
CLOCKS = {"wall": time.perf_counter, "cpu": time.process_time}
PEER = Path(__file__).with_name("disentanglement_steps_peer.py")


def images(batch_size: int, batches: int = 8):
    """Binary images, as many batches as are kept in memory."""
    import numpy as np

    drawn = np.random.default_rng(0).random((batches, batch_size, 64, 64, 1)) > 0.9
    return drawn.astype("float32")


def trainer(case: str, batch_size: int):
    """A function that trains for some steps, in this process."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import keras
    import tensorflow as tf

    from tfkit.methods.disentanglement import study_decoder, study_encoder
    from tfkit.models import BetaTCVAE, FactorVAE

    networks = study_encoder((64, 64, 1), 10), study_decoder((64, 64, 1), 10)
    if case == "beta_tcvae":
        model = BetaTCVAE(*networks, beta=6.0)
    else:
        model = FactorVAE(*networks, gamma=10.0, second_batch=case.endswith("second_batch"))
    model.compile(optimizer=keras.optimizers.Adam(1e-4, epsilon=1e-8), jit_compile=False)
    data = tf.data.Dataset.from_tensor_slices(images(batch_size)).repeat()

    def train(steps):
        model.fit(data, steps_per_epoch=steps, verbose=0, shuffle=False)

    return train


def serve(train, clock) -> None:
    """Answer each line of the standard input, a number of steps, with the seconds they took."""
    print("ready", flush=True)
    for line in sys.stdin:
        began = clock()
        train(int(line))
        print(clock() - began, flush=True)


class Side:
    """A process that trains when it is told to."""

    def __init__(self, command):
        self.process = subprocess.Popen(
            [str(part) for part in command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        if self.process.stdout.readline().strip() != "ready":
            raise SystemExit(f"{command[1]} did not start")

    def seconds(self, steps: int) -> float:
        """How long so many steps take."""
        self.process.stdin.write(f"{steps}\n")
        self.process.stdin.flush()
        return float(self.process.stdout.readline())

    def close(self) -> None:
        """End the process."""
        self.process.stdin.close()
        self.process.wait()


def compare(ours: str, options) -> None:
    """Rounds of one case, and its line."""
    size, (loss, times) = options.batch_size, CASES[ours]
    if options.threads:
        for name in ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"):
            os.environ[name] = str(options.threads)
    mine = Side(
        [sys.executable, __file__, "--serve", ours, "--batch-size", size, "--clock", options.clock]
    )
    peer = Side([options.peer_python, PEER, options.peer, loss, times * size, options.clock])
    sides = (mine, peer)
    for side in sides:
        side.seconds(options.steps)  # tracing, caches
    rounds = []
    for number in range(options.rounds):
        order = sides if number % 2 else sides[::-1]
        seconds = {side: side.seconds(options.steps) for side in order}
        rounds.append([size * options.steps / seconds[side] for side in sides])
    for side in sides:
        side.close()
    own, other = (statistics.median(column) for column in zip(*rounds, strict=True))
    ratio = statistics.median(a / b for a, b in rounds)
    print(
        f"{ours}: {own:,.0f} images/s, peer's {loss} {other:,.0f}, ratio {ratio:.2f}",
        flush=True,
    )


def main() -> None:
    """One line a case."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--peer", type=Path, help="checkout of disentangling-vae")
    parser.add_argument("--peer-python", type=Path, help="a Python with torch and tqdm")
    parser.add_argument("--cases", nargs="+", choices=CASES, default=list(CASES))
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--steps", type=int, default=30)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--threads", type=int, help="of each side; all cores without it")
    parser.add_argument("--clock", choices=CLOCKS, default="wall", help="cpu: of all threads")
    parser.add_argument("--serve", choices=CASES, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        serve(trainer(options.serve, options.batch_size), CLOCKS[options.clock])
        return
    if not (options.peer and options.peer_python):
        parser.error("--peer and --peer-python are needed")
    print(
        f"batch {options.batch_size}, {options.rounds} rounds of {options.steps} steps", flush=True
    )
    for case in options.cases:
        compare(case, options)


if __name__ == "__main__":
    main()
