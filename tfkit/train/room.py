"""A method's room: the modules beside its `model.py`, found by their file names."""

import importlib
import importlib.util
from types import ModuleType

MODEL = "model"
ROOMS = "tfkit.methods."  # where a model may also stand in another file of its room


class Room:
    """The parts (`stages`, `evaluate`, `serve`, `model`) of the room that a model class lives in.

    A class of the user's that derives from a room's model inherits the room.
    """

    def __init__(self, model_class: type):
        modules = (base.__module__ for base in model_class.__mro__)
        self.package = next(
            (
                module.rpartition(".")[0]
                for module in modules
                if module.endswith(f".{MODEL}") or module.startswith(ROOMS)
            ),
            None,
        )

    @property
    def name(self) -> str | None:
        """The stem, e.g. `disentanglement`; None for a model without a room."""
        return self.package and self.package.rpartition(".")[2]

    def part(self, name: str) -> ModuleType | None:
        """The module `<room>/<name>.py`, or None where the room has no use for it."""
        module = self.package and f"{self.package}.{name}"
        if not module or importlib.util.find_spec(module) is None:
            return None
        return importlib.import_module(module)

    def function(self, part: str, name: str):
        """A function of one of the parts, or None."""
        return getattr(self.part(part), name, None)
