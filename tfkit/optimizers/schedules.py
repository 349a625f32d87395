"""Learning rates over the course of training, whose length `steps` the engine supplies."""

from keras.optimizers.schedules import (
    CosineDecay,
    ExponentialDecay,
    LearningRateSchedule,
    PiecewiseConstantDecay,
    PolynomialDecay,
)

from tfkit.optimizers.bounds import check_bounds


def cosine(
    steps: int, learning_rate: float = 1e-3, warmup_steps: int = 0, floor: float = 0.0
) -> LearningRateSchedule:
    """A linear warm-up, then half a cosine towards a floor, which step `steps` would reach.

        t < W:  learning_rate * (t + 1) / (W + 1)
        else:   learning_rate * (floor + (1 - floor) * (1 + cos(pi (t - W) / (steps - W))) / 2)

    Steps t count from 0 to steps - 1. W is `warmup_steps`; training that is shorter than W ends
    within the warm-up.

    Args:
        steps: length of the training.
        learning_rate: the peak, > 0.
        warmup_steps: W, >= 0.
        floor: where the cosine ends, as a share of the peak, in [0, 1].
    References: Loshchilov & Hutter 2017, arXiv:1608.03983.
    """
    check_bounds(cosine, locals())
    return (
        CosineDecay(
            learning_rate / (warmup_steps + 1),
            decay_steps=max(steps - warmup_steps, 1),
            alpha=floor,
            warmup_target=learning_rate,
            warmup_steps=warmup_steps,
        )
        if warmup_steps
        else CosineDecay(learning_rate, decay_steps=steps, alpha=floor)
    )


def exponential(
    steps: int, learning_rate: float = 1e-3, last: float = 0.01, staircase: int = 0
) -> LearningRateSchedule:
    """The learning rate falls by the same factor in every step.

        learning_rate * last^(t / steps),  t = 0 … steps - 1

    Args:
        steps: length of the training.
        learning_rate: the first, > 0.
        last: what step `steps` would have, as a share of the first, in (0, 1].
        staircase: 0: at every step; n: in n equal stairs, >= 0.
    References: Robbins & Monro 1951, https://doi.org/10.1214/aoms/1177729586
    """
    check_bounds(exponential, locals())
    if not staircase:
        return ExponentialDecay(learning_rate, steps, last)
    stairs = min(staircase, steps)  # a stair is one step at least
    return ExponentialDecay(learning_rate, steps / stairs, last ** (1 / stairs), staircase=True)


def linear(steps: int, learning_rate: float = 1e-3, floor: float = 0.0) -> LearningRateSchedule:
    """The learning rate falls by the same amount in every step, to what step `steps` would have.

        learning_rate * (1 - (1 - floor) t / steps),  t = 0 … steps - 1

    Args:
        steps: length of the training.
        learning_rate: the first, > 0.
        floor: where it ends, as a share of the first, in [0, 1]; 0 is BERT's.
    References: Devlin et al. 2019, arXiv:1810.04805, appendix A.2.
    """
    check_bounds(linear, locals())
    return PolynomialDecay(learning_rate, steps, floor * learning_rate)


def piecewise(
    steps: int,
    learning_rate: float = 1e-3,
    boundaries: tuple[float, ...] = (0.5, 0.75),
    factor: float = 0.1,
) -> LearningRateSchedule:
    """The learning rate is multiplied by a factor at each boundary.

        learning_rate * factor^(number of boundaries b with t >= b * steps)

    Args:
        steps: length of the training.
        learning_rate: the first, > 0.
        boundaries: shares of the training, in [0, 1]; half and three quarters are ResNet's.
        factor: by which the rate is multiplied, > 0; 0.1 is ResNet's.
    References: He et al. 2016, arXiv:1512.03385, section 4.2.
    """
    check_bounds(piecewise, locals())
    # Keras keeps a value up to and including its boundary
    last_steps = [max(round(share * steps), 0) - 1 for share in sorted(boundaries)]
    rates = [learning_rate * factor**index for index in range(len(last_steps) + 1)]
    return PiecewiseConstantDecay(last_steps, rates)
