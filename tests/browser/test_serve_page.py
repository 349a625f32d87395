"""The server's page in Chromium: what it shows, and what changes while it is open."""

import re

import pytest

from tests.browser.looks import CONTRAST, OUTSIDE
from tests.browser.serving import AVAILABLE, BIG, ask, latency, model, predictions
from tests.serve.stand_in import stand_in

pytestmark = pytest.mark.browser


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
