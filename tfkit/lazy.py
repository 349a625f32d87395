"""Packages whose names load on first use, so that importing tfkit costs nothing."""

import importlib
from collections.abc import Callable


def lazy_exports(
    package: str, table: dict[str, str], before: Callable[[], None] | None = None
) -> tuple[Callable[[str], object], Callable[[], list[str]], list[str]]:
    """`__getattr__`, `__dir__` and `__all__` of a package that exports `table` lazily.

        __getattr__, __dir__, __all__ = lazy_exports(__name__, {"SupCon": "supcon"})

    Args:
        package: the package's `__name__`.
        table: public name -> the module, relative to the package, that defines it.
        before: called before a name is loaded; may raise what the user must know first.
    """

    def load(name: str) -> object:
        if name not in table:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        if before:
            before()
        return getattr(importlib.import_module(f"{package}.{table[name]}"), name)

    def names() -> list[str]:
        return sorted(table)

    return load, names, sorted(table)
