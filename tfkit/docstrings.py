"""The grammar of tfkit's docstrings: what a component needs, gives and logs, what arguments allow.

Needs: images
Logs: loss, reconstruction, kl
Gives:
    mig (factors): mutual information gap.
Args:
    beta: weight of the KL term, >= 0; 4 is the paper's.
References: Higgins et al. 2017, https://openreview.net/forum?id=Sy2fzU9gl
"""

import inspect
import re

_HEADER = re.compile(r"^(Shapes|Needs|Gives|Logs|Args|Returns|Raises|Example|References):\s*(.*)$")
_COMPARISON = re.compile(r"(?:^|,)\s*(>=|<=|>|<)\s*(-?[\d.]+(?:e[+-]?\d+)?)")
_INTERVAL = re.compile(r"(?:^|,)\s*in ([\[(])\s*(-?[\d.e+-]+)\s*,\s*(-?[\d.e+-]+)\s*([\])])")
_OPERATORS = {">": "gt", ">=": "ge", "<": "lt", "<=": "le"}


def parse_docstring(text: str) -> dict:
    """The parts of a docstring in tfkit's grammar; a part that is absent is empty."""
    text = inspect.cleandoc(text)
    blocks: dict[str, list[str]] = {}
    current = blocks.setdefault("", [])
    for line in text.splitlines():
        header = _HEADER.match(line)
        if header:
            current = blocks.setdefault(header[1], [])
            line = header[2]
        current.append(line)
    return {
        "text": text,
        "summary": " ".join("\n".join(blocks[""]).split("\n\n")[0].split()),
        "needs": _words(blocks.get("Needs", [])),
        "gives": _gives(blocks.get("Gives", [])),
        "logs": _words(blocks.get("Logs", [])),
        "references": " ".join(" ".join(blocks.get("References", [])).split()),
        "args": _args(blocks.get("Args", [])),
    }


def parse_bounds(doc: str) -> dict[str, float]:
    """Bounds in the first clause of a parameter's doc: "weight, >= 0; 4 is the paper's"."""
    clause = re.split(r";|\.(?:\s|$)", doc, maxsplit=1)[0]
    bounds = {_OPERATORS[sign]: _number(value) for sign, value in _COMPARISON.findall(clause)}
    for left, low, high, right in _INTERVAL.findall(clause):
        bounds["ge" if left == "[" else "gt"] = _number(low)
        bounds["le" if right == "]" else "lt"] = _number(high)
    return bounds


def _words(lines: list[str]) -> list[str]:
    return [word.strip() for word in " ".join(lines).rstrip(". ").split(",") if word.strip()]


def _gives(lines: list[str]) -> list[dict]:
    """`Gives: images, factors`, or a block of `name (needs): what it is`, lines that go on further
    in, and `(needs; asked)` where an evaluator computes it only if it is named.
    """
    found = []
    for line in lines:
        m = re.match(r"^\s+(\w+)(?: \(([\w, ]*?)(; asked|asked)?\))?: (.*)$", line)
        if m:
            found.append({"name": m[1], "needs": _words([m[2] or ""]), "doc": m[4]})
            found[-1] |= {"asked": True} if m[3] else {}
        elif found and line.strip():
            found[-1]["doc"] += f" {line.strip()}"
    return found or [{"name": word, "needs": [], "doc": ""} for word in _words(lines)]


def _args(lines: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    indents = [len(line) - len(line.lstrip()) for line in lines if line.strip()]
    name = None
    for line in lines:
        match = re.match(r"^\s+\*{0,2}(\w+): ?(.*)$", line)
        if match and len(line) - len(line.lstrip()) == min(indents):
            name, line = match[1], match[2]
        if name and line.strip():
            found[name] = f"{found.get(name, '')} {line.strip()}".strip()
    return found


def _number(text: str) -> float:
    value = float(text)
    return int(value) if value.is_integer() and "e" not in text and "." not in text else value
