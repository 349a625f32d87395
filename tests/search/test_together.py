"""Several processes at one search, as users start them, and one of them dies."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from tests.search.test_trials import recipe
from tfkit import experiment
from tfkit.train.folder import RunFolder

TESTS = Path(__file__).parents[1]


@pytest.fixture(autouse=True)
def in_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def command(*arguments):
    """`tfkit search` as its own process."""
    place = os.pathsep.join([str(TESTS), str(TESTS.parent), os.environ.get("PYTHONPATH", "")])
    return subprocess.Popen(
        [sys.executable, "-m", "tfkit", "search", *arguments, "--json"],
        env={**os.environ, "PYTHONPATH": place},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def answer(process):
    """What it printed; it must have ended well."""
    out, errors = process.communicate(timeout=300)
    assert process.returncode == 0, errors
    return json.loads(out.splitlines()[-1]), errors


def wait_for(pattern):
    """Until a file appears."""
    end = time.monotonic() + 120
    while not (found := list(Path().glob(pattern))):
        assert time.monotonic() < end, f"{pattern} never appeared"
        time.sleep(0.05)
    return found[0]


def trials_of(run):
    return json.loads((Path(run) / "search" / "search.json").read_text())["trials"]


@pytest.mark.slow
def test_processes_join_by_the_same_command_and_a_dead_ones_trial_is_finished():
    given = recipe({"steps": 600}, engine={"name": "optuna", "lease": 5.0}, trials=5)
    Path("shared.yaml").write_text(json.dumps(given))
    doomed = command("shared.yaml")
    wait_for("runs/toy/*/search/trial_*/metrics.jsonl")
    doomed.send_signal(signal.SIGKILL)
    doomed.wait()
    others = [command("shared.yaml"), command("shared.yaml")]
    answers = [answer(process)[0] for process in others]
    (run,) = Path("runs/toy").iterdir()
    trials = trials_of(run)
    assert [t["id"] for t in trials] == [f"{n:04d}" for n in range(5)]
    assert {t["status"] for t in trials} == {"completed"}
    assert {each["run"] for each in answers} == {str(run)}
    assert max(each["status"] for each in answers) and RunFolder(run).provenance()["winner"]
    assert RunFolder(run / "search" / "trial_0000").provenance()["resumed_from"] != []
    more, _ = answer(command("shared.yaml", "--trials", "6"))
    assert more["run"] == str(run) and len(trials_of(run)) == 6


@pytest.mark.slow
def test_workers_find_what_one_process_finds_and_vanish_with_their_owner():
    """The owner is killed; its workers end by themselves, and the resumed search loses nothing."""
    given = recipe({"steps": 600, "threads": 1}, trials=4)
    whole = experiment.search({**given, "name": "whole"})
    Path("toy.yaml").write_text(json.dumps(given))
    owner = command("toy.yaml", "--workers", "2")
    wait_for("runs/toy/*/search/trial_0001/metrics.jsonl")
    children = subprocess.run(["pgrep", "-P", str(owner.pid)], capture_output=True, text=True)
    owner.send_signal(signal.SIGKILL)
    owner.wait()
    (run,) = Path("runs/toy").iterdir()
    pids = [int(line) for line in children.stdout.split()]
    end = time.monotonic() + 20
    while any(Path(f"/proc/{pid}").exists() for pid in pids):
        assert time.monotonic() < end, "workers outlived their owner"
        time.sleep(0.1)
    resumed, _ = answer(command("--resume", str(run)))
    assert len(pids) == 2 and resumed["status"] == "finished"
    same = ("id", "values", "objective", "status")
    shown = [[{k: t[k] for k in same} for t in trials_of(r)] for r in (run, whole["run"])]
    assert shown[0] == shown[1] and resumed["metrics"] == whole["metrics"]
    events = [json.loads(x) for x in (run / "search/journal.jsonl").read_text().splitlines()]
    told = Counter(event["tell"] for event in events if "tell" in event)
    assert told == dict.fromkeys((f"{n:04d}" for n in range(4)), 1)


@pytest.mark.slow
def test_a_second_living_process_on_a_search_of_one_owner_is_refused():
    Path("toy.yaml").write_text(json.dumps(recipe({"steps": 3000}, trials=3)))
    first = command("toy.yaml")
    run = wait_for("runs/toy/*/search/trial_0000/metrics.jsonl").parents[2]
    second = command("--resume", str(run))
    _, errors = second.communicate(timeout=120)
    first.send_signal(signal.SIGINT)
    _, interrupted = first.communicate(timeout=120)
    assert second.returncode == 1 and "another process is at work" in errors
    assert first.returncode == 130 and f"run --resume {run}" in interrupted
