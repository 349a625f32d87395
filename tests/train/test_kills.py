"""A real process, really killed; `scripts/bench/kills.py` does more of it."""

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.slow
def test_a_killed_and_resumed_run_has_the_bytes_of_a_whole_one():
    script = Path(__file__).parents[2] / "scripts" / "bench" / "kills.py"
    done = subprocess.run(
        [sys.executable, script, "--kills", "3", "--seed", "1"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "3 kills, 0 rounds differ" in done.stdout
