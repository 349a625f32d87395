"""The server's page in Chromium: what it shows, asks and answers; light, dark and phone."""

import json
import re

import numpy as np
import pytest
from PIL import Image

from tests.browser.looks import CONTRAST, OUTSIDE, SIZES
from tests.browser.serving import AVAILABLE, Standing, latency
from tests.serve.stand_in import stand_in

pytestmark = pytest.mark.browser
BIG = 2**53 + 1


@pytest.fixture
def standing():
    return Standing()


@pytest.fixture
def server(standing):
    with stand_in(standing) as running:
        yield running


@pytest.fixture
def visit(browser, server):
    """Opens the page; what its console says must be nothing by the end."""
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


def model(page, name="shapes"):
    return page.locator("section", has=page.get_by_role("heading", name=name, exact=True))


def ask(page, name="shapes"):
    """Press the button; returns what was answered."""
    section = model(page, name)
    section.get_by_role("button", name="Ask the model").click()
    section.get_by_text("answered in").wait_for()
    return section.locator(".answer").last


def predictions(server):
    return [r for r in server.asked if r.method == "POST"]


@pytest.mark.parametrize("size, scheme", [("desk", "light"), ("desk", "dark"), ("phone", "light")])
def test_is_legible_fits_and_asks_only_its_own_server(visit, server, size, scheme):
    asked = []
    page = visit(size, scheme)
    page.on("request", lambda request: asked.append(request.url))
    ask(page)
    other = model(page, "<i>odd</i> näme")
    other.locator("textarea").first.fill("[")
    other.get_by_role("button", name="Ask the model").click()
    assert other.locator(".error").inner_text() != ""
    assert all(url.startswith(server.url) for url in asked)
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    assert page.evaluate(OUTSIDE) == []
    ratios = page.evaluate(CONTRAST)
    assert len(ratios) > 60 and [entry for entry in ratios if entry[1] < 4.5] == []


def test_every_control_has_a_name_and_every_id_is_one_elements(visit):
    page = visit()
    unnamed = "all => all.filter(e => !(e.labels?.length || e.textContent.trim())).length"
    controls = page.locator("input, select, textarea, button")
    assert controls.count() > 10 and controls.evaluate_all(unnamed) == 0
    assert page.evaluate(
        "[...document.querySelectorAll('[id]')].length === "
        "new Set([...document.querySelectorAll('[id]')].map(e => e.id)).size"
    )


def test_shows_models_versions_states_and_labels_as_text(visit):
    page = visit()
    assert page.locator("h2").all_text_contents() == [
        "shapes",
        "<i>odd</i> näme",
        "slow",
        "Latency",
    ]
    rows = model(page).locator("table").first.locator("tbody tr").all_inner_texts()
    assert [row.split()[:3] for row in rows] == [
        ["1", "available", "stable"],
        ["2", "available", "–"],
        ["3", "failed", "–"],
    ]
    assert "weights do not fit <b>bold</b>" in " ".join(rows[2].split())
    assert page.locator("main b, main i").count() == 0
    link = model(page).get_by_role("link", name="/shapes/2.tar.gz")
    assert link.evaluate("e => new URL(e.href).pathname") == "/shapes/2.tar.gz"
    assert str(BIG) in model(page, "<i>odd</i> näme").inner_text()
    assert "loading" in model(page, "slow").inner_text()
    assert not model(page, "slow").get_by_role("button", name="Ask the model").is_visible()
    assert page.locator("#state").inner_text() == "ready"


def test_shows_signatures_with_shapes_and_dtypes(visit):
    page = visit()
    rows = model(page).locator("table").nth(1).locator("tbody tr").all_inner_texts()
    assert [" ".join(row.split()) for row in rows] == [
        "predict images float32 [batch, 6, 8, 1] "
        "images float32 [batch, 6, 8, 1] probabilities float32 [batch, 3]",
        "serving_default images float32 [batch, 6, 8, 1] images float32 [batch, 6, 8, 1]",
        "count ids int64 [batch, 2] words string [batch] total int64 [batch]",
    ]


def test_asks_with_zeros_of_the_right_shape_and_shows_nan(visit, server):
    page = visit()
    answer = ask(page)
    (request,) = predictions(server)
    assert request.path == "/v1/models/shapes:predict"
    sent = json.loads(request.body)
    assert sent["signature_name"] == "predict"
    np.testing.assert_array_equal(sent["inputs"]["images"], np.zeros((1, 6, 8, 1)))
    assert "[[NaN, -Infinity, 3e-05]]" in answer.inner_text()
    assert "probabilities float32 [1, 3]" in answer.inner_text()


