"""Folders of several small runs, made from numbers."""

import json

RECIPE = """\
name: {name}
seed: 0
data: {{name: {data}, batch_size: 64{options}}}
model: {{name: {model}, beta: {beta}}}
train: {{steps: 100, threads: {{inter: 2, intra: 2}}}}
search: {search}
evaluate: {{seeds: [1, 2, 3], samples: {samples}}}
export: null
"""


def make_run(
    root,
    name,
    metrics=None,
    *,
    data="dsprites",
    options="",
    model="beta_vae",
    beta=4.0,
    seeds=None,
    stamp="20260101-000000-aaaaaa",
    status="finished",
    search="null",
    samples=10000,
    error=None,
    sha="ab",
    valid=None,
    facts=None,
):
    """One run folder; `metrics` maps a name to its values by seed, or to one number."""
    folder = root / name / stamp
    folder.mkdir(parents=True)
    (folder / "resolved.yaml").write_text(
        RECIPE.format(
            name=name,
            data=data,
            options=options,
            model=model,
            beta=beta,
            search=search,
            samples=samples,
        )
    )
    write(folder / "provenance.json", {"status": status, "data": {"sha256": sha * 32}})
    if error:
        (folder / "error.txt").write_text(error)
    if metrics is not None:
        told = {"facts": facts} if facts else {}
        write(folder / "evaluation.json", {**evaluation(metrics, seeds, valid or {}), **told})
    return folder


def evaluation(metrics, seeds, valid):
    """What `tfkit run` writes: numbers of one seed, or spreads over several."""
    first = next(iter(metrics.values()), 0.0)
    if not isinstance(first, list):
        return {"seed": seeds or 1, "split": "test", "metrics": metrics, "valid": valid}

    def over(values):
        mean = sum(values) / len(values)
        return {"mean": mean, "low": mean - 1, "high": mean + 1, "values": values}

    return {
        "seeds": seeds or list(range(1, len(first) + 1)),
        "split": "test",
        "metrics": {name: over(values) for name, values in metrics.items()},
        "valid": {name: over(values) for name, values in valid.items()},
    }


def write(path, content):
    path.write_text(json.dumps(content))


def make_house(root):
    """Three methods on two data sets, one of them incomplete, and runs that did not get there."""
    a = {"mig": [0.21, 0.25, 0.19, 0.28], "elbo": [-92.0, -90.5, -93.1, -91.0]}
    b = {"mig": [0.12, 0.17, 0.15, 0.13], "elbo": [-88.0, -87.2, -88.9, -89.4]}
    c = {"mig": [0.16, 0.18], "elbo": [-95.0, -99.0]}
    make_run(root, "tcvae", a, model="beta_tcvae")
    make_run(root, "vae", b)
    make_run(root, "vae-small", c, beta=1.0)
    a2 = {"mig": [0.41, 0.45, 0.39, 0.44], "elbo": [-60.0, -61.0, -60.4, -60.2]}
    b2 = {"mig": [0.40, 0.36, 0.42, 0.35], "elbo": [-55.0, -56.0, -55.5, -55.1]}
    other = {"data": "shapes", "sha": "cd", "stamp": "20260102-000000-bbbbbb"}
    make_run(root, "tcvae", a2, model="beta_tcvae", **other)
    make_run(root, "vae", b2, **other)
    make_run(root, "bad", status="diverged", error="Traceback …\nthe loss became NaN at step 70")
    make_run(root, "slow", status="interrupted")
    trial = root / "tcvae" / "20260101-000000-aaaaaa" / "search" / "trial_0000"
    trial.mkdir(parents=True)
    (trial / "resolved.yaml").write_text("name: trial\n")
