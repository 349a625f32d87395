"""One task in one process."""

from tests.search.executors.tasks import task
from tfkit.search import work
from tfkit.search.work import Outcome, Sources, note_end, perform
from tfkit.train.folder import RunFolder


def test_threads_are_set_before_data_are_loaded(tmp_path, monkeypatch):
    """Data may start TensorFlow, which then keeps its threads, and with them other last digits."""
    calls = []
    prepare, load = work.device.prepare, work.load_data
    monkeypatch.setattr(work.device, "prepare", lambda t: (calls.append("threads"), prepare(t)))
    monkeypatch.setattr(work, "load_data", lambda r: (calls.append("data"), load(r))[1])
    outcome = perform(task(tmp_path / "a"), Sources(), lambda step, value: False)
    assert outcome.status == "completed" and calls[:2] == ["threads", "data"]


def test_how_a_task_ended_stands_in_its_folder_whoever_says_so(tmp_path):
    given = task(tmp_path / "a")
    note_end(given, Outcome("failed", None, 1.0, "3 workers died of it"))
    folder = RunFolder(given.folder)
    assert (folder / "error.txt").read_text() == "3 workers died of it"
    assert folder.provenance()["status"] == "failed"
    note_end(given, Outcome("completed", 1.0, 1.0))
    assert folder.provenance()["status"] == "finished" and not (folder / "error.txt").exists()
