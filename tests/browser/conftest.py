"""A headless Chromium, or the reason why there is none."""

import shutil

import pytest

from tests.browser.looks import SIZES
from tests.browser.serving import Standing
from tests.report.many_runs import make_house
from tests.report.run_folder import make_full_run, make_small_run, write_json
from tests.report.searches import make_search
from tests.serve.stand_in import stand_in

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


@pytest.fixture(scope="session")
def pages(tmp_path_factory):
    """Addresses of the other pages: a search with everything in it, a leaderboard, a comparison."""
    from tfkit.report import write
    from tfkit.report.board_pages import comparison_page, leaderboard_page
    from tfkit.report.comparison import compare
    from tfkit.report.leaderboard import leaderboard

    root = tmp_path_factory.mktemp("pages")
    make_small_run(root / "searched")
    write_json(root / "searched" / "search" / "search.json", make_search(budgets=True))
    make_house(root / "runs")
    pair = [root / "runs" / name / "20260101-000000-aaaaaa" for name in ("tcvae", "vae")]
    found = {"search": write(root / "searched")}
    for name, page in (
        ("leaderboard", leaderboard_page(leaderboard([root / "runs"]))),
        ("compare", comparison_page(compare(*pair))),
    ):
        found[name] = root / f"{name}.html"
        found[name].write_text(page, encoding="utf-8")
    return {name: path.resolve().as_uri() for name, path in found.items()}


@pytest.fixture
def standing():
    """What a stand-in for a server of models answers; tests change it."""
    return Standing()


@pytest.fixture
def server(standing):
    """The stand-in, running."""
    with stand_in(standing) as running:
        yield running


@pytest.fixture
def visit(browser, server):
    """Opens the server's page; what its console says must be nothing by the end."""
    opened, said = [], []

    def open_page(size="desk", scheme="light", wait="textarea"):
        page = browser.new_page(viewport={"width": SIZES[size], "height": 800}, color_scheme=scheme)
        page.set_default_timeout(10_000)
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.goto(server.url + "/")
        page.wait_for_selector(wait)
        opened.append(page)
        return page

    yield open_page
    for page in opened:
        page.close()
    # Chromium itself tells of every answer that is an error, and of a server that is gone
    assert [words for words in said if not words.startswith("Failed to load resource")] == []
