import json
from pathlib import Path

import pytest

from tfkit.errors import RecipeError
from tfkit.recipe import parse
from tfkit.recipe.reading import parse_document, read_text

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "toolkit_yaml.json").read_text())


@pytest.mark.parametrize("case", GOLDEN["yaml"], ids=lambda case: case["text"])
def test_golden(case):
    if "error" not in case:
        value = parse(case["text"])
        assert value == case["value"]
        assert json.dumps(value) == json.dumps(case["value"])  # 1, 1.0 and true are not the same
        return
    with pytest.raises(RecipeError) as caught:
        parse(case["text"])
    assert [problem.line for problem in caught.value.problems] == [case["line"]]
    assert type(caught.value.__cause__).__name__ == case["error"]


def test_notes_the_place_of_every_key_and_item():
    document = parse_document("a: 1\nb:\n  - {c: 2}\n", "x.yaml")
    assert [(p, v.line, v.column) for p, v in document.places.items() if p] == [
        (("a",), 1, 1),
        (("b",), 2, 1),
        (("b", 0), 3, 5),
        (("b", 0, "c"), 3, 6),
    ]
    assert document.place(("b", 0, "nothing")).line == 3


def test_shows_the_line_with_a_caret_under_the_key():
    problem = parse_document("a:\n  b: 1\n", "x.yaml").problem(("a", "b"), "is wrong", "c")
    assert str(problem) == "x.yaml:2:3: a.b: is wrong; did you mean c?\n    b: 1\n    ^"


@pytest.mark.parametrize(
    "text, phrase",
    [
        ("a: &x [*x]", "contains itself"),
        ("a: " + "[" * 3000, "nested too deeply"),
        ("a: 1\n--- \nb: 2", "another document"),
        ("a: 1\nb: \x00", "unacceptable character"),
        (
            "a0: &a0 [1, 2]\n"
            + "".join(f"a{i + 1}: &a{i + 1} [{', '.join([f'*a{i}'] * 9)}]\n" for i in range(12)),
            "far too many values",
        ),
    ],
)
def test_refuses_what_is_no_recipe(text, phrase):
    with pytest.raises(RecipeError, match=phrase):
        parse(text)


def test_a_character_that_cannot_stand_in_yaml_has_its_line():
    with pytest.raises(RecipeError) as caught:
        parse("a: 1\nb: \x00")
    assert caught.value.problems[0].line == 2


def test_a_list_that_is_never_closed_is_shown_where_it_opens():
    with pytest.raises(RecipeError) as caught:
        parse("a: 1\nb: [2\n\n\n")
    assert caught.value.problems[0].line == 2


def test_files_that_cannot_be_read_end_in_one_sentence(tmp_path):
    (tmp_path / "latin.yaml").write_bytes(b"name: caf\xe9")
    for path, phrase in [
        (tmp_path / "none.yaml", "there is no file"),
        (tmp_path, "is a folder"),
        (tmp_path / "latin.yaml", "is not UTF-8"),
    ]:
        with pytest.raises(RecipeError, match=phrase):
            read_text(path)


def test_a_byte_order_mark_is_no_part_of_the_first_key(tmp_path):
    (tmp_path / "bom.yaml").write_bytes(b"\xef\xbb\xbfname: x\n")
    assert parse(read_text(tmp_path / "bom.yaml")) == {"name": "x"}
