"""Version folders: whole or absent, numbered once."""

import threading
import time

import pytest

from tfkit.errors import TfkitError
from tfkit.export import versions


def write(destination, text="x", archive=False):
    with versions.writing(destination, "m") as draft:
        (draft.folder / "saved_model.pb").write_text(text)
        time.sleep(0.05)
        draft.publish(archive=archive)
    return draft.version


def test_next_is_one_above_the_highest(tmp_path):
    for taken in ("3", "10", "7.tar.gz", "notes"):
        (tmp_path / "m" / taken).mkdir(parents=True)
    assert write(tmp_path) == 11
    assert versions.published(tmp_path / "m") == [3, 10, 11]


def test_exporters_at_once_get_numbers_of_their_own(tmp_path):
    numbers, seen, done = [], [], threading.Event()

    def watch():
        while not done.is_set():
            for folder in (tmp_path / "m").glob("[0-9]*"):
                seen.append((folder / "saved_model.pb").exists())

    threads = [
        threading.Thread(target=lambda i=i: numbers.append(write(tmp_path, str(i))))
        for i in range(5)
    ]
    watcher = threading.Thread(target=watch)
    watcher.start()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    done.set()
    watcher.join()
    assert sorted(numbers) == [1, 2, 3, 4, 5]
    texts = {(tmp_path / "m" / str(n) / "saved_model.pb").read_text() for n in numbers}
    assert texts == set("01234")
    assert seen and all(seen)  # a version that can be seen is whole


def test_failure_leaves_nothing(tmp_path):
    with pytest.raises(KeyError), versions.writing(tmp_path, "m") as draft:
        (draft.folder / "half").write_text("x")
        raise KeyError
    assert [p.name for p in (tmp_path / "m").iterdir()] == [".lock"]


def test_sweeps_what_a_killed_exporter_left(tmp_path):
    (tmp_path / "m" / ".tmp-1" / "variables").mkdir(parents=True)
    (tmp_path / "m" / ".tmp-1.tar.gz").write_text("half")
    assert write(tmp_path) == 1
    assert {p.name for p in (tmp_path / "m").iterdir()} == {".lock", "1"}


def test_never_overwrites_a_version(tmp_path):
    with (
        pytest.raises(TfkitError, match="could not be written"),
        versions.writing(tmp_path, "m") as draft,
    ):
        (draft.final).mkdir()
        (draft.final / "mine").write_text("kept")
        draft.publish(archive=False)
    assert (tmp_path / "m/1/mine").read_text() == "kept"


def test_archive_is_the_same_bytes_twice(tmp_path):
    write(tmp_path, "same", archive=True)
    time.sleep(1.1)  # another second on the clock
    write(tmp_path, "same", archive=True)
    assert (tmp_path / "m/1.tar.gz").read_bytes() == (tmp_path / "m/2.tar.gz").read_bytes()
