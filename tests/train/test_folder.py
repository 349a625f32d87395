"""Run folders: never overwritten, locked, and clear about what they are not."""

import os
import subprocess
import sys

import pytest

from tfkit.errors import TfkitError, UsageError
from tfkit.train.folder import RunFolder, read_json, write_json
from tfkit.train.interruption import disk_error, interruptible

HOLD = """
import sys, time
from tfkit.train.folder import RunFolder
with RunFolder(sys.argv[1]).lock():
    print("held", flush=True)
    time.sleep(60)
"""


def test_names_are_unique_within_a_second(tmp_path):
    folders = [RunFolder.create(tmp_path, "name", "abc123").path for _ in range(5)]
    assert len(set(folders)) == 5
    assert all("-abc123" in folder.name for folder in folders)


def test_a_second_process_is_told_and_a_dead_one_lets_go(tmp_path):
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(TfkitError, match="another process"), RunFolder(tmp_path).lock():
            pass
    finally:
        holder.kill()
        holder.wait()
    with RunFolder(tmp_path).lock():
        pass


def test_json_is_written_whole_or_not_at_all(tmp_path):
    write_json(tmp_path / "a.json", {"a": 1})
    with pytest.raises(TypeError):
        write_json(tmp_path / "a.json", {"a": object()})
    assert read_json(tmp_path / "a.json") == {"a": 1}
    assert read_json(tmp_path / "b.json", {}) == {}


def test_what_is_no_run_folder_is_refused(tmp_path):
    with pytest.raises(UsageError, match="no such run folder"):
        RunFolder.open(tmp_path / "missing")
    with pytest.raises(UsageError, match="not a run folder"):
        RunFolder.open(tmp_path)


def test_a_full_disk_is_one_sentence():
    error = disk_error(OSError(28, "No space left on device", "runs/x/metrics.jsonl"), "runs/x")
    assert str(error).startswith("runs/x/metrics.jsonl: could not be written or read, there is no")
    assert "\n" not in str(error)


def test_sigterm_ends_as_ctrl_c_does():
    import signal

    with pytest.raises(KeyboardInterrupt), interruptible():
        os.kill(os.getpid(), signal.SIGTERM)
