"""Finer rows for a window of a chart that a reader has zoomed into."""

from __future__ import annotations

import math
from collections import defaultdict
from typing import Any, Final, NamedTuple

import numpy as np

from ..frames.buckets import POINTS_A_BUCKET, Buckets
from ..frames.encoding import extremes, offsets, pack
from ..frames.picture import Picture, headed
from ..store.base import Points
from .questions import Answer, Question

MOST_SERIES: Final = 256
MOST_BUCKETS: Final = 4096
LARGEST_STEP: Final = 2**62
READ_AT_MOST: Final = 3_000_000  # points read from the file; a window with more gets the board's own rows


class Window(NamedTuple):
    """A window of steps, both ends included and aligned to `width`."""

    series: list[tuple[int, int]]
    first: int
    last: int
    buckets: int
    width: int  # steps of a bucket, so that there are at most `buckets`


def detail(picture: Picture, store: Points, question: Question) -> Answer:
    """Answer ``{ask: "detail", series: [[run, metric], ...], from, to, buckets, margin}``.

    Steps are inclusive, and None is an open end; `margin` steps are added on both sides. Each series is returned as at most
    `buckets` aligned buckets, or as its points when they are at most four times as many, encoded as in frames. Series
    without points in the window are left out. When the window is too large to be read, the board's own rows are returned,
    recognisable by their width. Raises ``ValueError`` for bad arguments.
    """
    window = _window(picture, question)
    made = Buckets(window.buckets)
    _fill(made, picture, store, window)
    series = np.flatnonzero(made.sizes[: made.count])
    taken = made.take(series, made.shift[series])
    offset = np.zeros(len(made.shift))
    numbers, low, high = extremes(taken[1][0], taken[1][1]["min"], taken[1][1]["max"])
    offset[numbers] = offsets(low, high)
    headers, data = headed(
        pack(*taken, made.shift, offset, made.began), window.series, made.shift, np.zeros_like(made.shift)
    )
    return {"series": headers}, [data]


def _window(picture: Picture, question: Question) -> Window:
    asked = question.get("series")
    if not isinstance(asked, list) or not 0 < len(asked) <= MOST_SERIES:
        raise ValueError(f"detail is of 1 to {MOST_SERIES} series, [run, metric] each")
    series: list[tuple[int, int]] = []
    for pair in asked:
        match pair:
            case [int(run), int(metric)] if (run, metric) in picture.series:
                series.append((run, metric))
            case _:
                raise ValueError(f"there is no series {pair!r} on this board")
    buckets = _number(question, "buckets", 512)
    if not 1 <= buckets <= MOST_BUCKETS:
        raise ValueError(f"buckets are 1 to {MOST_BUCKETS}, not {buckets:g}")
    margin = max(0, int(_number(question, "margin", 0)))
    ends = [picture.buckets.ends(picture.series[key].number) for key in series]
    first = _number(question, "from", min((first for first, _ in ends), default=0))
    last = _number(question, "to", max((last for _, last in ends), default=0))
    if last < first:
        raise ValueError(f"a window ends before it begins: from {first:g} to {last:g}")
    low = max(0, math.ceil(min(first, LARGEST_STEP)) - margin)
    high = max(low, min(math.floor(max(last, 0)) + margin, LARGEST_STEP))
    width = 1 << max(0, math.ceil(math.log2((high - low + 1) / buckets)))
    return Window(
        list(dict.fromkeys(series)), low // width * width, (high // width + 1) * width - 1, int(buckets), width
    )


def _number(question: Question, name: str, default: float) -> float:
    number = question.get(name)
    if number is None:
        return default
    if isinstance(number, bool) or not isinstance(number, int | float) or not math.isfinite(number):
        raise ValueError(f"{name} is a number, not {number!r}")
    return number


def _fill(made: Buckets, picture: Picture, store: Points, window: Window) -> None:
    """Fill the buckets from the board if that is fine enough or the window too large, else from the store."""
    from_store = defaultdict(list)
    runs = {run["key"]: run_id for run_id, run in picture.runs.items()}
    metrics = list(picture.metrics)
    for key in window.series:
        made.new()
        own = picture.series[key]
        if own.width > 1 and (
            own.width > window.width or _points(own.rows, window) <= POINTS_A_BUCKET * window.buckets
        ):
            from_store[runs[key[0]]].append(key)
        else:
            made.copy(made.count - 1, picture.buckets, own.number, window.first, window.last)
    for run_id, keys in from_store.items():
        names = {metrics[metric]: window.series.index((run, metric)) for run, metric in keys}
        points = store.window(run_id, list(names), window.first, window.last, READ_AT_MOST)
        if points is None:
            for key in keys:
                number = picture.series[key].number
                made.copy(window.series.index(key), picture.buckets, number, window.first, window.last)
            continue
        for (metric,), part in points.partition_by("metric", as_dict=True, include_key=False).items():
            steps, times, values = (part[name].to_numpy() for name in ("step", "time", "value"))
            made.add(np.full(len(steps), names[str(metric)]), steps, times, values)


def _points(rows: Any, window: Window) -> int:
    """Return about how many points a window has."""
    inside = (rows["last_step"] >= window.first) & (rows["first_step"] <= window.last)
    return int(rows["count"][inside].sum())
