"""How much of an attribution lies on a region, such as that of a known shortcut."""

import numpy as np


def region_share(attribution, region) -> np.ndarray:
    """The share of the absolute attribution that lies on a region, for each example.

        share = sum over the region |attribution| / sum |attribution|

    Channels are summed after the absolute value. An attribution that says the same everywhere has
    the region's share of the area. NaN where nothing is attributed anywhere, as Grad-CAM may do:
    average with `np.nanmean`, and say how many are left out.

    Shapes: [B, H, W] or [B, H, W, C], [H, W] or [B, H, W] bool -> [B]
    Args:
        attribution: of `grad_cam`, `integrated_gradients` or `gradient_times_input`.
        region: the places that count.
    Raises:
        ValueError: shapes that do not go together, a region that is not bool, a number that is not
            finite.
    """
    amount = np.abs(np.asarray(attribution, np.float64))
    region = np.asarray(region)
    if amount.ndim == 4:
        amount = amount.sum(axis=-1)  # [B, H, W]
    if (
        amount.ndim != 3
        or region.dtype != bool
        or region.shape
        not in (
            amount.shape,
            amount.shape[1:],
        )
    ):
        raise ValueError(
            "region_share: attribution must be [B, H, W] or [B, H, W, C] and region bool [H, W] or "
            f"[B, H, W], got {np.shape(attribution)} and {region.dtype} {region.shape}."
        )
    if not np.all(np.isfinite(amount)):
        raise ValueError("region_share: attribution must be finite, got NaN or infinity.")
    whole = amount.sum(axis=(1, 2))
    within = (amount * region).sum(axis=(1, 2))
    return np.divide(within, whole, out=np.full(len(whole), np.nan), where=whole > 0)
