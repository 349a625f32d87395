"""Long-lived processes: what they do, how they die, and that none is left."""

import os
import signal

import pytest

from tests.search.executors import tasks
from tests.search.executors.tasks import Listed, around, task
from tests.train.runs import bytes_of
from tfkit.search.executors.inline import Inline
from tfkit.search.executors.local import Local
from tfkit.train.folder import RunFolder


@pytest.fixture(scope="module")
def local():
    """Two workers for all tests of this file."""
    executor = Local(workers=2)
    yield executor
    workers = [worker.process for worker in executor.pool.workers]
    executor.close()
    assert workers and all(process.poll() is not None for process in workers)


def kill_busy(executor, name):
    """SIGKILL the worker that has the task."""
    worker = next(w for w in executor.pool.busy() if w.task.id == name)
    os.kill(worker.process.pid, signal.SIGKILL)


def test_a_task_that_kills_three_workers_has_failed_and_the_others_go_on(local, tmp_path):
    deadly = tasks.recipe(callbacks=["misbehaving:deadly"])
    queue = Listed(task(tmp_path / "deadly", deadly), task(tmp_path / "well"))
    local.run(queue, around(tmp_path))
    assert queue.outcomes["well"].status == "completed"
    assert queue.outcomes["deadly"].status == "failed"
    assert "exit code 9" in queue.outcomes["deadly"].error


def test_a_task_that_hangs_is_killed(local, tmp_path, monkeypatch):
    monkeypatch.setattr("tfkit.search.executors.local.GRACE_SECONDS", -100)
    queue = Listed(task(tmp_path / "hanging", timeout=50))
    local.run(queue, around(tmp_path))
    assert "did not end within 50 s and was killed" in queue.outcomes["hanging"].error


def test_a_killed_workers_task_is_finished_from_its_checkpoint(local, tmp_path):
    killed = []

    def kill_once(task, step):
        if (task.id, step) == ("a", 6) and not killed:
            killed.append(step)
            kill_busy(local, "a")
        return False

    queue = Listed(task(tmp_path / "a"), task(tmp_path / "b"), on_report=kill_once)
    local.run(queue, around(tmp_path))
    alone = Listed(task(tmp_path / "alone" / "a"))
    Inline().run(alone, around(tmp_path))
    assert {o.status for o in queue.outcomes.values()} == {"completed"} and killed
    assert [step for id, step in queue.reports if id == "a"] == [3, 6, 9, 12]
    assert RunFolder(tmp_path / "a").provenance()["resumed_from"] == [6]
    one, other = RunFolder(tmp_path / "a"), RunFolder(tmp_path / "alone" / "a")
    assert bytes_of(one) == bytes_of(other)
    assert queue.outcomes["a"].objective == alone.outcomes["a"].objective
    assert queue.outcomes["a"].curve == alone.outcomes["a"].curve


def test_what_ends_before_its_time_is_told_with_its_reason(local, tmp_path):
    broken = tasks.recipe(callbacks=["misbehaving:broken"])
    diverging = tasks.recipe(optimizer={"name": "sgd", "learning_rate": 1e25})
    queue = Listed(
        task(tmp_path / "pruned"),
        task(tmp_path / "late", timeout=1e-3),
        task(tmp_path / "broken", broken),
        task(tmp_path / "diverged", diverging),
        on_report=lambda task, step: (task.id, step) == ("pruned", 6),
    )
    local.run(queue, around(tmp_path))
    ends = {id: outcome.status for id, outcome in queue.outcomes.items()}
    late, failed = queue.outcomes["late"], queue.outcomes["broken"]
    assert ends == {
        "pruned": "pruned",
        "late": "failed",
        "broken": "failed",
        "diverged": "diverged",
    }
    assert [step for step, _ in queue.outcomes["pruned"].curve] == [3, 6]
    assert queue.outcomes["pruned"].objective == queue.outcomes["pruned"].curve[-1][1]
    assert "search.timeout: it took longer than 0.001 s" in late.error
    assert "Traceback" in failed.error and "broken on purpose" in failed.error
    assert (tmp_path / "broken" / "error.txt").read_text() == failed.error
    assert "is not finite" in queue.outcomes["diverged"].error


def test_whoever_hears_may_end_it_all_and_no_worker_is_left(tmp_path):
    class Ending(Listed):
        def hear(self, task, outcome):
            raise RuntimeError("enough")

    executor, seen = Local(workers=1), []

    def look(task, step):
        seen.append(executor.pool.workers[0].process)
        return True

    with pytest.raises(RuntimeError, match="enough"):
        executor.run(Ending(task(tmp_path / "a"), on_report=look), around(tmp_path))
    assert seen[0].poll() is not None and executor.pool is None


def test_processors_and_gpus_are_divided(monkeypatch):
    from tfkit.search.executors.local import Pool

    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "4,5,6,7")
    shares = [Pool(3, None, 2).environment(number) for number in range(3)]
    assert [share["CUDA_VISIBLE_DEVICES"] for share in shares] == ["4,7", "5", "6"]
    assert {share["OMP_NUM_THREADS"] for share in shares} == {"2"}
    shares = [Pool(6, None, 1).environment(number) for number in range(6)]
    assert [share["CUDA_VISIBLE_DEVICES"] for share in shares] == ["4", "5", "6", "7", "4", "5"]
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert "CUDA_VISIBLE_DEVICES" not in Pool(2, None, 1).environment(0)