def test_integers_beyond_2_to_the_53_go_and_come_unchanged(visit, server, standing):
    standing.answer = (200, f'{{"outputs": [{BIG}, -9223372036854775808]}}')
    page = visit()
    section = model(page)
    section.get_by_label("Signature", exact=True).select_option("count")
    ids, words = section.locator("textarea").all()
    assert (ids.input_value(), words.input_value()) == ("[[0, 0]]", '[""]')
    ids.fill(f"[[{BIG}, 1e400]]")
    words.fill('["größe \\u0000", {"b64": "AP8="}]')
    shown = ask(page).locator("pre").inner_text()
    assert shown.strip() == f"[{BIG}, -9223372036854775808]"
    body = predictions(server)[0].body
    assert f"[[{BIG}, 1e400]]" in body
    assert json.loads(body)["inputs"]["words"] == ["größe \0", {"b64": "AP8="}]


MISTAKES = {
    "[[1, 2]": "line 1, character 8: expected “,” or “]”, found the end",
    "[[1,\n 02]]": "line 2, character 3: expected “,” or “]”",
    '[1]}, "x": {"y": [2]': "line 1, character 4: expected nothing more",
    "[nan]": "expected a value",
    "": "expected a value, found the end",
    "[" * 300: "expected at most 200 levels",
    '{"a": 1, a: 2}': "expected a name in double quotes",
}


@pytest.mark.parametrize("typed", MISTAKES)
def test_a_slip_in_a_field_is_told_there_and_not_sent(visit, server, typed):
    page = visit()
    area = model(page).locator("textarea").first
    area.fill(typed)
    model(page).get_by_role("button", name="Ask the model").click()
    error = page.locator(f"#{area.get_attribute('aria-describedby')}")
    assert MISTAKES[typed] in error.inner_text()
    assert area.get_attribute("aria-invalid") == "true"
    assert area.evaluate("e => e === document.activeElement") and predictions(server) == []
    area.fill("[]")
    assert area.get_attribute("aria-invalid") is None and error.inner_text() == ""


@pytest.mark.parametrize(
    "answer, words",
    [
        ((400, '{"error": "Tensor <b>x</b>"}'), "The server answered 400: Tensor <b>x</b>"),
        ((502, "<h1>Bad gateway</h1>"), "The server answered 502: <h1>Bad gateway</h1>"),
        ((200, "fine"), "The server answered 200: an answer that is no JSON: line 1"),
    ],
    ids=str,
)
def test_what_the_server_says_is_shown_as_it_is(visit, standing, answer, words):
    page = visit()
    standing.answer = answer
    button = model(page).get_by_role("button", name="Ask the model")
    button.click()
    assert page.get_by_role("alert").inner_text().startswith(words)
    assert page.locator("main b, main h1").count() == 0 and button.is_enabled()


def expect(locator):
    return pytest.importorskip("playwright.sync_api").expect(locator)


def test_a_picture_goes_in_as_training_reads_it_and_comes_out_drawn(visit, server, tmp_path):
    wide = np.zeros((12, 40, 3), np.uint8)
    wide[:, 12:28] = np.repeat(np.linspace(0, 255, 8).astype(np.uint8), 2)[None, :, None]
    Image.fromarray(wide).save(tmp_path / "wide.png")
    page = visit()
    section = model(page)
    section.get_by_label("or a picture:").set_input_files(tmp_path / "wide.png")
    expect(section.locator("textarea").first).to_have_value(re.compile(r"0\.5"))
    answer = ask(page)
    sent = np.array(json.loads(predictions(server)[0].body)["inputs"]["images"])
    assert sent.shape == (1, 6, 8, 1)
    # the middle, 16 of 40 columns; browsers and Pillow blur edges a little differently
    np.testing.assert_allclose(sent[0, 3, :, 0], np.linspace(0, 1, 8), atol=0.06)
    drawn = answer.get_by_role("img", name="images, row 1, as a picture").evaluate(
        "c => [c.width, c.height, ...c.getContext('2d').getImageData(7, 3, 1, 1).data]"
    )
    assert drawn[:2] == [8, 6] and drawn[2] == drawn[4] == int(sent[0, 3, 7, 0] * 255 + 0.5)


