"""search.json of a search with everything in it: conditions, budgets, failures, confirmation."""

import math

import numpy as np

from tfkit.statistics import mean_interval

SPACE = {
    "model.name": {"choice": ["beta_vae", "beta_tcvae", "dip_vae"]},
    "train.optimizer.learning_rate": {"float": [1e-4, 1e-2], "log": True},
    "model.beta": {
        "float": [1, 16],
        "log": True,
        "when": {"model.name": ["beta_vae", "beta_tcvae"]},
    },
    "model.lambda_od": {"float": [1.0, 50.0], "when": {"model.name": ["dip_vae"]}},
    "model.encoder.latent_dim": {"int": [4, 16]},
    "train.shuffle": {"bool": True},
}


def make_search(count=40, *, budgets=False, confirm=True, seed=0):
    """Trials whose objective depends on the learning rate most and on the shuffling not at all."""
    rng = np.random.default_rng(seed)
    trials = [trial(rng, number, budgets) for number in range(count)]
    done = [t for t in trials if t["status"] == "completed"]
    done.sort(key=lambda t: (-t.get("budget", 0), -t["objective"]))  # the full budget first
    found = {
        "objective": "valid/mig",
        "goal": "max",
        "select": "last",
        "engine": {"name": "hyperband" if budgets else "bayesian"},
        "executor": {"name": "local", "workers": 2},
        "uses_labels": ["factors"],
        "space": SPACE,
        "trials": trials,
        "best": done[0]["id"],
    }
    return {**found, "confirm": confirmation(rng, done[:3])} if confirm else found


def trial(rng, number, budgets):
    """One trial; every ninth diverged, every thirteenth failed, the last still runs."""
    name = str(rng.choice(SPACE["model.name"]["choice"]))
    rate = float(10 ** rng.uniform(-4, -2))
    values = {"model.name": name, "train.optimizer.learning_rate": rate}
    if name == "dip_vae":
        values["model.lambda_od"] = float(rng.uniform(1, 50))
    else:
        values["model.beta"] = float(2 ** rng.uniform(0, 4))
    values["model.encoder.latent_dim"] = int(rng.integers(4, 17))
    values["train.shuffle"] = bool(rng.integers(2))
    good = 0.3 - 0.1 * (math.log10(rate) + 3.2) ** 2 - 0.02 * (name == "dip_vae")
    own = {
        "id": f"{number:04d}",
        "values": values,
        "objective": float(good + 0.01 * rng.normal()),
        "status": "completed",
        "seconds": float(rng.uniform(40, 90)),
        "ended": 65.0 * (number + 1) / 2,
        "folder": f"search/trial_{number:04d}",
    }
    if budgets:
        own["budget"] = (100, 300, 900)[0 if number < 24 else 1 if number < 34 else 2]
        own |= {"origin": f"{number - 20:04d}"} if number >= 24 else {}
    if number % 9 == 4:
        own |= {"objective": None, "status": "diverged", "last": 0.031}
    if number % 13 == 7:
        error = "ResourceExhaustedError: OOM when allocating tensor with shape [512, 64, 64, 32]"
        own |= {"objective": None, "status": "failed", "error": error}
    if number == 30:
        own |= {"objective": None, "status": "pruned", "last": 0.11, "curve": [[100, 0.1]]}
    if number == 39:
        own |= {"objective": None, "status": "running", "seconds": None, "ended": None}
    return own


def confirmation(rng, best):
    """The three best on fresh seeds, where the second wins; the third lost a seed."""
    candidates = []
    for rank, own in enumerate(best, 1):
        values = (own["objective"] - 0.03 + 0.02 * (rank == 2) + 0.01 * rng.normal(size=5)).tolist()
        fresh = mean_interval(values)
        each = {"id": own["id"], "rank": rank, "search": own["objective"], "fresh": fresh}
        each["gap"] = own["objective"] - fresh["mean"]
        elbo = mean_interval((-90 + rng.normal(size=5)).tolist())
        each["metrics"] = {"mig": mean_interval(values), "elbo": elbo}
        candidates.append(each)
    candidates[2] |= {"fresh": None, "gap": None, "metrics": {}}
    return {"seeds": [11, 12, 13, 14, 15], "winner": best[1]["id"], "candidates": candidates}
