"""Packages that only one engine, one executor or the server needs."""

import importlib

from tfkit.errors import UsageError


def need(option: str, extra: str, *packages: str) -> None:
    """Refuse to begin without some packages, with the command that installs them.

    Args:
        option: of the recipe, or a command, which asks for them.
        extra: of tfkit, which brings them.
        packages: what is imported.
    """
    for package in packages:
        try:
            importlib.import_module(package)
        except ImportError as error:
            missing = error.name or package
            raise UsageError(
                f"{option} needs the package {missing}: pip install 'tfkit[{extra}]'"
            ) from error
