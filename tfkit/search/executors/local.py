"""Several long-lived processes on this machine."""

import contextlib
import os
import socket
import subprocess
import sys
import time
from collections import Counter, deque
from multiprocessing.connection import Connection, wait
from pathlib import Path

from tfkit.errors import TfkitError
from tfkit.search.executors.base import (
    GRACE_SECONDS,
    MOST_DEATHS,
    POLL_SECONDS,
    Executor,
    Queue,
    Surroundings,
)
from tfkit.search.work import Outcome, Task
from tfkit.train import device

FAREWELL_SECONDS = 5  # that an idle worker has for going by itself
LOG_LINES = 20  # of a dead worker's log that are shown


class Worker:
    """One process and the line to it."""

    def __init__(self, number: int, folder: Path, environment: dict):
        folder.mkdir(parents=True, exist_ok=True)
        self.log = folder / f"worker_{number}.log"
        self.number = number
        ours, theirs = socket.socketpair()
        with open(self.log, "ab") as log, theirs:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tfkit.search.executors.worker", str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, **environment},
            )
        self.line = Connection(ours.detach())
        self.task: Task | None = None
        self.started = 0.0
        self.ready = False

    def give(self, task: Task) -> None:
        """Let it do a task; it reads it once it is up."""
        self.task, self.started = task, time.monotonic()
        self.send("task", task)

    def send(self, kind: str, content) -> None:
        """Write to it; that it is dead is seen when it is read from."""
        with contextlib.suppress(OSError):
            self.line.send((kind, content))

    def overdue(self) -> bool:
        """Whether its task did not end itself when its time was up."""
        if self.task is None or self.task.timeout is None:
            return False
        return time.monotonic() > self.started + self.task.timeout + GRACE_SECONDS

    def how_it_died(self) -> str:
        """Its exit and the end of its log, in words."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(FAREWELL_SECONDS)  # its line breaks a moment before it is gone
        self.end()
        code = self.process.returncode
        how = f"killed by signal {-code}" if code < 0 else f"exit code {code}"
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-LOG_LINES:]
        return "\n".join([f"worker {self.number} died ({how}); its log ends with", *lines])

    def end(self) -> None:
        """Kill it, whatever it does: its work is in its checkpoints."""
        self.line.close()
        self.process.kill()
        self.process.wait()


class Local(Executor):
    """Long-lived processes on this machine, one task each at a time.

    CPU threads and GPUs are divided among them, GPU memory grows as needed. A task whose worker
    dies is finished by another one from its checkpoint; one that kills three workers has failed.
    Needs an operating system with Unix sockets.

    Args:
        workers: how many processes, >= 1.
    References: does what Keras Tuner's chief and workers are for,
        https://keras.io/guides/keras_tuner/distributed_tuning
    """

    def __init__(self, workers: int = 2):
        if workers < 1:
            raise ValueError(f"workers must be >= 1, got {workers}.")
        self.count = workers
        self.pool: Pool | None = None

    @property
    def workers(self) -> int:
        """How many tasks run at the same time."""
        return self.count

    @property
    def threads(self) -> int:
        """Each worker's share of the processors."""
        return max(1, device.available_cpus() // self.count)

    def run(self, queue: Queue, around: Surroundings) -> None:
        """Run all tasks; the workers stay for the next ones, unless something went wrong."""
        if self.pool is None:
            threads = around.recipe["train"]["threads"]
            self.pool = Pool(self.count, around.folder / "workers", threads)
        try:
            while not queue.done:
                self.pool.feed(queue)
                self.pool.listen(queue)
        except BaseException:
            self.pool.end()
            self.pool = None
            raise

    def close(self) -> None:
        """Send the workers home."""
        if self.pool is not None:
            self.pool.dismiss()
            self.pool.end()
            self.pool = None


class Pool:
    """The workers, the tasks that came back from dead ones, and how often each came back."""

    def __init__(self, count: int, folder: Path, threads: int):
        self.count, self.folder, self.threads = count, folder, threads
        self.workers: list[Worker] = []
        self.returned: deque[Task] = deque()
        self.deaths = Counter()

    def feed(self, queue: Queue) -> None:
        """Give every free worker a task; workers are started as tasks ask for them."""
        while len(self.busy()) < self.count:
            task = self.returned.popleft() if self.returned else queue.next()
            if task is None:
                return
            free = next((worker for worker in self.workers if worker.task is None), None)
            (free or self.start()).give(task)

    def busy(self) -> list[Worker]:
        """Workers with a task."""
        return [worker for worker in self.workers if worker.task is not None]

    def start(self) -> Worker:
        """A new worker under the lowest free number, which says which GPUs are its own."""
        taken = {worker.number for worker in self.workers}
        number = next(n for n in range(self.count) if n not in taken)
        self.workers.append(Worker(number, self.folder, self.environment(number)))
        return self.workers[-1]

    def environment(self, number: int) -> dict[str, str]:
        """A worker's share of the machine, for libraries that only ask the environment, and where
        this process finds its modules.
        """
        gpus = device.gpu_names()
        own = gpus[number :: self.count] or gpus[number % len(gpus) :][:1] if gpus else []
        shared = {"CUDA_VISIBLE_DEVICES": ",".join(own)} if own else {}
        names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
        return {
            **dict.fromkeys(names, str(self.threads)),
            "TF_CPP_MIN_LOG_LEVEL": "3",
            "PYTHONPATH": os.pathsep.join(path or os.getcwd() for path in sys.path),
            **shared,
        }

    def listen(self, queue: Queue) -> None:
        """Hear what the workers say, for a moment."""
        lines = {worker.line: worker for worker in self.workers}
        if not lines:
            time.sleep(POLL_SECONDS)
        for line in wait(list(lines), timeout=POLL_SECONDS):
            try:
                kind, content = line.recv()
            except (EOFError, OSError):
                self.bury(lines[line], queue)
            else:
                self.hear(lines[line], kind, content, queue)
        for worker in [worker for worker in self.workers if worker.overdue()]:
            self.give_up(worker, queue)

    def hear(self, worker: Worker, kind: str, content, queue: Queue) -> None:
        """One message."""
        if kind == "ready":
            worker.ready, worker.started = True, time.monotonic()  # its start is not the task's
        elif kind == "report":
            worker.send("verdict", queue.report(worker.task, *content))
        elif kind == "outcome":
            task, worker.task = worker.task, None
            queue.finished(task, content)
        else:
            error, text = content
            error.add_note(text)
            raise error

    def bury(self, worker: Worker, queue: Queue) -> None:
        """Take a dead worker's task back; another one goes on from its checkpoint."""
        self.workers.remove(worker)
        why = worker.how_it_died()
        if not worker.ready and worker.task and self.deaths[worker.task.folder]:
            raise TfkitError(f"search.executor: {why}")
        if worker.task is None:
            return
        self.deaths[worker.task.folder] += 1
        if self.deaths[worker.task.folder] < MOST_DEATHS:
            self.returned.append(worker.task)
            return
        seconds = time.monotonic() - worker.started
        queue.finished(
            worker.task,
            Outcome("failed", None, seconds, f"{MOST_DEATHS} workers died of it; {why}"),
        )

    def give_up(self, worker: Worker, queue: Queue) -> None:
        """Kill a worker whose task hangs."""
        self.workers.remove(worker)
        worker.end()
        why = f"search.timeout: it did not end within {worker.task.timeout:g} s and was killed"
        seconds = time.monotonic() - worker.started
        queue.finished(worker.task, Outcome("failed", None, seconds, why))

    def dismiss(self) -> None:
        """Send idle workers home."""
        for worker in self.workers:
            worker.send("task", None)
        end = time.monotonic() + FAREWELL_SECONDS
        for worker in self.workers:
            with contextlib.suppress(subprocess.TimeoutExpired):
                worker.process.wait(max(0.0, end - time.monotonic()))

    def end(self) -> None:
        """Leave no process behind."""
        for worker in self.workers:
            worker.end()
