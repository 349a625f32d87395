"""The table of what every training example weighed, and why."""

import csv
from pathlib import Path

import numpy as np


def write_audit(model, path, **columns) -> Path:
    """Write one line for each row of the training set, the heaviest first.

        index, weight, margin, flagged, …

    `weight` is what the example counts now, `margin` how sure the readout of the last round was,
    `flagged` in how many rounds it erred, whether or not `flag_cap` let the example weigh more. Who
    is flagged is in conflict with what early layers learn first: a shortcut that does not hold
    there, or a wrong label.

    Args:
        model: a `DebiasedDistillation`.
        path: of the CSV file.
        **columns: further columns by name, [num_train] each, such as label and group.
    Raises:
        ValueError: a column of another length.
    """
    known = {
        "weight": model.sample_weights.numpy(),
        "margin": model.ledger.margins.numpy(),
        "flagged": model.ledger.flags.numpy(),
    }
    further = {name: np.asarray(values) for name, values in columns.items()}
    for name, values in further.items():
        if values.shape != (model.num_train,):
            raise ValueError(
                f"write_audit: {name} must have shape ({model.num_train},), got {values.shape}."
            )
    columns = {"index": np.arange(model.num_train), **known, **further}
    order = np.lexsort((columns["index"], -known["weight"]))
    with open(path, "w", newline="", encoding="utf-8") as file:
        lines = csv.writer(file, lineterminator="\n")
        lines.writerow(columns)
        lines.writerows(zip(*(written(values[order]) for values in columns.values()), strict=True))
    return Path(path)


def written(values: np.ndarray) -> list:
    """Numbers as they are read back: floats with the digits that float32 has."""
    if values.dtype.kind == "f":
        return [f"{value:.7g}" for value in values]
    return values.tolist()
