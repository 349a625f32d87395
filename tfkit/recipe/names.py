"""Names in a recipe that must exist elsewhere: metrics, objectives, monitors, signatures."""

from tfkit.recipe.components import Checker, nearest

TEST_REASON = "the test split decides nothing, or its figures would flatter; use valid/{name}"


def check(checker: Checker, resolved: dict, parts) -> None:
    """Complain of every name that nothing provides; `parts` are the recipe's entries."""
    if parts.model is None:
        return
    _data_fits(checker, parts)
    names = _Reported(parts)
    for path, listed in (
        (("train", "validate"), names.held_out()),
        (("evaluate", "metrics"), list(names.metrics)),
    ):
        for index, name in enumerate(_at(resolved, path) or []):
            names.require(checker, (*path, index), name, listed)
    _objective(checker, resolved, names)
    _monitors(checker, resolved, names)
    _signatures(checker, resolved, parts)


class _Reported:
    """What a model's training logs and its evaluator measures, on the data at hand."""

    def __init__(self, parts):
        self.data, self.room = parts.data, parts.model.name
        self.logs = list(dict.fromkeys(["loss", *parts.model.logs]))
        gives = parts.evaluator.gives if parts.evaluator else ()
        self.lacking = {m["name"]: self._missing(m["needs"]) for m in gives}
        self.metrics = [name for name, lacking in self.lacking.items() if not lacking]

    def _missing(self, needs: list[str]) -> list[str]:
        given = self.data.given_names if self.data else needs
        return [need for need in needs if need not in given]

    def held_out(self) -> list[str]:
        return list(dict.fromkeys([*self.metrics, *self.logs]))

    def require(self, checker: Checker, path: tuple, name, listed: list[str], prefix="") -> None:
        """Complain unless `name` is among `listed`."""
        if not isinstance(name, str) or name in listed:
            return
        if self.lacking.get(name):
            needs = " and ".join(self.lacking[name])
            message = (
                f"{prefix}{name} needs {needs}, which the data set {self.data.name} does not give"
            )
            checker.complain(path, f"{message} (it gives {', '.join(self.data.given_names)})")
            return
        near = nearest(name, listed)
        allowed = f" (there are: {', '.join(prefix + n for n in listed)})" if listed else ""
        message = f"{self.room} reports no {prefix}{name}{allowed}"
        checker.complain(path, message, near and prefix + near)


def _at(value, path: tuple):
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _data_fits(checker: Checker, parts) -> None:
    if parts.data is None:
        return
    gives = parts.data.given_names
    lacking = [need for need in parts.model.needs if need not in gives]
    if not lacking:
        return
    fitting = [
        entry.name
        for entry in checker.catalog.of("dataset")
        if set(parts.model.needs) <= set(entry.given_names)
    ]
    path = ("data", "name") if ("data", "name") in checker.document.places else ("data",)
    message = (
        f"{parts.model.name} needs {' and '.join(lacking)}, which {parts.data.name} does not give "
        f"(it gives {', '.join(gives) or 'nothing'}; "
        f"data sets that fit: {', '.join(fitting) or 'none'})"
    )
    checker.complain(path, message)


def _objective(checker: Checker, resolved: dict, names: _Reported) -> None:
    name, path = _at(resolved, ("search", "objective")), ("search", "objective")
    if not isinstance(name, str):
        return
    split, slash, rest = name.partition("/")
    if split == "test" and slash:
        checker.complain(path, TEST_REASON.format(name=rest))
    elif split == "valid" and slash:
        names.require(checker, path, rest, names.held_out(), "valid/")
    elif name not in names.logs:
        _wrong_log(checker, path, name, names, names.held_out())


def _wrong_log(checker: Checker, path: tuple, name: str, names: _Reported, held_out: list) -> None:
    """Names without a split are training's; the cure may be to name the split."""
    existing = [*names.logs, *(f"valid/{n}" for n in held_out)]
    if names.lacking.get(name):
        names.require(checker, path, name, names.logs)
        return
    near = f"valid/{name}" if f"valid/{name}" in existing else nearest(name, existing)
    message = f"{names.room} logs no {name} in training (there are: {', '.join(existing)})"
    checker.complain(path, message, near)


def _monitors(checker: Checker, resolved: dict, names: _Reported) -> None:
    """A callback may watch a log of training, or `valid/x` where train.validate computes x."""
    validated = [n for n in _at(resolved, ("train", "validate")) or [] if isinstance(n, str)]
    for index, callback in enumerate(_at(resolved, ("train", "callbacks")) or []):
        name = _at(callback, ("monitor",))
        path = ("train", "callbacks", index, "monitor")
        if not isinstance(name, str) or name in names.logs:
            continue
        split, _, rest = name.partition("/")
        if split != "valid":
            _wrong_log(checker, path, name, names, validated)
        elif rest in names.held_out() and rest not in validated:
            checker.complain(path, f"{name} is not computed; add {rest} to train.validate")
        elif rest not in validated:
            names.require(checker, path, rest, names.held_out(), "valid/")


def _signatures(checker: Checker, resolved: dict, parts) -> None:
    wanted = _at(resolved, ("export", "signatures"))
    if not isinstance(wanted, list) or parts.server is None or not parts.server.gives:
        return
    existing = list(parts.server.given_names)
    if not wanted:
        message = f"is empty; leave it out for all ({', '.join(existing)})"
        checker.complain(("export", "signatures"), message)
    for index, name in enumerate(wanted):
        path = ("export", "signatures", index)
        if name not in existing:
            allowed = f" (there are: {', '.join(existing)})"
            message = f"{parts.model.name} has no signature {name}{allowed}"
            checker.complain(path, message, nearest(name, existing))
        elif name in wanted[:index]:
            checker.complain(path, f"{name} is there twice")
