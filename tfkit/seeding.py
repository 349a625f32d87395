"""One seed becomes many; nothing here loads a library, so that engines need no TensorFlow."""

import hashlib

MOST_REPLICATES = 1000  # more is a seed that was taken for their number


def derive(seed: int, trial: str, replicate: int, stream: str) -> int:
    """Low 32 bits of SHA-256("{seed}/{trial}/{replicate}/{stream}"), as an unsigned integer.

    Args:
        seed: the recipe's seed.
        trial: id of the trial of a search, "" outside a search.
        replicate: the training replicate, one of `evaluate.seeds`.
        stream: what the numbers are for: init, data, dropout, eval, trial or proposal.
    """
    digest = hashlib.sha256(f"{seed}/{trial}/{replicate}/{stream}".encode()).digest()
    return int.from_bytes(digest[-4:], "big")
