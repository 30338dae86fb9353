"""Encode rows of series as the bytes of a frame, in the layout that `protocol` documents."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from ..store.metric_stats import groups
from .bucket_rows import Floats, Rows, Steps, Taken
from .protocol import BUCKET_COLUMNS, COMPACT, HEAD_BYTES, MASK_SHIFT, NUMBERED, PLAIN, POINT_COLUMNS
from .ragged_array import Ids, sizes

if TYPE_CHECKING:
    from numpy.typing import NDArray

LARGEST: Final = 1e38  # above it, and closer to 0 than `SMALLEST`, float32 is not precise enough
SMALLEST: Final = 1.2e-38
NARROW: Final = 2.0**-8  # of range to magnitude, below which float32 would show errors at 80 times a chart's size
PACKED_POINT: Final = np.dtype([("value", "<f8"), ("step", "<u4"), ("time", "<f4")])
WORDS: Final = 16  # of a packed bucket: bucket, count and mask, mean, std, then step, time and value of four points

# the columns of steps, times and values in the matrix of rows
_FIRST: Final = BUCKET_COLUMNS.index("first_step")
_STEPS, _TIMES, _VALUES = (slice(_FIRST + i, len(BUCKET_COLUMNS), 3) for i in range(3))


class Block(NamedTuple):
    series: int
    rows: int
    layout: int
    parts: tuple[bytes | memoryview, ...]


def pack(points: Taken, buckets: Taken, shift: Steps, offset: Floats, began: Floats) -> list[Block]:
    """Return a block for each series from the result of `Buckets.take`; `shift`, `offset` and `began` are by series."""
    return [*_pack_points(*points, began), *_pack_buckets(*buckets, shift, offset, began)]


def _pack_points(numbers: Ids, points: Rows, began: Floats) -> list[Block]:
    if not len(points):
        return []
    starts = groups(numbers)
    counts = sizes(starts, len(points))
    first = points["step"][starts]
    steps = points["step"] - np.repeat(first, counts)
    packed = np.empty(len(points), PACKED_POINT)
    packed["value"], packed["step"] = points["value"], steps.astype(np.uint32)
    packed["time"] = points["time"] - began[numbers]
    plain = np.logical_or.reduceat(steps >= 2**32, starts)
    heads = (np.zeros(len(starts)), first, began[numbers[starts]])
    return _blocks(numbers, points, POINT_COLUMNS, starts=starts, heads=heads, packed=packed, plain=plain)


def _pack_buckets(numbers: Ids, rows: Rows, shift: Steps, offset: Floats, began: Floats) -> list[Block]:
    if not len(rows):
        return []
    starts = groups(numbers)
    counts = sizes(starts, len(rows))
    ids = numbers[starts]
    first = rows["bucket"][starts]
    matrix = rows.view(np.float64).reshape(len(rows), -1)
    words = np.empty((len(rows), WORDS), "<u4")
    floats = words.view("<f4")
    bucket = rows["bucket"] - np.repeat(first, counts)
    steps = matrix[:, _STEPS] - (rows["bucket"] << shift[numbers])[:, None]
    values = matrix[:, _VALUES] - offset[numbers][:, None]
    with np.errstate(all="ignore"):
        words[:, 0] = bucket
        words[:, 1] = rows["count"].astype(np.int64) | rows["mask"].astype(np.int64) << MASK_SHIFT
        floats[:, 2] = rows["mean"] - offset[numbers]
        floats[:, 3] = np.sqrt(rows["m2"] / rows["count"])
        words[:, 4::3] = np.where(steps > 0, steps, 0).astype(np.int64)  # 0 for NaN, when no value is finite
        floats[:, 5::3] = matrix[:, _TIMES] - began[numbers][:, None]
        floats[:, 6::3] = values
        size = np.abs(values)
        beyond = ((size > LARGEST) & (size < np.inf)) | ((size < SMALLEST) & (size > 0))
    odd = beyond.any(axis=1) | (bucket >= 2**32) | (rows["count"] >= 1 << MASK_SHIFT)
    plain = np.logical_or.reduceat(odd, starts) | (shift[ids] > 32)
    heads = (offset[ids], first, began[ids])
    blocks = _blocks(numbers, rows, BUCKET_COLUMNS, starts=starts, heads=heads, packed=words, plain=plain)
    return _with_numbers(blocks, rows, starts)


def _with_numbers(blocks: list[Block], rows: Rows, starts: NDArray[np.intp]) -> list[Block]:
    """Add the numbers of special values to compact blocks whose rows do not tell them."""
    untold = (rows["not_finite"] > 0) | ((rows["not_positive"] > 0) & (rows["max"] > 0))
    if not untold.any():
        return blocks
    numbers = np.stack([rows["not_positive"], rows["not_finite"]], axis=1).astype("<u4")
    found = []
    for block, start, is_untold in zip(blocks, starts.tolist(), np.logical_or.reduceat(untold, starts), strict=True):
        if is_untold and block.layout == COMPACT:
            tail = numbers[start : start + block.rows].tobytes()
            found.append(block._replace(layout=NUMBERED, parts=(*block.parts, tail)))
        else:
            found.append(block)
    return found


def offsets(low: Floats, high: Floats) -> Floats:
    """Return offsets by which float32 can represent the values: 0 unless their range is far smaller than their magnitude.

    An offset is one of the values, since differences to it are exact if the values are float32 themselves.
    """
    with np.errstate(all="ignore"):
        narrow = high - low < NARROW * np.minimum(np.abs(low), np.abs(high))
    return np.where(narrow, low, 0.0)


def extremes(numbers: Ids, low: Floats, high: Floats) -> tuple[Ids, Floats, Floats]:
    """Return the series, and the smallest and largest of their finite numbers; NaN if there are none."""
    starts = groups(numbers)
    if not len(starts):
        return numbers[:0], low[:0], high[:0]
    low, high = (np.where(np.isfinite(column), column, np.nan) for column in (low, high))
    return numbers[starts], np.fmin.reduceat(low, starts), np.fmax.reduceat(high, starts)


def _blocks(
    numbers: Ids,
    rows: Rows,
    columns: tuple[str, ...],
    *,
    starts: NDArray[np.intp],
    heads: tuple[Floats, Steps, Floats],
    packed: NDArray[Any],
    plain: NDArray[np.bool_],
) -> list[Block]:
    """Encode each series compactly, or as plain float64 rows if float32 would lose digits."""
    head = memoryview(np.stack(heads, axis=1).astype("<f8").tobytes())
    body = memoryview(packed.tobytes())
    size = len(body) // len(packed)
    found = []
    ends = [*starts[1:].tolist(), len(rows)]
    every = zip(numbers[starts].tolist(), starts.tolist(), ends, plain.tolist(), strict=True)
    for place, (series, start, end, is_plain) in enumerate(every):
        if is_plain:
            part = rows[start:end]
            numbers_only = np.stack([part[name].astype("<f8") for name in columns], axis=1)
            found.append(Block(series, end - start, PLAIN, (numbers_only.tobytes(),)))
        else:
            parts = (head[place * HEAD_BYTES : (place + 1) * HEAD_BYTES], body[start * size : end * size])
            found.append(Block(series, end - start, COMPACT, parts))
    return found
