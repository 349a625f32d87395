"""Kill a run at random moments, resume it, and compare every byte with an uninterrupted run.

    .venv/bin/python scripts/bench/kills.py --kills 20

Each round starts the recipe below in a fresh process, ends it by SIGKILL, SIGTERM or SIGINT after a
random time (before the first checkpoint too), resumes it, perhaps ends it again, and at last lets
it finish. Search, early stopping and a held-out metric at every chunk are part of the recipe.
"""

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

RECIPE = """
name: killed
seed: 11
data: {name: dsprites, image_size: 16, batch_size: 16, validation_size: 200, test_size: 200}
model:
  name: beta_tcvae
  beta: 2.0
  encoder: {name: study_encoder, latent_dim: 4}
  decoder: {name: study_decoder}
train:
  steps: 600
  save_every: 50
  optimizer: {name: adam, learning_rate: {name: cosine, learning_rate: 2e-3, warmup_steps: 20}}
  validate: [reconstruction]
  callbacks:
    - {name: early_stopping, monitor: valid/reconstruction, patience: 9, restore_best: true}
search:
  trials: 2
  objective: valid/mig
  goal: max
  space: {model.beta: {float: [1, 4], log: true}}
evaluate: {samples: 200, votes: 8}
"""
SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
COMPARED = ("metrics.jsonl", "final.weights.h5", "evaluation.json", "search/search.json")


def start(arguments: list[str], folder: Path) -> subprocess.Popen:
    """`tfkit run` in `folder`."""
    command = [sys.executable, "-m", "tfkit", "run", *arguments, "--quiet", "--json"]
    return subprocess.Popen(
        command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )


def run_folder(folder: Path) -> Path | None:
    """The one run below `folder`, once it has its recipe."""
    return next((p.parent for p in folder.glob("runs/killed/*/resolved.yaml")), None)


def fingerprint(run: Path) -> dict[str, bytes]:
    """All bytes that must be equal; wall-clock values are left out of `search.json`."""
    found = {}
    for path in (p for name in COMPARED for p in run.rglob(name)):
        content = path.read_bytes()
        if path.name == "search.json":
            trials = json.loads(content)["trials"]
            content = repr([(t["id"], t["values"], t["objective"]) for t in trials]).encode()
        found[str(path.relative_to(run))] = content
    return found


def one_round(folder: Path, seconds: float, kills: int, draw: random.Random) -> list[dict]:
    """Run to the end with `kills` ends in between; what happened at each."""
    events, arguments = [], ["recipe.yaml"]
    while len(events) < kills:
        process, number = start(arguments, folder), draw.choice(SIGNALS)
        while run_folder(folder) is None and process.poll() is None:
            time.sleep(0.01)
        try:
            process.wait(timeout=draw.uniform(0, seconds))
        except subprocess.TimeoutExpired:
            process.send_signal(number)
            process.wait()
        events.append({"signal": number.name, "code": process.returncode})
        arguments = ["--resume", str(run_folder(folder).relative_to(folder))]
    process = start(arguments, folder)
    if process.wait() != 0:
        raise SystemExit(f"the resumed run failed:\n{process.stderr.read()}")
    return events


def main() -> None:
    """Print a line a round; exit 1 where any byte differed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--per-round", type=int, default=3)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    draw = random.Random(options.seed)
    with tempfile.TemporaryDirectory() as root:
        whole = Path(root, "whole")
        whole.mkdir()
        (whole / "recipe.yaml").write_text(RECIPE)
        began = time.perf_counter()
        one_round(whole, 0, 0, draw)
        seconds = time.perf_counter() - began
        expected = fingerprint(run_folder(whole))
        done = different = 0
        while done < options.kills:
            folder = Path(root, f"round{done}")
            folder.mkdir()
            (folder / "recipe.yaml").write_text(RECIPE)
            kills = min(options.per_round, options.kills - done)
            events = one_round(folder, seconds, kills, draw)
            done += kills
            run = run_folder(folder)
            found = fingerprint(run)
            wrong = [n for n in expected.keys() | found.keys() if expected.get(n) != found.get(n)]
            different += bool(wrong)
            steps = json.loads((run / "provenance.json").read_text())["resumed_from"]
            ends = ", ".join(event["signal"] for event in events)
            print(f"{ends}: resumed from {steps}: {wrong or 'all bytes equal'}", flush=True)
    print(f"{done} kills, {different} rounds differ; an uninterrupted run takes {seconds:.0f} s")
    sys.exit(bool(different))


if __name__ == "__main__":
    main()
