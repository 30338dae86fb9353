"""Points as they lie in the file: compressed Arrow, a third of what a plain frame takes and twice as fast.

A chunk is an Arrow IPC file of one row and four binary columns, compressed by zstd. Columns are sorted by metric (stable, so that
the metrics' own column gives the order of arrival back), steps and times are differences, and the bytes of a column are split:
first all highest bytes, then all second ones. A time's difference is that of its bits, which for seconds since 1970 are as even as
the clock; nothing is rounded.
"""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ._interface import POINTS

Array = NDArray[Any]
_KINDS = ("i1", "<i2", "<i4", "<i8")


def encode(points: pl.DataFrame, numbers: dict[str, int]) -> bytes:
    """A chunk of `points` (schema `POINTS`), each metric standing as its number."""
    names = points["metric"].cast(pl.String)
    metric = names.replace_strict(numbers, return_dtype=pl.Int32).to_numpy()
    order = np.argsort(metric, kind="stable")
    step, time = points["step"].to_numpy()[order], points["time"].to_numpy()[order]
    columns = {
        "metric": _split(_narrow(metric)),
        "step": _split(_differences(step)),
        "time": _split(_differences(time.view("<i8"))),
        "value": _split(points["value"].to_numpy()[order]),
    }
    buffer = io.BytesIO()
    pl.DataFrame({name: [data] for name, data in columns.items()}).write_ipc(buffer, compression="zstd")
    return buffer.getvalue()


def decode(data: bytes, names: list[str]) -> pl.DataFrame:
    """The points of a chunk; `names` by number. Raises ``ValueError`` for what is no chunk."""
    try:
        row = pl.read_ipc(io.BytesIO(data)).row(0, named=True)
        metric = _joined(row["metric"], len(row["value"]) // 8)
        step, time, value = (_joined(row[name], len(metric)) for name in ("step", "time", "value"))
    except (pl.exceptions.PolarsError, OSError, KeyError, IndexError, ValueError) as error:
        raise ValueError(f"not a chunk of points: {error}") from error
    arrival = np.argsort(np.argsort(metric, kind="stable"), kind="stable")
    categories = pl.Series("metric", names, dtype=pl.String).cast(POINTS["metric"])
    return pl.DataFrame(
        [
            categories.gather(pl.Series(metric.astype(np.uint32))),
            pl.Series("step", np.cumsum(step, dtype=np.int64)[arrival]),
            pl.Series("value", value.view("<f8")[arrival]),
            pl.Series("time", np.cumsum(time, dtype=np.int64).view("<f8")[arrival]),
        ],
        schema=POINTS,
    )


def _differences(numbers: Array) -> Array:
    """Differences wrap around where they overflow, and so do the sums that undo them."""
    return _narrow(np.diff(numbers.astype(np.int64), prepend=np.int64(0)))


def _narrow(numbers: Array) -> Array:
    low, high = (int(numbers.min()), int(numbers.max())) if len(numbers) else (0, 0)
    return numbers.astype(next(k for k in _KINDS if np.iinfo(k).min <= low and high <= np.iinfo(k).max))


def _split(numbers: Array) -> bytes:
    return np.ascontiguousarray(numbers).view(np.uint8).reshape(len(numbers), -1).T.tobytes()


def _joined(data: bytes, count: int) -> Array:
    width = len(data) // count
    joined = np.frombuffer(data, np.uint8).reshape(width, count).T.copy()
    return joined.view(f"<i{width}").reshape(count)
