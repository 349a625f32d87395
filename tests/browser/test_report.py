"""The report as Chromium shows it: light, dark, phone, paper."""

import pytest

from tests.browser.looks import CONTRAST, OUTSIDE, SIZES

pytestmark = pytest.mark.browser


@pytest.fixture(params=[("desk", "light"), ("desk", "dark"), ("phone", "light")], ids="-".join)
def visit(request, browser, report):
    """(page, what the console said, what was asked for), the report opened."""
    size, scheme = request.param
    page = browser.new_page(
        viewport={"width": SIZES[size], "height": 800}, color_scheme=scheme, reduced_motion="reduce"
    )
    said, asked = [], []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(report)
    yield page, said, asked
    page.close()


@pytest.mark.parametrize("name", ["search", "leaderboard", "compare"])
@pytest.mark.parametrize("size, scheme", [("desk", "light"), ("desk", "dark"), ("phone", "light")])
def test_other_pages_are_quiet_fit_and_legible(browser, pages, name, size, scheme):
    page = browser.new_page(
        viewport={"width": SIZES[size], "height": 800}, color_scheme=scheme, reduced_motion="reduce"
    )
    said, asked = [], []
    page.on("console", lambda message: said.append(message.text))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(pages[name])
    assert said == [] and [url for url in asked if not url.startswith("data:")] == [pages[name]]
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    assert page.evaluate(OUTSIDE) == []
    ratios = page.evaluate(CONTRAST)
    assert len(ratios) > 50 and [entry for entry in ratios if entry[1] < 4.5] == []
    page.close()


def test_is_quiet_and_stays_on_the_page(visit, report):
    page, said, asked = visit
    page.evaluate("window.scrollTo(0, document.body.scrollHeight)")
    assert said == []
    assert [url for url in asked if not url.startswith("data:")] == [report]


def test_every_picture_is_there(visit):
    page, _, _ = visit
    widths = page.eval_on_selector_all("img", "all => all.map(i => i.complete && i.naturalWidth)")
    assert len(widths) == 8 and min(widths) > 0
    boxes = page.eval_on_selector_all(
        "svg", "all => all.map(s => [s.getBoundingClientRect().width, s.getBBox().width])"
    )
    assert len(boxes) == 13 and min(min(box) for box in boxes) > 50


def test_nothing_is_wider_than_the_page(visit):
    page, _, _ = visit
    wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert wide <= 0
    assert page.evaluate(OUTSIDE) == []


def test_text_stands_out_from_its_ground(visit):
    """Contrast of text by WCAG 2.2: at least 4.5, drawings included."""
    page, _, _ = visit
    ratios = page.evaluate(CONTRAST)
    assert len(ratios) > 150
    assert [entry for entry in ratios if entry[1] < 4.5] == []


def test_contents_lead_to_their_sections(visit):
    page, _, _ = visit
    for link in page.query_selector_all("nav a"):
        link.click()
        top = page.evaluate(
            "id => document.querySelector(id).getBoundingClientRect().top",
            link.get_attribute("href"),
        )
        assert top < 800


def test_paper_hides_the_contents(visit):
    page, _, _ = visit
    page.emulate_media(media="print")
    assert not page.is_visible("nav") and page.is_visible("#provenance")
