"""What a command was asked to run, with all that can be refused before TensorFlow is loaded."""

from pathlib import Path

from tfkit.cli.options import load_recipe


def asked_for(recipe: Path | None, resume: Path | None, sets, set_files) -> tuple:
    """The recipe as it was given, None where a run folder goes on as it is; and the given or
    stored one.

    Args:
        recipe: a file; may be left out where `resume` is given.
        resume: a run folder.
        sets: overrides as they were typed.
        set_files: files merged over the recipe before those.
    Raises `UsageError` for a folder that is none, `RecipeError` for mistakes in the recipe.
    """
    stored = None
    if resume is not None:
        from tfkit.train.folder import RunFolder

        stored = RunFolder.open(resume).resolved
    if recipe is None and (sets or set_files):
        recipe = stored  # must come out as it is, which the engine checks
    given = load_recipe(recipe, sets, set_files) if recipe is not None else None
    return given, given or load_recipe(stored, None, None)
