from __future__ import annotations

import math
import struct
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from journals import rows
from trackbook.journal.records import RECORD, RECORD_BYTES, batch, dtype, read, up_to_a_call
from trackbook.store.base import POINTS

METRICS = {0: "a", 1: "b"}


def packed(*records: tuple[float, int, float, int, int]) -> Any:
    """Return records of time, step, value, metric and the number left of the call."""
    return read(b"".join(struct.pack("<" + RECORD, *record) for record in records), 0, len(records) * RECORD_BYTES)


def test_record_has_its_declared_size() -> None:
    assert struct.calcsize("<" + RECORD) == RECORD_BYTES == dtype().itemsize


def test_records_become_points_with_their_metrics_names() -> None:
    records = packed((1.5, 0, 0.25, 1, 2), (1.5, 7, math.inf, 0, 1), (2.5, 2**63 - 1, -0.0, 1, 1))
    points, marks, _ = found = batch([records], METRICS, {"j/s": 96})
    assert points.schema == POINTS
    assert repr(points.rows()) == repr([("b", 0, 0.25, 1.5), ("a", 7, math.inf, 1.5), ("b", 2**63 - 1, -0.0, 2.5)])
    assert marks == {"j/s": 96}
    assert found.calls().tolist() == [1, 1, 2]


def test_arrays_of_records_are_joined_in_order() -> None:
    parts = [packed((0, step, 0.5, 0, 1)) for step in range(3)]
    assert rows(batch(parts, METRICS, {})) == [("a", 0, 0.5), ("a", 1, 0.5), ("a", 2, 0.5)]


@pytest.mark.parametrize("lost", range(3))
def test_incomplete_call_is_skipped(lost: int) -> None:
    torn = [(0.0, 1, 0.5, 0, 3), (0.0, 1, 0.5, 1, 2), (0.0, 1, 0.5, 0, 1)]
    torn[lost:] = [(0.0, 0, 0.0, 0, 0)] * (3 - lost)  # records are packed in order
    records = packed((0, 0, 0.5, 0, 1), *torn, (0, 2, 0.5, 0, 1))
    found = batch([records], METRICS, {})
    assert found.points["step"].to_list() == [0, 2]
    assert found.calls().tolist() == [1, 2]


@given(st.lists(st.tuples(st.integers(1, 4), st.integers(0, 4))), st.integers(0, 3))
def test_only_complete_calls_are_read(calls: list[tuple[int, int]], cut: int) -> None:
    """Each call has so many records, of which so many were packed; the array ends `cut` records early."""
    records, whole = [], []
    for step, (size, made) in enumerate(calls):
        for left in reversed(range(size)):
            records.append((0.0, step, 0.5, 0, left + 1) if size - left <= made else (0.0, 0, 0.0, 0, 0))
            if made >= size:
                whole.append((len(records) - 1 + left, step))
    end = max(0, len(records) - cut)
    found = batch([packed(*records[:end])], METRICS, {})
    assert found.points["step"].to_list() == [step for last, step in whole if last < end]


def test_call_that_ends_beyond_the_end_is_skipped() -> None:
    assert rows(batch([packed((0, 0, 0.5, 0, 1), (0, 1, 0.5, 0, 3), (0, 1, 0.5, 1, 2))], METRICS, {})) == [
        ("a", 0, 0.5)
    ]


@pytest.mark.parametrize("metrics", [METRICS, {}])
def test_holes_give_no_points(metrics: dict[int, str]) -> None:
    found = batch([np.zeros(5, dtype())], metrics, {})
    assert found.points.schema == POINTS
    assert (len(found.points), len(found.calls())) == (0, 0)


def test_a_metric_whose_name_is_lost_keeps_its_points() -> None:
    records = packed((0, 0, 0.5, 7, 1), (0, 0, 1.5, 1, 1), (0, 0, 2.5, 2**32 - 1, 1))
    assert rows(batch([records], METRICS, {})) == [
        ("unnamed metric 7", 0, 0.5),
        ("b", 0, 1.5),
        ("unnamed metric 4294967295", 0, 2.5),
    ]


@pytest.mark.parametrize("number", [10**12, -1])
def test_damaged_number_of_a_metric_takes_no_memory(number: int) -> None:
    assert rows(batch([packed((0, 0, 0.5, 1, 1))], {number: "a", 1: "b"}, {})) == [("b", 0, 0.5)]


def test_two_numbers_of_one_name_are_one_metric() -> None:
    assert rows(batch([packed((0, 0, 0.5, 0, 1), (0, 1, 1.5, 1, 1))], {0: "a", 1: "a"}, {})) == [
        ("a", 0, 0.5),
        ("a", 1, 1.5),
    ]


@pytest.mark.parametrize(("left", "kept"), [([], 0), ([3, 2], 0), ([1], 1), ([2, 1, 3, 2], 2), ([2, 1, 1], 3)])
def test_partial_read_stops_at_the_end_of_a_call(left: list[int], kept: int) -> None:
    assert len(up_to_a_call(packed(*[(0.0, 0, 0.0, 0, n) for n in left]))) == kept


def test_read_records_are_a_copy() -> None:
    buffer = bytearray(RECORD_BYTES)
    records = read(buffer, 0, RECORD_BYTES)
    buffer += b"resized, which an export would forbid"
    assert records["left"].tolist() == [0]
