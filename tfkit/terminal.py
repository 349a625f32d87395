"""What the command line prints: tables, descriptions, errors, one JSON object for machines."""

import json
import shutil
import sys

from tfkit.catalog import Catalog, Entry
from tfkit.errors import RecipeError, TfkitError
from tfkit.statistics.few_seeds import as_shown


def fail(error: TfkitError, as_json: bool) -> int:
    """Print an error for people on stderr, for machines on stdout; returns the exit code."""
    message = str(error)
    prefix = "" if isinstance(error, RecipeError) else "tfkit: "
    print(f"{prefix}{message}", file=sys.stderr)
    if as_json:
        problems = [vars(problem) for problem in getattr(error, "problems", [])]
        found = {"error": message, "exit_code": error.exit_code}
        known = {k: v for k, v in vars(error).items() if k in ("run", "step", "tensor")}
        print_json(found | known | ({"problems": problems} if problems else {}))
    return error.exit_code


def print_json(value: dict) -> None:
    """One JSON object on one line; NaN and infinity, which JSON lacks, become null."""
    print(json.dumps(_finite(value), ensure_ascii=False, default=str), flush=True)


def print_result(result: dict, as_json: bool) -> None:
    """What a command found: for people one line a key, for machines JSON."""
    if as_json:
        print_json(result)
        return
    width = max((len(key) for key in result), default=0)
    for key, value in result.items():
        rows = value.items() if key == "metrics" else [("", value)]
        for index, (name, item) in enumerate(rows):
            if item not in (None, {}, []):
                print(f"{'' if index else key:<{width}}  {name + ' ' if name else ''}{_line(item)}")


def brief_answer(answer: dict) -> dict:
    """What `tfkit predict` says to people: the outputs' shapes, and where they went."""
    outputs = {
        name: f"{output['dtype']} {output['shape']}"
        if output["values"] is None
        else output["values"]
        for name, output in answer["outputs"].items()
    }
    files = answer["written"]
    many = len(files) > 1 and f"{len(files)} files, the first is {files[0]}"
    return {**answer, "outputs": outputs, "written": many or files}


def print_entries(entries: list[Entry]) -> None:
    """A table on a terminal; elsewhere one line an entry, never cut, for grep and awk."""
    if not sys.stdout.isatty():
        kind = max((len(entry.kind) for entry in entries), default=0)
        name = max((len(entry.name) for entry in entries), default=0)
        for entry in entries:
            print(f"{entry.kind:<{kind}}  {entry.name:<{name}}  {entry.summary}")
        return
    from rich.console import Console
    from rich.table import Table

    table = Table("kind", "name", "what it is", "source", box=None, pad_edge=False)
    for entry in entries:
        table.add_row(entry.kind, f"[bold]{entry.name}[/]", entry.summary, entry.references)
    Console(width=shutil.get_terminal_size().columns).print(table)


def describe(entry: Entry, catalog: Catalog) -> str:
    """Everything the catalogue knows of an entry, as text."""
    from tfkit.recipe.options import expected, shown

    head = f"{entry.kind} {entry.name}   ({entry.object})"
    lines = [head, "=" * len(head), _without_args(entry.doc), ""]
    if entry.kind == "model":
        lines += _fitting(entry, catalog)
    options = [p for p in entry.parameters if not p.supplied]
    if options:
        lines.append("Keys of the recipe:" if entry.kind == "section" else "Options:")
    for option in options:
        default = "required" if option.required else f"default {shown(option.default)}"
        lines.append(f"  {option.name}: {expected(option)}; {default}")
        lines += [f"      {option.doc}"] if option.doc else []
    supplied = [p.name for p in entry.parameters if p.supplied]
    if supplied and entry.kind not in ("loss", "metric", "evaluator", "server"):
        lines.append(f"Supplied by tfkit, not by the recipe: {', '.join(supplied)}")
    return "\n".join(lines).rstrip()


def _fitting(model: Entry, catalog: Catalog) -> list[str]:
    fitting = [d.name for d in catalog.of("dataset") if set(model.needs) <= set(d.given_names)]
    evaluator = catalog.beside(model, "evaluator")
    server = catalog.beside(model, "server")
    lines = [f"Data sets that fit: {', '.join(fitting) or 'none'}"]
    lines += [f"Metrics: {', '.join(evaluator.given_names)}"] if evaluator else []
    lines += [f"Signatures of its export: {', '.join(server.given_names)}"] if server else []
    return [*lines, ""]


def _without_args(doc: str) -> str:
    """The docstring without its argument list, which follows with types and defaults."""
    kept, skipping = [], False
    for line in doc.splitlines():
        if line and not line[0].isspace():
            skipping = line.startswith("Args:")
        if not skipping:
            kept.append(line)
    return "\n".join(kept).rstrip()


def _line(value) -> str:
    if isinstance(value, dict) and {"mean", "low", "high", "values"} <= value.keys():
        return _interval(value)
    if isinstance(value, dict):
        return ", ".join(f"{key} {_line(item)}" for key, item in value.items() if item is not None)
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return ", ".join(value)
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _interval(value: dict) -> str:
    """A mean over seeds with its 95 % interval, or with the number of too few seeds."""
    value = as_shown(value)
    number, n = f"{value['mean']:.4g}", len(value["values"])
    if value["low"] is None:
        return f"{number} (n={n})"
    return f"{number} [{value['low']:.4g}, {value['high']:.4g}] ({n} seeds)"


def _finite(value):
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    broken = isinstance(value, float) and value - value != 0
    return None if broken else value
