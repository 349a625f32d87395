"""A method of two optimizers, dropout and stages, that the engine's tests train."""
