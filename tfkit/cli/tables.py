"""Commands that read what runs have left."""

from pathlib import Path
from typing import Annotated

import typer

from tfkit.cli.options import Csv, Goals, Html, Json, Metrics, RunFolders, show_each, show_table


def report(runs: RunFolders, json: Json = False) -> None:
    """Write report.html anew from what a run folder holds.

    \b
    tfkit report runs/my-recipe/2026-01-31-1a2b3c
    """
    from tfkit.report import write

    show_each([{"run": str(folder), "report": str(write(folder))} for folder in runs], json)


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
        from tfkit.report import page
        from tfkit.report.board_pages import leaderboard_page

        page.write_page(html, leaderboard_page(board))
    if csv:
        tables.write_rows(csv, tables.leaderboard_rows(board))
    show_table(board, tables.leaderboard_text, json, html, csv)


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
        from tfkit.report import page
        from tfkit.report.board_pages import comparison_page

        page.write_page(html, comparison_page(found))
    if csv:
        tables.write_rows(csv, comparison.comparison_rows(found))
    show_table(found, tables.comparison_text, json, html, csv)
