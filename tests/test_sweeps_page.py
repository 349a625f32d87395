"""The recipe and the job files of docs/sweeps.md, as they stand there."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from tfkit.recipe import load, parse
from tfkit.search.sweep import Sweep

PAGE = (Path(__file__).parents[1] / "docs" / "sweeps.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", PAGE, re.DOTALL)
YAML = [text for kind, text in BLOCKS if kind == "yaml"]


def test_the_recipe_is_valid_and_has_as_many_trainings_as_the_page_says():
    sweep = Sweep(load(parse(YAML[0])), "runs")
    assert f"# {len(sweep.runs)} trainings" in PAGE
    names = {run.name for run in sweep.runs}
    assert re.search(r"      (model=\S+/seed_\d+)/", PAGE)[1] in names


def arguments_of(script, tmp_path, **variables) -> list[str]:
    """What `tfkit` is called with when a shell runs the script."""
    program = tmp_path / "tfkit"
    program.write_text('#!/bin/sh\nfor each; do echo "$each"; done\n', encoding="utf-8")
    program.chmod(0o755)
    environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}", **variables}
    done = subprocess.run(["sh", "-c", script], env=environment, capture_output=True, text=True)
    assert done.returncode == 0 and not done.stderr, done.stderr
    return done.stdout.split()


@pytest.mark.parametrize(("number", "count"), [(1, 20), (20, 20)])
def test_the_array_job_asks_for_its_shard(number, count, tmp_path):
    script = next(text for kind, text in BLOCKS if "#SBATCH" in text)
    variables = {"SLURM_ARRAY_TASK_ID": str(number), "SLURM_ARRAY_TASK_COUNT": str(count)}
    assert arguments_of(script, tmp_path, **variables) == [
        *("sweep", "strengths.yaml", "--shard", f"{number}/{count}", "--quiet")
    ]


@pytest.mark.parametrize("index", [0, 19])
def test_the_indexed_job_asks_for_its_shard(index, tmp_path):
    job = parse(next(text for text in YAML if "kind: Job" in text))["spec"]
    (container,) = job["template"]["spec"]["containers"]
    assert container["command"] == ["sh", "-c"]
    found = arguments_of(container["args"][0], tmp_path, JOB_COMPLETION_INDEX=str(index))
    assert found[3] == f"{index + 1}/{job['completions']}"
