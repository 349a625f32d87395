"""The pool of threads and the budget of bytes: what they take they give back."""

import asyncio
import gc
import threading
import weakref

import pytest

from tfkit.serve.status import RequestError
from tfkit.serve.work import Budget, Work


class Body:
    """Stands for a request's body."""

    def answer(self):
        return "done"


def refused(code):
    return pytest.raises(RequestError, check=lambda error: error.code == code)


async def code_of(asked):
    """The code of the refusal, which is not kept: its traceback would keep the body."""
    try:
        await asked
    except RequestError as error:
        return error.code


def test_what_is_given_up_is_let_go_though_the_pool_is_busy():
    async def scene():
        work, leave = Work(1, 8), threading.Event()
        busy = asyncio.create_task(work.do(leave.wait))
        await asyncio.sleep(0.05)
        body = Body()
        seen = weakref.ref(body)
        code = await code_of(work.do(body.answer, 0.05))
        del body
        gc.collect()
        assert code == "DEADLINE_EXCEEDED"
        gone, pending = seen() is None, work.pending
        leave.set()
        await busy
        return gone, pending, work.pending

    assert asyncio.run(scene()) == (True, 1, 0)


def test_a_stopped_pool_refuses_and_counts_nothing():
    work = Work(1, 1)
    work.stop()
    for _ in range(3):
        with refused("UNAVAILABLE"):
            asyncio.run(work.do(Body().answer))
    assert work.pending == 0


@pytest.mark.parametrize("seconds", [None, 20])
def test_a_time_out_of_the_function_itself_is_a_failure_of_ours(seconds, caplog):
    def fail():
        raise TimeoutError("a share is away")

    with refused("INTERNAL"):
        asyncio.run(Work(1, 1).do(fail, seconds))
    assert "nobody foresaw" in caplog.text


def test_a_budget_is_shared_and_given_back():
    budget = Budget(10)
    with budget.hold() as first, budget.hold() as second:
        first.take(6)
        with refused("RESOURCE_EXHAUSTED"):
            second.take(5)
        second.take(4)
    with budget.hold() as third:
        third.take(10)
