"""The rooms' models under one roof: `tfkit.models.BetaTCVAE`; the catalogue knows what there is."""

from tfkit import catalog
from tfkit.backend import require_tensorflow


def _entries() -> dict[str, catalog.Entry]:
    return {entry.object.partition(":")[2]: entry for entry in catalog.load().of("model")}


def __getattr__(name: str) -> type:
    entry = _entries().get(name)
    if entry is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    require_tensorflow()
    return catalog.resolve(entry)


def __dir__() -> list[str]:
    return sorted(_entries())
