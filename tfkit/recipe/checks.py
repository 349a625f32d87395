"""Checks of a whole recipe: its sections one by one, then what must hold between them."""

from dataclasses import dataclass, replace

from tfkit.catalog import Catalog, Entry
from tfkit.errors import Problem
from tfkit.recipe import names, space, sweep
from tfkit.recipe.components import Checker
from tfkit.recipe.durations import seconds
from tfkit.recipe.options import shown
from tfkit.recipe.reading import Document

DEFAULT_STEPS = 1000  # where a recipe says neither `steps` nor `epochs`
SECTIONS = ("data", "model", "train", "search", "sweep", "evaluate", "export")


@dataclass(frozen=True)
class Parts:
    """The entries that the parts of a recipe name; None where that cannot be told."""

    data: Entry | None
    model: Entry | None
    evaluator: Entry | None
    server: Entry | None


def check(document: Document, catalog: Catalog) -> tuple[dict, list[Problem]]:
    """The recipe with every key explicit, and everything that is wrong with it.

    The first is only meaningful where the second is empty.
    """
    if not isinstance(document.value, dict):
        what = "is empty" if document.value is None else "is not a mapping of sections"
        message = f"this {what}; a recipe has at least name, data and model"
        return {}, [document.problem((), message)]
    checker = Checker(document, catalog)
    resolved = _top(checker)
    _check_name(checker, ("name",), resolved.get("name"))
    parts = _data_and_model(checker, resolved)
    _train(checker, resolved, parts.model)
    _search(checker, resolved)
    resolved["sweep"] = _section(checker, "sweep", resolved.get("sweep"))
    _evaluate(checker, resolved, parts)
    resolved["export"] = _export(checker, resolved.get("export"))
    names.check(checker, resolved, parts)
    space.check(checker, resolved)
    sweep.check(checker, resolved)
    return resolved, _in_order(checker.problems)


def _top(checker: Checker) -> dict:
    top = checker.catalog.find("section", "recipe")
    resolved = checker.options(top, checker.document.value, ())
    return {key: resolved.get(key) for key in ("name", "seed", *SECTIONS)}


def _data_and_model(checker: Checker, resolved: dict) -> Parts:
    """Replaces both sections by their explicit forms; they may be in short form."""
    given, catalog = checker.document.value, checker.catalog
    for key, kind in (("data", "dataset"), ("model", "model")):
        section = catalog.find("section", key)
        beside = section.parameters if section else ()
        value, known = given.get(key), None
        if isinstance(value, dict | str):
            known = checker.component((kind,), value, (key,), beside)
        resolved[key] = known
    model = checker.entries.get(("model",))
    return Parts(
        checker.entries.get(("data",)),
        model,
        catalog.beside(model, "evaluator") if model else None,
        catalog.beside(model, "server") if model else None,
    )


def _section(checker: Checker, name: str, given, extra: tuple = (), open: bool = False):
    """A section's explicit form; null stays null."""
    if not isinstance(given, dict):
        return None
    section = checker.catalog.find("section", name)
    section = replace(section, parameters=(*section.parameters, *extra))
    return checker.options(section, given, (name,), open)


def _train(checker: Checker, resolved: dict, model: Entry | None) -> None:
    given = dict(resolved.get("train") or {})
    section = checker.catalog.find("section", "train")
    further = model.optimizers if model else [key for key in given if key.endswith("_optimizer")]
    optimizer = section.options["optimizer"]
    # null, or left out: what the model's `compile` has for a default
    absent = {"type": f"{optimizer.type} | None", "default": None}
    extra = tuple(replace(optimizer, name=name, **absent) for name in further)
    train = _section(checker, "train", given, extra)
    if given.get("steps") is not None and given.get("epochs") is not None:
        message = "stands beside steps; keep one of the two (steps is the unit of training)"
        checker.complain(("train", "epochs"), message)
    if train.get("steps") is None and train.get("epochs") is None:
        train["steps"] = DEFAULT_STEPS
    if isinstance(train.get("stages"), dict):
        train["stages"] = _stages(checker, train["stages"], extra)
    resolved["train"] = train


