"""Executors run tasks; none knows who proposed them."""

from tfkit.lazy import lazy_exports

__getattr__, __dir__, __all__ = lazy_exports(
    __name__,
    {
        "Executor": "base",
        "Queue": "base",
        "make_executor": "making",
    },
)
