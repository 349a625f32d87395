import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.slow
def test_two_replicas_weigh_and_learn_as_one_does(tmp_path):
    script = Path(__file__).with_name("two_replicas.py")
    done = subprocess.run(
        [sys.executable, script, tmp_path], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert len((tmp_path / "weights.csv").read_text().splitlines()) == 81
