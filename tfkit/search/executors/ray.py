"""Tasks on a Ray cluster."""

import contextlib
import time
from collections import Counter, deque
from dataclasses import dataclass

from tfkit.errors import UsageError
from tfkit.extras import need
from tfkit.search.executors.base import (
    GRACE_SECONDS,
    MOST_DEATHS,
    POLL_SECONDS,
    Executor,
    Queue,
    Surroundings,
)
from tfkit.search.executors.ray_node import Home, Mailbox, perform_here
from tfkit.search.work import Outcome, Task


class Ray(Executor):
    """Tasks on the nodes of a Ray cluster that is running already.

    The folder of the run must be visible under the same path on all nodes, and the same tfkit,
    Ray and Python installed there. A task whose worker or node dies is finished by another one
    from its checkpoint; one that kills three workers has failed. Tasks for which the cluster has
    no room wait for it; their time-out counts from their start.

    Args:
        address: of the cluster: auto (the one that this machine is a node of), HOST:PORT of its
            head, or ray://HOST:10001 from a machine that is no node.
        workers: how many tasks at the same time, >= 1.
        cpus: processors of a task, >= 1; also the number of its threads.
        gpus: GPUs of a task, >= 0; a fraction shares one among several tasks.
    References: Moritz et al. 2018, arXiv:1712.05889.
    """

    def __init__(self, address: str = "auto", workers: int = 2, cpus: int = 1, gpus: float = 0.0):
        for name, value, least in (("workers", workers, 1), ("cpus", cpus, 1), ("gpus", gpus, 0)):
            if value < least:
                raise ValueError(f"{name} must be >= {least}, got {value}.")
        self.address, self.count, self.cpus, self.gpus = address, workers, cpus, gpus
        self.joined = self.ours = False

    @property
    def workers(self) -> int:
        """How many tasks run at the same time."""
        return self.count

    @property
    def threads(self) -> int:
        """Processors of a task."""
        return self.cpus

    def run(self, queue: Queue, around: Surroundings) -> None:
        """Run all tasks; whatever raises ends those that are running."""
        need("search.executor: ray", "ray", "ray")
        from tfkit.search.executors import ray_cluster

        if not self.joined:
            self.ours, self.joined = ray_cluster.join(self.address), True
            ray_cluster.check_room(self.cpus, self.gpus)
        crew = Crew(self.count, self.cpus, self.gpus, ray_cluster.lifelines(self.address))
        try:
            while not queue.done:
                crew.feed(queue)
                crew.listen(queue)
        except ConnectionError:
            ray_cluster.check_lifelines(crew.lifelines)
            raise
        finally:
            crew.end()

    def close(self) -> None:
        """Leave the cluster, if it was this executor that joined it."""
        if self.joined and self.ours:
            from tfkit.search.executors.ray_cluster import leave

            leave()
        self.joined = self.ours = False


@dataclass
class Job:
    """A task that was handed to the cluster."""

    task: Task
    attempt: str
    begun: float | None = None  # when it was heard of first


