"""A headless Chromium, or the reason why there is none."""

import shutil

import pytest

from tests.report.run_folder import make_full_run

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# A sandbox needs privileges that containers lack; /dev/shm is often too small there.
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]


@pytest.fixture(scope="session")
def browser():
    """Playwright's browser object on the system's Chromium."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    path = next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        pytest.skip("no Chromium on this machine: install Debian's package `chromium`")
    with playwright.sync_playwright() as driver:
        instance = driver.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield instance
        instance.close()


@pytest.fixture(scope="session")
def report(tmp_path_factory):
    """The address of a report with everything in it."""
    from tfkit.report import write

    folder = tmp_path_factory.mktemp("runs") / "disentanglement-quick"
    make_full_run(folder)
    return write(folder).resolve().as_uri()
