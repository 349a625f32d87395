"""Run folders to report on."""

import pytest

from tests.report.run_folder import make_full_run, make_small_run


@pytest.fixture(scope="session")
def full_run(tmp_path_factory):
    """A finished run with everything."""
    folder = tmp_path_factory.mktemp("runs") / "disentanglement-quick"
    make_full_run(folder)
    return folder


@pytest.fixture
def small_run(tmp_path):
    """A finished run with one seed and nothing else."""
    make_small_run(tmp_path / "small")
    return tmp_path / "small"
