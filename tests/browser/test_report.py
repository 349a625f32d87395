"""The report as Chromium shows it: light, dark, phone, paper."""

import pytest

pytestmark = pytest.mark.browser

SIZES = {"desk": 1280, "phone": 360}


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


# What sticks out of the page on the right.
OUTSIDE = """() => [...document.querySelectorAll("h1, h2, h3, p, li, .card, .box")]
    .filter(e => !e.closest(".unseen"))
    .filter(e => e.getBoundingClientRect().right > innerWidth + 0.5).map(e => e.outerHTML)"""

# Every element with text of its own: its words and the contrast of its colour with the first
# opaque ground behind it. Numbers on a heatmap stand on the picture, which CSS does not know.
CONTRAST = """() => {
  const canvas = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
  const channels = colour => {
    canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const light = ([r, g, b]) => [r, g, b].map(v => v / 255)
    .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const ground = element => {
    for (let e = element; e; e = e.parentElement) {
      const colour = channels(getComputedStyle(e).backgroundColor);
      if (colour[3] === 255) return colour;
    }
    return channels("Canvas");
  };
  return [...document.querySelectorAll("body *")]
    .filter(e => [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim()))
    .filter(e => !e.closest(".unseen, title, style"))
    .filter(e => !["white", "black", "#ffffff", "#000000", "rgb(255, 255, 255)", "rgb(0, 0, 0)"]
      .includes(e.closest("svg") ? getComputedStyle(e).fill : ""))
    .map(e => {
      const style = getComputedStyle(e);
      const front = light(channels(e.closest("svg") ? style.fill : style.color));
      const back = light(ground(e));
      return [e.textContent.trim().slice(0, 40),
        (Math.max(front, back) + 0.05) / (Math.min(front, back) + 0.05)];
    });
}"""
