"""Small fits of scikit-learn: one thread inside each, and a factor a process."""

import warnings
from contextlib import contextmanager

from joblib import Parallel, cpu_count, delayed
from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import threadpool_limits

WORTH_PROCESSES = 5.0  # seconds of work; starting processes that import scikit-learn takes about 2


def one_thread():
    """One thread of BLAS and OpenMP: in small fits more of them wait for each other."""
    return threadpool_limits(limits=1)


@contextmanager
def without_convergence_warnings():
    """Silence about iterations that end early: where they end is part of the study's protocol."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        yield


def checked_workers(caller: str, workers: int | None) -> int:
    """How many processes: as asked, or as many as there are processors for this one."""
    if workers is None:
        return cpu_count()  # heeds affinity and the limits of containers
    if workers < 1:
        raise ValueError(f"{caller}: workers must be >= 1 or None, got {workers}.")
    return workers


def in_processes(function, jobs: list[tuple], workers: int, costs: list[float]) -> list:
    """`function(*job)` for every job, in the order of the jobs, the costliest begun first.

    What a job gives must depend on its arguments alone; then the number of processes changes
    nothing. Processes are fresh ones (not forks: TensorFlow would not survive one), so what is
    done sooner than they start is done in this one.

    Args:
        function: of a module, so that a fresh process can import it.
        jobs: arguments of each call.
        workers: processes at most.
        costs: of each job, in seconds, roughly.
    """
    workers = min(workers, len(jobs))
    if workers == 1 or sum(costs) < WORTH_PROCESSES:
        return [_alone(function, job) for job in jobs]
    order = sorted(range(len(jobs)), key=lambda index: -costs[index])
    pool = Parallel(workers, backend="loky", batch_size=1, pre_dispatch="all", max_nbytes=None)
    found = pool(delayed(_alone)(function, jobs[index]) for index in order)
    return [found[order.index(index)] for index in range(len(jobs))]


def _alone(function, job):
    with one_thread(), without_convergence_warnings():
        return function(*job)
