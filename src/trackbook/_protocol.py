"""The wire between kernel and front end, as types; ``js/src/protocol.ts`` says the same in TypeScript.

Two synced traits carry the data, as in video: `keyframe` is the whole bounded picture and `delta` is everything that
changed *since that keyframe*, so ``keyframe + delta`` is the whole picture at every moment. Each trait holds a `Frame`:
a small header (JSON) and exactly one buffer (`data`: little-endian float64 columns at offsets that the header names).

Rules
-----
* A delta applies only when ``session`` and ``version`` equal the keyframe's and ``base`` equals the keyframe's ``seq``.
  A delta of another base is not applied: an older one is stale, a newer one waits for its keyframe.
* Within a session ``seq`` only grows; a picture with a smaller ``seq`` never replaces a newer one.
* A series is a list of rows sorted by step. With ``width == 1`` a row is one point (`POINT_COLUMNS`); with a larger
  ``width`` (a power of two) it is one bucket of the steps ``[bucket * width, (bucket + 1) * width)`` (`BUCKET_COLUMNS`).
* Applying a series of a delta: double the keyframe's series (merging aligned pairs of buckets) until the widths are
  equal, then replace or insert the delta's rows by bucket (by step where ``width == 1``). Rows of a delta are complete.
* A rewind, a deletion or any other loss of rows is never a delta: it is a new keyframe.
"""

from __future__ import annotations

from typing import Final, Literal, NotRequired, TypedDict

VERSION: Final = 1

POINT_COLUMNS: Final = ("step", "time", "value")

BUCKET_COLUMNS: Final = (
    "bucket",
    "count",  # finite values
    "mean",  # of the finite values; NaN when count == 0
    "m2",  # sum of squared differences from the mean, of the finite values
    "mask",  # what else is in the bucket: NAN | POSITIVE_INFINITY | NEGATIVE_INFINITY
    "first_step",  # the point of the smallest step, finite or not
    "first_time",
    "first",
    "min_step",  # the smallest finite value; NaN in all three when count == 0
    "min_time",
    "min",
    "max_step",  # the largest finite value; likewise
    "max_time",
    "max",
    "last_step",  # the point of the largest step, finite or not
    "last_time",
    "last",
)

NAN: Final = 1
POSITIVE_INFINITY: Final = 2
NEGATIVE_INFINITY: Final = 4

State = Literal["running", "finished", "failed", "interrupted", "lost"]


class RunHeader(TypedDict):
    """A run as the front end needs it. Deltas carry whole records of the runs that changed, matched by ``key``."""

    key: int  # position of the run on this board, from 0: its colour and dash pattern follow from it
    id: str
    name: str
    group: str | None
    state: State
    started: float  # seconds UTC
    ended: float | None
    done: int  # steps done (progress)
    total: int | None  # steps expected, when known
    rate: float | None  # steps a second, recent
    faded: bool  # a predecessor, drawn grey behind the others
    error: str | None


class SeriesHeader(TypedDict):
    run: int  # RunHeader.key
    metric: int  # index in the metric names: the keyframe's, then the delta's appended
    width: int  # steps a bucket, a power of two; 1 = points
    rows: int
    at: int  # float64 values before this series' first column; columns follow one another, each `rows` long


class FrameHeader(TypedDict):
    version: int
    session: str  # a new kernel-side session continues nothing
    seq: int
    base: NotRequired[int]  # in a delta: the seq of its keyframe
    now: float  # the kernel's clock, seconds UTC
    project: str
    runs: list[RunHeader]  # keyframe: all; delta: those that changed since the keyframe
    metrics: list[str]  # keyframe: all in order of first appearance; delta: those added since the keyframe
    series: list[SeriesHeader]
    notices: list[str]  # standing problems to show on the board, all of them in every frame


class TableRun(TypedDict):
    """A run in the table. `config` and `summary` (what the user set) have scalars by dotted keys."""

    id: str
    name: str
    group: str | None
    state: State
    tags: list[str]
    notes: str | None
    started: float
    ended: float | None
    config: dict[str, str | float | bool | None]
    summary: dict[str, str | float | bool | None]


class TableHeader(TypedDict):
    version: int
    session: str
    seq: int
    metrics: list[str]
    runs: list[TableRun]  # oldest first
    omitted: int  # older runs that did not fit


class Table(TypedDict):
    """The trait `table`: all runs of the project, or the board's own until somebody looks.

    `data` has three float64 columns, last, min and max, each of runs x metrics values, row by row. Of a metric that the
    run never logged they are NaN, infinity and -infinity.
    """

    header: TableHeader
    data: bytes | memoryview


class Frame(TypedDict):
    header: FrameHeader
    data: bytes | memoryview
