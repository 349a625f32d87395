"""What a sieve is not made of."""

from numbers import Real

import keras

from tfkit.networks.checks import require_logits


def check_options(forget_every, weight_decay, readout_weight_decay, bn_mode):
    """The constructor's plain options."""
    if not isinstance(forget_every, Real) or not (forget_every >= 0 and forget_every % 1 == 0):
        raise ValueError(
            "FeatureSieve: forget_every must be an integer >= 1, or 0 or None for never, got "
            f"{forget_every}."
        )
    decays = {"weight_decay": weight_decay, "readout_weight_decay": readout_weight_decay}
    for name, value in decays.items():
        if not (0 <= value < float("inf")):
            raise ValueError(f"FeatureSieve: {name} must be finite and >= 0, got {value}.")
    if bn_mode not in ("once", "published"):
        raise ValueError(f"FeatureSieve: bn_mode must be 'once' or 'published', got {bn_mode!r}.")


def check_kinds(lower, upper, readout):
    """Networks or lists of networks, with one input each, that give logits where they must."""
    lists = [isinstance(part, (list, tuple)) for part in (lower, readout)]
    if lists[0] != lists[1] or (lists[0] and not 0 < len(lower) == len(readout)):
        raise ValueError(
            "FeatureSieve: lower and readout must be one network each, or lists of the same "
            f"length, got {_told(lower)} and {_told(readout)}."
        )
    parts = {
        "lower": lower if lists[0] else [lower],
        "readout": readout if lists[1] else [readout],
        "upper": [upper],
    }
    for name, given in parts.items():
        for one in given:
            if not isinstance(one, keras.Layer):
                raise ValueError(
                    f"FeatureSieve: {name} must be a keras.Model or keras.Layer, got "
                    f"{type(one).__name__}."
                )
            if (count := len(getattr(one, "inputs", None) or [one])) != 1:
                raise ValueError(f"FeatureSieve: {name} must have one input, got {count}.")
            if name != "lower":
                require_logits(f"FeatureSieve: {name}", one)


def _told(part):
    return f"{len(part)} in a list" if isinstance(part, (list, tuple)) else type(part).__name__


def check_fit(logits, read):
    """Upper part and readouts answer for the same classes."""
    for name, shape in [("upper", logits), *(("readout", shape) for shape in read)]:
        if len(shape) != 2 or shape[1] != logits[-1] or logits[-1] < 2:
            raise ValueError(
                f"FeatureSieve: {name} must give logits [B, K] of the same K >= 2 classes, "
                f"its output has shape {shape}; upper's has shape {logits}. Two classes have two "
                "logits: Dense(2)."
            )


def check_apart(parts):
    """Parts have neither variables nor names in common."""
    seen = set()
    for part in parts:
        own = {id(variable) for variable in part.variables}
        if seen & own:
            raise ValueError(
                f"FeatureSieve: {part.name} shares variables with another part; lower, upper and "
                "readout must have no layer in common."
            )
        seen |= own
    names = [part.name for part in parts]
    if twice := [name for name in names if names.count(name) > 1]:
        raise ValueError(
            f"FeatureSieve: two parts are called {twice[0]}; give each a name of its own, or the "
            "whole cannot be exported."
        )