def test_a_file_for_text_goes_as_base64(visit, server, standing, tmp_path):
    standing.answer = (200, '{"outputs": [1]}')
    (tmp_path / "x.bin").write_bytes(b"\x00\xff")
    page = visit()
    section = model(page)
    section.get_by_label("Signature", exact=True).select_option("count")
    section.get_by_label("or a file’s bytes:").set_input_files(tmp_path / "x.bin")
    expect(section.locator("textarea").last).to_have_value(re.compile("b64"))
    ask(page)
    assert json.loads(predictions(server)[0].body)["inputs"]["words"] == [{"b64": "AP8="}]


def test_long_answers_lose_their_middle_until_all_is_wanted(visit, standing):
    standing.answer = (200, json.dumps({"outputs": list(range(1000))}))
    page = visit()
    model(page).get_by_label("Signature", exact=True).select_option("count")
    answer = ask(page)
    assert answer.locator("pre").inner_text().strip() == "[0, 1, 2, …, 997, 998, 999]"
    answer.get_by_role("button", name="Show all 1000 values").click()
    assert "500, 501" in answer.locator("pre").inner_text()


def test_versions_and_labels_can_be_asked(visit, server):
    page = visit()
    choice = model(page).get_by_label("Version", exact=True)
    assert choice.locator("option").all_inner_texts() == ["newest", "1", "2", "stable (1)"]
    for option, path in [("2", "versions/2"), ("stable (1)", "labels/stable")]:
        with page.expect_response(re.compile(f"{path}/metadata")):
            choice.select_option(label=option)
        ask(page)
        page.wait_for_timeout(50)
        assert predictions(server)[-1].path == f"/v1/models/shapes/{path}:predict"
    assert 'label="stable"' in model(page).locator("pre.code").last.inner_text()


def test_latency_and_models_change_while_the_page_is_open(visit, standing):
    page = visit()
    area = model(page).locator("textarea").first
    area.fill("[[[[7]]]]")
    assert "1.23" in page.locator("#latency").inner_text()
    standing.latency = [latency(99, 12.345) | {"p99_ms": float("nan")}, latency(1, 250.4)]
    standing.models[0]["versions"].append({"version": 4, **AVAILABLE})
    del standing.models[2]
    page.get_by_text("12.3", exact=True).wait_for()
    rows = page.locator("#latency tbody tr").all_inner_texts()
    assert rows[0].split() == ["shapes", "predict", "REST", "99", "1", "12.3", "17.3", "–"]
    assert "250" in rows[1]
    assert page.locator("h2").all_text_contents() == ["shapes", "<i>odd</i> näme", "Latency"]
    assert page.locator("nav li").count() == 3
    assert (
        "4" in model(page).get_by_label("Version", exact=True).locator("option").all_inner_texts()
    )
    assert area.input_value() == "[[[[7]]]]"  # somebody was typing


def test_tells_a_server_that_is_not_ready_from_one_that_is_gone(browser, standing):
    standing.ready = False
    with stand_in(standing) as server:
        page = browser.new_page()
        page.goto(server.url + "/")
        page.get_by_text("not ready", exact=True).wait_for()
    page.get_by_text("not reachable", exact=True).wait_for()
    assert page.get_by_role("heading", name="shapes").is_visible()
    page.close()


def test_a_token_is_asked_for_and_kept_for_this_tab(visit, server, standing):
    standing.token = "s3cret"
    page = visit(wait="#token:not([hidden])")
    assert page.locator("textarea").count() == 0
    page.get_by_label("This server wants a token").fill("s3cret")
    page.get_by_role("button", name="Use it").click()
    page.wait_for_selector("textarea")
    assert not page.locator("#token").is_visible()
    ask(page)
    assert predictions(server)[0].headers["Authorization"] == "Bearer s3cret"
    assert page.evaluate("[localStorage.length, document.cookie, location.search]") == [0, "", ""]
    # a link would not carry it
    assert model(page).get_by_role("link").count() == 0
    assert "/shapes/1.tar.gz" in model(page).inner_text()


def test_a_row_that_no_form_can_hold_is_not_made(visit, standing):
    huge = {"x": ("float32", [None, 1000, 1000])}
    standing.signatures = {"serving_default": (huge, {"y": ("float32", [None])})}
    page = visit()
    area = model(page).locator("textarea").first
    assert area.input_value() == ""
    assert "One row is too large for this form" in model(page).inner_text()
