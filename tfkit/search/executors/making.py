"""Executors by name."""

from collections.abc import Mapping

from tfkit import catalog
from tfkit.search.executors.base import Executor
from tfkit.train.build import build


def make_executor(component: Mapping) -> Executor:
    """The executor of a recipe's `{name: X, **options}`."""
    return build(catalog.find("executor", component["name"]), component, {})
