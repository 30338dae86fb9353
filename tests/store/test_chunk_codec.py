from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trackbook.store import chunk_codec
from trackbook.store.chunk_codec import LARGEST, Columns, decode, encode

INT64 = st.integers(-(2**63), 2**63 - 1)
FLOAT = st.floats(width=64)
RNG = np.random.default_rng(7)
ROWS = 20_000
INDEX = np.arange(ROWS)
WALK = 1 + RNG.normal(0, 0.01, ROWS).cumsum()
JITTERED = 1.75e9 + INDEX * 0.01 + RNG.exponential(0.001, ROWS)


def columns(metric: Any, step: Any, value: Any, time: Any) -> Columns:
    return Columns(
        np.array(metric, np.int32), np.array(step, np.int64), np.array(value, np.float64), np.array(time, np.float64)
    )


def one_metric(value: Any) -> Columns:
    return columns(np.zeros(len(value)), INDEX[: len(value)], value, JITTERED[: len(value)])


def assert_same(found: Columns, expected: Columns) -> None:
    for column, other in zip(found, expected, strict=True):
        assert column.dtype == other.dtype
        assert column.tobytes() == other.tobytes()


SHAPES = {
    "smooth": np.exp(-INDEX / 5000),
    "a schedule": 1e-3 * (1 + np.cos(np.pi * INDEX / ROWS)) / 2,
    "constant": np.full(ROWS, 0.1),
    "counted": INDEX * 32.0,
    "rounded": WALK.round(4),
    "a rate of a small set": RNG.integers(30, 60, ROWS) / 60,
    "a rate of a large set": np.round(4000 + RNG.normal(0, 20, ROWS)) / 4567,
    "single precision and smooth": np.exp(-INDEX / 5000).astype(np.float32).astype(np.float64),
}


# --- exact --------------------------------------------------------------------------------------------------------------


@given(st.lists(st.tuples(st.integers(0, 5), INT64, FLOAT, FLOAT), min_size=1, max_size=60))
def test_any_points_come_back_bit_by_bit(rows: list[tuple[int, int, float, float]]) -> None:
    points = columns(*zip(*rows, strict=True))
    assert_same(decode(encode(points), len(rows)), points)


@pytest.mark.parametrize("value", [[1.0, -0.0], [-0.0, 0.5, 0.25], [0.0, -0.0], [3.0] * 100 + [-0.0]])
def test_a_negative_zero_keeps_its_sign_among_decimals(value: list[float]) -> None:
    points = one_metric(np.array(value))
    assert_same(decode(encode(points), len(value)), points)


@given(
    st.lists(FLOAT, min_size=1, max_size=20),
    st.sampled_from(sorted(SHAPES)),
    st.lists(st.integers(0, ROWS - 1), min_size=20, max_size=20),
)
def test_odd_values_in_a_series_of_any_form_come_back_bit_by_bit(odd: list[float], shape: str, at: list[int]) -> None:
    value = SHAPES[shape].copy()
    value[at[: len(odd)]] = odd
    points = one_metric(value)
    assert_same(decode(encode(points), ROWS), points)


@pytest.mark.parametrize("shape", sorted(SHAPES))
def test_series_of_any_form_come_back_bit_by_bit(shape: str) -> None:
    points = one_metric(SHAPES[shape])
    assert_same(decode(encode(points), ROWS), points)


@pytest.mark.parametrize("metrics", [1, 10, 300, 70_000])
def test_many_metrics_come_back_in_order_of_arrival(metrics: int) -> None:
    metric = RNG.integers(0, metrics, LARGEST)
    points = columns(metric, RNG.integers(0, 2**40, LARGEST), RNG.normal(size=LARGEST), RNG.normal(size=LARGEST))
    data = encode(points)
    assert_same(decode(data, LARGEST), points)
    order = np.argsort(metric, kind="stable")
    assert_same(decode(data, LARGEST, by_metric=True), Columns(*(column[order] for column in points)))


def test_extremes_of_steps_and_values_are_exact() -> None:
    step = [0, 2**63 - 1, -(2**63), 1, 2**62, -1]
    value = [-0.0, 0.0, np.inf, -np.inf, 5e-324, 1.7976931348623157e308]
    points = columns([0] * 6, step, value, value[::-1])
    assert_same(decode(encode(points), 6), points)


def test_metrics_can_be_decoded_separately() -> None:
    metric = RNG.integers(0, 5, 1000)
    points = columns(metric, np.arange(1000), RNG.normal(size=1000), RNG.normal(size=1000))
    for only in ([], [3], [4, 0], [9]):
        wanted = np.isin(metric, only)
        assert_same(decode(encode(points), 1000, only), Columns(*(column[wanted] for column in points)))


def test_empty_chunk_is_encoded() -> None:
    points = columns([], [], [], [])
    assert_same(decode(encode(points), 0), points)


@pytest.mark.parametrize("data", [b"", b"no chunk", bytes(1000)])
def test_bytes_that_are_not_a_chunk_are_a_value_error(data: bytes) -> None:
    with pytest.raises(ValueError, match="not a chunk of points"):
        decode(data, 10)


def test_chunk_with_a_wrong_row_count_is_a_value_error() -> None:
    with pytest.raises(ValueError, match="not a chunk of points"):
        decode(encode(one_metric(WALK)), ROWS - 1)


# --- small --------------------------------------------------------------------------------------------------------------


def test_a_random_walk_at_jittered_times_takes_at_most_ten_bytes_a_point() -> None:
    assert len(encode(one_metric(WALK))) <= 10 * ROWS


@pytest.mark.parametrize("shape", sorted(SHAPES))
def test_smooth_and_quantised_values_take_at_most_four_bytes_a_point(shape: str) -> None:
    assert len(encode(one_metric(SHAPES[shape]))) <= 4 * ROWS


@pytest.mark.parametrize(
    ("shape", "kind"),
    [
        ("smooth", chunk_codec.BITS),
        ("rounded", chunk_codec.DECIMAL),
        ("a rate of a small set", chunk_codec.TABLE),
        ("single precision and smooth", chunk_codec.BITS),
    ],
)
def test_each_form_has_its_use(shape: str, kind: int) -> None:
    _, forms, _ = chunk_codec.encode_values(SHAPES[shape], np.array([ROWS]))
    assert forms[:, 1].tolist() == [kind]


def test_metrics_of_different_kinds_each_have_their_form() -> None:
    values = np.concatenate([SHAPES["smooth"], SHAPES["rounded"]])
    _, forms, _ = chunk_codec.encode_values(values, np.array([ROWS, 2 * ROWS]))
    assert forms[:, 1].tolist() == [chunk_codec.BITS, chunk_codec.DECIMAL]


def test_small_metrics_share_a_form() -> None:
    _, forms, _ = chunk_codec.encode_values(WALK[:3000], np.arange(10, 3001, 10))
    assert len(forms) < 4


def test_encoding_is_fast_enough() -> None:
    points = one_metric(WALK)
    started = time.process_time()
    data = encode(points)
    packed = time.process_time()
    decode(data, ROWS)
    unpacked = time.process_time()
    # a tenth of what a quiet machine does
    assert packed - started < ROWS / 5e5
    assert unpacked - packed < ROWS / 2e6
