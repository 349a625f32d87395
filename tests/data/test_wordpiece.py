import numpy as np
import pytest

from tests.data import small_groups
from tfkit.data.wordpiece import WordPiece, _fitting, checked_texts, features_of
from tfkit.errors import DataMissing

# known cases of the published code's tests (google-research/bert, tokenization_test.py)
BERT = "[PAD] [UNK] [CLS] [SEP] want ##want ##ed wa un runn ##ing ,".split()


def pieces(text, words=BERT, **options):
    tokenizer = WordPiece(words, **options)
    return [words[number] for number in tokenizer.ids(text)]


def parts(text, lower_case=True):
    """Words before they are split into pieces: every word is a piece."""
    tokenizer = WordPiece(["[PAD]", "[UNK]", "[CLS]", "[SEP]"], lower_case)
    found = []
    tokenizer._pieces = lambda word: found.append(word) or []
    tokenizer.ids(text)
    return found


def test_known_pieces():
    assert pieces("unwanted running") == ["un", "##want", "##ed", "runn", "##ing"]
    assert pieces("unwantedX running") == ["[UNK]", "runn", "##ing"]
    assert pieces("UNwant\u00e9d,running") == ["un", "##want", "##ed", ",", "runn", "##ing"]
    assert pieces("") == [] and pieces(" \n\t") == []
    assert pieces("Unaffable!", small_groups.WORDS) == ["un", "##aff", "##able", "!"]


def test_the_longest_piece_counts():
    words = "[PAD] [UNK] [CLS] [SEP] a ab ##b ##bc ##c abcd".split()
    assert pieces("abc", words) == ["ab", "##c"]
    assert pieces("abcd", words) == ["abcd"]
    assert pieces("abcde", words) == ["[UNK]"]


def test_words_of_known_texts():
    assert parts(" \tHeLLo!how  \n Are yoU?  ") == ["hello", "!", "how", "are", "you", "?"]
    assert parts(" \tHeLLo!how  \n Are yoU?  ", False) == ["HeLLo", "!", "how", "Are", "yoU", "?"]
    assert parts("H\u00e9llo") == ["hello"] and parts("H\u00e9llo", False) == ["H\u00e9llo"]
    assert parts("ah\u535a\u63a8zz") == ["ah", "\u535a", "\u63a8", "zz"]
    assert parts("a\u200bb\ufffd\x00c\u00a0d\u2028e") == ["abc", "d", "e"]  # as the published code
    assert parts("$5^2 \u00abok\u00bb \u2026") == ["$", "5", "^", "2", "«", "ok", "»", "…"]


def test_a_long_word_is_unknown():
    words = "[PAD] [UNK] [CLS] [SEP] a ##a".split()
    assert pieces("a" * 100, words) == ["a"] + ["##a"] * 99
    assert pieces("a" * 101, words) == ["[UNK]"]


def test_one_text_is_framed_cut_and_filled():
    tokenizer = WordPiece(BERT)
    found = tokenizer.encode(["want", "want want want want", ""], length=4)
    np.testing.assert_array_equal(found, [[2, 4, 3, 0], [2, 4, 4, 3], [2, 3, 0, 0]])
    assert found.dtype == np.int32


def test_the_longer_of_two_is_cut():
    tokenizer = WordPiece(BERT)
    one = tokenizer.encode(["want un un"], ["wa"], length=7)
    np.testing.assert_array_equal(one, [[2, 4, 8, 8, 3, 7, 3]])
    other = tokenizer.encode(["want un un un"], ["wa wa wa wa"], length=8)
    np.testing.assert_array_equal(other, [[2, 4, 8, 8, 3, 7, 7, 3]])


@pytest.mark.parametrize("room", [4, 5, 11])
def test_lengths_are_those_of_cutting_one_by_one(room):
    for first in range(13):
        for second in range(13):
            one, other = first, second
            while one + other > room:  # the published code
                one, other = (one - 1, other) if one > other else (one, other - 1)
            assert _fitting(first, second, room) == (one, other), (first, second)


def test_remembered_words_change_nothing():
    tokenizer = WordPiece(BERT)
    assert tokenizer.ids("unwanted , x") == tokenizer.ids("unwanted , x")
    assert tokenizer.ids("unwanted unwanted") == 2 * tokenizer.ids("unwanted")


def test_what_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"must begin with \[PAD\].*lack \['\[SEP\]'\]"):
        WordPiece(["[PAD]", "[UNK]", "[CLS]"])
    with pytest.raises(ValueError, match=r"begin with \['\[UNK\]'\]"):
        WordPiece(["[UNK]", "[PAD]", "[CLS]", "[SEP]"])
    with pytest.raises(ValueError, match="length must be >= 5, got 4"):
        WordPiece(BERT).encode(["a"], ["b"], length=4)
    (tmp_path / "vocab.txt").write_text("a\nb\n")
    with pytest.raises(DataMissing, match=r"vocab.txt: .*must begin with .*expected a text file"):
        WordPiece.read("x", tmp_path / "vocab.txt")
    (tmp_path / "vocab.txt").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DataMissing, match="vocab.txt: "):
        WordPiece.read("x", tmp_path / "vocab.txt")
    for given in ((None, None), ("a", "b")):
        with pytest.raises(ValueError, match="x: give either vocabulary"):
            checked_texts("x", *given)


def test_numbers_made_before(tmp_path):
    ids = np.arange(6).reshape(2, 3)
    np.save(tmp_path / "a.npy", ids)
    np.savez(tmp_path / "a.npz", input_ids=ids, other=ids)
    for name in ("a.npy", "a.npz"):
        found = features_of("x", tmp_path / name, 2, "numbers")
        np.testing.assert_array_equal(found, ids)
        assert found.dtype == np.int32
    with pytest.raises(DataMissing, match=r"int64 of shape \(2, 3\), not integers of 3 x T"):
        features_of("x", tmp_path / "a.npy", 3, "numbers")
    np.save(tmp_path / "b.npy", np.array([["no", "numbers"]], object), allow_pickle=True)
    with pytest.raises(DataMissing, match="b.npy: .*expected numbers"):
        features_of("x", tmp_path / "b.npy", 1, "numbers")
    np.savez(tmp_path / "c.npz", ids=ids)
    with pytest.raises(DataMissing, match="c.npz: "):
        features_of("x", tmp_path / "c.npz", 2, "numbers")
