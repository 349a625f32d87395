"""The conductor: resolved recipe → search → train → evaluate → report → export."""

from tfkit.experiment.commands import evaluate, export, report, run, search, sweep

__all__ = ["evaluate", "export", "report", "run", "search", "sweep"]
