"""The `tfkit` command: parse, call, print."""

import os
import sys
import traceback

import typer

from tfkit.cli import experiments, predicting, recipes, serving, tables
from tfkit.errors import Interrupted, TfkitError, UsageError

HELP = ["-h", "--help"]
# click's base of all usage errors, of which typer exports only the subclasses
PARSER_ERROR = typer.BadParameter.__mro__[2]

app = typer.Typer(
    name="tfkit",
    help="One YAML recipe from a research idea to a served Keras model.",
    no_args_is_help=True,
    rich_markup_mode=None,  # plain help needs no rich and starts in a third of the time
    pretty_exceptions_enable=False,
    add_completion=False,
    context_settings={"help_option_names": HELP, "max_content_width": 100},
)
COMMANDS = {
    "run": experiments.run,
    "search": experiments.search,
    "sweep": experiments.sweep,
    "evaluate": experiments.evaluate,
    "explain": experiments.explain,
    "report": tables.report,
    "leaderboard": tables.leaderboard,
    "compare": tables.compare,
    "export": experiments.export_run,
    "serve": serving.serve,
    "predict": predicting.predict,
    "list": recipes.list_entries,
    "describe": recipes.describe,
    "init": recipes.init,
    "validate": recipes.validate,
    "diff": recipes.diff,
}
for name, command in COMMANDS.items():
    app.command(name)(command)


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; returns the exit code. Errors end in one message, not a traceback."""
    given = sys.argv[1:] if arguments is None else list(arguments)
    as_json = "--json" in given
    try:
        if len(given) == 2 and given[1] in HELP and _print_help(given[0]):
            return 0
        code = app(given, prog_name="tfkit", standalone_mode=False) or 0
        sys.stdout.flush()
        return _fail(Interrupted("interrupted"), as_json) if code == 130 else code
    except TfkitError as error:
        return _fail(error, as_json)
    except BrokenPipeError:
        # whoever read the output has enough; keep Python from complaining at its exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except PARSER_ERROR as error:
        return _fail(UsageError(_usage(error)), as_json)
    except Exception as error:
        if not as_json:
            raise  # a defect: the traceback is what its report needs
        traceback.print_exc()
        return _fail(TfkitError(f"{type(error).__name__}: {error}"), as_json)


def _print_help(name: str) -> bool:
    """A command's help without typer's parser, which loads all of pydantic to see one flag."""
    group = typer.main.get_command(app)
    command = group.commands.get(name)
    if command is None:
        return False
    settings = command.context_settings | group.context_settings
    parent = group.context_class(group, info_name="tfkit")
    context = command.context_class(command, info_name=name, parent=parent, **settings)
    print(command.get_help(context))
    return True


def _usage(error) -> str:
    message = error.format_message().replace("Did you mean", "did you mean")
    context = getattr(error, "ctx", None)
    return f"{message}\nsee: {context.command_path} --help" if context else message


def _fail(error: TfkitError, as_json: bool) -> int:
    from tfkit.terminal import fail

    return fail(error, as_json)
