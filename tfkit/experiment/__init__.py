"""The conductor: resolved recipe → search → train → evaluate → report → export."""

from tfkit.experiment.commands import evaluate, export, report, run, search, sweep
from tfkit.experiment.explaining import explain

__all__ = ["evaluate", "explain", "export", "report", "run", "search", "sweep"]
