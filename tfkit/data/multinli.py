"""MultiNLI (Williams et al. 2018): does one sentence follow from another, whatever it negates?"""

import json
from typing import Literal

import numpy as np

from tfkit.data.archives import reading
from tfkit.data.finding import find
from tfkit.data.grouped import PARTS, GroupedSource, Groups, group_names
from tfkit.data.listing import warn_of_other_counts
from tfkit.data.metadata import numbers, read_csv
from tfkit.data.source import Source
from tfkit.data.wordpiece import LAYOUT, WordPiece, checked_texts, features_of
from tfkit.errors import DataMissing

CLASSES = ("contradiction", "entailment", "neutral")
PUBLISHED = (57_498, 11_158, 67_376, 1_521, 66_630, 1_992)  # training examples by group, random
_FILES = tuple(f"multinli_1.0_{part}.jsonl" for part in ("train", "dev_matched", "dev_mismatched"))
_LAYOUT = (
    "a folder with data/metadata_random.csv (a number of the pair, gold_label, "
    "sentence2_has_negation, split in 0, 1, 2) from "
    "https://github.com/kohpangwei/group_DRO/tree/master/dataset_metadata/multinli and, unless "
    f"features are given, data/{', data/'.join(_FILES)} from "
    "https://cims.nyu.edu/~sbowman/multinli"
)


def load(
    path: str,
    vocabulary: str | None = None,
    features: str | None = None,
    length: int = 128,
    lower_case: bool = True,
    split: Literal["random", "preset"] = "random",
) -> Source:
    """Pairs of sentences as numbers of word pieces: contradiction, entailment or neutral.

        group = 2 label + [the second sentence has nobody, no, never or nothing]

    Negation goes with contradiction. 412,349 pairs; a pair becomes
    [CLS] first [SEP] second [SEP] and zeros. The parts are those of Sagawa et al.: a random 50, 20
    and 30 %, not the official ones.

    Gives: inputs, labels, groups, index
    Args:
        path: the folder; a relative one is looked for under $TFKIT_DATA, then here.
        vocabulary: vocab.txt of the BERT model, relative as `path`; null where features are given.
        features: an .npy file of numbers [N, T] made before, in the table's order, or an .npz with
            `input_ids`, such as those of the cached BERT features; null where a vocabulary is
            given.
        length: numbers of each pair, >= 5; 128 is that of the cached features.
        lower_case: whether the vocabulary is of lower-case words.
        split: which table, data/metadata_random.csv or data/metadata_preset.csv.
    Raises:
        DataMissing: no such folder or file, or one of another layout.
        ValueError: options out of range; both vocabulary and features, or neither.
    References: Williams et al. 2018, arXiv:1704.05426; groups: Sagawa et al. 2020,
        arXiv:1911.08731.
    """
    checked_texts("multinli", vocabulary, features)
    if length < 5:
        raise ValueError(f"multinli: length must be >= 5, got {length}.")
    if split not in ("random", "preset"):
        raise ValueError(f"multinli: split must be random or preset, got {split!r}.")
    folder = find("multinli", path, _LAYOUT, "folder")
    file = folder / "data" / f"metadata_{split}.csv"
    table = read_csv("multinli", file, _LAYOUT, index_col=0)
    labels, negated, parts = (
        numbers("multinli", file, table, name, _LAYOUT, allowed).astype(np.int32)
        for name, allowed in (
            ("gold_label", (0, 1, 2)),
            ("sentence2_has_negation", (0, 1)),
            ("split", (0, 1, 2)),
        )
    )
    ids = 2 * labels + negated
    if split == "random":
        trained = np.bincount(ids[parts == 0], minlength=6)
        warn_of_other_counts("multinli", "training groups of", trained, PUBLISHED)
    if features is not None:
        found = find("multinli", features, _LAYOUT)
        inputs = features_of("multinli", found, len(table), _LAYOUT)
        size = int(inputs.max()) + 1
    else:
        pieces = WordPiece.read("multinli", find("multinli", vocabulary, LAYOUT), lower_case)
        inputs = pieces.encode(*_sentences(folder / "data", table, labels), length)
        size = len(pieces)
    return _source(file, inputs, size, labels, ids, parts)


def _source(file, inputs, size, labels, ids, parts):
    rows = {part: np.flatnonzero(parts == number) for number, part in enumerate(PARTS)}
    if empty := [part for part in PARTS if not len(rows[part])]:
        raise DataMissing(f"multinli: {file} has no pair for {', '.join(empty)}.")
    names = group_names(CLASSES, ["no negation", "negation"])
    groups = Groups(names, {part: ids[r] for part, r in rows.items()})
    splits = {part: {"inputs": inputs[r], "labels": labels[r]} for part, r in rows.items()}
    source = GroupedSource(splits, len(CLASSES), groups, source=str(file.resolve()))
    source.shapes["vocabulary_size"] = size
    return source


def _sentences(folder, table, labels):
    """First and second sentences of the table's pairs, which it numbers through the three files."""
    pairs = []
    for name in _FILES:
        with reading("multinli", folder / name, _LAYOUT), open(folder / name, "rb") as file:
            for line in file:
                pair = json.loads(line)
                pairs.append((pair["sentence1"], pair["sentence2"], pair["gold_label"]))
    chosen = []
    for number, label in zip(table.index, labels, strict=True):
        known = str(number).isdigit() and int(number) < len(pairs)
        if not known or pairs[int(number)][2] != CLASSES[label]:
            raise DataMissing(
                f"multinli: pair {number} of the table is not a pair of that label among the "
                f"{len(pairs)} of the files in {folder}; expected {_LAYOUT}."
            )
        chosen.append(pairs[int(number)])
    return [pair[0] for pair in chosen], [pair[1] for pair in chosen]
