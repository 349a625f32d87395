"""Search: an engine proposes trials, an executor runs them, a trial is an ordinary run."""

from tfkit.lazy import lazy_exports

__getattr__, __dir__, __all__ = lazy_exports(
    __name__,
    {
        "Engine": "engines.base",
        "Trial": "engines.base",
        "hyperparameters": "space",
        "make_engine": "engines.making",
    },
)
