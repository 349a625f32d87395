"""CivilComments (Borkan et al. 2019): toxic comments, and whom they mention."""

from typing import Literal

import numpy as np

from tfkit.data.finding import find
from tfkit.data.grouped import PARTS, GroupedSource, Groups, group_names
from tfkit.data.listing import warn_of_other_counts
from tfkit.data.metadata import numbers, parts_of, read_csv
from tfkit.data.source import Source
from tfkit.data.wordpiece import LAYOUT, WordPiece, checked_texts, features_of
from tfkit.errors import DataMissing

IDENTITIES = (
    "male", "female", "LGBTQ", "christian", "muslim", "other_religions", "black", "white",
)  # fmt: skip
PUBLISHED = (269_038, 45_180, 133_782)  # comments for training, choosing, reporting
_TABLE = "all_data_with_identities.csv"
_LAYOUT = (
    f"a folder with {_TABLE} (comment_text, toxicity, split in train, val, test, identity_any and "
    f"{', '.join(IDENTITIES)}, shares in [0, 1]), version 1.0 of WILDS, from "
    "https://worksheets.codalab.org/bundles/0x8cd3de0634154aeaad2ee6eb96723c6e"
)
_HALF = 0.5  # share of raters from which on a comment counts as toxic, or as mentioning


def load(
    path: str,
    vocabulary: str | None = None,
    features: str | None = None,
    length: int = 220,
    lower_case: bool = True,
    groups: Literal["overlapping", "disjoint"] = "overlapping",
) -> Source:
    """Comments as numbers of word pieces, toxic or civil whomever they mention.

        overlapping  8 identities x 2 labels = 16 groups of WILDS; a comment is in none or several
        disjoint     label x whether any identity is mentioned, 4 groups

    Training batches have the 4 disjoint groups either way, as the published trainings; `groups`
    says what held-out parts are judged by. 448,000 comments; a comment becomes
    [CLS] pieces [SEP] and zeros.

    Gives: inputs, labels, groups, index
    Args:
        path: the folder; a relative one is looked for under $TFKIT_DATA, then here.
        vocabulary: vocab.txt of the BERT model, relative as `path`; null where features are given.
        features: an .npy file of numbers [N, T] made before, in the table's order, or an .npz with
            `input_ids`; null where a vocabulary is given.
        length: numbers of each comment, >= 3; 220 is that of batches of 24, 300 of 16.
        lower_case: whether the vocabulary is of lower-case words.
        groups: groups of the held-out parts.
    Raises:
        DataMissing: no such folder or file, or one of another layout.
        ValueError: options out of range; both vocabulary and features, or neither.
    References: Borkan et al. 2019, arXiv:1903.04561; groups: Koh et al. 2021, arXiv:2012.07421.
    """
    checked_texts("civilcomments", vocabulary, features)
    if length < 3:
        raise ValueError(f"civilcomments: length must be >= 3, got {length}.")
    if groups not in ("overlapping", "disjoint"):
        raise ValueError(f"civilcomments: groups must be overlapping or disjoint, got {groups!r}.")
    folder = find("civilcomments", path, _LAYOUT, "folder")
    file = folder / _TABLE
    table = read_csv("civilcomments", file, _LAYOUT)
    shares = _shares(file, table)
    parts = parts_of("civilcomments", file, table, "split", _LAYOUT)
    counts = np.bincount(parts, minlength=3)
    warn_of_other_counts("civilcomments", "training, validation, test comments", counts, PUBLISHED)
    inputs, size = _inputs(table, vocabulary, features, length, lower_case)
    rows = {part: np.flatnonzero(parts == number) for number, part in enumerate(PARTS)}
    if empty := [part for part in PARTS if not len(rows[part])]:
        raise DataMissing(f"civilcomments: {file} has no comment for {', '.join(empty)}.")
    labels = shares["toxicity"].astype(np.int32)
    coarse = _disjoint(labels, shares["identity_any"], rows)
    judged = coarse if groups == "disjoint" else _overlapping(labels, shares, rows)
    splits = {part: {"inputs": inputs[r], "labels": labels[r]} for part, r in rows.items()}
    source = GroupedSource(splits, 2, judged, source=str(file.resolve()), training_groups=coarse)
    source.shapes["vocabulary_size"] = size
    return source


def _shares(file, table) -> dict[str, np.ndarray]:
    """{column: whether at least half of the raters said so}."""
    names = ("toxicity", "identity_any", *IDENTITIES)
    found = {n: numbers("civilcomments", file, table, n, _LAYOUT, empty=0.0) for n in names}
    return {name: share >= _HALF for name, share in found.items()}


def _inputs(table, vocabulary, features, length, lower_case):
    """Numbers of word pieces [N, T], and how many pieces there are."""
    if features is not None:
        ids = features_of(
            "civilcomments", find("civilcomments", features, _LAYOUT), len(table), _LAYOUT
        )
        return ids, int(ids.max()) + 1
    if "comment_text" not in table.columns:
        raise DataMissing(f"civilcomments: no column comment_text; expected {_LAYOUT}.")
    file = find("civilcomments", vocabulary, LAYOUT)
    pieces = WordPiece.read("civilcomments", file, lower_case)
    return pieces.encode(table["comment_text"].tolist(), length=length), len(pieces)


def _disjoint(labels, mentioned, rows) -> Groups:
    names = group_names(["civil", "toxic"], ["no identity", "some identity"])
    ids = 2 * labels + mentioned
    return Groups(names, {part: ids[r].astype(np.int32) for part, r in rows.items()})


def _overlapping(labels, shares, rows) -> Groups:
    """Identity x label, the identities the slowest.  -> [N, 16] bool"""
    members = np.stack(
        [shares[name] & (labels == label) for name in IDENTITIES for label in (0, 1)], axis=1
    )
    names = [f"{name}, {label}" for name in IDENTITIES for label in ("civil", "toxic")]
    return Groups(names, {part: members[r] for part, r in rows.items()})
