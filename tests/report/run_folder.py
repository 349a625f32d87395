"""Run folders as `tfkit run` leaves them, made from numbers: no training."""

import json
import math

import numpy as np

from tfkit.figure import Figure

RESOLVED = """\
name: {name}
seed: 0
data: {{name: dsprites, image_size: 64, batch_size: 64}}
model:
  name: beta_tcvae
  encoder: {{name: study_encoder, latent_dim: 6, kind: conv}}
  decoder: {{name: study_decoder, kind: conv}}
  beta: 8.0
train:
  steps: 1500
  epochs: null
  save_every: 250
  optimizer: {{name: adam, learning_rate: 0.001, beta_1: 0.9, epsilon: 1.0e-08}}
  validate: []
search:
  engine: {{name: random}}
  trials: 4
  objective: valid/mig
  goal: max
  space: {{model.beta: {{float: [1, 16], log: true}}}}
evaluate: {{seeds: [1, 2, 3], metrics: null}}
export: null
"""

PROVENANCE = {
    "status": "finished",
    "versions": {"tfkit": "0.1.0", "tensorflow": "2.20.0", "keras": "3.15.1", "python": "3.11.7"},
    "git": {"commit": "9caaea5d1c", "uncommitted_sha256": None},
    "device": "CPU: two cores",
    "threads": {"inter": 2, "intra": 2},
    "seed": 0,
    "argv": ["tfkit", "run", "recipes/disentanglement/quick.yaml", "--set", "model.beta=8.0"],
    "resumed_from": [500],
    "data": {"sha256": "ab" * 32, "source": "rendered"},
    "export": {
        "folder": "savedmodels/disentanglement-quick/1",
        "archive": "savedmodels/disentanglement-quick/1.tar.gz",
        "signatures": {
            "predict": {
                "inputs": {"images": {"dtype": "float32", "shape": [None, 64, 64, 1]}},
                "outputs": {
                    "images": {"dtype": "float32", "shape": [None, 64, 64, 1]},
                    "logits": {"dtype": "float32", "shape": [None, 64, 64, 1]},
                },
            },
            "gaussian_encoder": {
                "inputs": {"images": {"dtype": "float32", "shape": [None, 64, 64, 1]}},
                "outputs": {
                    "mean": {"dtype": "float32", "shape": [None, 6]},
                    "logvar": {"dtype": "float32", "shape": [None, 6]},
                },
            },
        },
        "verification": {"batches": [1, 7, 16], "largest_difference": {"predict": 1.9e-06}},
    },
}


def blobs(rows, count, size=64):
    """Soft discs that move from left to right: pictures with something to see."""
    y, x = np.mgrid[0:size, 0:size] / size
    pictures = np.empty((rows, count, size, size, 1))
    for r in range(rows):
        for n in range(count):
            centre = 0.2 + 0.6 * n / max(1, count - 1)
            distance = np.hypot(x - centre, y - 0.5) / (0.08 + 0.03 * r)
            pictures[r, n, ..., 0] = 1 / (1 + np.exp(8 * (distance - 1)))
    return pictures


def figures():
    """One of every kind."""
    rng = np.random.default_rng(0)
    return {
        "reconstructions": Figure(
            "images",
            {"images": blobs(2, 10)},
            "Above ten images of the test sample, below what the model makes of their codes.",
            "Ten discs and their blurred reconstructions.",
            {"rows": ["input", "reconstruction"]},
        ),
        "traversals": Figure(
            "images",
            {"images": np.repeat(blobs(6, 9), 3, axis=-1) * [0.9, 0.6, 0.3]},
            "Each row moves one latent from −2 to 2 while the others stay.",
            "Six rows of nine discs.",
            {
                "rows": [f"latent {i}" for i in range(6)],
                "columns": [f"{v:g}" for v in np.linspace(-2, 2, 9)],
            },
        ),
        "kl": Figure(
            "bars",
            {
                "values": np.array([3.1, 2.4, 1.9, 1.2, 0.04, 0.01]),
                "low": np.array([3.0, 2.2, 1.7, 1.1, 0, 0]),
                "high": np.array([3.3, 2.6, 2.1, 1.3, 0.1, 0.05]),
            },
            "KL of each latent from its prior; a latent near zero is unused.",
            "Bars: four latents carry information, two do not.",
            {"names": [f"z{i}" for i in range(6)], "y": "nats"},
        ),
        "mutual_information": Figure(
            "heatmap",
            {"values": np.abs(rng.normal(size=(6, 5)))},
            "Mutual information of latents and factors.",
            "Heatmap, six latents by five factors.",
            {
                "rows": [f"z{i}" for i in range(6)],
                "columns": ["shape", "scale", "angle", "x", "y"],
                "value": "nats",
            },
        ),
        "codes": Figure(
            "scatter",
            {"x": rng.normal(size=300), "y": rng.normal(size=300), "group": np.arange(300) % 3},
            "Two latents by shape.",
            "Three clouds that overlap.",
            {"groups": ["square", "ellipse", "heart"], "x": "z0", "y": "z1"},
        ),
        "rate": Figure(
            "line",
            {
                "x": np.arange(20),
                "y": np.stack([np.sqrt(np.arange(20.0)), np.arange(20) / 6]),
                "low": np.stack([np.sqrt(np.arange(20.0)) - 0.3, np.arange(20) / 6 - 0.2]),
                "high": np.stack([np.sqrt(np.arange(20.0)) + 0.3, np.arange(20) / 6 + 0.2]),
            },
            "Rate by capacity, costs $5 and <b>.",
            "Two rising lines.",
            {"x": "capacity ($)", "y": "rate", "series": ["ours", "theirs"]},
        ),
    }


