"""The wire between kernel and front end, as types; ``js/src/frames/protocol.ts`` is its twin in TypeScript.

Two synced traits carry the data, as in video: `keyframe` is the whole bounded picture and `delta` is everything that
changed *since that keyframe*, so ``keyframe + delta`` is the whole picture at every moment. Each trait holds a `Frame`:
a small header (JSON) and exactly one buffer (`data`: a block of little-endian bytes for each series, at the offset that
its header names).

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
* A keyframe may be coarser than the one before, or leave series out (``omitted``), to keep to its budget. A front
  end that has finer rows of the same session with the same data may keep showing them.
* A frame of another version is not shown. A front end that gets one asks for a ``keyframe``.

Blocks
------
Every block begins at a multiple of 8 bytes, with a head of three float64: an offset of values, the first bucket (step),
and the base of times. Numbers in rows are relative to these::

    points   16 bytes a row:  float64 value (as it is), uint32 step, float32 time
    buckets  64 bytes a row:  uint32 bucket, uint32 count | mask << 29, float32 mean, float32 std (m2 = std * std * count),
                              then for first, min, max and last: uint32 step after the bucket's first, float32 time, float32
                              value; where count is 0 min and max are NaN

Rounding is that of float32, by one offset and base for a series from keyframe to keyframe, so that a delta's rows fit its
keyframe's. Where float32 cannot hold a number (1e300, 1e-60, very distant steps), the block is ``plain``: no head, rows of all
of their columns as float64.
"""

from __future__ import annotations

from typing import Final, NotRequired, TypedDict

from ..types import State

VERSION: Final = 2

HEAD_BYTES: Final = 24
MASK_SHIFT: Final = 29

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


class RunHeader(TypedDict):
    """A run as the front end needs it. Deltas carry whole records of the runs that changed, matched by ``key``."""

    key: int  # position of the run on this board, from 0
    place: int  # of the run in its project, for good: its color and dash pattern follow from it
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
    defined: list[list[str]]  # [glob, x axis] of metrics, in the order of their definition: see `metrics.axis_of`


class SeriesHeader(TypedDict):
    run: int  # RunHeader.key
    metric: int  # index in the metric names: the keyframe's, then the delta's appended
    width: int  # steps a bucket, a power of two; 1 = points
    rows: int
    at: int  # bytes before this series' block
    plain: NotRequired[bool]
    coarser: NotRequired[int]  # how often the kernel's own buckets were doubled, for a frame to fit its budget


class Omitted(TypedDict):
    """Series that are not in a keyframe, nor in its deltas, because there are too many."""

    count: int
    series: list[tuple[int, int]]  # run and metric, the first of them


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
    omitted: NotRequired[Omitted]  # in a keyframe
    notices: list[str]  # standing problems to show on the board, all of them in every frame


# The trait `cells`: by run id the executions of cells that logged its points, oldest first: In [count], start and end in
# seconds UTC; the end is None while it runs.
CellSpans = dict[str, list[tuple[int, float, float | None]]]


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
    total: int  # runs of the project


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
