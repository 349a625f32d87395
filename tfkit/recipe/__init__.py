"""What a recipe is: YAML with places, bases, overrides, strict checks, defaults."""

from tfkit.lazy import lazy_exports

_LAZY = {
    "Recipe": "document",
    "difference": "differences",
    "from_dict": "document",
    "load": "document",
    "override": "sets",
    "parse": "reading",
    "validate": "document",
}

__getattr__, __dir__, __all__ = lazy_exports(__name__, _LAZY)
