"""The room's README: its demonstration runs and prints what it says."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

README = Path(__file__).parents[3] / "tfkit" / "methods" / "disentanglement" / "README.md"


@pytest.mark.slow
def test_a_rotation_keeps_the_elbo_and_not_the_scores(tmp_path):
    text = README.read_text(encoding="utf-8")
    code = re.search(r"```python\n(.*?)```", text, re.S)[1]
    (tmp_path / "rotation.py").write_text(code)
    done = subprocess.run(
        [sys.executable, "rotation.py"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    found = [
        [float(n) for n in re.findall(r"-?\d+\.\d+", line)] for line in done.stdout.splitlines()
    ]
    (elbo, mig, _), (turned, mig_turned, _) = found[-2:]
    assert elbo == pytest.approx(turned, abs=2e-3)
    assert mig > 2 * mig_turned
    said = re.findall(r"^ +(?:learned|rotated): ELBO .*$", text, re.M)
    assert len(said) == 2
