"""The catalogue is what the code says, and reading it needs none of the code."""

import inspect
import json
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

from tfkit import catalog, declared
from tfkit.docstrings import parse_bounds, parse_docstring
from tfkit.errors import TfkitError

ROOT = Path(__file__).parents[1]
ENTRIES = catalog.load().entries


def test_is_not_stale():
    script = ROOT / "scripts" / "make_catalog.py"
    done = subprocess.run([sys.executable, script, "--check"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda e: f"{e.kind}-{e.name}")
def test_equals_the_signature_of_the_imported_object(entry):
    signature = inspect.signature(catalog.resolve(entry))
    named = [
        parameter
        for parameter in signature.parameters.values()
        if parameter.kind not in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL)
    ]
    assert [p.name for p in entry.parameters] == [p.name for p in named]
    for known, real in zip(entry.parameters, named, strict=True):
        assert known.required == (real.default is inspect.Parameter.empty)
        if not known.required and not _made_by_a_factory(real.default):
            default = list(real.default) if isinstance(real.default, tuple) else real.default
            assert json.dumps(known.default) == json.dumps(default), known.name


def _made_by_a_factory(default):
    return type(default).__name__ == "_HAS_DEFAULT_FACTORY_CLASS"


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda e: f"{e.kind}-{e.name}")
def test_says_what_it_is_and_what_each_option_means(entry):
    assert entry.summary
    assert not [name for name, option in entry.options.items() if not option.doc]


@pytest.mark.parametrize("entry", catalog.load().of("model"), ids=lambda e: e.name)
def test_a_model_says_what_it_needs_and_logs(entry):
    assert entry.needs and "loss" in entry.logs and entry.references
    real = catalog.resolve(entry)
    assert set(entry.logs) == {"loss", *real.logged}


def test_bounds_are_read_from_the_first_clause():
    assert parse_bounds("weight, >= 0; 4 is the paper's, > 3") == {"ge": 0}
    assert parse_bounds("share, in [0, 1)") == {"ge": 0, "lt": 1}
    assert parse_bounds("step, > 1e-8, <= 0.5. More, < 3") == {"gt": 1e-8, "le": 0.5}
    assert parse_bounds("images -> [mean, logvar], each [B, D]") == {}


def test_the_parts_of_a_docstring():
    doc = parse_docstring(
        """One line
        over two.

            formula

        Needs: images, factors
        Gives:
            mig (factors): gap, in [0, 1];
                larger is better.
            kl: divergence.
        Args:
            beta: weight,
                >= 0.
            gamma: other.
        References: A 2020.
        """
    )
    assert doc["summary"] == "One line over two."
    assert doc["needs"] == ["images", "factors"]
    assert [(g["name"], g["needs"]) for g in doc["gives"]] == [("mig", ["factors"]), ("kl", [])]
    told = [g["doc"] for g in doc["gives"]]
    assert told == ["gap, in [0, 1]; larger is better.", "divergence."]
    assert doc["args"] == {"beta": "weight, >= 0.", "gamma": "other."}
    assert doc["references"] == "A 2020."


OWN = """
from typing import Literal
import keras
from tfkit.models import BetaVAE
from tfkit.losses import kl_to_standard_normal

raise ImportError("reading must not import")

WIDTH = 32
Kind = Literal["a", "b"]

class Mine(BetaVAE):
    '''Mine.'''

def build(image_shape, width: int = WIDTH, kind: Kind = "a", *, rates=(0.1, 0.2), **options):
    '''Builds.

    Args:
        width: units, >= 1.
    '''
"""


@pytest.fixture
def own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "own_catalogued.py").write_text(OWN)


def test_a_component_of_the_users_is_read_and_not_imported(own):
    entry = catalog.find(("network", "model"), "own_catalogued:build")
    assert [p.name for p in entry.parameters] == ["image_shape", "width", "kind", "rates"]
    assert entry.parameters[0].supplied and list(entry.options) == ["width", "kind", "rates"]
    assert (entry.options["width"].default, entry.options["width"].bounds) == (32, {"ge": 1})
    assert entry.options["kind"].type == "Literal['a', 'b']"
    assert entry.options["rates"].default == [0.1, 0.2]


def test_folders_without_an_init_are_packages_too(own, tmp_path):
    (tmp_path / "one" / "other").mkdir(parents=True)
    (tmp_path / "one" / "other" / "mine.py").write_text(OWN)
    assert "width" in catalog.find(("network", "model"), "one.other.mine:build").options
    with pytest.raises(declared.NotFound, match="no module one.other.yours"):
        catalog.declared_entry("network", "one.other.yours:build")


def test_a_model_of_the_users_stays_in_the_room_it_derives_from(own):
    entry = catalog.find("model", "own_catalogued:Mine")
    assert entry.needs == ("images",) and "kl" in entry.logs
    assert entry.options["beta"].default == 4.0
    assert catalog.load().beside(entry, "evaluator").name == "disentanglement"


@pytest.mark.parametrize(
    "target, phrase",
    [
        ("no_such_module:x", "no module no_such_module"),
        ("own_catalogued:biuld", "has no biuld"),
        ("own_catalogued:WIDTH", "neither a function nor a class"),
        ("math:sqrt", "no Python source"),
    ],
)
def test_what_is_not_there_is_named(own, target, phrase):
    with pytest.raises(declared.NotFound, match=phrase):
        catalog.declared_entry("network", target)


class Plugin:
    name, value = "extra", "extra_package:entries"

    def __init__(self, given):
        self.given = given

    def load(self):
        return self.given


@pytest.fixture
def plugin(monkeypatch):
    def install(given):
        monkeypatch.setattr(metadata, "entry_points", lambda group: [Plugin(given)])
        catalog.load.cache_clear()

    yield install
    catalog.load.cache_clear()


def test_a_plug_in_adds_entries(plugin, own):
    record = {"kind": "network", "name": "extra_net", "object": "own_catalogued:build"}
    sys.path.insert(0, "")
    try:
        plugin(lambda: json.dumps({"entries": [record]}))
        assert catalog.find("network", "extra_net").options["width"].default == 32
    finally:
        sys.path.remove("")


def test_a_broken_plug_in_is_named(plugin):
    plugin({"nothing": []})
    with pytest.raises(TfkitError, match="plug-in extra"):
        catalog.load()
