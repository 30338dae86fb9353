"""A journal's records: how `log` packs a call, and how Polars reads thousands of calls at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

RECORD: Final = "dqdII"  # time, step, value, metric, records of the call from this one to its last
RECORD_BYTES: Final = 32
NEXT_STEP: Final = -1  # a step that is given at the hand-over: a forked child cannot count for its parent
MOST_AT_ONCE: Final = (
    1 << 24
)  # bytes after which a drain takes no further segment: a pump that fell behind holds little


class Batch(NamedTuple):
    """What a drain gives: points as the store takes them, and the bytes of each segment that are drained by then."""

    points: pl.DataFrame
    marks: dict[str, int]
    left: NDArray[np.uint32]

    def calls(self) -> NDArray[np.int64]:
        """For each point, the number of its call."""
        import numpy as np

        starts = np.concatenate([[True], self.left[:-1] == 1])[: len(self.left)]
        return np.cumsum(starts)


def dtype() -> np.dtype[np.void]:
    import numpy as np

    return np.dtype([("time", "<f8"), ("step", "<i8"), ("value", "<f8"), ("metric", "<u4"), ("left", "<u4")])


def read(buffer: Any, start: int, end: int) -> NDArray[np.void]:
    """A copy of the records between two offsets, so that nothing looks into the buffer when it is closed."""
    import numpy as np

    return np.frombuffer(buffer, dtype(), (end - start) // RECORD_BYTES, start).copy()


def up_to_a_call(records: NDArray[np.void]) -> NDArray[np.void]:
    """The records up to the last one that ends a call: what a reader may take who stops before the end."""
    import numpy as np

    ends = np.flatnonzero(records["left"] == 1)
    return records[: int(ends[-1]) + 1 if len(ends) else 0]


def _whole(records: NDArray[np.void]) -> NDArray[np.void]:
    """The records of calls that were packed to their end."""
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
    """Stretches of records, each from the start of a call to the end of one, with the names of their metrics."""
    import numpy as np
    import polars as pl

    from ..store.base import POINTS

    whole = [_whole(part) for part in parts]
    records = whole[0] if len(whole) == 1 else np.concatenate(whole)
    numbers = np.ascontiguousarray(records["metric"])
    present: Sequence[int] = range(max(metrics, default=-1) + 1)
    if int(numbers.max(initial=0)) >= len(present):  # a name is missing: the disk was full, or the machine went down
        found, numbers = np.unique(numbers, return_inverse=True)
        present = found.tolist()
    names = [metrics.get(number, f"unnamed metric {number}") for number in present]
    categories = pl.Series("metric", names, dtype=pl.String).cast(POINTS["metric"])
    points = pl.DataFrame(
        [
            categories[pl.Series(numbers)],  # a sixth of the time that `gather` takes
            *(pl.Series(name, np.ascontiguousarray(records[name])) for name in ("step", "value", "time")),
        ],
        schema=POINTS,
    )
    return Batch(points, marks, np.ascontiguousarray(records["left"]))
