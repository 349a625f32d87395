"""The card keeps TF-Hub's form, and its example runs as it stands."""

import re
from pathlib import Path

from tfkit.export.card import write_card


def test_form(exported):
    text = (Path(exported[2]["folder"]) / "assets.extra/MODEL_CARD.md").read_text()
    lines = text.splitlines()
    assert lines[0] == "# Module tfkit/tiny/1"
    assert lines[2] and not lines[2].startswith(("#", "<"))
    comments = dict(re.findall(r"<!-- ([\w-]+): (.*?) -->", text))
    assert comments == {
        "format": "saved_model_2",
        "task": "tiny",
        "dataset": "shapes",
        "license": "Apache-2.0",
        "fine-tunable": "true",
    }
    assert "| accuracy | 0.9 | [0.8, 1] | 1, 2, 3 |" in text
    assert "Knows three shapes." in text and "Twelve random pictures." in text


def test_example_of_use_runs(exported, exported_half, capsys):
    for record in (exported[2], exported_half[2]):
        text = (Path(record["folder"]) / "assets.extra/MODEL_CARD.md").read_text()
        blocks = re.findall(r"```python\n(.*?)```", text, re.S)
        assert len(blocks) == 2
        names = {}
        for block in blocks:
            exec(block, names)
        assert names["representation"].shape[0] == 1
    assert capsys.readouterr().out == "(1, 3)\n(1, 3)\n"


def test_one_seed_has_no_interval_and_values_cannot_end_a_comment(exported, tmp_path):
    record = exported[2]
    context = {"metrics": {"seed": 1, "metrics": {"mig": 0.2}}, "license": "a --> b\n# c"}
    write_card(tmp_path / "card.md", record, context)
    text = (tmp_path / "card.md").read_text()
    assert "| mig | 0.2 | n=1, no interval | 1 |" in text
    two = {"mean": 0.2, "low": -1.0, "high": 1.4, "values": [0.1, 0.3]}
    context = {"metrics": {"seeds": [1, 2], "metrics": {"mig": two}}}
    write_card(tmp_path / "card.md", record, context)
    assert "| mig | 0.2 | n=2, no interval | 1, 2 |" in (tmp_path / "card.md").read_text()
    assert "<!-- license: a → b # c -->" in text
