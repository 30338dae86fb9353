from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trackbook._buckets import BUCKETS_LIMIT, POINTS_LIMIT, Buckets, Rows

values = st.floats(width=32) | st.sampled_from([0.0, 1.0, math.nan, math.inf, -math.inf])
series = st.dictionaries(st.integers(0, 4000), values, min_size=1, max_size=60)


def added(points: dict[int, float], parts: int = 1, width: int = 1) -> Buckets:
    buckets = Buckets()
    while buckets.width < width:
        buckets._double()
    steps = np.array(list(points), np.int64)
    floats = np.array(list(points.values()), np.float64)
    for part in np.array_split(np.arange(len(steps)), parts):
        buckets.add(steps[part], steps[part] / 2, floats[part])
    return buckets


def expected_row(bucket: int, points: dict[int, float]) -> dict[str, float]:
    """What a bucket says of its points, from the definition."""
    finite = {step: value for step, value in points.items() if math.isfinite(value)}
    lowest = min(finite, key=lambda step: (finite[step], step), default=None)
    highest = max(finite, key=lambda step: (finite[step], -step), default=None)
    mean = math.fsum(finite.values()) / len(finite) if finite else math.nan
    masks = {1 if math.isnan(v) else 2 if v > 0 else 4 for v in points.values() if not math.isfinite(v)}
    row = {"bucket": bucket, "count": len(finite), "mean": mean, "mask": sum(masks)}
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
def test_a_bucket_says_what_its_points_say_in_whatever_order_they_come(
    points: dict[int, float], parts: int, width: int
) -> None:
    assert_rows(added(points, parts, width).rows, points, width)


def test_a_short_series_keeps_every_point() -> None:
    points = {step * 7: float(step) for step in range(POINTS_LIMIT)}
    buckets = added(points)
    assert buckets.width == 1
    assert buckets.rows["first"].tolist() == list(points.values())


def test_a_long_series_stays_bounded_and_keeps_its_extremes() -> None:
    random = np.random.default_rng(0)
    points = dict(enumerate(random.normal(size=100_000).tolist()))
    buckets = added(points, parts=50)
    assert BUCKETS_LIMIT / 2 <= len(buckets.rows) <= BUCKETS_LIMIT
    assert (buckets.rows["min"].min(), buckets.rows["max"].max()) == (min(points.values()), max(points.values()))
    assert buckets.rows["count"].sum() == 100_000


def test_the_width_depends_on_the_points_and_not_on_how_they_came() -> None:
    points = dict.fromkeys(range(5000), 1.0)
    assert added(points, parts=1).width == added(points, parts=500).width == 16


def test_the_width_follows_occupied_buckets_and_not_the_largest_step() -> None:
    assert added({0: 1.0, 2**62: 2.0}).width == 1


def test_only_touched_buckets_are_changed() -> None:
    buckets = added(dict.fromkeys(range(10), 0.0))
    buckets.settle()
    assert len(buckets.changed()) == 0
    buckets.add(np.array([12, 11]), np.zeros(2), np.ones(2))
    assert buckets.changed()["bucket"].tolist() == [11, 12]


def test_changed_buckets_stay_marked_when_the_width_doubles() -> None:
    buckets = added(dict.fromkeys(range(POINTS_LIMIT), 0.0))
    buckets.settle()
    buckets.add(np.array([POINTS_LIMIT]), np.zeros(1), np.ones(1))
    assert buckets.width == 4
    assert buckets.changed()["bucket"].tolist() == [POINTS_LIMIT // 4]


def test_no_points_change_nothing() -> None:
    buckets = Buckets()
    buckets.add(np.empty(0, np.int64), np.empty(0), np.empty(0))
    assert len(buckets.rows) == 0
