"""A complete, commented recipe for a method, to start from."""

import textwrap

from tfkit.catalog import Catalog, Entry, Parameter
from tfkit.recipe.options import expected, shown

WIDTH = 96
_SWEEP = ["", "# sweep: null means none; `tfkit describe sweep` tells more", "sweep: null"]


def template(entry: Entry, catalog: Catalog) -> str:
    """YAML text of a valid recipe for a model, with every option and what it means."""
    fitting = [d for d in catalog.of("dataset") if fits(entry, d)]
    data = min(fitting, key=lambda d: _distance(entry, d), default=None)
    title = f"{entry.name}: {entry.summary}" + (f" {entry.references}" if entry.references else "")
    lines = [
        *_comment(title),
        *_comment("Check it: tfkit validate FILE      Run it: tfkit run FILE"),
        f"name: my-{entry.name.replace('_', '-')}",
        "seed: 0",
        "",
    ]
    if data is not None:
        section = catalog.find("section", "data")
        lines += ["data:", f"  name: {data.name}  # {data.summary}"]
        lines += _options([*section.options.values(), *data.options.values()], catalog, entry, 2)
    lines += ["", "model:", f"  name: {entry.name}"]
    lines += _options(entry.options.values(), catalog, entry, 2)
    lines += ["", "train:", *_train(entry, catalog), "", *_search(entry, catalog), *_SWEEP]
    evaluator = catalog.beside(entry, "evaluator")
    measured = [*catalog.find("section", "evaluate").options.values()]
    measured += evaluator.options.values() if evaluator else []
    lines += ["", "evaluate:", *_options(measured, catalog, entry, 2), ""]
    lines += _comment("export: {}  writes savedmodels/NAME/1; so does `tfkit run --export`")
    return "\n".join([*lines, "export: null", ""])


def fits(model: Entry, data: Entry) -> bool:
    """Whether a data set gives what the model needs, without an option that must be given."""
    needs_nothing = not any(option.required for option in data.options.values())
    return needs_nothing and set(model.needs) <= set(data.given_names)


def _distance(model: Entry, data: Entry) -> int:
    """The room's own data set is nearest, another room's is farthest."""
    return 0 if data.room == model.room else 2 if ".methods." in data.room else 1


def _train(entry: Entry, catalog: Catalog) -> list[str]:
    options = dict(catalog.find("section", "train").options)
    lines = ["  # training steps; or `epochs: N` instead", "  steps: 1000"]
    for name in ("steps", "epochs"):
        del options[name]
    lines += _options(options.values(), catalog, entry, 2)
    for name in entry.optimizers:
        lines += [f"  # {name}: an optimizer; null: the model's own default", f"  {name}: null"]
    return lines


def _search(entry: Entry, catalog: Catalog) -> list[str]:
    """A search over the model's first number by the room's first score, commented out: a loss
    would mostly choose the weakest of the method.
    """
    judge = catalog.beside(entry, "evaluator")
    number = next((o for o in entry.options.values() if o.type in ("int", "float")), None)
    lines = _comment("search: null means none; `tfkit describe search` tells more")
    if judge and number is not None and isinstance(number.default, int | float):
        span = [number.default, number.default * 2 or 1]
        example = f"{{model.{number.name}: {{{number.type}: {shown(span)}}}}}"
        objective = f"objective: valid/{judge.given_names[0]}, goal: max"
        lines += _comment(f"search: {{{objective}, trials: 8, space: {example}}}")
    return [*lines, "search: null"]


def _options(options, catalog: Catalog, model: Entry, indent: int) -> list[str]:
    pad, lines = " " * indent, []
    for option in options:
        allowed = f"; {expected(option)}" if option.type.count("'") > 2 else ""
        text = option.doc.rstrip(".") + allowed
        lines += [pad + line for line in _comment(text, WIDTH - indent)] if text else []
        value = _value(option, catalog, model)
        if isinstance(value, Entry):
            lines += [f"{pad}{option.name}:", f"{pad}  name: {value.name}"]
            lines += _options(value.options.values(), catalog, model, indent + 2)
        else:
            lines.append(f"{pad}{option.name}: {_yaml(value)}")
    return lines


def _value(option: Parameter, catalog: Catalog, model: Entry):
    """The option's default; for a component that must be given, the one that its description names
    in backquotes, or the room's own of that name.
    """
    if option.component and isinstance(option.default, str):
        return catalog.find_any(option.component, option.default)
    if not option.required or not option.component:
        return option.default
    known = [entry for entry in catalog.of(*option.component) if entry.kind != "model"]
    own = [entry for entry in known if entry.module.startswith(f"{model.room}.")] or known
    named = [entry for entry in own if entry.name.endswith(option.name)]
    told = [entry for entry in known if f"`{entry.name}`" in option.doc]
    return (told or named or own)[0]


def _comment(text: str, width: int = WIDTH) -> list[str]:
    return [f"# {line}" for line in textwrap.wrap(text, width - 2, break_long_words=False)]


def _yaml(value) -> str:
    return value if isinstance(value, str) and value.isidentifier() else shown(value)
