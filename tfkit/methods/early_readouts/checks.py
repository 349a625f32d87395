"""What the constructor of a `DebiasedDistillation` refuses."""

import math

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
    "weight_decay": (0, True, math.inf),
}
_CHOICES = {"memory": ("first", "fresh", "sticky", "surest"), "mode": ("kd_only", "both")}
OPTIONS = (
    "readout_layer",
    "num_train",
    *_RANGES,
    *_CHOICES,
    "readout_batch_size",
    "round_steps",
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
    for name in ("readout_batch_size", "round_steps"):
        if options[name] is not None and options[name] < 1:
            raise ValueError(f"{owner}: {name} must be >= 1 or None, got {options[name]}.")
    return options
