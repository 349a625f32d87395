"""The export of one version: write, prove, then publish under its number."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from tfkit.errors import TfkitError, UsageError
from tfkit.export import versions
from tfkit.export.batching import Batching
from tfkit.export.card import write_card
from tfkit.export.hub import as_served, reusable_root
from tfkit.export.trace import check_batching, choose, describe, trace
from tfkit.export.verify import HUB_CALL, verify
from tfkit.export.warmup import write_warmup
from tfkit.signature import Signature

MINIMUM_ROWS = 8
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")


def export_model(
    model: keras.Model,
    room_serve: Any,
    *,
    name: str,
    examples: dict[str, np.ndarray],
    destination: Path | str = Path("savedmodels"),
    signatures: list[str] | None = None,
    hub: bool = True,
    batching: Batching | None = None,
    context: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Write `destination/name/<next version>/` and prove it before anyone can see it.

    One SavedModel serves TF Serving (signatures), TF-Hub (the call) and Keras (TFSMLayer). It is
    written under a hidden name, compared with the live model in a fresh process without tfkit, and
    only then renamed to its number; a server that polls the folder never sees half a version.
    `serving_default`, which clients that name no signature ask for, is `predict`.

    Args:
        model: built and trained.
        room_serve: has `signatures(model)` and, for the hub call, `representation(model)`.
        name: of the model, a folder's name.
        examples: {input name: >= 8 real rows}. A float input without rows is drawn from N(0, 1)
            with a fixed seed, as a decoder's codes are.
        destination: folder of all exports.
        signatures: names to keep, None for all; `predict` is always there and first.
        hub: also a TF-Hub module: the call, and `<version>.tar.gz`.
        batching: merge simultaneous calls of each signature, wherever it is loaded; not of the
            hub call, which has gradients.
        context: for the files beside the model: recipe (text), resolved, provenance, metrics
            (dicts), data, limits, description, task, license (texts), gives ({output: text}).
    Returns: name, version, folder, archive, signatures, hub call, verification, bytes.
    Raises: TfkitError when the proof fails or the folder cannot be written.
    """
    if not _NAME.fullmatch(name):
        raise UsageError(
            f"export.name: {name!r} is not a folder's name; use letters, digits, '_', '.' and '-'."
        )
    chosen = choose(room_serve.signatures(model), signatures)
    for key in chosen if batching is not None else ():
        check_batching(key, chosen[key])
    representation = _representation(room_serve, model) if hub else None
    rows, drawn = _rows(chosen, examples)
    with versions.writing(Path(destination), name) as draft:
        concretes, root = _save(draft.folder, model, chosen, representation, batching)
        described = {key: describe(concrete) for key, concrete in concretes.items()}
        inputs = {key: list(value["inputs"]) for key, value in described.items()}
        extra = draft.folder / "assets.extra"
        extra.mkdir()
        write_warmup(extra / "tf_serving_warmup_requests", name, inputs, rows)
        live = _live(model, chosen, representation, concretes, root)
        proof = verify(draft.folder, live, inputs, rows, at_once=batching is not None)
        proof["drawn_inputs"] = drawn
        record = {
            "name": name,
            "version": draft.version,
            "folder": str(draft.final),
            "archive": str(draft.archive) if hub else None,
            "signatures": described,
            "hub": hub,
            "batching": batching and asdict(batching),
            "fine_tunable": hub and bool(model.trainable_variables),
            "verification": proof,
        }
        _write_extra(extra, record, context or {})
        record["bytes"] = sum(f.stat().st_size for f in draft.folder.rglob("*") if f.is_file())
        draft.publish(archive=hub)
    return record


def _representation(room_serve: Any, model: keras.Model) -> Callable:
    if not hasattr(room_serve, "representation"):
        raise UsageError(
            "export.hub: this method has no representation to offer as TF-Hub's call; "
            "set export.hub: false."
        )
    return room_serve.representation(model)


def _rows(chosen: dict[str, Signature], examples: dict) -> tuple[dict[str, np.ndarray], list[str]]:
    """Rows for every input, in its dtype, and the names of those that had to be drawn."""
    generator = np.random.default_rng(0)
    rows, drawn = {}, []
    for key, spec in {k: s for one in chosen.values() for k, s in one.inputs.items()}.items():
        if key in examples:
            array = np.asarray(examples[key])
            rows[key] = (
                array if spec.dtype == tf.string else array.astype(spec.dtype.as_numpy_dtype)
            )
        elif spec.dtype.is_floating and spec.shape[1:].is_fully_defined():
            draw = generator.standard_normal((16, *spec.shape[1:]))
            rows[key] = draw.astype(spec.dtype.as_numpy_dtype)
            drawn.append(key)
        else:
            raise ValueError(f"export_model: no example rows for the input {key!r}.")
        if len(rows[key]) < MINIMUM_ROWS or not spec.shape.is_compatible_with(rows[key].shape):
            raise ValueError(
                f"export_model: examples[{key!r}] must be at least {MINIMUM_ROWS} rows of "
                f"{spec.shape[1:]}, got shape {rows[key].shape}."
            )
    return rows, drawn


def _save(
    folder: Path, model, chosen: dict[str, Signature], representation, batching: Batching | None
) -> tuple:
    """One `tf.saved_model.save`; every variable that a signature reads is on the root."""
    concretes = {key: trace(key, signature, batching) for key, signature in chosen.items()}
    concretes["serving_default"] = concretes["predict"]
    root = reusable_root(model, representation, chosen["predict"].inputs)
    root.captured = [v for concrete in concretes.values() for v in concrete.variables]
    try:
        tf.saved_model.save(root, str(folder), signatures=concretes)
    except tf.errors.OpError as error:  # how TensorFlow says that the disk is full
        raise TfkitError(f"The export could not be written to {folder}: {error.message}") from error
    return concretes, root


def _live(model, chosen, representation, concretes, root) -> dict[str, Callable]:
    """The live side of the proof, by signature: the room's own functions, run eagerly.

    Half precision rounds differently in eager and graph mode: there the graphs in memory stand in.
    """
    half = any(layer.compute_dtype in ("float16", "bfloat16") for layer in _layers_of(model))

    def eager(function):
        return lambda *row, **rows: tf.nest.map_structure(as_served, function(*row, **rows))

    live = {k: concretes[k] if half else eager(s.function) for k, s in chosen.items()}
    live["serving_default"] = live["predict"]
    if representation is not None:
        live[HUB_CALL] = root.__call__ if half else eager(representation)
    return live


def _layers_of(model: keras.Model) -> list[keras.layers.Layer]:
    """The model and every layer in it, however deep."""
    view = tf.train.TrackableView(model)
    return [item for item in view.descendants() if isinstance(item, keras.layers.Layer)]


def _write_extra(extra: Path, record: dict, context: dict) -> None:
    """The files that travel with the model."""

    def dump(file: str, content: Any) -> None:
        (extra / file).write_text(json.dumps(content, indent=2, default=str) + "\n")

    (extra / "recipe.yaml").write_text(context.get("recipe", ""), encoding="utf-8")
    dump("provenance.json", {**context.get("provenance", {}), "export": record})
    dump("metrics.json", context.get("metrics", {}))
    dump("signatures.json", record["signatures"])
    write_card(extra / "MODEL_CARD.md", record, context)
