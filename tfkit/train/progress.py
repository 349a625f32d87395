"""A progress bar with the time that is left, on a terminal only."""

import sys
import time

import keras


class Progress(keras.callbacks.Callback):
    """Shows steps done, speed and time left of one training on standard error.

    Args:
        label: what is being trained.
        total: steps in all.
        done: steps done before (a resumed run).
    """

    def __init__(self, label: str, total: int, done: int = 0):
        super().__init__()
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
        from rich.progress import Progress as Bar

        self.bar = Bar(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[shown]}"),
            TimeRemainingColumn(),
            console=stderr_console(),
            transient=True,
        )
        self.task = self.bar.add_task(label, total=total, completed=done, shown="")
        self.base, self.drawn = done, 0.0

    def __enter__(self):
        self.bar.start()
        return self

    def __exit__(self, *exception):
        self.bar.stop()

    def on_train_batch_end(self, batch, logs=None):
        """Move the bar, ten times a second at the most."""
        if time.perf_counter() - self.drawn > 0.1:
            self.drawn = time.perf_counter()
            self.bar.update(self.task, completed=self.base + batch + 1)

    def on_epoch_end(self, epoch, logs=None):
        """Show the chunk's loss."""
        self.base += self.params["steps"]
        self.bar.update(self.task, completed=self.base, shown=f"loss {logs['loss']:.4g}")


def stderr_console():
    """A rich console on standard error."""
    from rich.console import Console

    return Console(file=sys.stderr)


def wanted(quiet: bool) -> bool:
    """Bars are for people: only on a terminal, and not where quiet was asked for."""
    return not quiet and sys.stderr.isatty()
