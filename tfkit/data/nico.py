"""NICO (He et al. 2021): animals or vehicles in contexts, some of which training never shows."""

from collections import defaultdict
from pathlib import Path

import numpy as np

from tfkit.data.finding import find
from tfkit.data.images import ordered
from tfkit.data.listing import (
    Listing,
    check_share,
    check_size,
    held_out_for_choosing,
    pictures_of,
)
from tfkit.data.pictures import files_below
from tfkit.data.source import Source
from tfkit.errors import DataMissing

_LAYOUT = (
    "a folder with <class>/<context>/*.jpg, such as the folder Animal or Vehicle of the set from "
    "https://nico.thumedialab.com"
)


def load(
    path: str,
    test_contexts: dict[str, list[str]] | None = None,
    unseen: int = 3,
    tail: float | None = None,
    image_size: int = 224,
    validation: float = 0.1,
    in_memory: bool | None = None,
) -> Source:
    """Animals, or vehicles, in contexts of which the test part has those that training never shows.

    A group is a class in a context, such as "dog, on grass". Contexts in training may be given a
    long tail: the j-th of a class's K keeps at most n_1 tail^(-j / (K - 1)) of its pictures,
    j = 0 the most frequent. The part for choosing is a share of what is left of the training
    pictures, the first by the SHA-256 of their names, so it has the contexts of training.

    Gives: inputs, labels, groups, index
    Args:
        path: the folder of the classes; a relative one is looked for under $TFKIT_DATA, then here.
        test_contexts: {class: contexts} of the test part; null takes the rarest of each class.
        unseen: how many contexts of each class null takes, >= 1.
        tail: how many times as many pictures the first context keeps as the last, >= 1; null keeps
            all.
        image_size: side in pixels after resizing, >= 8; 224 is the papers'.
        validation: share of the training pictures that is held out for choosing, in (0, 1).
        in_memory: hold all pixels in memory; null does so up to a gigabyte of them.
    Raises:
        DataMissing: no such folder, one of another layout, a class without a context to train on.
        ValueError: options out of range, classes or contexts that are not there.
    References: He et al. 2021, arXiv:1906.02899; long tail and unseen contexts: Wang et al. 2021,
        arXiv:2108.08782.
    """
    check_size("nico", image_size)
    check_share("nico", "validation", validation)
    if unseen < 1:
        raise ValueError(f"nico: unseen must be >= 1, got {unseen}.")
    if tail is not None and tail < 1:
        raise ValueError(f"nico: tail must be >= 1, got {tail}.")
    folder = find("nico", path, _LAYOUT, "folder")
    known = _contexts(folder)
    tested = _checked(known, test_contexts) if test_contexts else _rarest(known, unseen)
    files, groups, parts = [], [], []
    pairs = [(name, context) for name in known for context in known[name]]
    for name, contexts in known.items():
        kept = {c: found for c, found in contexts.items() if c not in tested[name]}
        if not kept:
            raise DataMissing(f"nico: {name} has no context to train on; expected {_LAYOUT}.")
        kept = _with_tail(kept, tail) if tail else kept
        for context, found in contexts.items():
            found = kept.get(context, found)
            files += found
            groups += [pairs.index((name, context))] * len(found)
            parts += [2 if context in tested[name] else 0] * len(found)
    classes = list(known)
    labels = np.array([classes.index(pairs[group][0]) for group in groups])
    names = [", ".join(pair) for pair in pairs]
    parts = held_out_for_choosing(files, parts, validation)
    listing = Listing(files, labels, np.array(groups), parts, classes, names)
    return pictures_of("nico", folder, listing, _LAYOUT, image_size=image_size, in_memory=in_memory)


def _contexts(folder: Path) -> dict[str, dict[str, list[str]]]:
    """{class: {context: files}}, all in order."""
    known: dict = defaultdict(lambda: defaultdict(list))
    for file in files_below(folder):
        steps = file.relative_to(folder).parts
        if len(steps) != 3:
            raise DataMissing(f"nico: {file} is in no context of a class; expected {_LAYOUT}.")
        known[steps[0]][steps[1]].append("/".join(steps))
    if not known:
        raise DataMissing(f"nico: no picture in {folder}; expected {_LAYOUT}.")
    return {name: dict(contexts) for name, contexts in known.items()}


def _rarest(known, count):
    """The contexts with the fewest pictures of each class, the last by name of equal ones."""
    return {
        name: sorted(contexts, key=lambda c: (-len(contexts[c]), c))[-count:]
        for name, contexts in known.items()
    }


def _checked(known, test_contexts):
    """The contexts asked for; ValueError for those that are not there."""
    if set(test_contexts) != set(known):
        raise ValueError(
            f"nico: test_contexts must name the classes {', '.join(known)}, got "
            f"{', '.join(test_contexts) or 'none'}."
        )
    for name, contexts in test_contexts.items():
        if strange := [context for context in contexts if context not in known[name]]:
            raise ValueError(
                f"nico: test_contexts of {name} must be among {', '.join(known[name])}, got "
                f"{strange[0]}."
            )
    return test_contexts


def _with_tail(contexts, tail):
    """Fewer files of the rarer contexts, the first by their hashes."""
    ranked = sorted(contexts, key=lambda c: (-len(contexts[c]), c))
    most, steps = len(contexts[ranked[0]]), max(1, len(ranked) - 1)
    kept = {}
    for place, context in enumerate(ranked):
        found = contexts[context]
        limit = max(1, round(most * tail ** (-place / steps)))
        kept[context] = [found[row] for row in sorted(ordered(found)[:limit])]
    return kept
