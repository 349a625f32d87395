"""What a first training got wrong, remembered by the model that trains again."""


def errors_variable(model, num_train):
    """Which rows of the training set are errors, none at first: [N] int8, in checkpoints."""
    if num_train is None or num_train < 1:
        raise ValueError(
            f"{type(model).__name__}: num_train must be the number of rows of the training set, "
            f">= 1, got {num_train}."
        )
    return model.add_weight((num_train,), "zeros", "int8", trainable=False, name="errors")


def counted(owner: str, name: str, value) -> int:
    """A whole number >= 1, or ValueError."""
    if value < 1 or value != int(value):
        raise ValueError(f"{owner}: {name} must be a whole number >= 1, got {value}.")
    return int(value)


def told(model) -> dict:
    """What a model that remembers errors adds to its configuration."""
    return {
        "num_train": int(model.errors.shape[0]),
        "upweight": model.upweight,
        "identify_epochs": model.identify_epochs,
    }
