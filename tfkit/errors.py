"""What users see when something is wrong: message, place, cure and the program's exit code."""

from dataclasses import dataclass


class TfkitError(Exception):
    """A failure with a message for the user; the command line prints it without a traceback."""

    exit_code = 1


class UsageError(TfkitError):
    """What was asked for cannot be done as it was asked (exit code 2)."""

    exit_code = 2


class DataMissing(TfkitError):
    """Data are not where they were looked for; the message says what, where and from whom (3)."""

    exit_code = 3


class Busy(TfkitError):
    """Another living process is at work where this one wanted to be (exit code 1)."""


class Diverged(TfkitError):
    """The loss became NaN or infinite at update `step`, first seen in `tensor` (exit code 4)."""

    exit_code = 4

    def __init__(self, message: str, *, step: int, tensor: str):
        super().__init__(message)
        self.step = step
        self.tensor = tensor


class Interrupted(TfkitError):
    """The run in the folder `run` was stopped and can be resumed (exit code 130)."""

    exit_code = 130

    def __init__(self, message: str, *, run: str | None = None):
        super().__init__(message)
        self.run = run


@dataclass(frozen=True)
class Problem:
    """One mistake in a recipe, with the place where its author finds it.

        recipes/x.yaml:7:12: train.optimizer.learning_rat: unknown option of adamw; did you mean …?
          optimizer: {name: adamw, learning_rat: 1e-3}
                                   ^
        --set "train.stepz=3": train.stepz: unknown key of train; did you mean steps?

    Args:
        message: what is wrong and what is allowed, without path and place.
        path: dotted path of the recipe's key; empty for a mistake in the YAML itself.
        file: the recipe file; None for a recipe given as a dict.
        line: 1-based.
        column: 1-based, of the key.
        source: the text of that line.
        typed: the `--set` that is to blame, as it was typed.
        suggestion: the word that was probably meant.
    """

    message: str
    path: str = ""
    file: str | None = None
    line: int | None = None
    column: int | None = None
    source: str | None = None
    typed: str | None = None
    suggestion: str | None = None

    def __str__(self) -> str:
        text = f"{self.path}: {self.message}" if self.path else self.message
        if self.suggestion:
            text += f"; did you mean {self.suggestion}?"
        if self.typed is not None:
            return f'--set "{self.typed}": {text}'
        if self.file is None and self.line is None:
            return text
        parts = (self.file or "line", self.line, self.column)
        place = ":".join(str(part) for part in parts if part)
        return "\n".join([f"{place}: {text}", *self._excerpt()])

    def _excerpt(self) -> list[str]:
        if self.source is None or not self.source.strip() or self.column is None:
            return []
        # tabs stay tabs under the line, so that the caret stands where the terminal draws the key
        before = "".join("\t" if c == "\t" else " " for c in self.source[: self.column - 1])
        return [f"  {self.source}", f"  {before}^"]


class RecipeError(UsageError):
    """A recipe that cannot be run: every mistake in it, found in one go (exit code 2)."""

    def __init__(self, problems: list[Problem]):
        self.problems = list(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))
