"""The `tfkit` command: parse, call, print. What is heavy is imported inside the commands."""

import logging
import os
import sys
import traceback
import warnings
from pathlib import Path
from typing import Annotated

import typer

from tfkit.errors import Interrupted, TfkitError, UsageError

HELP = ["-h", "--help"]
MOST_REPLICATES = 1000
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

Sets = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="PATH=VALUE", help="Change a value; may be repeated."),
]
SetFiles = Annotated[
    list[Path] | None,
    typer.Option("--set-file", metavar="FILE", help="YAML merged over the recipe before --set."),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on the last line.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print no progress.")]
RunFolders = Annotated[list[Path], typer.Argument(metavar="RUN...", help="Run folders.")]
Metrics = Annotated[
    list[str] | None,
    typer.Option("--metric", metavar="METRIC", help="Only this; may be repeated."),
]
Goals = Annotated[
    list[str] | None,
    typer.Option(metavar="[METRIC=]max|min", help="Which way is better; may be repeated."),
]
Html = Annotated[Path | None, typer.Option(metavar="FILE", help="Write a page.")]
Csv = Annotated[Path | None, typer.Option(metavar="FILE", help="Write a row per seed.")]


@app.command()
def run(
    recipe: Annotated[Path | None, typer.Argument(help="Recipe file.")] = None,
    sets: Sets = None,
    set_file: SetFiles = None,
    seeds: Annotated[
        str | None,
        typer.Option(metavar="N or A,B,…", help="Number of replicates, or their seeds."),
    ] = None,
    export: Annotated[bool, typer.Option("--export", help="Export at the end.")] = False,
    resume: Annotated[
        Path | None, typer.Option(metavar="RUN", help="Go on with this run folder.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Build and run one step; write nothing.")
    ] = False,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Search, train, evaluate, report and export, as the recipe says.

    \b
    tfkit run recipes/disentanglement/quick.yaml
    tfkit run my.yaml --set train.steps=100 --set model.beta=8 --seeds 5 --export
    tfkit run --resume runs/my-recipe/2026-01-31-1a2b3c
    """
    if recipe is None and resume is None:
        raise UsageError("run needs a recipe file, or --resume RUN; see `tfkit run --help`")
    if recipe is None and (sets or set_file):
        recipe = resume / "resolved.yaml"  # must come out as it is, which the engine checks
    known = _load(recipe, sets, set_file) if recipe is not None else None
    chosen = None if seeds is None else _seeds(seeds)
    experiment = _heavy("tfkit.experiment")
    result = experiment.run(
        known, resume=resume, seeds=chosen, export=export, dry_run=dry_run, quiet=quiet
    )
    _print(result, json)


@app.command()
def search(
    recipe: Annotated[Path | None, typer.Argument(help="Recipe file with a search.")] = None,
    sets: Sets = None,
    set_file: SetFiles = None,
    trials: Annotated[int | None, typer.Option(metavar="N", help="How many trials.")] = None,
    budget: Annotated[
        str | None, typer.Option(metavar="TIME", help="Wall-clock time, such as 2h or 90m.")
    ] = None,
    workers: Annotated[
        int | None, typer.Option(metavar="N", help="Processes on this machine.")
    ] = None,
    resume: Annotated[
        Path | None, typer.Option(metavar="RUN", help="Go on with this search.")
    ] = None,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Search, confirm the best trials from fresh seeds, write best.yaml, a runnable recipe.

    \b
    tfkit search my.yaml --budget 2h --workers 4
    tfkit search --resume runs/my-recipe/2026-01-31-1a2b3c --trials 40
    """
    if recipe is None and resume is None:
        raise UsageError("search needs a recipe file, or --resume RUN; see `tfkit search --help`")
    if recipe is None and (sets or set_file):
        recipe = resume / "resolved.yaml"
    known = _load(recipe, sets, set_file) if recipe is not None else None
    experiment = _heavy("tfkit.experiment")
    result = experiment.search(
        known, resume=resume, trials=trials, budget=budget, workers=workers, quiet=quiet
    )
    _print(result, json)


@app.command()
def sweep(
    recipe: Annotated[Path, typer.Argument(help="Recipe file with a sweep.")],
    sets: Sets = None,
    set_file: SetFiles = None,
    shard: Annotated[
        str, typer.Option(metavar="K/N", help="Only the K-th of N equal parts.")
    ] = "1/1",
    workers: Annotated[
        int | None, typer.Option(metavar="N", help="Processes on this machine.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="List the trainings and what became of them.")
    ] = False,
    merge: Annotated[
        list[Path] | None,
        typer.Option(metavar="DIR", help="Train nothing; join this sweep folder; repeatable."),
    ] = None,
    csv: Annotated[Path | None, typer.Option(help="Also write the table here.")] = None,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Train every combination of the recipe's sweep from every seed, or one shard of them.

    \b
    tfkit sweep my.yaml --shard 3/20
    tfkit sweep my.yaml --dry-run
    tfkit sweep my.yaml --merge other_machine/sweep-1a2b3c --csv all.csv
    """
    from tfkit.search import sweep_command as sweeps

    known, part = _load(recipe, sets, set_file), sweeps.shard_of(shard)
    if dry_run:
        found = sweeps.listed(known, part)
        _print(found, True) if json else print("\n".join(found["trainings"]))
        return
    if merge:
        found = sweeps.merged(known, merge)
    else:
        run = _heavy("tfkit.experiment").sweep
        found = run(known, shard=part, workers=workers, quiet=quiet)
    sweeps.copy_table(found, csv)
    _print(found if json else sweeps.brief(found), json)
    raise typer.Exit(sweeps.exit_code(found))


@app.command()
def evaluate(runs: RunFolders, json: Json = False) -> None:
    """Measure trained runs again and write their reports anew.

    \b
    tfkit evaluate runs/my-recipe/2026-01-31-1a2b3c
    """
    experiment = _heavy("tfkit.experiment")
    _print_each([experiment.evaluate(folder) for folder in runs], json)


@app.command()
def report(runs: RunFolders, json: Json = False) -> None:
    """Write report.html anew from what a run folder holds.

    \b
    tfkit report runs/my-recipe/2026-01-31-1a2b3c
    """
    from tfkit.report import write

    _print_each([{"run": str(folder), "report": str(write(folder))} for folder in runs], json)


@app.command()
def leaderboard(
    folders: Annotated[
        list[Path], typer.Argument(metavar="DIR...", help="Searched for run folders.")
    ],
    metrics: Metrics = None,
    by: Annotated[
        list[str] | None,
        typer.Option(metavar="PATH", help="Recipe path that makes a method, instead of its name."),
    ] = None,
    goal: Goals = None,
    scale: Annotated[
        list[str] | None,
        typer.Option(
            metavar="METRIC=WORST,BEST", help="What scores 0 and 1, to average over tasks."
        ),
    ] = None,
    html: Html = None,
    csv: Csv = None,
    json: Json = False,
) -> None:
    """Rank the methods of many runs: intervals, aggregates over tasks, who beats whom.

    A task is a data set and a metric. Larger is better unless --goal, --scale, the recipe's
    search or the evaluator's description says otherwise. Metrics that are described as bounded,
    or have a --scale, are averaged over tasks. Fewer than three seeds have no interval.

    \b
    tfkit leaderboard runs
    tfkit leaderboard runs --by model.name --metric mig --html board.html
    tfkit leaderboard runs --goal nll=min --scale nll=2.3,0 --csv scores.csv
    """
    from tfkit.report import tables
    from tfkit.report.goals import parse_goals, parse_scales
    from tfkit.report.leaderboard import leaderboard as rank

    board = rank(
        folders,
        metrics=metrics or (),
        by=by or (),
        goals=parse_goals(goal or ()),
        scales=parse_scales(scale or ()),
    )
    if html:
        from tfkit.report.board_pages import leaderboard_page

        _write_page(html, leaderboard_page(board))
    if csv:
        tables.write_rows(csv, tables.leaderboard_rows(board))
    _show(board, tables.leaderboard_text, json, html, csv)


@app.command()
def compare(
    a: Annotated[Path, typer.Argument(metavar="A", help="Run folder.")],
    b: Annotated[Path, typer.Argument(metavar="B", help="Run folder.")],
    metrics: Metrics = None,
    goal: Goals = None,
    html: Html = None,
    csv: Csv = None,
    json: Json = False,
) -> None:
    """Compare two runs: recipes, every metric, paired tests over their common seeds.

    \b
    tfkit compare runs/a/2026-01-31-1a2b3c runs/b/2026-02-01-4d5e6f
    tfkit compare runs/a/2026-01-31-1a2b3c runs/b/2026-02-01-4d5e6f --html comparison.html
    """
    from tfkit.report import comparison, tables
    from tfkit.report.goals import parse_goals

    found = comparison.compare(a, b, metrics=metrics or (), goals=parse_goals(goal or ()))
    if html:
        from tfkit.report.board_pages import comparison_page

        _write_page(html, comparison_page(found))
    if csv:
        tables.write_rows(csv, comparison.comparison_rows(found))
    _show(found, tables.comparison_text, json, html, csv)


@app.command("export")
def export_run(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Run folder.")],
    name: Annotated[str | None, typer.Option(help="Folder under savedmodels/.")] = None,
    json: Json = False,
) -> None:
    """Write a run's model as SavedModel and TF-Hub module to savedmodels/NAME/VERSION.

    \b
    tfkit export runs/my-recipe/2026-01-31-1a2b3c --name beta_vae
    """
    record = _heavy("tfkit.experiment").export(run, name)
    shown = ("name", "version", "folder", "archive", "bytes", "next")
    _print(record if json else {key: record[key] for key in shown}, json)


@app.command()
def predict(
    model: Annotated[Path, typer.Argument(help="savedmodels/NAME or savedmodels/NAME/VERSION.")],
    input: Annotated[
        Path,
        typer.Option("--input", "-i", help=".npy, .npz, an image, or a folder of images."),
    ],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help=".npz, .json, .png, or a folder for one PNG a row."),
    ] = None,
    signature: Annotated[str | None, typer.Option(help="Which signature; predict if none.")] = None,
    json: Json = False,
) -> None:
    """Answer from an export folder.

    \b
    tfkit predict savedmodels/beta_vae --input images.npy --output answer.npz
    tfkit predict savedmodels/beta_vae -i photos/ -o grid.png --signature reconstructions
    """
    from tfkit import terminal

    answer = _heavy("tfkit.export.predict").predict(model, input, output, signature)
    _print(answer if json else terminal.brief_answer(answer), json)


@app.command("list")
def list_entries(
    kind: Annotated[str | None, typer.Argument(help="model, dataset, optimizer …")] = None,
    json: Json = False,
) -> None:
    """Show what exists: models, data sets, networks, optimizers …

    \b
    tfkit list
    tfkit list model
    """
    from tfkit import catalog
    from tfkit.terminal import print_entries, print_json

    known = catalog.load()
    kinds = list(dict.fromkeys(entry.kind for entry in known.entries))
    wanted = kind if kind in kinds or kind is None else kind.removesuffix("s")
    if wanted is not None and wanted not in kinds:
        raise UsageError(f"there is no kind {kind}{_meant(kind, kinds)} ({', '.join(kinds)})")
    found = list(known.entries) if wanted is None else known.of(wanted)
    if json:
        fields = ("kind", "name", "object", "summary", "references")
        print_json({"entries": [{f: getattr(e, f) for f in fields} for e in found]})
    else:
        print_entries(found)


@app.command()
def describe(
    name: Annotated[str, typer.Argument(help="A name of `tfkit list`, or a recipe's section.")],
    json: Json = False,
) -> None:
    """Explain a model, data set, optimizer …, or a section of the recipe.

    \b
    tfkit describe beta_vae
    tfkit describe recipe
    tfkit describe train
    """
    from dataclasses import asdict

    from tfkit import catalog, terminal

    known = catalog.load()
    found = known.named(name) or [e for e in known.entries if e.object.endswith(f":{name}")]
    if not found:
        names = [entry.name for entry in known.entries]
        raise UsageError(f"there is nothing called {name}{_meant(name, names)}; see `tfkit list`")
    if json:
        terminal.print_json({"entries": [asdict(entry) for entry in found]})
    else:
        print("\n\n".join(terminal.describe(entry, known) for entry in found))


@app.command()
def init(
    method: Annotated[str, typer.Argument(help="A model of `tfkit list model`.")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="File to write; never overwritten.")
    ] = None,
) -> None:
    """Print a complete, commented recipe for a method.

    \b
    tfkit init beta_vae -o my.yaml
    """
    from tfkit import catalog
    from tfkit.recipe.template import template

    known = catalog.load()
    entry = known.find("model", method)
    if entry is None:
        names = [e.name for e in known.of("model")]
        meant = _meant(method, names)
        raise UsageError(f"there is no model called {method}{meant} ({', '.join(names)})")
    text = template(entry, known)
    if output is None:
        print(text, end="")
        return
    try:
        with open(output, "x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise UsageError(f"{output} is there already; it is left as it is") from None
    except OSError as error:
        raise UsageError(f"{output} cannot be written: {error.strerror}") from None
    print(f"wrote {output}; next: tfkit run {output}")


@app.command()
def validate(
    recipes: Annotated[list[Path], typer.Argument(help="Recipe files.")],
    sets: Sets = None,
    set_file: SetFiles = None,
    json: Json = False,
) -> None:
    """Check recipes without running them; all mistakes at once.

    \b
    tfkit validate recipes/*/*.yaml
    tfkit validate my.yaml --set train.steps=100
    """
    from tfkit.errors import RecipeError

    problems, valid = [], []
    for path in recipes:
        try:
            valid.append({"recipe": str(path), "hash": _load(path, sets, set_file).hash})
        except RecipeError as error:
            problems += error.problems
    if problems:
        raise RecipeError(list(dict.fromkeys(problems)))
    if json:
        _print({"valid": valid}, json)
    else:
        for item in valid:
            print(f"{item['recipe']}: valid ({item['hash']})")


@app.command()
def diff(
    old: Annotated[Path, typer.Argument(help="Recipe file or run folder.")],
    new: Annotated[Path, typer.Argument(help="Recipe file or run folder.")],
    json: Json = False,
) -> None:
    """Show what differs between two recipes or runs, defaults included.

    \b
    tfkit diff recipes/disentanglement/quick.yaml my.yaml
    tfkit diff runs/a/2026-01-31-1a2b3c runs/b/2026-02-01-4d5e6f
    """
    from tfkit.recipe import difference, load

    files = [path / "resolved.yaml" if path.is_dir() else path for path in (old, new)]
    changes = difference(*(load(file).resolved for file in files))
    if json:
        _print({"changes": [change._asdict() for change in changes]}, json)
    else:
        print("\n".join(map(str, changes)) if changes else "no difference")


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


def _load(path: Path, sets, set_files):
    from tfkit import recipe

    return recipe.load(path, sets or (), tuple(set_files or ()))


def _heavy(module: str):
    """A module that brings TensorFlow; the last moment to see that Keras would not use it."""
    import importlib

    from tfkit.backend import require_tensorflow

    require_tensorflow()
    # TensorFlow's start-up notes, "no GPU" among them as an error, are no news to users
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    warnings.formatwarning = lambda message, *rest: f"warning: {message}\n"
    # its warnings of functions traced anew, one for each trial and replicate, neither
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    return importlib.import_module(module)


def _seeds(text: str) -> list[int]:
    try:
        numbers = [int(part) for part in text.removesuffix(",").split(",")]
    except ValueError:
        raise UsageError(f'--seeds takes a number or "1,2,3", got {text}') from None
    if "," in text:
        return numbers
    if not 1 <= numbers[0] <= MOST_REPLICATES:
        raise UsageError(
            f"--seeds {text} asks for {text} replicates, and may ask for 1 to {MOST_REPLICATES}; "
            f'one replicate from this seed is "{text},"'
        )
    return list(range(1, numbers[0] + 1))


def _meant(word: str, names: list[str]) -> str:
    from tfkit.recipe.components import nearest

    near = nearest(word, names)
    return f"; did you mean {near}?" if near else ""


def _print(result: dict, as_json: bool) -> None:
    from tfkit.terminal import print_result

    print_result(result, as_json)


def _print_each(results: list[dict], as_json: bool) -> None:
    if as_json:
        _print(results[0] if len(results) == 1 else {"runs": results}, True)
        return
    for result in results:
        _print(result, False)


def _write_page(path: Path, page: str) -> None:
    from tfkit.report.page import write_page

    write_page(path, page)


def _show(found: dict, as_text, as_json: bool, *written: Path | None) -> None:
    if as_json:
        _print(found, True)
        return
    print(as_text(found))
    for path in filter(None, written):
        print(f"wrote {path}", file=sys.stderr)
