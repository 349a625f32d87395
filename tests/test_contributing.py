"""The method that CONTRIBUTING.md builds keeps its contract, in a copy of the repository."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
ROOM = "tfkit/methods/label_smoothing/"


def files() -> dict[str, str]:
    """Path -> content of every file that the page writes out."""
    page = PAGE[PAGE.index("## A thirteenth method") :]
    found = {}
    for chunk in page.split("\n```\n"):
        text, fence, content = chunk.partition("\n```")
        language, _, content = content.partition("\n")
        if fence and language in ("python", "yaml", "markdown"):
            name = re.findall(r"`([\w/]+\.(?:py|md|yaml))`", text)[
                0 if language == "markdown" else -1
            ]
            found[name if "/" in name else ROOM + name] = content + "\n"
    return found


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """The repository with the page's files in it."""
    place = tmp_path_factory.mktemp("copy")
    for folder in ("tfkit", "tests", "recipes", "scripts"):
        shutil.copytree(ROOT / folder, place / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "CONTRIBUTING.md"):
        shutil.copy(ROOT / name, place / name)
    for name, content in files().items():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_text(content, encoding="utf-8")
    losses = place / "tfkit" / "losses" / "__init__.py"
    line = re.search(r'losses/__init__.py`: `(".*?,)`', PAGE)[1]
    losses.write_text(losses.read_text().replace("_LAZY = {\n", f"_LAZY = {{\n    {line}\n"))
    return place


def call(copy, *command):
    """Run Python there, with the copy's package in front."""
    return subprocess.run(
        [sys.executable, *command],
        cwd=copy,
        env={**os.environ, "PYTHONPATH": str(copy)},
        capture_output=True,
        text=True,
    )


@pytest.mark.slow
def test_the_method_of_the_page_keeps_its_contract(copy):
    made = call(copy, "scripts/make_catalog.py")
    assert made.stdout.strip() == "wrote tfkit/catalog.json, recipes/schema.json", made
    chosen = "label_smoothing or smoothed"
    own = ["tests/losses/test_label_smoothing.py", "tests/methods/label_smoothing"]
    done = call(copy, "-m", "pytest", "-q", "tests/test_contract.py", *own, "-k", chosen)
    assert done.returncode == 0, done.stdout[-5000:]
    assert int(re.search(r"(\d+) passed", done.stdout)[1]) > 30, done.stdout[-500:]


def test_the_page_follows_its_own_rules(copy):
    done = call(
        copy, "-m", "ruff", "check", "tfkit/methods/label_smoothing", "tfkit/losses", "tests"
    )
    assert done.returncode == 0, done.stdout
