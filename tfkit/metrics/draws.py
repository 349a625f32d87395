"""The study's order of random draws, without a call of NumPy for each of them."""

import numpy as np

_AT_ONCE = 1 << 17  # numbers, so that they stay in the processor's cache
_WORD = 2**32


def batches_in_order(random_state, sizes, count: int, batch_size: int, halves: int):
    """What this loop draws, from the same state to the same state, many times faster.

        for number in range(count):
            fixed[number] = random_state.randint(len(sizes))
            for half in range(halves):
                for column, size in enumerate(sizes):
                    factors[number, half, :, column] = random_state.randint(size, size=batch_size)

    For each number NumPy's frozen RandomState takes a 32-bit word, keeps as many low bits as the
    largest number has, and passes over words that are too large then. So each call's numbers are
    the next words that are acceptable for its size, and only where each call begins has to be found
    one after the other.

    Shapes: -> [count] int, [count, halves, batch_size, K] int
    Args:
        random_state: a RandomState, which ends as the loop would leave it.
        sizes: number of values of each factor.
        count: how many votes.
        batch_size: rows of each batch.
        halves: batches of each vote.
    """
    calls = [(len(sizes), 1), *[(size, batch_size) for _ in range(halves) for size in sizes]]
    fixed = np.empty(count, int)
    factors = np.empty((count, halves, batch_size, len(sizes)), int)
    votes = max(1, _AT_ONCE // sum(length for _, length in calls))
    for start in range(0, count, votes):
        some = slice(start, min(start + votes, count))
        labels, *columns = _decoded(random_state, calls, some.stop - start)
        fixed[some] = labels[:, 0]
        for number, column in enumerate(columns):
            factors[some, number // len(sizes), :, number % len(sizes)] = column
    return fixed, factors


def _decoded(random_state, calls, repeats):
    """The numbers of a cycle of calls, each (size, length).  -> [repeats, length] for each call"""
    words = _words_ahead(random_state, calls, repeats)
    numbered = np.arange(len(words), dtype=np.int32)
    place, before = {}, {}  # of the words acceptable for a size; how many are before each word
    # to powers of 2 all words are, and for a single number it is quicker to look
    for size in {size for size, length in calls if length > 1 and size & (size - 1)}:
        fits = (words & _mask(size)) < size
        place[size] = numbered.compress(fits)
        before[size] = np.cumsum(fits, dtype=np.int32)
        before[size] -= fits
    firsts, position = [], 0
    for size, length in calls * repeats:
        if length == 1 and size > 1:
            while words.item(position) & _mask(size) >= size:
                position += 1
            first, position = position, position + 1
        elif size in place:
            first = before[size].item(position)
            position = place[size].item(first + length - 1) + 1
        else:
            first = position
            position += length if size > 1 else 0  # of one value nothing is drawn
        firsts.append(first)
    random_state.randint(_WORD, size=position, dtype=np.uint32)  # on to where the loop would be
    numbers = []
    for (size, length), first in zip(calls, np.reshape(firsts, (repeats, -1)).T, strict=True):
        taken = first[:, None] + np.arange(length) * (size > 1)
        taken = place[size][taken] if length > 1 and size in place else taken
        numbers.append(words[taken] & _mask(size))  # 0 for one value
    return numbers


def _words_ahead(random_state, calls, repeats):
    """Words of the generator, enough but for odds of 1 in 10^20; the state stays where it is."""
    expected = repeats * sum(length * (_mask(size) + 1) / size for size, length in calls)
    ahead = np.random.RandomState()
    ahead.set_state(random_state.get_state())
    return ahead.randint(_WORD, size=int(expected + 15 * expected**0.5 + 200), dtype=np.uint32)


def _mask(size: int) -> int:
    """The low bits that the largest number below `size` needs."""
    return (1 << (int(size) - 1).bit_length()) - 1
