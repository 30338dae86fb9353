"""The record format, into which `log` packs each call, and from which thousands of calls become one Polars frame."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

RECORD: Final = "dqdII"  # time, step, value, metric, records of the call from this one to its last
RECORD_BYTES: Final = 32
NEXT_STEP: Final = -1  # a step assigned at the hand-over, since a forked child cannot count for its parent
MOST_AT_ONCE: Final = 1 << 24  # bytes after which a drain takes no further segment, to bound memory after a delay


class Batch(NamedTuple):
    """Points for a store, and the marks: how far each segment is drained with these points."""

    points: pl.DataFrame
    marks: dict[str, int]
    left: NDArray[np.uint32]

    def calls(self) -> NDArray[np.int64]:
        """Return the number of the call of each point."""
        import numpy as np

        starts = np.concatenate([[True], self.left[:-1] == 1])[: len(self.left)]
        return np.cumsum(starts)


def dtype() -> np.dtype[np.void]:
    import numpy as np

    return np.dtype([("time", "<f8"), ("step", "<i8"), ("value", "<f8"), ("metric", "<u4"), ("left", "<u4")])


def read(buffer: Any, start: int, end: int) -> NDArray[np.void]:
    """Return a copy of the records between two offsets. A view would keep the buffer from being closed."""
    import numpy as np

    return np.frombuffer(buffer, dtype(), (end - start) // RECORD_BYTES, start).copy()


def up_to_a_call(records: NDArray[np.void]) -> NDArray[np.void]:
    """Return the records up to the last one that completes a call."""
    import numpy as np

    ends = np.flatnonzero(records["left"] == 1)
    return records[: int(ends[-1]) + 1 if len(ends) else 0]


def _whole(records: NDArray[np.void]) -> NDArray[np.void]:
    """Return the records of complete calls."""
    import numpy as np

    count_down = np.ascontiguousarray(records["left"])
    goes_on = (count_down[:-1] == 1) | (count_down[1:] == count_down[:-1] - 1)
    if not len(records) or (count_down[-1] == 1 and goes_on.all()):  # nearly always
        return records
    left = count_down.astype(np.int64)
    last = np.arange(len(left)) + left - 1
    inside = (left > 0) & (last < len(left))
    complete: NDArray[np.void] = records[inside & (left[np.where(inside, last, 0)] == 1)]
    return complete


def batch(parts: Sequence[NDArray[np.void]], metrics: Mapping[int, str], marks: dict[str, int]) -> Batch:
    """Return a batch of record arrays, each of whole calls, with the names of their metrics."""
    import numpy as np
    import polars as pl

    from ..store.base import POINTS

    whole = [_whole(part) for part in parts]
    records = whole[0] if len(whole) == 1 else np.concatenate(whole)
    numbers = np.ascontiguousarray(records["metric"])
    present: Sequence[int] = range(len(metrics))
    if int(numbers.max(initial=0)) >= len(present) or max(metrics, default=-1) >= len(present):
        # a name is missing, after a full disk or a crash of the machine, or a number is damaged
        found, numbers = np.unique(numbers, return_inverse=True)
        present = found.tolist()
    names = [metrics.get(number, f"unnamed metric {number}") for number in present]
    categories = pl.Series("metric", names, dtype=pl.String).cast(POINTS["metric"])
    points = pl.DataFrame(
        [
            categories[pl.Series(numbers)],  # takes a sixth of the time of `gather`
            *(pl.Series(name, np.ascontiguousarray(records[name])) for name in ("step", "value", "time")),
        ],
        schema=POINTS,
    )
    return Batch(points, marks, np.ascontiguousarray(records["left"]))