def _stages(checker: Checker, stages: dict, extra: tuple) -> dict:
    """What each stage changes of `train`: the given keys alone, checked like those of `train`."""
    section, explicit = checker.catalog.find("section", "train"), {}
    for name, given in stages.items():
        path = ("train", "stages", name)
        if not isinstance(name, str) or not isinstance(given, dict):
            checker.complain(path, f"must be a mapping of keys of train, got {shown(given)}")
            continue
        options = [o for o in (*section.parameters, *extra) if o.name != "stages"]
        checked = checker.options(replace(section, parameters=tuple(options)), given, path)
        explicit[name] = {key: value for key, value in checked.items() if key in given}
    return explicit


def _search(checker: Checker, resolved: dict) -> None:
    given = resolved.get("search")
    search = resolved["search"] = _section(checker, "search", given)
    if search is None:
        return
    confirm = search.get("confirm")
    if confirm is None or isinstance(confirm, dict):
        section = checker.catalog.find("section", "confirm")
        search["confirm"] = checker.options(section, confirm or {}, ("search", "confirm"))
    _check_select(checker, search, resolved.get("train") or {})
    for key in ("budget", "timeout"):
        try:
            seconds(search.get(key))
        except ValueError as error:
            checker.complain(("search", key), str(error))


def _check_select(checker: Checker, search: dict, train: dict) -> None:
    """A mapping may only say over how many chunks to take the mean; only one chunk can be best."""
    select = search.get("select")
    for callback in train.get("callbacks") or []:
        known = callback or {}
        other = known.get("monitor"), known.get("goal")
        keeps = known.get("restore_best") or known.get("name") == "keep_best"
        if select == "best" and keeps and other != (search.get("objective"), search.get("goal")):
            message = (
                f"best keeps the weights of the best chunk by {search.get('objective')}, but "
                f"{known['name']} of train.callbacks those by {other[0]}; leave one of them out"
            )
            checker.complain(("search", "select"), message)
    if not isinstance(select, dict):
        return
    chunks = select.get("mean_last")
    whole = isinstance(chunks, int) and not isinstance(chunks, bool) and chunks >= 1
    if list(select) != ["mean_last"] or not whole:
        message = "must be last, best, mean_last or {mean_last: k} with an integer k >= 1"
        checker.complain(("search", "select"), f"{message}, got {shown(select)}")


def _evaluate(checker: Checker, resolved: dict, parts: Parts) -> None:
    given = resolved.get("evaluate") or {}
    options = parts.evaluator.options.values() if parts.evaluator else ()
    extra = tuple(option for option in options if option.name not in ("seeds", "metrics"))
    evaluate = _section(checker, "evaluate", given, extra, open=parts.model is None)
    seeds = evaluate.get("seeds")
    if isinstance(seeds, list):
        _check_seeds(checker, seeds)
    resolved["evaluate"] = evaluate


def _export(checker: Checker, given) -> dict | None:
    export = _section(checker, "export", given)
    if export is None:
        return None
    _check_name(checker, ("export", "name"), export.get("name"))
    if isinstance(export.get("batching"), dict):
        section = checker.catalog.find("section", "batching")
        export["batching"] = checker.options(section, export["batching"], ("export", "batching"))
    return export


def _check_seeds(checker: Checker, seeds: list) -> None:
    if not seeds:
        checker.complain(("evaluate", "seeds"), "is empty; give at least one seed, such as [1]")
    for index, seed in enumerate(seeds):
        if seed in seeds[:index]:
            message = f"seed {seed} is there twice; every replicate needs a seed of its own"
            checker.complain(("evaluate", "seeds", index), message)


def _check_name(checker: Checker, path: tuple, name) -> None:
    """Names become folders: no separator, no blank, nothing that a shell or a URL trips over."""
    if not isinstance(name, str):
        return
    allowed = all(c.isascii() and (c.isalnum() or c in "-_.") for c in name)
    if not name or not allowed or not (name[0].isalnum()):
        message = (
            f'must be letters, digits, "-", "_" and ".", first a letter or digit, got "{name}"'
        )
        cured = "".join(c if c.isascii() and (c.isalnum() or c in "-_.") else "-" for c in name)
        checker.complain(path, message, cured.strip("-_. ") or None)


def _in_order(problems: list[Problem]) -> list[Problem]:
    """Each once, by line; those of a `--set` first."""
    unique = list(dict.fromkeys(problems))
    return sorted(unique, key=lambda p: (p.file or "", p.line or 0, p.column or 0))
