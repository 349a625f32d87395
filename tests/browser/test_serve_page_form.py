"""The form of the server's page in Chromium: what it sends, refuses and shows of answers."""

import json
import re

import numpy as np
import pytest
from PIL import Image

from tests.browser.serving import BIG, ask, model, predictions

pytestmark = pytest.mark.browser


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


@pytest.mark.parametrize("typed", MISTAKES, ids=lambda typed: typed[:9])
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


def test_a_row_that_no_form_can_hold_is_not_made(visit, standing):
    huge = {"x": ("float32", [None, 1000, 1000])}
    standing.signatures = {"serving_default": (huge, {"y": ("float32", [None])})}
    page = visit()
    area = model(page).locator("textarea").first
    assert area.input_value() == ""
    assert "One row is too large for this form" in model(page).inner_text()
