import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.slow
@pytest.mark.parametrize(
    ("what", "table", "rows"),
    [("scope", "weights.csv", 80), ("recipe", "run/stages/audit/weights.csv", 70)],
)
def test_two_replicas_weigh_and_learn_as_one_does(what, table, rows, tmp_path):
    script = Path(__file__).with_name("two_replicas.py")
    done = subprocess.run(
        [sys.executable, script, what, tmp_path], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert len((tmp_path / table).read_text().splitlines()) == 1 + rows