class Crew:
    """The tasks that are out, those that came back from dead workers, and how often each did."""

    def __init__(self, count: int, cpus: int, gpus: float, lifelines: list[str]):
        import ray

        self.ray, self.count, self.home, self.lifelines = ray, count, Home.here(), lifelines
        # a worker that ever saw one GPU cannot change to another
        reuse = {"max_calls": 1} if gpus else {}
        work = ray.remote(max_retries=0, num_cpus=cpus, num_gpus=gpus, **reuse)
        self.work = work(perform_here)
        self.out: dict = {}  # reference to a result -> Job
        self.returned: deque[Task] = deque()
        self.deaths, self.attempts = Counter(), 0
        self.open_mailbox()

    def open_mailbox(self) -> None:
        """A mailbox that dies with this process's node and no other, where that can be told."""
        place = {}
        with contextlib.suppress(Exception):
            from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

            node = self.ray.get_runtime_context().get_node_id()
            place = {"scheduling_strategy": NodeAffinitySchedulingStrategy(node, soft=True)}
        self.mailbox = self.ray.remote(num_cpus=0, **place)(Mailbox).remote()
        self.letters = self.mailbox.collect.remote(POLL_SECONDS)

    def feed(self, queue: Queue) -> None:
        """Hand out tasks while there may be more."""
        while len(self.out) < self.count:
            task = self.returned.popleft() if self.returned else queue.next()
            if task is None:
                return
            self.attempts += 1
            job = Job(task, f"{self.attempts}")
            reference = self.work.remote(task, job.attempt, self.mailbox, self.home)
            self.out[reference] = job

    def listen(self, queue: Queue) -> None:
        """Hear what the nodes say, for a moment."""
        waited = [*self.out, self.letters]
        ready, _ = self.ray.wait(waited, num_returns=1, timeout=2 * POLL_SECONDS)
        if self.letters in ready:
            self.read(queue)
        for reference in ready:
            if reference in self.out:
                self.collect(reference, queue)
        for reference, job in list(self.out.items()):
            if self.overdue(job):
                self.give_up(reference, queue)

    def read(self, queue: Queue) -> None:
        """The mailbox's letters; those of attempts that are over go unread."""
        try:
            letters = self.ray.get(self.letters)
        except self.ray.exceptions.RayActorError:
            return self.open_mailbox()
        jobs = {job.attempt: job for job in self.out.values()}
        for attempt, kind, *content in letters:
            job = jobs.get(attempt)
            if job is not None and kind == "started":
                job.begun = time.monotonic()
            if kind == "report":
                verdict = job is None or queue.report(job.task, *content)
                self.mailbox.answer.remote(attempt, verdict)
        self.letters = self.mailbox.collect.remote(POLL_SECONDS)
        return None

    def collect(self, reference, queue: Queue) -> None:
        """A task's outcome, its death, or what every other task would meet too."""
        job = self.out.pop(reference)
        try:
            outcome = self.ray.get(reference)
        except self.ray.exceptions.RayTaskError as error:
            raise met_by_all(error) from error
        except self.ray.exceptions.RayError as error:
            self.bury(job, error, queue)
        else:
            queue.finished(job.task, Outcome(*outcome))

    def bury(self, job: Job, error: Exception, queue: Queue) -> None:
        """Take a dead worker's task back; another one goes on from its checkpoint."""
        from tfkit.search.executors.ray_cluster import check_lifelines

        check_lifelines(self.lifelines)
        self.deaths[job.task.folder] += 1
        if self.deaths[job.task.folder] < MOST_DEATHS:
            self.returned.append(job.task)
            return
        why = " ".join(str(error).split())
        text = f"{MOST_DEATHS} workers on the Ray cluster died of it: {why}"
        queue.finished(job.task, Outcome("failed", None, self.seconds(job), text))

    def overdue(self, job: Job) -> bool:
        """Whether a task did not end itself when its time was up."""
        limit = job.task.timeout
        return limit is not None and self.seconds(job) > limit + GRACE_SECONDS

    def seconds(self, job: Job) -> float:
        """For how long a task has run."""
        return 0.0 if job.begun is None else time.monotonic() - job.begun

    def give_up(self, reference, queue: Queue) -> None:
        """Kill a task that hangs."""
        job = self.out.pop(reference)
        self.ray.cancel(reference, force=True)
        why = f"search.timeout: it did not end within {job.task.timeout:g} s and was killed"
        queue.finished(job.task, Outcome("failed", None, self.seconds(job), why))

    def end(self) -> None:
        """Leave no task running: their work is in their checkpoints."""
        if not self.ray.is_initialized():
            return  # the cluster is gone; whatever is asked of Ray now would start one here
        for reference in self.out:
            with contextlib.suppress(Exception):
                self.ray.cancel(reference, force=True)
        with contextlib.suppress(Exception):
            self.ray.kill(self.mailbox)


def met_by_all(error) -> Exception:
    """What a node raised, which ends the search."""
    text = str(error)
    if "failed to import on the worker" in text or "No module named 'tfkit'" in text:
        return UsageError(
            "search.executor: a node of the cluster has no tfkit; install the same version on all."
        )
    cause = error.cause if isinstance(error.cause, Exception) else error
    cause.add_note(text)
    return cause
