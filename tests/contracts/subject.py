"""What a contract is about: one entry of the catalogue, and small values to make it with."""

import ast
import inspect
import re
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from tfkit import catalog, declared
from tfkit.train.build import build

ROOT = Path(__file__).parents[2]
# what the engine would supply; a method with another such parameter adds it here
SUPPLIED = {"image_shape": (16, 16, 1), "latent_dim": 4, "steps": 8, "classes": 10}
SUPPLIED |= {"num_classes": 3}  # of a readout: told by the network above it
SUPPLIED |= {"input_shape": (32, 32, 3)}  # of a classifier's network; the least that all take
# what data of another kind would tell one of them
OTHERWISE = {"bert": {"input_shape": (9,), "vocabulary_size": 20}}
PLAIN = {"network": {"name": "perceptron"}}  # for a network that is made of another
# letters of the docstrings' `Shapes:`; integers are drawn below K, so that they can be classes
SIZES = {"B": 6, "M": 4, "N": 60, "D": 3, "K": 3, "T": 5, "H": 8, "W": 8, "C": 1}
LARGE = 1000.0  # how far outside its bounds a bad value is, where the bound is not itself outside


@dataclass(frozen=True)
class Subject:
    """An entry, the options to make it with, and example inputs where it takes tensors."""

    entry: catalog.Entry
    options: dict = field(default_factory=dict)
    inputs: tuple = ()

    @property
    def object(self):
        """The class or function itself."""
        return catalog.resolve(self.entry)

    @property
    def name(self) -> str:
        """As in messages of failed contracts."""
        return f"{self.entry.kind} {self.entry.name} ({self.entry.object})"

    def make(self, **changed):
        """Build it from the catalogue's defaults, with other options if wished."""
        supplied = SUPPLIED | OTHERWISE.get(self.entry.name, {})
        for parameter in self.entry.parameters:
            if parameter.supplied and parameter.name not in supplied:
                pytest.fail(f"{self.name}: add {parameter.name} to tests/contracts/subject.py")
        inner = PLAIN if self.entry.kind == "network" and "network" in self.entry.options else {}
        return build(self.entry, {**inner, **self.options, **changed}, supplied)


def subject(thing, kind: str, options: dict | None = None, inputs: tuple = ()) -> Subject:
    """The subject of a name of the catalogue, an entry, or a class or function."""
    if isinstance(thing, catalog.Entry):
        return Subject(thing, options or {}, inputs)
    if isinstance(thing, str):
        entry = catalog.find(kind, thing)
        assert entry is not None, f"there is no {kind} called {thing}"
        return Subject(entry, options or {}, inputs)
    target = f"{thing.__module__}:{thing.__qualname__}"
    known = [e for e in catalog.load().of(kind) if e.object == target]
    record = known or [catalog.Entry.from_dict(declared.declare(kind, thing.__name__, target))]
    return Subject(record[0], options or {}, inputs)


def bad_values(parameter: catalog.Parameter) -> list:
    """Values that the docstring's bounds or the annotation's Literal exclude."""
    bad = [bound - LARGE for key, bound in parameter.bounds.items() if key == "ge"]
    bad += [bound for key, bound in parameter.bounds.items() if key in ("gt", "lt")]
    bad += [bound + LARGE for key, bound in parameter.bounds.items() if key == "le"]
    if "int" in parameter.type and "float" not in parameter.type:
        bad = [int(value) for value in bad]
    if "tuple" in parameter.type or "list" in parameter.type:
        bad = [[value] for value in bad]
    values = literals(parameter.type)
    if values and "|" not in parameter.type:
        text = isinstance(values[0], str)
        bad.append("no_such_value" if text else max(values) + 1)
    return bad


def other_value(parameter: catalog.Parameter):
    """A legal value that is not the default, for plain numbers and choices; None for the rest."""
    default = parameter.default
    if isinstance(default, bool) or parameter.required:
        return not default if isinstance(default, bool) else None
    if choices := [value for value in literals(parameter.type) if value != default]:
        return choices[0]
    if isinstance(default, float):
        return default / 2 or None
    return default + 1 if isinstance(default, int) else None


def literals(annotation: str) -> list:
    """The values of a `Literal[...]`, none for other annotations."""
    found = re.search(r"Literal\[(.*?)\]", annotation)
    return list(ast.literal_eval(f"({found[1]},)")) if found else []


def shapes(entry: catalog.Entry) -> tuple[list[str], str]:
    """The inputs and the output of the docstring's `Shapes: [B, D], [B] int -> [B]`."""
    line = re.search(r"^Shapes:\s*(.*?)\s*$", entry.doc, re.MULTILINE)
    assert line and "->" in line[1], f"{entry.object}: the docstring needs `Shapes: … -> …`"
    given, _, result = line[1].partition("->")
    arrays = re.findall(r"\[[^\]]*\](?: int\w*)?(?: in \[0, 1\])?|any", given)
    return arrays, result.strip()


def size(text: str) -> tuple[int, ...]:
    """[B, D] -> (6, 3)"""
    names = [part.strip() for part in text.strip("[]").split(",") if part.strip()]
    return tuple(int(name) if name.isdigit() else SIZES[name] for name in names)


def examples(given: Subject) -> list[np.ndarray]:
    """Example inputs: those handed over, or random ones of the docstring's shapes."""
    if given.inputs:
        return [np.asarray(array) for array in given.inputs]
    generator = np.random.default_rng(0)
    return [example(text, generator) for text in shapes(given.entry)[0]]


def example(text: str, generator) -> np.ndarray:
    """A random array of a shape such as `[B, D]`, `[B] int` or `[B, H, W, C] in [0, 1]`."""
    if text == "any":
        return generator.normal(size=(SIZES["B"], SIZES["D"])).astype("float32")
    shape = size(re.match(r"\[[^\]]*\]", text)[0])
    if "] int" in text:
        return generator.integers(0, 3, shape).astype("int32")
    if text.endswith("in [0, 1]"):
        return generator.random(shape).astype("float32")
    return generator.normal(size=shape).astype("float32")


def takes(function, name: str) -> bool:
    """Whether a function has a parameter of that name."""
    return name in inspect.signature(function).parameters
