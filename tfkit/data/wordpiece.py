"""Texts as numbers of word pieces, as BERT reads them."""

import unicodedata
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tfkit.data.archives import reading

LAYOUT = (
    "a text file with a word piece a line, [PAD] the first, and [UNK], [CLS] and [SEP], such as "
    "vocab.txt of a BERT model, from https://github.com/google-research/bert"
)
_LONGEST = 100  # characters of a word; a longer one is unknown, as in the published code
_REMEMBERED = 500_000  # words whose pieces are kept: texts repeat a few of them
_CJK = (
    (0x4E00, 0x9FFF), (0x3400, 0x4DBF), (0x20000, 0x2A6DF), (0x2A700, 0x2B73F),
    (0x2B740, 0x2B81F), (0x2B820, 0x2CEAF), (0xF900, 0xFAFF), (0x2F800, 0x2FA1F),
)  # fmt: skip


class WordPiece:
    """Splits texts into words and words into the longest known pieces from the left.

        "Unaffable!" -> un ##aff ##able !        pieces inside a word begin with ##

    Control characters go; Chinese characters and punctuation are words of their own; accents go
    with lower case. A word with a part that no piece covers is [UNK], the whole word.

    Args:
        pieces: the vocabulary, a piece a number, [PAD] the first.
        lower_case: whether the vocabulary is one of lower-case words ("uncased").
    Raises:
        ValueError: no [PAD] at 0, or no [UNK], [CLS] or [SEP].
    References: Wu et al. 2016, arXiv:1609.08144; Devlin et al. 2019, arXiv:1810.04805.
    """

    def __init__(self, pieces: Sequence[str], lower_case: bool = True):
        self.numbers = {piece: number for number, piece in enumerate(pieces)}
        lacking = [name for name in ("[UNK]", "[CLS]", "[SEP]") if name not in self.numbers]
        if self.numbers.get("[PAD]") != 0 or lacking:
            raise ValueError(
                f"WordPiece: the vocabulary must begin with [PAD] and have [UNK], [CLS] and [SEP], "
                f"got {len(self.numbers)} pieces that begin with {list(pieces[:1])} and lack "
                f"{lacking or 'none of them'}."
            )
        self.lower_case = lower_case
        self._characters = _Characters()
        self._known: dict[str, list[int]] = {}

    @classmethod
    def read(cls, called: str, path: Path, lower_case: bool = True) -> "WordPiece":
        """The tokenizer of a vocabulary file; DataMissing where it is none."""
        with reading(called, path, LAYOUT):
            pieces = path.read_text(encoding="utf-8").splitlines()
            return cls(pieces, lower_case)

    def __len__(self):
        return len(self.numbers)

    def ids(self, text: str) -> list[int]:
        """The numbers of a text's pieces."""
        found: list[int] = []
        for word in text.translate(self._characters).split():
            known = self._known.get(word)
            if known is None:
                known = [number for part in self._parts(word) for number in self._pieces(part)]
                if len(self._known) < _REMEMBERED:
                    self._known[word] = known
            found += known
        return found

    def encode(
        self, texts: Sequence[str], seconds: Sequence[str] | None = None, length: int = 128
    ) -> np.ndarray:
        """[CLS] text [SEP], or [CLS] first [SEP] second [SEP], filled with 0, cut to a length.

        Of two texts the longer one is cut, from its end, until both fit.

        Shapes: N texts -> [N, length] int32
        Args:
            texts: the texts, or the first of each pair.
            seconds: the second of each pair.
            length: numbers of each text, >= 3 (5 of pairs).
        """
        fewest = 3 if seconds is None else 5
        if length < fewest:
            raise ValueError(f"WordPiece: length must be >= {fewest}, got {length}.")
        found = np.zeros((len(texts), length), np.int32)
        start, end = self.numbers["[CLS]"], self.numbers["[SEP]"]
        for row, text in enumerate(texts):
            first = self.ids(text)
            if seconds is None:
                line = [start, *first[: length - 2], end]
            else:
                second = self.ids(seconds[row])
                one, other = _fitting(len(first), len(second), length - 3)
                line = [start, *first[:one], end, *second[:other], end]
            found[row, : len(line)] = line
        return found

    def _parts(self, word: str) -> list[str]:
        """A word without accents, split at punctuation."""
        if self.lower_case:
            word = word.lower()
            if not word.isascii():
                apart = unicodedata.normalize("NFD", word)
                word = "".join(c for c in apart if unicodedata.category(c) != "Mn")
        parts, start = [], 0
        for place, character in enumerate(word):
            if _is_punctuation(character):
                parts += [word[start:place], character]
                start = place + 1
        return [part for part in (*parts, word[start:]) if part]

    def _pieces(self, word: str) -> list[int]:
        """The longest known pieces from the left, or [UNK]."""
        unknown = [self.numbers["[UNK]"]]
        if len(word) > _LONGEST:
            return unknown
        found, start = [], 0
        while start < len(word):
            prefix = "##" if start else ""
            for end in range(len(word), start, -1):
                number = self.numbers.get(prefix + word[start:end])
                if number is not None:
                    break
            else:
                return unknown
            found.append(number)
            start = end
        return found


class _Characters(dict):
    """What each character becomes before texts are split at spaces, for `str.translate`."""

    def __missing__(self, code: int):
        character = chr(code)
        category = unicodedata.category(character)
        if character in "\t\n\r" or category == "Zs":
            found = " "
        elif code in (0, 0xFFFD) or category.startswith("C"):
            found = ""
        else:
            chinese = any(first <= code <= last for first, last in _CJK)
            found = f" {character} " if chinese else character
        self[code] = found
        return found


def _is_punctuation(character: str) -> bool:
    """Unicode's punctuation, and what of ASCII is neither letter, digit nor space, such as $."""
    if character.isascii():
        return not character.isalnum() and not character.isspace()
    return unicodedata.category(character).startswith("P")


def _fitting(first: int, second: int, room: int) -> tuple[int, int]:
    """Lengths of two texts after the longer one was cut until both fit."""
    if first + second <= room:
        return first, second
    if min(first, second) <= room // 2:  # the shorter one stays whole
        return (first, room - first) if first < second else (room - second, second)
    return room - room // 2, room // 2


def features_of(called: str, path: Path, rows: int, layout: str) -> np.ndarray:
    """Numbers of pieces that were made before: an array [N, T] of whole numbers, 0 for padding.

    Args:
        called: the data set's name, for messages.
        path: an .npy file, or an .npz with `input_ids`.
        rows: N, the lines of the data set's table.
        layout: what is expected.
    """
    with reading(called, path, layout):
        stored = np.load(path, allow_pickle=False)
        ids = stored["input_ids"] if isinstance(stored, np.lib.npyio.NpzFile) else stored
        if ids.ndim != 2 or ids.dtype.kind not in "iu" or len(ids) != rows or not ids.size:
            raise ValueError(f"{ids.dtype} of shape {ids.shape}, not integers of {rows} x T")
        if ids.min() < 0 or ids.max() > np.iinfo(np.int32).max:
            raise ValueError(f"numbers of pieces from {ids.min()} to {ids.max()}")
    return ids.astype(np.int32)


def checked_texts(called: str, vocabulary: str | None, features: str | None) -> None:
    """ValueError unless exactly one way to numbers is given."""
    if (vocabulary is None) == (features is None):
        raise ValueError(
            f"{called}: give either vocabulary (a vocab.txt) or features (numbers made before), "
            f"got {vocabulary!r} and {features!r}."
        )
