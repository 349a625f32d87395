"""The journal's lock: one at a time, and nobody waits for the dead."""

import subprocess
import sys
import threading
import time

import pytest

from tfkit.search.engines import journal_lock
from tfkit.search.engines.holder import Holder
from tfkit.search.engines.journal_lock import JournalLock


@pytest.fixture
def journal(tmp_path):
    return tmp_path / "x.journal"


def dead():
    """A process that was."""
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    return Holder.here()._replace(pid=ended.pid)


def left_by(journal, holder):
    lock = JournalLock(journal)
    lock.text = journal_lock.json.dumps(holder._asdict())
    assert lock.create()


def test_one_at_a_time(journal):
    inside, most = [], []

    def work():
        lock = JournalLock(journal)
        for _ in range(20):
            lock.acquire()
            inside.append(1)
            most.append(len(inside))
            time.sleep(0.0005)
            inside.pop()
            lock.release()

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(most) == 120 and max(most) == 1
    assert not list(journal.parent.iterdir())


def test_a_dead_processes_lock_is_taken_away_at_once(journal):
    left_by(journal, dead())
    started = time.monotonic()
    lock = JournalLock(journal)
    lock.acquire()
    assert time.monotonic() - started < 1
    lock.release()
    assert not list(journal.parent.iterdir())


@pytest.mark.parametrize("left", ["", "{}", "/a/link/as/optuna/makes/it", None])
def test_a_lock_of_which_nothing_is_known_is_waited_for(left, journal, monkeypatch):
    monkeypatch.setattr(journal_lock, "GRACE_SECONDS", 0.3)
    if left is None:  # another machine's
        left_by(journal, dead()._replace(machine="another"))
    elif left.startswith("/"):
        journal.touch()
        JournalLock(journal).path.symlink_to(journal)
    else:
        JournalLock(journal).path.write_text(left)
    started = time.monotonic()
    JournalLock(journal).acquire()
    assert 0.3 <= time.monotonic() - started < 2


def test_a_living_processes_lock_is_put_back(journal):
    left_by(journal, dead())
    slow = JournalLock(journal)
    judged = journal_lock.read(slow.path)
    quick = JournalLock(journal)
    quick.acquire()
    slow.take_away(judged)
    assert journal_lock.read(slow.path)[0] == quick.text
    quick.release()
    assert not list(journal.parent.iterdir())


def test_who_slept_with_the_lock_in_hand_leaves_the_next_ones_alone(journal):
    sleeper, other = JournalLock(journal), JournalLock(journal)
    sleeper.acquire()
    sleeper.path.unlink()  # another process has thought it dead
    other.acquire()
    sleeper.release()
    assert journal_lock.read(other.path)[0] == other.text
    other.release()
    sleeper.release()
