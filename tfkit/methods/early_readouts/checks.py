"""What the constructor of a `DebiasedDistillation` refuses."""

import math
import numbers

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
_WHOLE = ("num_train", "first_round", "round_every", "readout_epochs")
_WHOLE_OR_NONE = ("readout_batch_size", "round_steps")
_CHOICES = {"memory": ("first", "fresh", "sticky", "surest"), "mode": ("kd_only", "both")}
_NOT_HEEDED = {  # keyword of `fit` -> what to do instead
    "class_weight": "it would stand where rows are told; pass compile a loss that weighs classes",
    "validation_split": "rounds would go through what is held out; part the arrays before, and "
    "pass validation_data=(x, y)",
}
OPTIONS = (
    "readout_layer",
    "num_train",
    *_RANGES,
    *_CHOICES,
    *_WHOLE_OR_NONE,
    "normalize_weights",
    "cache_teacher",
)


def check(owner: str, options: dict) -> None:
    """ValueError for an option that is out of range."""
    rows = options["num_train"]
    if rows is None or rows < 1:
        raise ValueError(
            f"{owner}: num_train must be the number of rows of the training set, >= 1, got {rows}."
        )
    for name in (*_WHOLE, *_WHOLE_OR_NONE):
        value = options[name]
        if not isinstance(value, numbers.Integral) and (value is not None or name in _WHOLE):
            raise ValueError(f"{owner}: {name} must be a whole number, got {value!r}.")
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
    for name in _WHOLE_OR_NONE:
        if options[name] is not None and options[name] < 1:
            raise ValueError(f"{owner}: {name} must be >= 1 or None, got {options[name]}.")


def check_fit(owner: str, index, whole, rounds, keywords: dict) -> None:
    """ValueError for what `fit` was given and would not heed."""
    for name, cure in _NOT_HEEDED.items():
        if keywords.get(name):
            raise ValueError(f"{owner}: fit takes no {name}, {cure}.")
    if index is not None and keywords.get("sample_weight") is not None:
        raise ValueError(
            f"{owner}: index and sample_weight are the same here, numbers of rows; pass index "
            "alone, the examples' weights are the model's own."
        )
    if whole is not None and rounds is not None:
        raise ValueError(f"{owner}: fit takes whole= or a Rounds among callbacks, got both.")
