"""Grids of images: one PNG a row, enlarged without smoothing."""

from __future__ import annotations

import base64
import io
from typing import Any

import numpy as np
from PIL import Image

from tfkit.figure import Figure

_SMALLEST = 64  # pixels that a picture is enlarged to, by whole factors
_GAP = 3  # pixels between pictures, transparent


def strips(figure: Figure) -> list[dict[str, Any]]:
    """[{label, alt, source, width, height}] for each row of an images figure."""
    rows = figure.arrays["images"]  # [R, N, H, W, C]
    labels = figure.labels.get("rows") or [""] * len(rows)
    result = []
    for label, row in zip(labels, rows, strict=True):
        strip = _strip(row)
        alt = f"{figure.alt} Row: {label}" if label else figure.alt
        width, height = strip.size
        result.append(
            {"label": label, "alt": alt, "source": _uri(strip), "width": width, "height": height}
        )
    return result


def _strip(row: np.ndarray) -> Image.Image:
    """[N, H, W, C] in [0, 1] -> one RGBA picture; what is not finite is drawn in magenta."""
    count, height, width, channels = row.shape
    finite = np.isfinite(row).all(axis=-1)  # [N, H, W]
    bytes_ = np.rint(np.nan_to_num(row, posinf=1.0).clip(0, 1) * 255).astype(np.uint8)
    colour = np.repeat(bytes_, 3, axis=-1) if channels == 1 else bytes_  # [N, H, W, 3]
    colour = np.where(finite[..., None], colour, np.array([255, 0, 255], np.uint8))
    factor = max(1, -(-_SMALLEST // max(height, width)))
    colour = colour.repeat(factor, axis=1).repeat(factor, axis=2)
    height, width = height * factor, width * factor
    canvas = np.zeros((height, count * (width + _GAP) - _GAP, 4), np.uint8)
    for index, picture in enumerate(colour):
        left = index * (width + _GAP)
        canvas[:, left : left + width, :3] = picture
        canvas[:, left : left + width, 3] = 255
    return Image.fromarray(canvas, "RGBA")


def _uri(picture: Image.Image) -> str:
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()
