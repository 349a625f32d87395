"""Tasks on a Ray cluster: a real one on this machine, and everything that can be wrong with one."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from tests.search.executors import tasks
from tests.search.executors.tasks import Listed, around, task
from tests.train.runs import bytes_of
from tfkit.errors import TfkitError, UsageError
from tfkit.search.executors import ray_cluster, ray_node
from tfkit.search.executors.inline import Inline
from tfkit.search.executors.ray import Ray
from tfkit.train.folder import RunFolder


def run(executor, *given, folder, on_report=lambda task, step: False):
    """Run some tasks; the queue that heard of them."""
    queue = Listed(*given, on_report=on_report)
    executor.run(queue, around(folder))
    return queue


# --- without a cluster ------------------------------------------------------------------------


def refusal(tmp_path, **options):
    executor = Ray(**options)
    with pytest.raises(UsageError) as caught:
        run(executor, folder=tmp_path)
    executor.close()
    return str(caught.value)


def test_ray_is_missing(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    assert refusal(tmp_path).endswith("ray needs the package ray: pip install 'tfkit[ray]'")


def test_nobody_answers(tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    for given in (address, f"ray://{address}"):
        message = refusal(tmp_path, address=given)
        assert message.startswith(f"search.executor.address: nothing answers at {given} (")
        assert "start a cluster with `ray start --head`" in message


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (
            ConnectionError("Could not find any running Ray instance. Please specify …"),
            "no Ray cluster runs on this machine; start a cluster with `ray start --head`",
        ),
        (
            RuntimeError(
                "Version mismatch: The cluster was started with:\n    Ray: 2.9.0\n"
                "    Python: 3.10.1\nThis process on node 1 was started with:\n    Ray: 2.52.1\n"
            ),
            "another Python or Ray than this machine; Version mismatch: The cluster was started "
            "with: Ray: 2.9.0 Python: 3.10.1 This process",
        ),
        (
            ValueError("Can't find a `node_ip_address.json` file from /tmp/ray/session."),
            "no node of the cluster at auto; join it with `ray start --address=auto`",
        ),
        (RuntimeError("\nThis went wrong.\nAnd that."), "auto cannot be joined: This went wrong."),
    ],
)
def test_a_cluster_that_cannot_be_joined(error, words, tmp_path, monkeypatch):
    def init(**_):
        raise error

    monkeypatch.setattr("ray.init", init)
    message = refusal(tmp_path)
    assert message.startswith("search.executor.address: ") and words in message
    assert "\n" not in message


def test_there_is_no_cluster_to_find(tmp_path, monkeypatch):
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    try:
        ray_cluster.join("auto")
    except UsageError as error:
        assert "no Ray cluster runs on this machine" in str(error)
    else:
        ray_cluster.leave()
        pytest.skip("a cluster runs on this machine")


def test_a_node_that_differs_or_does_not_see_the_folder(tmp_path, monkeypatch):
    with pytest.raises(UsageError, match=r"has tfkit .*, this machine 0\.0; install the same"):
        ray_node.Home("0.0", "/", (), {}).enter()
    monkeypatch.setattr(ray_node, "FOLDER_SECONDS", 0.1)
    with pytest.raises(UsageError, match=r"is not visible on node .*that all nodes share"):
        ray_node.find_folder(tmp_path / "nowhere")


def test_a_cluster_that_is_gone_is_not_blamed_on_the_tasks():
    with socket.socket() as alive, socket.socket() as gone:
        for each in (alive, gone):
            each.bind(("127.0.0.1", 0))
        alive.listen()
        there, nowhere = (f"127.0.0.1:{each.getsockname()[1]}" for each in (alive, gone))
        ray_cluster.check_lifelines([there])
        with pytest.raises(TfkitError, match=f"is gone: nothing answers at {nowhere}.*goes on"):
            ray_cluster.check_lifelines([there, nowhere])


# --- with one ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def cluster():
    """The address of a cluster with two processors, which ends with this file."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    folder = tempfile.mkdtemp(prefix="ray")  # below it are sockets, whose paths must be short
    log = Path(folder) / "log"
    start = [sys.executable, "-m", "ray.scripts.scripts", "start", "--head", "--block"]
    start += [f"--port={port}", "--num-cpus=2", "--node-ip-address=127.0.0.1"]
    start += [f"--temp-dir={folder}", f"--object-store-memory={10**8}"]
    start += ["--include-dashboard=false", "--disable-usage-stats"]
    with open(log, "wb") as out:
        head = subprocess.Popen(start, stdout=out, stderr=out)
    try:
        end = time.monotonic() + 120
        while "Ray runtime started" not in log.read_text():
            assert head.poll() is None and time.monotonic() < end, log.read_text()
            time.sleep(0.2)
        yield f"127.0.0.1:{port}"
    finally:
        head.send_signal(signal.SIGTERM)  # ends the processes that it started, and no others
        head.wait(60)
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def executor(cluster):
    made, before = Ray(address=cluster, workers=2), signal.getsignal(signal.SIGTERM)
    yield made
    made.close()
    assert signal.getsignal(signal.SIGTERM) == before
    import ray

    assert not ray.is_initialized()


