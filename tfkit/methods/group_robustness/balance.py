"""Rows of a training set in which groups, or errors, count as they should."""

import numpy as np

from tfkit.errors import UsageError


def balanced_rows(groups, kind: str, seed: int) -> np.ndarray:
    """Rows in which all groups that have examples have the same number of them.

    Args:
        groups: numbers of groups [N].
        kind: "subsample": of each group as many as the smallest has, drawn without replacement;
            "oversample": as many as the largest has, all rows equally often but for a rest.
        seed: of what is drawn.
    Returns: [M] int64, in the order of the groups.
    """
    groups = np.asarray(groups)
    generator = np.random.default_rng(seed)
    members = [np.flatnonzero(groups == group) for group in np.unique(groups)]
    sizes = [len(rows) for rows in members]
    if kind == "subsample":
        chosen = [generator.permutation(rows)[: min(sizes)] for rows in members]
    else:
        chosen = [np.resize(generator.permutation(rows), max(sizes)) for rows in members]
    return np.concatenate(chosen)


def upsampled_rows(errors, upweight: int) -> np.ndarray:
    """All rows once, and those of `errors` [N] `upweight` times in all.  -> [M] int64"""
    errors = np.asarray(errors, bool)
    return np.repeat(np.arange(len(errors)), np.where(errors, upweight, 1))


def batches_of_rows(assembly, rows, step: int):
    """The recipe's training batches from step `step` on, drawn from some rows only.

    Raises:
        UsageError: fewer rows than a batch has.
    """
    size = assembly.recipe["data"]["batch_size"]
    if len(rows) < size:
        raise UsageError(
            f"data.batch_size: {size} is more than the {len(rows)} rows of the training part that "
            "this method trains on; lower it."
        )
    batches = assembly.source.drawn(
        "train", size, seed=assembly.seeds["data"], start_step=step, rows=rows
    )
    return batches.map(assembly.select)
