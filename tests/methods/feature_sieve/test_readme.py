"""The room's README: its demonstration runs and prints what it says."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

README = Path(__file__).parents[3] / "tfkit" / "methods" / "feature_sieve" / "README.md"


@pytest.mark.slow
def test_plain_training_trusts_the_first_digit_and_the_sieve_does_not(tmp_path):
    text = README.read_text(encoding="utf-8")
    (tmp_path / "sieve.py").write_text(re.search(r"```python\n(.*?)```", text, re.S)[1])
    done = subprocess.run(
        [sys.executable, "sieve.py"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    plain, sieve = (
        [float(n) for n in line.split()[1:]] for line in done.stdout.strip().splitlines()[-2:]
    )
    assert plain[1] <= 0.05 and sieve[1] >= 0.95
    assert len(re.findall(r"^    [01] \d\.\d+ \d\.\d+$", text, re.M)) == 2