def worker_of(folder):
    """The process that holds a task's folder."""
    for opened in Path("/proc").glob("[0-9]*/fd/*"):
        try:
            if os.readlink(opened) == str(folder / ".lock"):
                return int(opened.parts[2])
        except OSError:
            continue
    raise LookupError(folder)


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="the system has no /proc")
def test_a_killed_workers_task_is_finished_from_its_checkpoint(executor, tmp_path, capfd):
    killed = []

    def kill_once(task, step):
        if (task.id, step) == ("a", 6) and not killed:
            killed.append(step)
            os.kill(worker_of(tmp_path / "a"), signal.SIGKILL)
        return False

    given = task(tmp_path / "a"), task(tmp_path / "b")
    queue = run(executor, *given, folder=tmp_path, on_report=kill_once)
    assert {o.status for o in queue.outcomes.values()} == {"completed"} and killed
    assert [step for id, step in queue.reports if id == "a"] == [3, 6, 9, 12]
    assert RunFolder(tmp_path / "a").provenance()["resumed_from"] == [6]
    alone = run(Inline(), task(tmp_path / "alone" / "a"), folder=tmp_path)
    one, other = RunFolder(tmp_path / "a"), RunFolder(tmp_path / "alone" / "a")
    assert bytes_of(one) == bytes_of(other)
    assert queue.outcomes["a"].objective == alone.outcomes["a"].objective
    assert "raylet" not in "".join(capfd.readouterr())


@pytest.mark.slow
def test_what_ends_before_its_time_is_told_with_its_reason(executor, tmp_path):
    broken = tasks.recipe(callbacks=["misbehaving:broken"])
    diverging = tasks.recipe(optimizer={"name": "sgd", "learning_rate": 1e25})
    queue = run(
        executor,
        task(tmp_path / "pruned"),
        task(tmp_path / "late", timeout=1e-3),
        task(tmp_path / "broken", broken),
        task(tmp_path / "diverged", diverging),
        folder=tmp_path,
        on_report=lambda task, step: (task.id, step) == ("pruned", 6),
    )
    ends = {id: outcome.status for id, outcome in queue.outcomes.items()}
    wanted = {"pruned": "pruned", "late": "failed", "broken": "failed", "diverged": "diverged"}
    assert ends == wanted
    assert [step for step, _ in queue.outcomes["pruned"].curve] == [3, 6]
    assert "search.timeout: it took longer than 0.001 s" in queue.outcomes["late"].error
    assert "broken on purpose" in queue.outcomes["broken"].error


@pytest.mark.slow
def test_a_task_that_kills_three_workers_has_failed_and_the_others_go_on(executor, tmp_path):
    deadly = tasks.recipe(callbacks=["misbehaving:deadly"])
    given = task(tmp_path / "deadly", deadly), task(tmp_path / "well")
    queue = run(executor, *given, folder=tmp_path)
    assert queue.outcomes["well"].status == "completed"
    assert queue.outcomes["deadly"].status == "failed"
    assert "died" in queue.outcomes["deadly"].error


@pytest.mark.slow
def test_a_task_that_hangs_is_killed(executor, tmp_path, monkeypatch):
    monkeypatch.setattr("tfkit.search.executors.ray.GRACE_SECONDS", -100)
    queue = run(executor, task(tmp_path / "hanging", timeout=50), folder=tmp_path)
    assert "did not end within 50 s and was killed" in queue.outcomes["hanging"].error


@pytest.mark.slow
def test_what_every_task_would_meet_ends_the_search(executor, tmp_path, monkeypatch):
    given = task(tmp_path / "a")
    (tmp_path / "a" / "evaluation.json").mkdir()  # where a file is expected
    with pytest.raises(OSError, match="evaluation.json"):
        run(executor, given, folder=tmp_path)


@pytest.mark.slow
def test_whoever_hears_may_end_it_all_and_no_task_is_left(executor, tmp_path):
    class Ending(Listed):
        def hear(self, task, outcome):
            raise RuntimeError("enough")

    def look(task, step):
        return task.id == "a"

    with pytest.raises(RuntimeError, match="enough"):
        long = task(tmp_path / "b", tasks.recipe(steps=100_000))
        executor.run(Ending(task(tmp_path / "a"), long, on_report=look), around(tmp_path))
    end = time.monotonic() + 30
    with pytest.raises(LookupError):
        while time.monotonic() < end:
            worker_of(tmp_path / "b")
            time.sleep(0.2)


@pytest.mark.slow
def test_a_task_that_no_node_could_run_is_refused(cluster, executor, tmp_path):
    message = refusal(tmp_path, address=cluster, cpus=64)
    assert "no node of the cluster has 64 CPUs and 0 GPUs for a task; they have 2 CPUs" in message
