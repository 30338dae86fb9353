"""The wire format between kernel and front end, as types; ``js/src/frames/protocol.ts`` is its counterpart in TypeScript.

Two synced traits carry the data, as in video: `keyframe` is the whole bounded picture and `delta` is everything that
changed *since that keyframe*, so ``keyframe + delta`` is the whole picture at every moment. Each trait holds a `Frame`:
a small header (JSON) and exactly one buffer (`data`: a block of little-endian bytes for each series, one after the other in
the order of the header).

Rules
-----
* A delta applies only when ``session`` and ``version`` equal the keyframe's and ``base`` equals the keyframe's ``seq``.
  A delta of another base is not applied: an older one is stale, a newer one waits for its keyframe.
* Within a session ``seq`` only grows; a picture with a smaller ``seq`` never replaces a newer one.
* A series is a list of rows sorted by step. With ``width == 1`` a row is one point (`POINT_COLUMNS`); with a larger
  ``width`` (a power of two) it is one bucket of the steps ``[bucket * width, (bucket + 1) * width)`` (`BUCKET_COLUMNS`).
* To apply a series of a delta, double the keyframe's series (by merging aligned pairs of buckets) until the widths are
  equal, then replace or insert the delta's rows by bucket (by step if ``width == 1``). Rows of a delta are complete.
* A rewind, a deletion or any other loss of rows is never sent as a delta, but as a new keyframe.
* A keyframe may be coarser than the one before, or leave series out (``omitted``), to keep to its budget. A front
  end that has finer rows of the same session and data may keep showing them.
* A frame of another version is not shown. A front end that receives one asks for a ``keyframe``. Saved notebooks hold frames of
  version 3, which are shown: there a series' header is an object with ``run``, ``metric``, ``width``, ``rows``, and, if they apply,
  ``plain``, ``numbers`` and ``coarser``.

Blocks
------
Every block begins at a multiple of 8 bytes, with a head of three float64 numbers: an offset of values, the first bucket (step),
and the base of times. Numbers in rows are relative to these::

    points   16 bytes a row:  float64 value (as it is), uint32 step, float32 time
    buckets  64 bytes a row:  uint32 bucket, uint32 count | mask << 29, float32 mean, float32 std (m2 = std * std * count),
                              then for first, min, max and last: uint32 step after the bucket's first, float32 time, float32
                              value; if count is 0, min and max are NaN
                              If `NUMBERED`, after all rows for each: uint32 not_positive, uint32 not_finite. If not, not_finite
                              is 0, and not_positive is count if max <= 0, else 0

Numbers are rounded to float32. A series has the same offset and base from keyframe to keyframe, so that a delta's rows match its
keyframe's. If float32 cannot represent a number (1e300, 1e-60, very distant steps), the block is `PLAIN`: it has no head, and all
columns of its rows are float64.
"""

from __future__ import annotations

from typing import Final, NamedTuple, NotRequired, TypedDict

from ..types import State

VERSION: Final = 4

HEAD_BYTES: Final = 24
MASK_SHIFT: Final = 29

# the layouts of a block
COMPACT: Final = 0
NUMBERED: Final = 1  # the numbers of values without a logarithm, and of those that are not finite, follow its rows
PLAIN: Final = 2

POINT_COLUMNS: Final = ("step", "time", "value")

BUCKET_COLUMNS: Final = (
    "bucket",
    "count",  # finite values
    "mean",  # of the finite values; NaN when count == 0
    "m2",  # sum of squared differences from the mean, of the finite values
    "mask",  # the non-finite values in the bucket: NAN | POSITIVE_INFINITY | NEGATIVE_INFINITY
    "not_positive",  # number of the finite values that have no logarithm
    "not_finite",  # number of the other values
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
    """The data of a run for the front end. Deltas carry complete headers of the runs that changed, matched by ``key``."""

    key: int  # position of the run on this board, from 0
    place: int  # permanent position of the run in its project, which determines its color and dash pattern
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
    goals: list[list[str]]  # [glob, "min" or "max"] of metrics, likewise


class SeriesHeader(NamedTuple):
    """A list in JSON, because a third of a delta's bytes were the names of these fields."""

    run: int  # RunHeader.key
    metric: int  # index in the metric names: the keyframe's, then the delta's appended
    width: int  # steps a bucket, a power of two; 1 = points
    rows: int
    layout: int  # of its block: COMPACT, NUMBERED or PLAIN
    coarser: int  # how often the kernel's own buckets were doubled to meet the budget of the frame


class Omitted(TypedDict):
    """Series that are not in a keyframe, nor in its deltas, because there are too many."""

    count: int
    series: list[tuple[int, int]]  # run and metric, the first of them


class FrameHeader(TypedDict):
    version: int
    session: str  # id of the picture in the kernel; frames of different sessions are unrelated
    seq: int
    base: NotRequired[int]  # in a delta: the seq of its keyframe
    now: float  # the kernel's clock, seconds UTC
    project: str
    runs: list[RunHeader]  # keyframe: all; delta: those that changed since the keyframe
    metrics: list[str]  # keyframe: all in order of first appearance; delta: those added since the keyframe
    series: list[SeriesHeader]
    omitted: NotRequired[Omitted]  # in a keyframe
    notices: list[str]  # current problems to show on the board, all of them in every frame


# The trait `cells`: by run id the executions of cells that logged its points, oldest first. Each is In [count], start and end in
# seconds UTC; the end is None while the cell runs.
CellSpans = dict[str, list[tuple[int, float, float | None]]]

# Of the trait `alerts`, which holds the newest, oldest first: run id, number in the run, time in seconds UTC, level, title, text, and
# how often it came.
Alert = tuple[str, int, float, str, str, str, int]


class TableRun(TypedDict):
    """A run in the table. `config` and `summary` (the values set by the user) hold scalars by dotted keys."""

    id: str
    name: str
    group: str | None
    state: State
    tags: list[str]
    notes: str | None
    started: float
    ended: float | None
    seen: float | None  # the last sign of life of a running run whose process may be dead
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
    """The trait `table`: all runs of the project, or only the board's own runs until the runs panel is opened.

    `data` holds three float64 columns, last, min and max, each with runs x metrics values, row by row. For a metric that the
    run never logged they are NaN, infinity and -infinity.
    """

    header: TableHeader
    data: bytes | memoryview


class Frame(TypedDict):
    header: FrameHeader
    data: bytes | memoryview
