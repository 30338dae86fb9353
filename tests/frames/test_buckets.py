from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trackbook.frames.bucket_rows import Rows, of_points
from trackbook.frames.buckets import LIMITS, POINTS_A_BUCKET, SMALLEST_LIMIT, Buckets

values = st.floats(width=32) | st.sampled_from([0.0, 1.0, math.nan, math.inf, -math.inf])
series = st.dictionaries(st.integers(0, 4000), values, min_size=1, max_size=60)


def added(points: dict[int, float], parts: int = 1, width: int = 1) -> Buckets:
    """Return buckets with one series."""
    buckets = Buckets()
    buckets.new()
    while 1 << buckets.shift[0] < width:
        buckets._double(np.array([0]))
    steps = np.array(list(points), np.int64)
    floats = np.array(list(points.values()), np.float64)
    for part in np.array_split(np.arange(len(steps)), parts):
        add(buckets, steps[part], floats[part])
    return buckets


def add(buckets: Buckets, steps: Any, values: Any, series: int = 0) -> None:
    steps = np.asarray(steps, np.int64)
    buckets.add(np.full(len(steps), series), steps, steps / 2, np.asarray(values, np.float64))


def expected_row(bucket: int, points: dict[int, float]) -> dict[str, float]:
    """Return the row of a bucket, computed from its definition."""
    finite = {step: value for step, value in points.items() if math.isfinite(value)}
    lowest = min(finite, key=lambda step: (finite[step], step), default=None)
    highest = max(finite, key=lambda step: (finite[step], -step), default=None)
    mean = math.fsum(finite.values()) / len(finite) if finite else math.nan
    masks = {1 if math.isnan(v) else 2 if v > 0 else 4 for v in points.values() if not math.isfinite(v)}
    row = {"bucket": bucket, "count": len(finite), "mean": mean, "mask": sum(masks)}
    row["not_positive"] = sum(value <= 0 for value in finite.values())
    row["not_finite"] = len(points) - len(finite)
    row["m2"] = math.fsum((value - mean) ** 2 for value in finite.values())
    for name, step in (("first", min(points)), ("min", lowest), ("max", highest), ("last", max(points))):
        row[f"{name}_step"] = math.nan if step is None else step
        row[f"{name}_time"] = math.nan if step is None else step / 2
        row[name] = math.nan if step is None else points[step]
    return row


def assert_rows(rows: Rows, points: dict[int, float], width: int) -> None:
    assert rows["bucket"].tolist() == sorted({step // width for step in points})
    for row in rows:
        inside = {step: value for step, value in points.items() if step // width == row["bucket"]}
        expected = expected_row(int(row["bucket"]), inside)
        spread = max((abs(value) for value in inside.values() if math.isfinite(value)), default=0.0)
        for name, value in expected.items():
            # sums of values that cancel out are only as exact as the largest of them
            slack = spread**2 * 1e-9 if name == "m2" else spread * 1e-12 if name == "mean" else 0.0
            assert row[name] == pytest.approx(value, rel=1e-9, abs=slack, nan_ok=True), name


@given(series, st.integers(1, 5), st.sampled_from([1, 2, 16, 1024]))
def test_a_bucket_summarizes_its_points_in_any_order(points: dict[int, float], parts: int, width: int) -> None:
    assert_rows(added(points, parts, width).rows(0), points, width)


several = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, 300), values), max_size=150, unique_by=lambda point: point[:2]
)


