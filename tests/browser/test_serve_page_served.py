"""The page of a server that runs: what Chromium shows of it, and of what happens to it."""

import re

import pytest

from tests.serve import exports

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def line(tmp_path_factory):
    """A models' folder with one version of `line`."""
    home = tmp_path_factory.mktemp("models")
    (home / "line").mkdir()
    exports.write(home / "line" / "1", 2.0)
    return home


@pytest.fixture
def visit(browser, line):
    """Starts a server with these settings and opens its page; the console says nothing."""
    from tfkit.serve.server import Server
    from tfkit.serve.settings import Settings

    opened, said = [], []

    def open_page(**settings):
        settings = Settings(path=line, rest_port=0, grpc_port=0, poll_seconds=0.1, **settings)
        server = Server(settings)
        server.start()
        page = browser.new_page()
        opened.extend([page.close, server.stop])
        page.set_default_timeout(20_000)
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.goto(f"http://127.0.0.1:{server.rest_port}/")
        return page

    yield open_page
    for close in opened:
        close()
    assert [words for words in said if not words.startswith("Failed to load resource")] == []


def outputs(page):
    page.get_by_role("button", name="Ask the model").click()
    page.get_by_text("answered in").wait_for()
    return [text.strip() for text in page.locator(".output pre").all_inner_texts()]


def choose(page, signature, *values):
    page.get_by_label("Signature", exact=True).select_option(signature)
    for area, value in zip(page.locator("textarea").all(), values, strict=True):
        area.fill(value)


def test_asks_every_kind_of_signature(visit):
    page = visit()
    page.wait_for_selector("textarea")
    assert page.locator("#state").inner_text() == "ready"
    assert outputs(page) == ["[0]", "[[0.5, 0.5, 0.5, 0.5]]"]  # zeros, by y = 2 x + 0.5
    choose(page, "single", "[[NaN, Infinity, -Infinity, 1e-45]]")
    assert outputs(page)[0].startswith("[[NaN, Infinity, -Infinity, ")
    choose(page, "join", "[9007199254740993, -9223372036854775808]", '["ö", "<b>"]')
    assert outputs(page) == [
        '["ö-9007199254740993", "<b>--9223372036854775808"]',
        "[9007199254740993, -9223372036854775808]",
    ]
    choose(page, "scalar", "21")
    assert outputs(page) == ["42"]


def test_shows_the_servers_errors_latency_and_new_versions(visit, line):
    page = visit()
    page.wait_for_selector("textarea")
    assert "No request yet." in page.locator("#latency").inner_text()
    outputs(page)
    row = page.locator("#latency tbody tr").first
    row.wait_for()
    words = row.inner_text().split()
    assert words[:5] == ["line", "predict", "REST", "1", "0"] and float(words[5]) > 0
    page.locator("textarea").fill('[["a", 1, 2, 3]]')
    page.get_by_role("button", name="Ask the model").click()
    assert page.get_by_role("alert").inner_text().startswith("The server answered 400: ")
    exports.write(line / "line" / "2", 3.0)
    page.locator("tr", has_text=re.compile(r"2\s*available")).wait_for()
    choose(page, "predict", "[[1, 1, 1, 1]]")
    assert outputs(page)[1] == "[[3.5, 3.5, 3.5, 3.5]]"


def test_a_token_opens_the_page_too(visit):
    page = visit(token="s3cret")
    field = page.get_by_label("This server wants a token")
    field.fill("wrong")
    field.press("Enter")
    page.wait_for_timeout(500)
    assert field.is_visible() and page.locator("h2").count() == 1
    field.fill("s3cret")
    field.press("Enter")
    page.wait_for_selector("textarea")
    assert not field.is_visible() and len(outputs(page)) == 2
