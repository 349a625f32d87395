"""What `tfkit explain` does: attributions of trained classifiers side by side."""

import os
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from tfkit.classification.classifier import Classifier
from tfkit.classification.evaluation import rows_at_once
from tfkit.data.grouped import PARTS, GroupedSource
from tfkit.errors import UsageError
from tfkit.explain import (
    attribution_panels,
    grad_cam,
    gradient_times_input,
    integrated_gradients,
    region_share,
)
from tfkit.figure import Figure
from tfkit.networks.maps import at_last_maps
from tfkit.report.runs import names_of, read_run
from tfkit.train import device
from tfkit.train.build import Assembly
from tfkit.train.folder import RunFolder
from tfkit.train.replicates import replicate_folder, restore, shown_seed, trained_recipe

METHODS = ("grad_cam", "integrated_gradients", "gradient_times_input")
Attribution = Callable[[np.ndarray], np.ndarray]


class Examples(NamedTuple):
    """Pictures of a part of the data, its groups taking turns.

    Args:
        inputs: [N, H, W] or [N, H, W, 1 or 3].
        names: of their groups [N].
    """

    inputs: np.ndarray
    names: list[str]


def explain(
    run_folders: Sequence[str | os.PathLike],
    *,
    methods: Sequence[str] = METHODS,
    count: int = 6,
    examples: int = 200,
    split: str = "test",
    region: Sequence[int] | None = None,
) -> dict:
    """What trained classifiers look at in the same pictures, for the class that each chooses.

    Args:
        run_folders: runs on the same data; the replicate that a run's report shows is explained.
        methods: of `tfkit.explain`; Grad-CAM is taken at a network's last feature maps, and left
            out where one of the networks has none.
        count: pictures that are drawn, >= 1.
        examples: pictures over which the share on the region is averaged, >= count; groups take
            turns, so that each has as many as there are.
        split: part of the data: "train", "valid" or "test".
        region: top, left, bottom, right in pixels; None is the shortcut's where the data know it.
    Returns:
        runs: name, run, seed, shares ({method: mean share on the region, None without one}).
        figures: {method: Figure "images"}. examples: how many. notes: what else to know.
    Raises: UsageError for other models than classifiers, other data than pictures, runs on
        different data, a region beyond the pictures.
    """
    _check(methods, split, count, examples)
    folders = [RunFolder.open(folder) for folder in run_folders]
    names = names_of([read_run(folder.path) for folder in folders])
    if len(set(names)) < len(names):
        raise UsageError("explain: a run is named twice.")
    restored = {name: _restored(folder) for name, folder in zip(names, folders, strict=True)}
    shown = _common_examples([one.source for one in restored.values()], folders, split, examples)
    where = _region(restored[names[0]].source, region)
    figures, shares, notes = {}, {}, []
    for method in methods:
        ways = {name: _way(method, one.model) for name, one in restored.items()}
        if without := [name for name, way in ways.items() if way is None]:
            notes.append(f"no {method}: {' and '.join(without)} has no feature maps")
            continue
        maps = {name: way(shown.inputs) for name, way in ways.items()}
        shares[method] = {name: _share(own, where) for name, own in maps.items()}
        figures[method] = _panels(shown, maps, shares[method], count)
    if not figures:
        raise UsageError(f"explain: {'; '.join(notes)}; take another method.")
    if where is None:
        notes.append("the data do not tell where the shortcut is, so there is no share on it")
    runs = [
        {"name": name, "run": str(folder), "seed": restored[name].replicate}
        | {"shares": {method: own[name] for method, own in shares.items()}}
        for folder, name in zip(folders, names, strict=True)
    ]
    return {"runs": runs, "figures": figures, "examples": len(shown.inputs), "notes": notes}


def _check(methods: Sequence[str], split: str, count: int, examples: int) -> None:
    """The plain options."""
    if unknown := [name for name in methods if name not in METHODS]:
        raise UsageError(f"explain: methods are {', '.join(METHODS)}, got {unknown[0]}.")
    if split not in PARTS:
        raise UsageError(f"explain: split is one of {', '.join(PARTS)}, got {split}.")
    if not 1 <= count <= examples:
        raise UsageError(
            f"explain: takes 1 <= count <= examples, got {count} drawn of {examples} examples."
        )


