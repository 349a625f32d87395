"""Pictures beside what models looked at in them."""

from collections.abc import Mapping

import numpy as np

from tfkit.explain.regions import region_share
from tfkit.figure import Figure

_SMALLEST = 64  # pixels of the shorter side, up to which small pictures are enlarged
_PALE = 0.35  # of the picture below its attribution


def attribution_panels(
    inputs, attributions: Mapping[str, np.ndarray], region=None, rows=None
) -> Figure:
    """A row for each picture: the picture, then what each model looked at in it.

    Attributions are drawn by their absolute value over a pale picture, black through red and yellow
    to white, each divided by its own largest value: colours compare places, not models. With a
    region, the titles tell the mean share of each model's attributions on it.

    Shapes: [B, H, W] or [B, H, W, 1 or 3], {name: [B, H, W] or [B, H, W, C]} -> Figure "images"
    Args:
        inputs: the pictures; values beyond [0, 1] are cut off.
        attributions: by the names of the models, such as {"ERM": …, "sieve": …}.
        region: where they should not look, bool [H, W], or None.
        rows: words for each picture, or None.
    Raises:
        ValueError: shapes that do not go together.
    """
    pictures = _in_colour(inputs)  # [B, H, W, 3]
    columns, shares = ["picture"], []
    panels = [pictures]
    for name, attribution in attributions.items():
        attribution = np.asarray(attribution, np.float64)
        if attribution.shape[:3] != pictures.shape[:3]:
            raise ValueError(
                f"attribution_panels: attributions of {name} must be of {pictures.shape[:3]}, got "
                f"{attribution.shape}."
            )
        if region is not None:
            share = float(np.nanmean(region_share(attribution, region)))
            shares.append(f"{name} {share:.2f}")
            name = f"{name}: {share:.2f} on the region"
        columns.append(name)
        panels.append(_over(pictures, attribution))
    images = np.stack(panels, axis=1)  # [B, N, H, W, 3]
    factor = max(1, -(-_SMALLEST // min(images.shape[2:4])))
    images = images.repeat(factor, axis=2).repeat(factor, axis=3)
    told = f" Mean share on the region: {', '.join(shares)}." if shares else ""
    return Figure(
        kind="images",
        arrays={"images": images.astype(np.float32)},
        caption="Pictures, and where each model looked: black through red and yellow to white, "
        "each map by its own largest value." + told,
        alt=f"Attribution maps of {', '.join(attributions)} for {len(pictures)} pictures.{told}",
        labels={"columns": columns, **({"rows": list(rows)} if rows is not None else {})},
    )


def _in_colour(inputs):
    """Pictures in three channels in [0, 1].  -> [B, H, W, 3]"""
    pictures = np.clip(np.asarray(inputs, np.float64), 0, 1)
    if pictures.ndim == 3:
        pictures = pictures[..., None]
    if pictures.ndim != 4 or pictures.shape[-1] not in (1, 3):
        raise ValueError(
            "attribution_panels: inputs must be [B, H, W] or [B, H, W, 1 or 3], got shape "
            f"{np.shape(inputs)}."
        )
    return np.broadcast_to(pictures, (*pictures.shape[:3], 3))


def _over(pictures, attribution):
    """An attribution over pale pictures.  -> [B, H, W, 3]"""
    amount = np.abs(attribution)
    amount = amount.sum(axis=-1) if amount.ndim == 4 else amount
    largest = amount.max(axis=(1, 2), keepdims=True)
    amount = np.divide(amount, largest, out=np.zeros_like(amount), where=largest > 0)
    heat = np.clip(3 * amount[..., None] - np.arange(3), 0, 1)  # red, then green, then blue
    grey = pictures.mean(axis=-1, keepdims=True)
    return np.clip(_PALE * grey * (1 - amount[..., None]) + heat, 0, 1)
