"""Engines propose trials and hear what became of them; none knows how a trial is run."""

from tfkit.lazy import lazy_exports

__getattr__, __dir__, __all__ = lazy_exports(
    __name__,
    {
        "Engine": "base",
        "Status": "base",
        "Trial": "base",
        "make_engine": "making",
    },
)
