"""Writes tfkit/catalog.json and recipes/schema.json; `--check` fails when they are stale."""

import argparse
import ast
import json
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tfkit import declared  # noqa: E402

CATALOG = ROOT / "tfkit" / "catalog.json"
SCHEMA = ROOT / "recipes" / "schema.json"
MODELS = {"keras.Model", "ObjectiveModel"}
# public names of these packages, as their `_LAZY` tables list them
PACKAGES = {
    "layers": "layer",
    "activations": "activation",
    "losses": "loss",
    "metrics": "metric",
}
# functions or classes of these files: pattern -> kind
FILES = {
    "optimizers/standard.py": "optimizer",
    "optimizers/schedules.py": "schedule",
    "methods/*/networks.py": "network",
    "layers/**/*.py": "network",
    "networks/*.py": "network",
}


def snake_case(name):
    """BetaTCVAE -> beta_tcvae, EarlyStopping -> early_stopping."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def module_name(path):
    return ".".join(path.relative_to(ROOT).with_suffix("").parts)


def source_of(path):
    return declared.read(module_name(path), (str(ROOT),))


def sources(pattern):
    """The modules that match, by name, so that the catalogue does not depend on the file system."""
    return [source_of(path) for path in sorted((ROOT / "tfkit").glob(pattern))]


def public(source, kind):
    return [n for n in source.tree.body if isinstance(n, kind) and not n.name.startswith("_")]


def entry(kind, source, node, name=None):
    return declared.declare(
        kind, name or snake_case(node.name), f"{source.name}:{node.name}", (str(ROOT),)
    )


def returns(node, text):
    return node.returns is not None and ast.unparse(node.returns) == text


def lazy_names(package):
    """(public name, module) of a package's `_LAZY` table."""
    path = ROOT / "tfkit" / package / "__init__.py"
    if not path.exists():
        return []
    table = source_of(path.parent / "__init__.py").definition("_LAZY")
    return sorted(ast.literal_eval(table.value).items()) if table is not None else []


def by_package():
    for package, kind in PACKAGES.items():
        for name, module in lazy_names(package):
            target = f"tfkit.{package}.{module}:{name}"
            _, node = declared.find(*target.split(":"), (str(ROOT),))
            if isinstance(node, ast.FunctionDef) and returns(node, "keras.Model"):
                continue  # a network, found below
            stem = module.rpartition(".")[2]
            same = name.lower() == stem.replace("_", "")
            yield declared.declare(kind, stem if same else snake_case(name), target, (str(ROOT),))


def by_file():
    for pattern, kind in FILES.items():
        for source in sources(pattern):
            for node in public(source, ast.FunctionDef):
                if kind != "network" or returns(node, "keras.Model"):
                    yield entry(kind, source, node)


def classes():
    for source in sources("methods/*/model.py"):
        for name in model_names(source):
            owner, node = declared.find(source.name, name, (str(ROOT),))
            if declared.derives(owner, node, MODELS, (str(ROOT),)):
                yield checked_model(entry("model", source, node))
    yield from leaves("train/callbacks.py", "callback", {"keras.callbacks.Callback"})
    yield from leaves("search/engines/*.py", "engine", {"Engine"})
    yield from leaves("search/executors/*.py", "executor", {"Executor"})
    for source in sources("recipe/sections.py"):
        for node in public(source, ast.ClassDef):
            yield entry("section", source, node)


def model_names(source):
    """The classes of a room's model.py, and those of its other files that `__all__` names."""
    listed = source.definition("__all__")
    if listed is not None:
        return ast.literal_eval(listed.value)
    return [node.name for node in public(source, ast.ClassDef)]


def leaves(pattern, kind, bases):
    """The classes below `bases` that no other class of these files builds on."""
    found = [(source, node) for source in sources(pattern) for node in public(source, ast.ClassDef)]
    parents = {ast.unparse(base) for _, node in found for base in node.bases}
    for source, node in found:
        if node.name not in parents and declared.derives(source, node, bases, (str(ROOT),)):
            yield entry(kind, source, node)


def returned_keys(node):
    """The keys of the dict that a function returns, where they are written out."""
    for statement in node.body:
        if isinstance(statement, ast.Return) and isinstance(statement.value, ast.Dict):
            return [key.value for key in statement.value.keys if isinstance(key, ast.Constant)]
    return []


def checked_model(record):
    for key in ("needs", "logs"):
        if not record[key]:
            sys.exit(
                f"{record['object']}: the docstring of a model needs a line `{key.title()}: …`"
            )
    return record


def functions():
    """`load` of data sets, `evaluate` and `signatures` of rooms; named after file or room."""
    wanted = [
        ("data/*.py", "load", "dataset", lambda path: path.stem),
        ("methods/*/data.py", "load", "dataset", lambda path: path.parent.name),
        ("methods/*/evaluate.py", "evaluate", "evaluator", lambda path: path.parent.name),
        ("methods/*/serve.py", "signatures", "server", lambda path: path.parent.name),
    ]
    for pattern, function, kind, name in wanted:
        for path in sorted((ROOT / "tfkit").glob(pattern)):
            source = source_of(path)
            nodes = [n for n in public(source, ast.FunctionDef) if n.name == function]
            for node in nodes:
                record = entry(kind, source, node, name(path))
                if kind == "server" and not record["gives"]:
                    keys = returned_keys(node)
                    record["gives"] = [{"name": key, "needs": [], "doc": ""} for key in keys]
                yield record


def unique(records):
    seen = {}
    for record in records:
        other = seen.setdefault((record["kind"], record["name"]), record)
        if other is not record:
            sys.exit(
                f"{record['object']} and {other['object']} would both be {record['kind']} "
                f"{record['name']}"
            )
    return sorted(seen.values(), key=lambda r: (r["kind"], r["name"]))


def catalog_text():
    records = unique([*classes(), *functions(), *by_file(), *by_package()])
    return json.dumps({"entries": records}, indent=1, ensure_ascii=False) + "\n"


def schema_text(catalog):
    from tfkit.catalog import Catalog, Entry
    from tfkit.recipe.schema import json_schema

    entries = [Entry.from_dict(record) for record in json.loads(catalog)["entries"]]
    return json.dumps(json_schema(Catalog(entries)), indent=1, ensure_ascii=False) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when stale")
    check = parser.parse_args().check
    catalog = catalog_text()
    stale = []
    for path, text in ((CATALOG, catalog), (SCHEMA, schema_text(catalog))):
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        stale.append(str(path.relative_to(ROOT)))
        if not check:
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
    if check and stale:
        sys.exit(f"stale: {', '.join(stale)}; run scripts/make_catalog.py")
    print(f"wrote {', '.join(stale)}" if stale else "up to date")


if __name__ == "__main__":
    main()
