"""The model card: what the export is, what goes in, what comes out, how well, and its limits."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jinja2

from tfkit.statistics.few_seeds import as_shown

_TEMPLATE = Path(__file__).with_name("MODEL_CARD.md.jinja")


def write_card(path: Path, record: dict, context: dict[str, Any]) -> None:
    """Write the Markdown card in the order of TF-Hub's documentation format.

    Args:
        path: of the file.
        record: what `export_model` returns.
        context: what `export_model` was given.
    """
    environment = jinja2.Environment(
        trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined, autoescape=False
    )
    environment.filters |= {"shape": _shape, "figure": _figure}
    resolved = context.get("resolved", {})
    method = (resolved.get("model") or {}).get("name", "a Keras model")
    predict = record["signatures"]["predict"]
    text = environment.from_string(_TEMPLATE.read_text(encoding="utf-8")).render(
        record=record,
        method=method,
        description=_one_line(
            context.get("description") or f"{method}, trained and exported by tfkit."
        ),
        task=_one_line(context.get("task") or method),
        dataset=_one_line((resolved.get("data") or {}).get("name", "unknown")),
        license=_one_line(context.get("license") or "unknown"),
        data=context.get("data") or "Not described.",
        limits=context.get("limits") or "Not described.",
        gives=context.get("gives") or {},
        metrics=_metrics(context.get("metrics", {})),
        source=_source(context.get("provenance", {})),
        arguments=_arguments(predict["inputs"]),
        output=next(iter(predict["outputs"])),
    )
    path.write_text(text, encoding="utf-8")


def _arguments(inputs: dict) -> list[dict]:
    """Keyword and a placeholder array of one row for the example of use."""
    kinds = {"string": 'np.full({}, b"")'}
    return [
        {
            "name": name,
            "array": kinds.get(spec["dtype"], "np.zeros({}, np." + spec["dtype"] + ")").format(
                tuple(1 if size is None else size for size in spec["shape"])
            ),
        }
        for name, spec in inputs.items()
    ]


def _metrics(evaluation: dict) -> list[dict]:
    """Rows of the table: from an evaluation.json with or without replicates."""
    seeds = evaluation.get("seeds") or [evaluation.get("seed", "?")]
    rows = []
    for name, value in (evaluation.get("metrics") or {}).items():
        spread = value if isinstance(value, dict) else {"mean": value}
        spread = as_shown({"low": None, "values": [spread["mean"]], **spread})
        interval = f"n={len(spread['values'])}, no interval"
        if spread["low"] is not None:
            interval = f"[{_figure(spread['low'])}, {_figure(spread['high'])}]"
        rows.append({"name": name, "mean": spread["mean"], "interval": interval, "seeds": seeds})
    return rows


def _source(provenance: dict) -> str:
    git = provenance.get("git")
    return (
        str(git.get("sha") or git.get("commit") or "") if isinstance(git, dict) else str(git or "")
    )


def _shape(spec: dict) -> str:
    sizes = ", ".join("batch" if size is None else str(size) for size in spec["shape"])
    return f"{spec['dtype']} [{sizes}]"


def _figure(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, int | float) else str(value)


def _one_line(text: str) -> str:
    """Metadata comments end at `-->` and at the line: neither may be in a value."""
    return " ".join(str(text).split()).replace("-->", "→")
