"""Outlines of the sprites of dSprites, and where a row of pixel centres crosses them."""

import functools

import numpy as np

# Fitted to 320 frames of the original images; lengths in pixels at scale 1.
_SQUARE_HALF_SIDE = 9.598
_ELLIPSE_AXES = (12.78, 7.22)  # a 64-gon with its first vertex on the long axis
# The heart's outline, seen from its centre at angles k pi / 48 from the tip: one half, the other
# is its mirror image.
_HEART_RADII = (
    9.618, 8.332, 7.703, 7.205, 6.855, 6.597, 6.373, 6.208, 6.110, 6.016, 5.924, 5.921, 5.919,
    5.916, 5.984, 6.086, 6.193, 6.303, 6.468, 6.664, 6.898, 7.150, 7.443, 7.767, 8.145, 8.521,
    8.934, 9.340, 9.703, 10.078, 10.373, 10.685, 10.883, 11.088, 11.170, 11.253, 11.336, 11.222,
    11.110, 11.001, 10.737, 10.420, 10.053, 9.543, 8.912, 8.158, 7.354, 6.291, 5.205,
)  # fmt: skip
SCALES = 0.5 + 0.1 * np.arange(6)
ORIENTATIONS = 2.0 * np.pi * (np.arange(40) % 39) / 39  # 39 turns the sprite back to 0

# Sprite centres are 16 + 32 k / 31 and pixel centres i + 1/2, so that the distance between the
# two along an axis is an odd number of 1/62 pixel. The largest sprite reaches 842 of them.
UNITS = 62
REACH = 867
NEVER = np.iinfo(np.int16).max


@functools.cache
def crossings() -> np.ndarray:
    """Where rows of pixel centres cross the outline of every sprite, in units of 1/62 pixel.

    Entry [s, r] lists, in ascending order, the distances from the centre at which the row
    2 r - 867 enters and leaves sprite s = (shape * 6 + scale) * 40 + orientation, rounded up and
    padded with 32,767. A pixel is inside when it has passed an odd number of them.

    Shapes: -> [720, 868, E] int16
    """
    # one table of edges: its sprite, its two ends
    sprites, ends = [], []
    for shape, outline in enumerate(_outlines()):
        turned = _turned(outline) * UNITS  # [6 * 40, V, 2]
        numbers = shape * len(turned) + np.arange(len(turned))
        sprites.append(np.repeat(numbers, len(outline)))
        ends.append(np.stack([turned, np.roll(turned, -1, axis=1)], axis=2).reshape(-1, 2, 2))
    sprite, row, x = _scan(np.concatenate(sprites), np.concatenate(ends))
    return _table(sprite, row, x)


def _outlines():
    """The polygons in the sprite's own frame, (u, v) with v downwards.  [V, 2] each"""
    corners = np.array([(1, 1), (1, -1), (-1, -1), (-1, 1)])
    angles = 2.0 * np.pi * np.arange(64) / 64
    ellipse = np.stack([np.cos(angles), np.sin(angles)], axis=1) * _ELLIPSE_AXES
    radii = np.array(_HEART_RADII + _HEART_RADII[-2:0:-1])
    angles = np.pi * np.arange(96) / 48
    heart = np.stack([np.sin(angles), np.cos(angles)], axis=1) * radii[:, None]
    return _SQUARE_HALF_SIDE * corners, ellipse, heart


def _turned(outline):
    """One polygon at all scales and orientations, in pixels.  [V, 2] -> [6 * 40, V, 2]"""
    cos, sin = np.cos(ORIENTATIONS), np.sin(ORIENTATIONS)
    rotation = np.array([[cos, sin], [-sin, cos]])  # [2, 2, 40]
    turned = np.einsum("ijo,vj->ovi", rotation, outline)  # [40, V, 2]
    return (SCALES[:, None, None, None] * turned).reshape(-1, len(outline), 2)


def _scan(sprites, ends):
    """All crossings of edges and rows: sprite, row and place of each."""
    low, high = np.sort(ends[:, :, 1], axis=1).T  # [edges] each
    first = np.ceil((low + REACH) / 2).astype(int)
    count = np.ceil((high + REACH) / 2).astype(int) - first  # a row that meets a vertex counts once
    edge = np.repeat(np.arange(len(ends)), count)
    row = np.arange(len(edge)) - np.repeat(np.cumsum(count) - count, count) + first[edge]
    (x0, y0), (x1, y1) = ends[edge].transpose(1, 2, 0)
    return sprites[edge], row, x0 + (2 * row - REACH - y0) * (x1 - x0) / (y1 - y0)


def _table(sprite, row, x):
    line = sprite * (REACH + 1) + row
    order = np.lexsort((x, line))
    line, x = line[order], x[order]
    lines, start, count = np.unique(line, return_index=True, return_counts=True)
    table = np.full(((sprite.max() + 1) * (REACH + 1), count.max()), NEVER, np.int16)
    table[line, np.arange(len(line)) - np.repeat(start, count)] = np.ceil(x)
    return table.reshape(-1, REACH + 1, count.max())