def write_json(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))


def write_curves(folder, seed, end=1500):
    """metrics.jsonl and timing.jsonl of one training run."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    with (
        open(folder / "metrics.jsonl", "w") as metrics,
        open(folder / "timing.jsonl", "w") as timing,
    ):
        for step in range(250, end + 1, 250):
            loss = 60 + 600 * math.exp(-step / 300) + rng.normal() * 4
            row = {"step": step, "loss": loss, "reconstruction": loss - 14, "kl": 14 * step / 1500}
            row |= {"valid/loss": loss * 1.05, "valid/mig": 0.2 * step / 1500 + rng.normal() * 0.01}
            metrics.write(json.dumps(row) + "\n")
            timing.write(
                json.dumps({"step": step, "seconds": 25.0, "steps_per_second": 10.0}) + "\n"
            )


def make_full_run(folder):
    """A finished parent with search, three replicates, every kind of figure and an export."""
    for seed in (1, 2, 3):
        write_curves(folder / "replicates" / str(seed), seed)
    (folder / "resolved.yaml").write_text(RESOLVED.format(name="disentanglement-quick"))
    (folder / "recipe.yaml").write_text("name: disentanglement-quick\n")
    write_json(folder / "provenance.json", PROVENANCE)
    spread = {"mean": 0.19, "low": 0.1404, "high": 0.2396, "values": [0.17, 0.21, 0.19]}
    rec = {"mean": 61.2, "low": 57.9, "high": 64.5, "values": [60.1, 62.7, 60.8]}
    total = {"mean": 13.1, "low": 12.4, "high": 13.8, "values": [13.0, 13.4, 12.9]}
    kl = {
        f"kl_{i}": {
            "mean": 3.1 - i,
            "low": 2.9 - i,
            "high": 3.3 - i,
            "values": [3.0 - i, 3.2 - i, 3.1 - i],
        }
        for i in range(3)
    }
    write_json(
        folder / "evaluation.json",
        {
            "seeds": [1, 2, 3],
            "shown": 2,
            "split": "test",
            "metrics": {"mig": spread, "reconstruction": rec, "kl": total, **kl},
            "valid": {
                "mig": {"mean": 0.185, "low": 0.15, "high": 0.22, "values": [0.17, 0.2, 0.185]}
            },
        },
    )
    values = [
        (1.62, 0.08, "completed"),
        (5.4, 0.21, "completed"),
        (14.9, None, "diverged"),
        (8.0, 0.23, "completed"),
    ]
    trials = [
        {
            "id": f"{i:04d}",
            "values": {"model.beta": b},
            "objective": o,
            "status": s,
            "seconds": 61.2 + i,
            "folder": f"search/trial_{i:04d}",
        }
        for i, (b, o, s) in enumerate(values)
    ]
    write_json(
        folder / "search" / "search.json",
        {
            "objective": "valid/mig",
            "goal": "max",
            "space": {},
            "trials": trials,
            "best": "0003",
            "uses_labels": ["factors"],
        },
    )
    (folder / "search" / "best.yaml").write_text("name: best\n")
    shown = folder / "replicates" / "2" / "figures"
    shown.mkdir()
    for name, figure in figures().items():
        figure.save(shown / f"{name}.npz")


def make_small_run(folder):
    """One seed, nothing searched, nothing exported."""
    write_curves(folder, 0)
    (folder / "resolved.yaml").write_text(RESOLVED.format(name="small"))
    write_json(folder / "provenance.json", {"seed": 0})
    write_json(
        folder / "evaluation.json",
        {"seed": 1, "split": "test", "metrics": {"mig": 0.2}, "valid": {"mig": 0.25}},
    )
