"""Who may work on a trial: exactly one, and another one only once that one is gone."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.search.engines.joining import SPACE
from tfkit.search import make_engine
from tfkit.search.engines.holder import Holder, machine, started
from tfkit.search.engines.storage_leases import StorageLeases

ROOT = Path(__file__).parents[3]
KINDS = pytest.mark.parametrize("kind", ["journal", "sqlite"])
SOON = 1.0  # seconds of a lease in tests; shorter ones end on busy machines


def options(folder, kind, trials=6, lease=60.0):
    storage = {"storage": f"sqlite:///{folder}/search.db"} if kind == "sqlite" else {}
    return {"trials": trials, "seed": 3, "directory": str(folder), "lease": lease, **storage}


def engine(folder, kind="journal", **changed):
    return make_engine("optuna", SPACE, **options(folder, kind, **changed))


def suspend(made, *others):
    """No heartbeat for longer than a lease, as of a process that is stopped.

    With a database, others see that only if they look twice.
    """
    made.leases.closed.set()
    made.leases.thread.join()
    for other in others:
        if isinstance(other.leases, StorageLeases):
            assert other.ask() is None
    time.sleep(1.2 * SOON)


def process(folder, kind="journal", lease=60.0, trials=6, **behaviour):
    """A process that joins the search, and the lines that it prints."""
    arguments = {"engine": options(folder, kind, trials, lease), **behaviour}
    return subprocess.Popen(
        [sys.executable, "tests/search/engines/joining.py", json.dumps(arguments)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def read(worker, word, times=1):
    """Its lines up to the one that has `word` for that time."""
    lines = []
    while times:
        lines.append(json.loads(worker.stdout.readline()))
        times -= word in lines[-1]
    return lines


def rest(worker):
    """Its further lines; it must end by itself and say nothing else."""
    # not `communicate`, which would miss what `readline` has buffered
    out, err = worker.stdout.read(), worker.stderr.read()
    worker.wait(60)
    assert worker.returncode == 0 and err == "", err
    return [json.loads(line) for line in out.splitlines()]


# --- one after the other ----------------------------------------------------------------------


@KINDS
def test_a_living_process_keeps_its_trial(kind, tmp_path):
    one, other = (engine(tmp_path, kind, lease=SOON, trials=2) for _ in range(2))
    kept = one.ask()
    mine = other.ask()
    end = time.monotonic() + 3 * SOON
    while time.monotonic() < end:
        assert mine.id != kept.id and other.ask() is None and not other.done
        time.sleep(SOON / 5)
    one.tell(kept.id, 1.0)
    other.tell(mine.id, 1.0)
    assert one.done and other.done


@KINDS
def test_a_suspended_process_loses_its_trial_and_is_refused_politely(kind, tmp_path):
    one, other = (engine(tmp_path, kind, lease=SOON, trials=1) for _ in range(2))
    lost = one.ask()
    assert other.ask() is None
    suspend(one, other)
    assert other.ask() == lost
    one.tell(lost.id, 5.0)
    assert one.should_prune(lost.id, 1, 5.0)  # it need not go on
    assert not other.done and not one.told
    assert not other.should_prune(lost.id, 1, 5.0)
    other.tell(lost.id, 2.0)
    assert one.done and one.told[lost.id].objective == 2.0


@KINDS
def test_a_suspended_process_that_wakes_in_time_goes_on(kind, tmp_path):
    one, other = (engine(tmp_path, kind, lease=SOON, trials=1) for _ in range(2))
    trial = one.ask()
    assert other.ask() is None
    suspend(one)
    one.tell(trial.id, 5.0)  # nobody asked in between
    assert other.ask() is None and other.done and other.told[trial.id].objective == 5.0


@KINDS
def test_what_is_closed_is_free_at_once(kind, tmp_path):
    one, other = engine(tmp_path, kind, trials=3), engine(tmp_path, kind, trials=3)
    trials = [one.ask(), one.ask()]
    one.close()
    assert [other.ask(), other.ask()] == trials
    assert other.ask().id == "0002" and other.ask() is None


def test_an_engine_that_is_forgotten_lets_go_of_its_trials(tmp_path):
    one = engine(tmp_path)
    trial = one.ask()
    del one
    assert engine(tmp_path).ask() == trial


@KINDS
def test_a_takeover_can_be_taken_over(kind, tmp_path):
    engines = [engine(tmp_path, kind, lease=SOON, trials=1) for _ in range(4)]
    first = engines[0].ask()
    for before, after in zip(engines, engines[1:], strict=False):
        assert after.ask() is None
        suspend(before, after)
        assert after.ask() == first
    for made in engines[:-1]:
        made.tell(first.id, 9.0)
    engines[-1].tell(first.id, 1.0)
    assert [made.done and made.told[first.id].objective for made in engines] == [1.0] * 4
    left = [trial.user_attrs for trial in engines[0].memory.trials()]
    assert len(left) == 1  # no trial of ours for the lease itself
    names = {study.study_name for study in engines[0].memory.storage.get_all_studies()}
    assert names == {"tfkit"}  # and no study either
    if kind == "journal":
        folder = tmp_path / "optuna.journal.leases" / "tfkit"
        assert not [path for path in folder.iterdir() if not path.name.startswith("probe")]


def test_a_trial_whose_process_died_while_its_values_were_drawn_is_drawn_by_the_next(tmp_path):
    (tmp_path / "whole").mkdir()
    whole = engine(tmp_path / "whole")
    wanted = [whole.ask().values for _ in range(3)]
    worker = process(tmp_path, out=1, nap=0)
    assert worker.wait(60) == 9
    made = engine(tmp_path)
    assert list(made.asked) == ["0000"] and len(made.memory.trials()) == 2
    assert [made.ask().values for _ in range(2)] == wanted[1:]


# --- who is dead ------------------------------------------------------------------------------


def test_holders():
    here = Holder.here()
    assert not here.gone()
    ended = subprocess.Popen([sys.executable, "-c", ""])
    started_then = started(ended.pid)
    ended.wait()
    gone = here._replace(pid=ended.pid, started=started_then)
    assert gone.gone()
    assert not gone._replace(machine=machine() + " another container").gone()
    if here.started is not None:
        assert here._replace(started="1").gone()  # its number was given to this process since
        assert not here._replace(started=None).gone()


@pytest.mark.skipif(started(os.getpid()) is None, reason="the system has no /proc")
def test_a_killed_process_is_gone_also_before_its_parent_has_noticed():
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    holder = Holder.here()._replace(pid=child.pid, started=started(child.pid))
    assert not holder.gone()
    child.kill()
    end = time.monotonic() + 10
    while not holder.gone():
        assert time.monotonic() < end
        time.sleep(0.01)
    child.communicate()


def test_a_lease_file_that_was_cut_short_is_judged_by_its_age(tmp_path):
    made, other = engine(tmp_path, lease=SOON), engine(tmp_path, lease=SOON)
    trial = made.ask()
    made.leases.path(0, 0).write_text('{"host": "x", "ma')
    assert other.ask().id == "0001"
    suspend(made)
    assert other.ask() == trial


# --- at the same time -------------------------------------------------------------------------


@KINDS
def test_of_four_that_want_a_dead_trial_one_gets_it(kind, tmp_path):
    owner = engine(tmp_path, kind, trials=1, lease=SOON)
    trial = owner.ask()
    engines = [engine(tmp_path, kind, trials=1, lease=SOON) for _ in range(4)]
    suspend(owner, *engines)
    together = threading.Barrier(4)

    def grab(made):
        together.wait()
        return made.ask()

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(grab, engines))
    assert sorted(found, key=bool) == [None, None, None, trial]
    winner = engines[next(i for i, each in enumerate(found) if each)]
    winner.tell(trial.id, 1.0)
    assert all(made.done for made in engines)


@KINDS
def test_no_more_trials_are_asked_than_there_are(kind, tmp_path):
    engines = [engine(tmp_path, kind, trials=6) for _ in range(4)]
    together = threading.Barrier(4)

    def work(made):
        together.wait()
        return [trial for _ in range(4) if (trial := made.ask())]

    with ThreadPoolExecutor(4) as pool:
        found = [trial for trials in pool.map(work, engines) for trial in trials]
    assert sorted(trial.id for trial in found) == [f"{n:04d}" for n in range(6)]
    assert len({str(trial.values) for trial in found}) == 6
    for made in engines:
        for id in list(made.held):
            made.tell(id, 1.0)
    assert all(made.done for made in engines)
    more = engine(tmp_path, kind, trials=9)  # one too many that a race left is used now
    ids = [more.ask().id for _ in range(3)]
    assert ids == ["0006", "0007", "0008"] and more.ask() is None


@KINDS
def test_three_processes_of_which_one_is_killed(kind, tmp_path):
    trials = 12 if kind == "journal" else 6
    victim = process(tmp_path, kind, trials=trials, name="victim", hang=1)
    lines = read(victim, "asked", times=2)
    others = [process(tmp_path, kind, trials=trials, name=name) for name in ("x", "y")]
    for worker in others:
        read(worker, "ready")
    os.kill(victim.pid, signal.SIGKILL)
    victim.communicate()
    lost = lines[-1]
    found = [lines[:-1], *map(rest, others)]
    asked = [line for each in found for line in each if "asked" in line]
    assert sorted(line["asked"] for line in asked) == [f"{n:04d}" for n in range(trials)]
    again = [line for line in asked if line["asked"] == lost["asked"]]
    assert again == [lost]  # by one of the others, with its values
    told = sorted(line["told"] for each in found for line in each if "told" in line)
    assert told == [f"{n:04d}" for n in range(trials)]
    assert len({str(line["values"]) for line in asked}) == trials
    made = engine(tmp_path, kind, trials=trials)
    assert made.done and {told.status for told in made.told.values()} == {"completed"}
    for name, lines in zip(("x", "y"), found[1:], strict=True):  # one may have done it all
        own = [line["told"] for line in lines if "told" in line]
        assert {made.told[id].about["by"] for id in own} <= {name}


def test_a_process_that_is_stopped_and_continued(tmp_path):
    made = engine(tmp_path, trials=3, lease=SOON)
    worker = process(tmp_path, trials=3, lease=SOON, nap=1.0)
    (*_, line) = read(worker, "asked")
    os.kill(worker.pid, signal.SIGSTOP)
    time.sleep(1.5 * SOON)
    trial = made.ask()
    assert (trial.id, trial.values) == (line["asked"], line["values"])
    os.kill(worker.pid, signal.SIGCONT)
    read(worker, "told")  # what it told was dropped
    assert trial.id not in made.told and not made.done
    made.tell(trial.id, 42.0)
    assert {line["told"] for line in rest(worker) if "told" in line} == {"0001", "0002"}
    assert made.done and made.told[trial.id].objective == 42.0