@given(several, st.integers(1, 6), st.sampled_from([2, 5, 500]), st.integers(0, 5))
def test_many_series_at_once_equal_each_alone(
    points: list[tuple[int, int, float]], parts: int, limit: int, settled: int
) -> None:
    buckets = Buckets(limit)
    for _ in range(4):
        buckets.new()
    so_far: dict[int, dict[int, float]] = {number: {} for number in range(4)}
    touched: dict[int, set[int]] = {number: set() for number in range(4)}
    for at, part in enumerate(np.array_split(np.arange(len(points)), parts)):
        if at == settled:
            buckets.settle()
            touched = {number: set() for number in range(4)}
        series, steps, floats = (np.array([points[i][k] for i in part]) for k in range(3))
        buckets.add(series.astype(np.int64), steps.astype(np.int64), steps / 2, floats.astype(np.float64))
        for i in part:
            number, step, value = points[i]
            so_far[number][step] = value
            touched[number].add(step)
    assert buckets.changed().tolist() == [number for number in range(4) if touched[number]]
    for number, own in so_far.items():
        width = 1 << int(buckets.shift[number])
        assert_rows(buckets.rows(number), own, width)
        assert len(buckets.rows(number)) <= (limit if width > 1 else POINTS_A_BUCKET * limit)
        if own and width > 1:  # no wider than it must be
            assert len({step // (width // 2) for step in own}) > (limit if width > 2 else POINTS_A_BUCKET * limit)
        changed = np.array([number])
        for shift in (0, 1, 3):
            wide = np.array([int(buckets.shift[number]) + shift])
            for only_changed in (True, False):
                taken = buckets.take(changed, wide, changed=only_changed)
                rows = taken[1][1] if wide[0] else of_points(taken[0][1])
                of = {step >> int(wide[0]) for step in touched[number]} if only_changed else None
                inside = {step: own[step] for step in own if of is None or step >> int(wide[0]) in of}
                assert_rows(rows, inside, 1 << int(wide[0]))


def test_a_short_series_keeps_every_point() -> None:
    points = {step * 7: float(step) for step in range(POINTS_A_BUCKET * LIMITS[3])}
    buckets = added(points)
    assert buckets.shift[0] == 0
    assert buckets.rows(0)["first"].tolist() == list(points.values())


def test_a_long_series_stays_bounded_and_keeps_its_extremes() -> None:
    random = np.random.default_rng(0)
    points = dict(enumerate(random.normal(size=100_000).tolist()))
    rows = added(points, parts=50).rows(0)
    assert LIMITS[3] / 2 <= len(rows) <= LIMITS[3]
    assert (rows["min"].min(), rows["max"].max()) == (min(points.values()), max(points.values()))
    assert rows["count"].sum() == 100_000


def test_the_width_is_independent_of_the_order_of_arrival() -> None:
    points = dict.fromkeys(range(40_000), 1.0)
    assert added(points, parts=1).shift[0] == added(points, parts=500).shift[0] == 4


def test_more_series_have_fewer_rows_each() -> None:
    buckets, steps = Buckets(), np.arange(20_000)
    found = []
    for number in range(1100):
        buckets.new()
        if number in (0, 3, 7, 14, 15, 1023, 1024):
            for series in {0, number}:
                add(buckets, steps + 20_000 * len(found), steps, series)
            found.append(len(buckets.rows(0)))
    assert [
        limit // 2 < rows <= limit for rows, limit in zip(found, (4096, 2048, 1024, 1024, 512, 512, 256), strict=True)
    ]
    assert SMALLEST_LIMIT // 2 < found[-1] <= SMALLEST_LIMIT


def test_the_width_depends_on_occupied_buckets() -> None:
    assert added({0: 1.0, 2**62: 2.0}).shift[0] == 0


def test_memory_grows_with_the_rows() -> None:
    buckets = Buckets()
    series = np.array([buckets.new() for _ in range(1000)])
    for step in range(20):
        buckets.add(series, np.full(1000, step), np.zeros(1000), np.zeros(1000))
    assert buckets.points.table.nbytes < 1000 * 20 * 32 * 4


def test_a_cleared_series_starts_empty() -> None:
    buckets = added(dict.fromkeys(range(20_000), 1.0))
    buckets.clear(np.array([0]))
    assert len(buckets.rows(0)) == 0
    add(buckets, [3, 1], [30.0, 10.0])
    assert_rows(buckets.rows(0), {1: 10.0, 3: 30.0}, 1)


def test_series_are_narrowed_until_none_has_too_many_rows() -> None:
    buckets = added(dict.fromkeys(range(100_000), 1.0))
    buckets.new()
    add(buckets, range(100), range(100), series=1)
    found = buckets.narrowing(np.array([0, 1]), [32, 16])
    shift, rows = next(found)
    assert (shift.tolist(), rows.tolist()) == ([12, 0], [25, 100])
    shift, rows = next(found)
    assert (shift.tolist(), rows.tolist()) == ([13, 3], [13, 13])
    assert len(buckets.take(np.array([0, 1]), shift)[1][1]) == rows.sum()


def test_no_points_change_nothing() -> None:
    buckets = added({})
    assert len(buckets.rows(0)) == 0
    assert len(buckets.changed()) == 0
