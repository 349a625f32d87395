"""AnnealedVAE's regulariser: a KL term that is held at a capacity which grows."""

import math

from keras import ops

from tfkit.losses.precision import at_least_float32


def annealed_capacity(
    kl, step, gamma: float = 1000.0, c_max: float = 25.0, iteration_threshold: int = 100_000
):
    """Distance between the KL term and its capacity at this step.

        gamma |kl - C|        C = min(c_max, c_max step / iteration_threshold)

    The distance, not max(0, kl - C): the code is made to carry C nats. In nats.

    Shapes: [], [] int -> []
    Args:
        kl: the KL term.
        step: updates before this one, 0 for the first.
        gamma: weight of the distance, >= 0; 1000 is the study's.
        c_max: the largest capacity in nats, >= 0; the study takes 5, 10, 25, 50, 75 and 100.
        iteration_threshold: updates until the capacity is c_max, >= 1; 100000 is the study's.
    Raises:
        ValueError: an option out of range.
    References: Burgess et al. 2018, arXiv:1804.03599, equation 8.
    """
    if not (math.isfinite(gamma) and gamma >= 0):
        raise ValueError(f"annealed_capacity: gamma must be finite and >= 0, got {gamma}.")
    (kl,) = at_least_float32(kl)
    return gamma * ops.abs(kl - capacity_at(step, c_max, iteration_threshold, kl.dtype))


def capacity_at(step, c_max, iteration_threshold, dtype="float32"):
    """The capacity after `step` updates, in nats; the arguments are `annealed_capacity`'s."""
    if not (math.isfinite(c_max) and c_max >= 0):
        raise ValueError(f"annealed_capacity: c_max must be finite and >= 0, got {c_max}.")
    if not iteration_threshold >= 1:
        raise ValueError(
            f"annealed_capacity: iteration_threshold must be >= 1, got {iteration_threshold}."
        )
    share = ops.cast(step, dtype) / ops.cast(iteration_threshold, dtype)
    return c_max * ops.minimum(share, 1.0)
