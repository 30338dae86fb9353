"""The kept points of a series draw the same pixels as all points."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from trackbook.frames.bucket_rows import CORNERS
from trackbook.frames.buckets import Buckets

WIDTH, HEIGHT = 324, 200  # where a chart of 360 pixels has its line: beside the labels of y, above those of x

Floats = NDArray[np.float64]


def drawn(x: Floats, y: Floats) -> NDArray[np.bool_]:
    """Return the pixels that a line of width 0 touches, exactly: each section is cut at the borders of columns."""
    borders = np.arange(1.0, WIDTH)
    ends = np.searchsorted(x, borders)
    crossing = np.interp(borders, x, y)
    x, y = np.insert(x, ends, borders), np.insert(y, ends, crossing)
    pixels = np.zeros((WIDTH, HEIGHT), np.bool_)
    for column in range(WIDTH):
        start, end = np.searchsorted(x, column), np.searchsorted(x, column + 1, "right")
        part = y[start:end]
        pixels[column, int(part.min()) : int(part.max()) + 1] = True
    return pixels


def kept(values: Floats) -> tuple[NDArray[np.int64], Floats]:
    """Return steps and values of the corners of all buckets."""
    buckets, steps = Buckets(), np.arange(len(values))
    series = np.full(len(values), buckets.new())
    for part in np.array_split(steps, 7):
        buckets.add(series[part], part, part / 1.0, values[part])
    rows = buckets.rows(0)
    points = {(int(row[f"{name}_step"]), row[name]) for row in rows for name in CORNERS}
    at, found = zip(*sorted(points), strict=True)
    return np.array(at), np.array(found)


def series(kind: str, length: int) -> Floats:
    random = np.random.default_rng(5)
    if kind == "walk":
        return random.normal(size=length).cumsum()
    loss = 2 * np.exp(-5 * np.arange(length) / length) + random.normal(size=length) * 0.1
    if kind == "spikes":
        loss[random.integers(0, length, 20)] += random.uniform(1, 3, 20)
    return loss


@pytest.mark.parametrize("length", [3_000, 20_000, 70_000, 300_000, 1_000_000])
@pytest.mark.parametrize("kind", ["walk", "noisy", "spikes"])
def test_the_bounded_line_differs_in_at_most_two_percent_of_the_pixels(kind: str, length: int) -> None:
    values = series(kind, length)
    low, high = values.min(), values.max()
    across, up = (WIDTH - 1e-9) / (length - 1), (HEIGHT - 1e-9) / (high - low)
    steps, bounded = kept(values)
    full = drawn(np.arange(length) * across, (values - low) * up)
    ours = drawn(steps * across, (bounded - low) * up)
    assert len(steps) < 20_000
    assert (bounded.min(), bounded.max()) == (low, high)
    assert (full ^ ours).sum() <= 0.02 * full.sum()


def test_the_extremes_of_every_range_survive() -> None:
    values = series("spikes", 500_000)
    steps, bounded = kept(values)
    width = 1 << math.ceil(math.log2(len(values) / 4096))
    for first in range(0, len(values), 64 * width):
        inside = (steps >= first) & (steps < first + 64 * width)
        part = values[first : first + 64 * width]
        assert (bounded[inside].min(), bounded[inside].max()) == (part.min(), part.max())
