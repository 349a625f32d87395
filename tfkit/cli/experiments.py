"""Commands that train, measure or answer. What is heavy is imported inside them."""

from pathlib import Path
from typing import Annotated

import typer

from tfkit.cli.asked import asked_for
from tfkit.cli.options import (
    Json,
    Quiet,
    RunFolders,
    SetFiles,
    Sets,
    Workers,
    heavy,
    load_recipe,
    seed_list,
    show,
    show_each,
    show_table,
    whole_numbers,
)
from tfkit.errors import UsageError


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
    from tfkit.recipe.purposes import refuse_sweep

    chosen = None if seeds is None else seed_list(seeds)
    known, whole = asked_for(recipe, resume, sets, set_file)
    refuse_sweep(whole)
    experiment = heavy("tfkit.experiment")
    result = experiment.run(
        known, resume=resume, seeds=chosen, export=export, dry_run=dry_run, quiet=quiet
    )
    show(result, json)


def search(
    recipe: Annotated[Path | None, typer.Argument(help="Recipe file with a search.")] = None,
    sets: Sets = None,
    set_file: SetFiles = None,
    trials: Annotated[int | None, typer.Option(metavar="N", min=1, help="How many trials.")] = None,
    budget: Annotated[
        str | None, typer.Option(metavar="TIME", help="Wall-clock time, such as 2h or 90m.")
    ] = None,
    workers: Workers = None,
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
    from tfkit.recipe.purposes import require_search, search_sets

    known, whole = asked_for(recipe, resume, sets, set_file)
    require_search(whole)
    load_recipe(whole, search_sets(trials, budget, workers), None)
    experiment = heavy("tfkit.experiment")
    result = experiment.search(
        known, resume=resume, trials=trials, budget=budget, workers=workers, quiet=quiet
    )
    show(result, json)


def sweep(
    recipe: Annotated[Path, typer.Argument(help="Recipe file with a sweep.")],
    sets: Sets = None,
    set_file: SetFiles = None,
    shard: Annotated[
        str | None, typer.Option(metavar="K/N", help="Only the K-th of N equal parts.")
    ] = None,
    workers: Workers = None,
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
    from tfkit.search.grid import shard_of

    part = shard_of(shard or "1/1")
    asked = {"shard": shard is not None, "workers": workers is not None}
    sweeps.require_fitting(dry_run=dry_run, merge=bool(merge), csv=csv, **asked)
    known = load_recipe(recipe, sets, set_file)
    if dry_run:
        found = sweeps.listed(known, part)
        show(found, True) if json else print("\n".join(found["trainings"]))
        return
    if merge:
        found = sweeps.merged(known, merge)
    else:
        run = heavy("tfkit.experiment").sweep
        found = run(known, shard=part, workers=workers, quiet=quiet)
    sweeps.copy_table(found, csv)
    show(found if json else sweeps.brief(found), json)
    raise typer.Exit(sweeps.exit_code(found))


def evaluate(runs: RunFolders, json: Json = False) -> None:
    """Measure trained runs again and write their reports anew.

    \b
    tfkit evaluate runs/my-recipe/2026-01-31-1a2b3c
    """
    experiment = heavy("tfkit.experiment")
    show_each([experiment.evaluate(folder) for folder in runs], json)


def explain(
    runs: RunFolders,
    method: Annotated[
        list[str] | None,
        typer.Option(help="grad_cam, integrated_gradients, gradient_times_input; may be repeated."),
    ] = None,
    count: Annotated[int, typer.Option(metavar="N", help="Pictures that are drawn.")] = 6,
    examples: Annotated[
        int, typer.Option(metavar="N", help="Pictures over which shares are averaged.")
    ] = 200,
    split: Annotated[str, typer.Option(help="Part of the data: train, valid or test.")] = "test",
    region: Annotated[
        str | None,
        typer.Option(metavar="TOP,LEFT,BOTTOM,RIGHT", help="In pixels, where the data know none."),
    ] = None,
    html: Annotated[Path, typer.Option(metavar="FILE", help="The page.")] = Path(
        "attributions.html"
    ),
    json: Json = False,
) -> None:
    """Show side by side what the classifiers of runs look at, and how much of it on a region.

    \b
    tfkit explain runs/erm/2026-01-31-1a2b3c runs/sieve/2026-01-31-4d5e6f
    tfkit explain runs/sieve/2026-01-31-4d5e6f --method grad_cam --region 0,0,112,224
    """
    from tfkit.report import explained
    from tfkit.report.page import write_page

    options = {"methods": method} if method else {}
    places = None if region is None else whole_numbers("--region", region, 4)
    found = heavy("tfkit.experiment").explain(
        runs, count=count, examples=examples, split=split, region=places, **options
    )
    write_page(html, explained.explained_page(found))
    show_table({**found, "figures": list(found["figures"])}, explained.explained_text, json, html)


def export_run(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Run folder.")],
    name: Annotated[str | None, typer.Option(help="Folder under savedmodels/.")] = None,
    sets: Sets = None,
    json: Json = False,
) -> None:
    """Write a run's model as SavedModel and TF-Hub module to savedmodels/NAME/VERSION.

    \b
    tfkit export runs/my-recipe/2026-01-31-1a2b3c --name beta_vae
    tfkit export runs/my-recipe/2026-01-31-1a2b3c --set "export.batching={max: 16}"
    """
    record = heavy("tfkit.experiment").export(run, name, sets or ())
    shown = ("name", "version", "folder", "archive", "bytes", "next")
    show(record if json else {key: record[key] for key in shown}, json)