def _restored(folder: RunFolder) -> Assembly:
    """The replicate of a run that its report shows; a classifier."""
    resolved = trained_recipe(folder).resolved
    seed = shown_seed(folder, resolved)
    with device.configured(resolved["train"]):
        assembly = restore(replicate_folder(folder, resolved, seed), resolved, seed)
    if not isinstance(assembly.model, Classifier):
        raise UsageError(
            f"explain: {folder} trained {type(assembly.model).__name__}, which is no classifier."
        )
    if not isinstance(assembly.source, GroupedSource):
        raise UsageError(f"explain: the data of {folder} have no groups.")
    return assembly


def _common_examples(sources: Sequence, folders: Sequence[RunFolder], split, count) -> Examples:
    """Pictures that all runs have."""
    found = [_examples(source, split, count) for source in sources]
    for one, folder in zip(found, folders, strict=True):
        if not np.array_equal(one.inputs, found[0].inputs):
            raise UsageError(f"explain: {folder} has other {split} pictures than {folders[0]}.")
    return found[0]


def _examples(source, split: str, count: int) -> Examples:
    """Pictures of a part, those of each group in their stored order."""
    shape = source.shapes["input_shape"]
    if len(shape) not in (2, 3) or (len(shape) == 3 and shape[-1] not in (1, 3)):
        raise UsageError(
            "explain: needs pictures [H, W] or [H, W, 1 or 3], the data have inputs of shape "
            f"{tuple(shape)}."
        )
    groups = source.group_ids(split)
    turns = np.empty(len(groups), np.int64)
    for group in np.unique(groups):
        turns[groups == group] = np.arange(np.sum(groups == group))
    rows = np.lexsort((groups, turns))[:count]
    batches = source.in_order(split, rows_at_once(source), rows)
    inputs = np.concatenate([np.asarray(batch["inputs"]) for batch in batches])
    return Examples(inputs, [source.disjoint.names[group] for group in groups[rows]])


def _region(source, given) -> np.ndarray | None:
    """Where the shortcut is: as given, or as the data know it."""
    if given is None:
        return source.spurious_region
    height, width = source.shapes["input_shape"][:2]
    top, left, bottom, right = given
    if not (0 <= top < bottom <= height and 0 <= left < right <= width):
        raise UsageError(
            "explain: region is top, left, bottom, right with 0 <= top < bottom <= "
            f"{height} and 0 <= left < right <= {width} here, got {', '.join(map(str, given))}."
        )
    found = np.zeros((height, width), bool)
    found[top:bottom, left:right] = True
    return found


def _way(method: str, model: Classifier) -> Attribution | None:
    """Inputs -> attributions [N, H, W] or [N, H, W, C]; None where the model has no maps for it."""
    if method == "grad_cam":
        halves = at_last_maps(model.network)
        return halves and (lambda inputs: grad_cam(*halves, inputs))
    explained = {
        "integrated_gradients": integrated_gradients,
        "gradient_times_input": gradient_times_input,
    }[method]
    return lambda inputs: explained(model.answer, inputs)


def _panels(shown: Examples, maps: dict[str, np.ndarray], shares: dict, count: int) -> Figure:
    """The first pictures beside their attributions, under the share over all examples."""
    titles = {
        name: name if share is None else f"{name}: {share:.2f} on the region"
        for name, share in shares.items()
    }
    return attribution_panels(
        shown.inputs[:count],
        {titles[name]: own[:count] for name, own in maps.items()},
        rows=shown.names[:count],
    )


def _share(maps: np.ndarray, region) -> float | None:
    """Mean share of the attributions on the region; None without one, or without attributions."""
    if region is None:
        return None
    shares = region_share(maps, region)
    return float(np.nanmean(shares)) if np.isfinite(shares).any() else None
