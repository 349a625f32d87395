"""Small tasks, and a queue that remembers what it heard."""

from tests.train.runs import RECIPE
from tfkit import recipe as recipes
from tfkit.search.executors.base import Queue, Surroundings
from tfkit.search.work import Task
from tfkit.train.folder import RunFolder

SEARCH = {"objective": "valid/loss", "goal": "min", "select": "last"}


def recipe(callbacks=(), **train):
    """The toy recipe, twelve steps in chunks of three, that measures after each."""
    given = {"steps": 12, "save_every": 3, "validate": ["loss"], "threads": 1, **train}
    return recipes.load({**RECIPE, "train": {**RECIPE["train"], **given, "callbacks": callbacks}})


def task(folder, known=None, **options):
    """A trial in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    RunFolder(folder).write_recipe(known or recipe())
    return Task(folder.name, str(folder), "trial", 1, SEARCH, **{"reports": True, **options})


def around(folder):
    """What an executor may use; the workers load the data themselves."""
    return Surroundings(folder, recipe().resolved, None, False)


class Listed(Queue):
    """A list of tasks; `on_report(task, step)` judges them."""

    def __init__(self, *tasks, on_report=lambda task, step: False):
        self.tasks, self.on_report = list(tasks), on_report
        self.reports, self.outcomes, self.out = [], {}, 0

    @property
    def done(self):
        return not self.tasks and not self.out

    def next(self):
        if not self.tasks:
            return None
        self.out += 1
        return self.tasks.pop(0)

    def report(self, task, step, value):
        self.reports.append((task.id, step))
        return self.on_report(task, step)

    def hear(self, task, outcome):
        assert task.id not in self.outcomes, "a task was finished twice"
        self.out -= 1
        self.outcomes[task.id] = outcome
