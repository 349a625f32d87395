"""The executor without a process of its own."""

from tests.search.executors.tasks import Listed, around, task
from tfkit.search.executors.inline import Inline


def test_tasks_run_in_order_and_a_finished_one_is_not_run_again(tmp_path):
    queue = Listed(task(tmp_path / "a"), task(tmp_path / "b"))
    Inline().run(queue, around(tmp_path))
    assert [id for id, _ in queue.reports] == ["a"] * 4 + ["b"] * 4
    again = Listed(task(tmp_path / "a"))
    Inline().run(again, around(tmp_path))
    assert not again.reports
    assert again.outcomes["a"].objective == queue.outcomes["a"].objective


def test_it_waits_while_the_queue_may_have_more(tmp_path, monkeypatch):
    monkeypatch.setattr("tfkit.search.executors.inline.POLL_SECONDS", 0)

    class Hesitant(Listed):
        waits = 3

        def next(self):
            self.waits -= 1
            return None if self.waits > 0 else super().next()

    queue = Hesitant(task(tmp_path / "a"))
    Inline().run(queue, around(tmp_path))
    assert queue.waits <= 0 and queue.outcomes["a"].status == "completed"
