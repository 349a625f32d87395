"""Commands about what exists and about recipes."""

from pathlib import Path
from typing import Annotated

import typer

from tfkit.cli.options import Json, SetFiles, Sets, load_recipe, meant, show
from tfkit.errors import UsageError


def list_entries(
    kind: Annotated[str | None, typer.Argument(help="model, dataset, optimizer …")] = None,
    json: Json = False,
) -> None:
    """Show what exists: models, data sets, networks, optimizers …

    \b
    tfkit list
    tfkit list model
    """
    from tfkit import catalog
    from tfkit.terminal import print_entries, print_json

    known = catalog.load()
    kinds = list(dict.fromkeys(entry.kind for entry in known.entries))
    wanted = kind if kind in kinds or kind is None else kind.removesuffix("s")
    if wanted is not None and wanted not in kinds:
        raise UsageError(f"there is no kind {kind}{meant(kind, kinds)} ({', '.join(kinds)})")
    found = list(known.entries) if wanted is None else known.of(wanted)
    if json:
        fields = ("kind", "name", "object", "summary", "references")
        print_json({"entries": [{f: getattr(e, f) for f in fields} for e in found]})
    else:
        print_entries(found)


def describe(
    name: Annotated[str, typer.Argument(help="A name of `tfkit list`, or a recipe's section.")],
    json: Json = False,
) -> None:
    """Explain a model, data set, optimizer …, or a section of the recipe.

    \b
    tfkit describe beta_vae
    tfkit describe recipe
    tfkit describe train
    """
    from dataclasses import asdict

    from tfkit import catalog, terminal

    known = catalog.load()
    found = known.named(name) or [e for e in known.entries if e.object.endswith(f":{name}")]
    if not found:
        names = [entry.name for entry in known.entries]
        raise UsageError(f"there is nothing called {name}{meant(name, names)}; see `tfkit list`")
    if json:
        terminal.print_json({"entries": [asdict(entry) for entry in found]})
    else:
        print("\n\n".join(terminal.describe(entry, known) for entry in found))


def init(
    method: Annotated[str, typer.Argument(help="A model of `tfkit list model`.")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="File to write; never overwritten.")
    ] = None,
) -> None:
    """Print a complete, commented recipe for a method.

    \b
    tfkit init beta_vae -o my.yaml
    """
    from tfkit import catalog
    from tfkit.recipe.template import template

    known = catalog.load()
    entry = known.find("model", method)
    if entry is None:
        names = [e.name for e in known.of("model")]
        near = meant(method, names)
        raise UsageError(f"there is no model called {method}{near} ({', '.join(names)})")
    text = template(entry, known)
    if output is None:
        print(text, end="")
        return
    try:
        with open(output, "x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise UsageError(f"{output} is there already; it is left as it is") from None
    except OSError as error:
        raise UsageError(f"{output} cannot be written: {error.strerror}") from None
    print(f"wrote {output}; next: tfkit run {output}")


def validate(
    recipes: Annotated[list[Path], typer.Argument(help="Recipe files.")],
    sets: Sets = None,
    set_file: SetFiles = None,
    json: Json = False,
) -> None:
    """Check recipes without running them; all mistakes at once.

    \b
    tfkit validate recipes/*/*.yaml
    tfkit validate my.yaml --set train.steps=100
    """
    from tfkit.errors import RecipeError

    problems, valid = [], []
    for path in recipes:
        try:
            valid.append({"recipe": str(path), "hash": load_recipe(path, sets, set_file).hash})
        except RecipeError as error:
            problems += error.problems
    if problems:
        raise RecipeError(list(dict.fromkeys(problems)))
    if json:
        show({"valid": valid}, json)
    else:
        for item in valid:
            print(f"{item['recipe']}: valid ({item['hash']})")


def diff(
    old: Annotated[Path, typer.Argument(help="Recipe file or run folder.")],
    new: Annotated[Path, typer.Argument(help="Recipe file or run folder.")],
    json: Json = False,
) -> None:
    """Show what differs between two recipes or runs, defaults included.

    \b
    tfkit diff recipes/disentanglement/quick.yaml my.yaml
    tfkit diff runs/a/2026-01-31-1a2b3c runs/b/2026-02-01-4d5e6f
    """
    from tfkit.recipe import difference, load

    files = [path / "resolved.yaml" if path.is_dir() else path for path in (old, new)]
    changes = difference(*(load(file).resolved for file in files))
    if json:
        show({"changes": [change._asdict() for change in changes]}, json)
    else:
        print("\n".join(map(str, changes)) if changes else "no difference")
