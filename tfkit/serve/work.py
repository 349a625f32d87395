"""The threads that compute, how many requests may wait for them, and in how much memory."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from tfkit.serve.status import RequestError

log = logging.getLogger("tfkit.serve")


class Work:
    """A pool of threads that a loop hands its requests to.

    Args:
        workers: threads.
        most: requests that are computed or wait; one more is refused.
    """

    def __init__(self, workers: int, most: int):
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="answer")
        self._most = most
        self._pending = 0
        self._lock = threading.Lock()

    @property
    def pending(self) -> int:
        """Requests that are computed or wait."""
        return self._pending

    async def do(self, function: Callable[[], Any], seconds: float | None = None) -> Any:
        """Call a function in a thread and wait for it.

        Whoever stops waiting takes the request from the queue; what is being computed goes on, and
        keeps its place, until it is done.

        Args:
            function: without arguments.
            seconds: to wait at most.
        Raises: RequestError, RESOURCE_EXHAUSTED or DEADLINE_EXCEEDED; the one that the function
            raises, or INTERNAL where it raises anything else, which the log shows.
        """
        with self._lock:
            if self._pending >= self._most:
                raise RequestError(
                    "RESOURCE_EXHAUSTED", f"{self._most} requests are being answered; try again."
                )
            self._pending += 1
        # the pool's queue holds on to what was cancelled, and it to this frame: not to a request's
        # body, please
        kept = [function]
        del function
        future = self._submit(lambda: kept.pop()())
        try:
            async with asyncio.timeout(seconds) as limit:
                return await asyncio.wrap_future(future)
        except RequestError:
            raise
        except Exception as error:
            if limit.expired():
                raise RequestError(
                    "DEADLINE_EXCEEDED", f"There was no answer within {seconds:g} seconds."
                ) from error
            log.exception("a request failed in a way that nobody foresaw")
            raise RequestError("INTERNAL", "The server failed; its log says how.") from error
        finally:
            kept.clear()

    def stop(self) -> None:
        """Take no more; what runs is not waited for."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _submit(self, function: Callable[[], Any]) -> Future:
        try:
            future = self._pool.submit(function)
        except RuntimeError as error:  # stopped, or the system gives no further thread
            self._done(None)
            raise RequestError("UNAVAILABLE", f"Nothing can be computed now: {error}.") from error
        future.add_done_callback(self._done)
        return future

    def _done(self, future: Future | None) -> None:
        with self._lock:
            self._pending -= 1


class Budget:
    """A number of bytes that requests share while they are held in memory.

    Args:
        most: bytes.
    """

    def __init__(self, most: int):
        self._most = most
        self._taken = 0

    def hold(self) -> Hold:
        """A request's own share, nothing yet; used on the loop alone."""
        return Hold(self)

    def change(self, count: int) -> None:
        """Take or, below 0, give back.

        Raises: RequestError, RESOURCE_EXHAUSTED.
        """
        if count > 0 and self._taken + count > self._most:
            raise RequestError(
                "RESOURCE_EXHAUSTED", "Too many requests are arriving at once; try again."
            )
        self._taken += count


class Hold:
    """What one request has taken of a budget; leaving the block gives it back."""

    def __init__(self, budget: Budget):
        self._budget = budget
        self._taken = 0

    def take(self, count: int) -> None:
        """Take more; RequestError where there is none left."""
        self._budget.change(count)
        self._taken += count

    def __enter__(self) -> Hold:
        return self

    def __exit__(self, *_: object) -> None:
        self._budget.change(-self._taken)
        self._taken = 0
