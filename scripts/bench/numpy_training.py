"""What studies in NumPy train with, many networks at once: softmax and Adam."""

import numpy as np

F = np.float32


def softmax(logits):
    shifted = np.exp(logits - logits.max(-1, keepdims=True))
    return shifted / shifted.sum(-1, keepdims=True)


class Adam:
    """Keras' Adam over arrays that are changed in place."""

    def __init__(self, arrays, rate):
        self.arrays, self.rate, self.step = arrays, rate, 0
        self.moments = [(np.zeros_like(a), np.zeros_like(a)) for a in arrays]

    def apply(self, gradients):
        self.step += 1
        size = self.rate * np.sqrt(1 - 0.999**self.step) / (1 - 0.9**self.step)
        for array, (mean, square), g in zip(self.arrays, self.moments, gradients, strict=True):
            mean += F(0.1) * (g - mean)
            square += F(0.001) * (g * g - square)
            array -= F(size) * mean / (np.sqrt(square) + F(1e-7))
