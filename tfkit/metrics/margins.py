"""Linear support vector classifiers on one latent at a time, solved on sums instead of rows."""

import numpy as np

PENALTY = 0.01  # C of the study
STEPS = 100  # of Newton's method, at most; about ten do
TOLERANCE = 1e-9  # of the gradient, relative to the one at zero
HALVINGS = 30  # of a step that raises the objective
ROUNDING = 1e-12  # relative, by which the objective may seem to rise near the minimum


def predicted_by_one_latent(codes, classes, codes_test) -> np.ndarray:
    """Class numbers predicted by LinearSVC(C=0.01, class_weight="balanced") on each latent alone.

        min_{w, b} (w^2 + b^2) / 2 + sum_i c_i max(0, 1 - y_i (w z_i + b))^2

    for each class against the others: y = 1 and c = C N / (classes * N_class) for its members,
    y = -1 and c = C for the rest, as liblinear weighs them (with two classes there is one line,
    and either side has its class's weight). The rows that count are those on one side of a
    threshold, so sums over them are differences of prefix sums over the sorted latent, and
    Newton's method needs none of the rows; it ends where scikit-learn's solver ends, more exactly.

    Shapes: [N, D], [N] int, [M, D] -> [M, D] int
    Args:
        codes: latents of the training examples.
        classes: class numbers 0, 1, … of the training examples, each of which occurs.
        codes_test: latents to predict from.
    """
    sizes = np.bincount(classes)
    if len(sizes) == 1:
        return np.zeros(codes_test.shape, int)
    answers = []
    for latent, latent_test in zip(codes.T.astype("float64"), codes_test.T, strict=True):
        slope, offset = _lines(latent, classes, sizes)  # [C] each
        answers.append(np.argmax(np.outer(latent_test, slope) + offset, axis=1))
    return np.stack(answers, axis=1)


def _lines(latent, classes, sizes):
    """Slope and offset of the line of every class, all by one run of Newton's method."""
    member_weight = PENALTY * len(latent) / (len(sizes) * sizes)  # [C]
    other_weight = member_weight[::-1] if len(sizes) == 2 else np.full(len(sizes), PENALTY)
    order = np.argsort(latent)
    members = _Sums(latent[order], classes[order])
    everyone = _Sums(latent[order], np.zeros_like(classes))

    def evaluate(w, b):
        inside = member_weight * members.below(w, b - 1)  # [3, C]: w z + b < 1
        beyond = everyone.below(-w, -b - 1) - members.below(-w, -b - 1)  # w z + b > -1
        return _derivatives(w, b, inside, other_weight * beyond)

    w = b = np.zeros(len(sizes))
    value, gradient, hessian = evaluate(w, b)
    enough = TOLERANCE * np.hypot(*gradient)
    for _ in range(STEPS):
        if np.all(np.hypot(*gradient) <= enough):
            break
        (dww, dwb, dbb), (gw, gb) = hessian, gradient
        determinant = dww * dbb - dwb**2  # at least 1, by the penalty
        step = np.stack([dbb * gw - dwb * gb, dww * gb - dwb * gw]) / determinant
        for _ in range(HALVINGS):
            lower, gradient, hessian = evaluate(w - step[0], b - step[1])
            worse = lower > value * (1 + ROUNDING)
            if not worse.any():
                break
            step[:, worse] /= 2
        w, b, value = w - step[0], b - step[1], lower
    return w, b


def _derivatives(w, b, inside, beyond):
    """Objective, gradient and Hessian from the weighted sums of 1, z and z^2 that count."""
    both, difference = inside + beyond, inside - beyond
    gradient_w = w + 2 * (w * both[2] + b * both[1] - difference[1])
    gradient_b = b + 2 * (w * both[1] + b * both[0] - difference[0])
    squares = both[0] * (1 + b * b) + 2 * w * b * both[1] + w * w * both[2]
    value = (w * w + b * b) / 2 + squares - 2 * (w * difference[1] + b * difference[0])
    hessian = 1 + 2 * both[2], 2 * both[1], 1 + 2 * both[0]
    return value, (gradient_w, gradient_b), hessian


class _Sums:
    """Sums of 1, z and z^2 over the rows of each class on one side of a threshold.

    Args:
        ordered: the latent of all rows, ascending.
        classes: their classes.
    """

    def __init__(self, ordered, classes):
        self.ordered, self.stride = ordered, len(ordered) + 1
        # rows by class, and within it by rank of their latent
        # (a stable sort of short integers is one by digits, many times faster)
        by_class = np.argsort(classes.astype(np.min_scalar_type(classes.max())), kind="stable")
        self.keys, z = classes[by_class] * self.stride + by_class, ordered[by_class]
        powers = np.stack([np.ones_like(z), z, z * z])  # [3, N]
        self.prefix = np.concatenate([np.zeros((3, 1)), np.cumsum(powers, axis=1)], axis=1)
        self.starts = np.arange(classes.max() + 1) * self.stride
        self.first = self.prefix[:, np.searchsorted(self.keys, self.starts)]
        self.last = self.prefix[:, np.searchsorted(self.keys, self.starts + self.stride)]

    def below(self, slope, offset):
        """Over those with slope z + offset < 0.  [C], [C] -> [3, C]"""
        flat = slope == 0
        threshold = -offset / np.where(flat, 1.0, slope)
        low = np.searchsorted(self.ordered, threshold, side="left")
        high = np.searchsorted(self.ordered, threshold, side="right")
        rank = np.where(slope > 0, low, high)
        cut = self.prefix[:, np.searchsorted(self.keys, self.starts + rank)]
        side = np.where(slope > 0, cut - self.first, self.last - cut)
        return np.where(flat, (offset < 0) * (self.last - self.first), side)
