"""Keras' own optimizers, Keras' defaults written out so that recipes show and check them."""

import keras
from keras.optimizers.schedules import LearningRateSchedule

from tfkit.optimizers.bounds import check_bounds


def adam(
    learning_rate: float | LearningRateSchedule = 1e-3,
    beta_1: float = 0.9,
    beta_2: float = 0.999,
    epsilon: float = 1e-7,
    amsgrad: bool = False,
    global_clipnorm: float | None = None,
) -> keras.optimizers.Optimizer:
    """Steps of the mean gradient over the root of the mean squared gradient, both bias-corrected.

        m = beta_1 m + (1 - beta_1) g,  v = beta_2 v + (1 - beta_2) g^2
        w = w - learning_rate * sqrt(1 - beta_2^t) / (1 - beta_1^t) * m / (sqrt(v) + epsilon)

    Args:
        learning_rate: size of a step, > 0, or a schedule.
        beta_1: decay of the mean, in [0, 1); 0.9 is the paper's.
        beta_2: decay of the mean square, in [0, 1); 0.999 is the paper's.
        epsilon: added to the root, > 0; 1e-7 is Keras', the paper has 1e-8.
        amsgrad: never let the denominator shrink (Reddi et al. 2018).
        global_clipnorm: largest norm of the whole gradient, > 0; null: not clipped.
    References: Kingma & Ba 2015, arXiv:1412.6980.
    """
    check_bounds(adam, locals())
    return keras.optimizers.Adam(
        learning_rate, beta_1, beta_2, epsilon, amsgrad, global_clipnorm=global_clipnorm
    )


def adamw(
    learning_rate: float | LearningRateSchedule = 1e-3,
    weight_decay: float = 4e-3,
    beta_1: float = 0.9,
    beta_2: float = 0.999,
    epsilon: float = 1e-7,
    amsgrad: bool = False,
    global_clipnorm: float | None = None,
) -> keras.optimizers.Optimizer:
    """Adam with weight decay beside the gradient instead of inside it.

        w = w - learning_rate * (adam's step + weight_decay * w)

    Args:
        learning_rate: size of a step, > 0, or a schedule.
        weight_decay: share of a weight taken off at a learning rate of 1, >= 0; 4e-3 is Keras'.
        beta_1: decay of the mean, in [0, 1); 0.9 is the paper's.
        beta_2: decay of the mean square, in [0, 1); 0.999 is the paper's.
        epsilon: added to the root, > 0; 1e-7 is Keras', the paper has 1e-8.
        amsgrad: never let the denominator shrink (Reddi et al. 2018).
        global_clipnorm: largest norm of the whole gradient, > 0; null: not clipped.
    References: Loshchilov & Hutter 2019, arXiv:1711.05101.
    """
    check_bounds(adamw, locals())
    return keras.optimizers.AdamW(
        learning_rate,
        weight_decay,
        beta_1,
        beta_2,
        epsilon,
        amsgrad,
        global_clipnorm=global_clipnorm,
    )


def sgd(
    learning_rate: float | LearningRateSchedule = 1e-2,
    momentum: float = 0.0,
    nesterov: bool = False,
    weight_decay: float | None = None,
    global_clipnorm: float | None = None,
) -> keras.optimizers.Optimizer:
    """Gradient descent, with momentum if wished.

        v = momentum v - learning_rate g,  w = w + v

    Args:
        learning_rate: size of a step, > 0, or a schedule.
        momentum: share of the last step that is kept, in [0, 1].
        nesterov: take the gradient where the momentum leads (Nesterov 1983).
        weight_decay: share of a weight taken off at a learning rate of 1, >= 0; null: none.
        global_clipnorm: largest norm of the whole gradient, > 0; null: not clipped.
    References: Sutskever et al. 2013, https://proceedings.mlr.press/v28/sutskever13.html
    """
    check_bounds(sgd, locals())
    return keras.optimizers.SGD(
        learning_rate,
        momentum,
        nesterov,
        weight_decay=weight_decay,
        global_clipnorm=global_clipnorm,
    )


def rmsprop(
    learning_rate: float | LearningRateSchedule = 1e-3,
    rho: float = 0.9,
    momentum: float = 0.0,
    epsilon: float = 1e-7,
    centered: bool = False,
    global_clipnorm: float | None = None,
) -> keras.optimizers.Optimizer:
    """Steps of the gradient over the root of its mean square.

        v = rho v + (1 - rho) g^2,  w = w - learning_rate * g / sqrt(v + epsilon)

    Args:
        learning_rate: size of a step, > 0, or a schedule.
        rho: decay of the mean square, in [0, 1); 0.9 is the lecture's.
        momentum: share of the last step that is kept, in [0, 1].
        epsilon: added to the mean square, > 0; 1e-7 is Keras'.
        centered: divide by the standard deviation instead of the root mean square.
        global_clipnorm: largest norm of the whole gradient, > 0; null: not clipped.
    References: Hinton 2012, lecture 6e, https://www.cs.toronto.edu/~tijmen/csc321/slides/lecture_slides_lec6.pdf
    """
    check_bounds(rmsprop, locals())
    return keras.optimizers.RMSprop(
        learning_rate, rho, momentum, epsilon, centered, global_clipnorm=global_clipnorm
    )
