"""What the constructor of a `DebiasedDistillation` refuses."""

import math

import keras

from tfkit.keras_files import load_model

# option -> (least value, whether it is allowed itself, largest value)
_RANGES = {
    "alpha": (0, True, math.inf),
    "beta": (0, True, math.inf),
    "temperature": (0, False, math.inf),
    "mixing": (0, True, 1),
    "first_round": (0, True, math.inf),
    "round_every": (1, True, math.inf),
    "readout_epochs": (1, True, math.inf),
    "flag_cap": (0, False, 1),
}
_CHOICES = {"memory": ("first", "fresh", "sticky"), "mode": ("kd_only", "both")}
OPTIONS = (
    "readout_layer",
    "num_train",
    *_RANGES,
    *_CHOICES,
    "readout_batch_size",
    "normalize_weights",
    "cache_teacher",
)


def checked(owner: str, options: dict) -> dict:
    """The options, if all are in range.

    Raises:
        ValueError: one is not.
    """
    if options["num_train"] is None or options["num_train"] < 1:
        raise ValueError(
            f"{owner}: num_train must be the number of rows of the training set, >= 1, got "
            f"{options['num_train']}."
        )
    for name, (least, included, most) in _RANGES.items():
        value = options[name]
        low = value >= least if included else value > least
        if not (math.isfinite(value) and low and value <= most):
            sign = ">=" if included else ">"
            limit = f" and <= {most}" if math.isfinite(most) else ""
            raise ValueError(f"{owner}: {name} must be {sign} {least}{limit}, got {value}.")
    for name, known in _CHOICES.items():
        if options[name] not in known:
            raise ValueError(
                f"{owner}: {name} must be one of {', '.join(known)}, got {options[name]!r}."
            )
    size = options["readout_batch_size"]
    if size is not None and size < 1:
        raise ValueError(f"{owner}: readout_batch_size must be >= 1 or None, got {size}.")
    return options


def teacher_of(teacher) -> keras.Model:
    """The teacher itself, or the one that a `.keras` file holds."""
    return load_model(teacher, compile=False) if isinstance(teacher, str) else teacher


def classes_of(owner: str, student, teacher) -> int:
    """The number of classes of the student, which must be the teacher's.

    Raises:
        ValueError: they differ, or one of the two is no network of its own.
    """
    for name, network in (("student", student), ("teacher", teacher)):
        if not isinstance(network, keras.Model):
            raise ValueError(
                f"{owner}: {name} must be a keras.Model, got {type(network).__name__}."
            )
    if student is teacher:
        raise ValueError(f"{owner}: student and teacher must be two networks, got one.")
    shapes = [
        [tuple(output.shape[1:]) for output in network.outputs]
        for network in (student, teacher)
        if getattr(network, "outputs", None)
    ]
    if not shapes or any(shape != shapes[0] for shape in shapes) or len(shapes[0][0]) != 1:
        raise ValueError(
            f"{owner}: student and teacher must each give one output of the same logits [B, C], "
            f"got {' and '.join(map(str, shapes)) or 'networks that were never built'}."
        )
    return shapes[0][0][0]
