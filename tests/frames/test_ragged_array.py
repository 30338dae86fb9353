from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from trackbook.frames.ragged_array import RaggedArray, spans

KEYS = np.dtype([("key", "i8")])


def keys(numbers: list[int]) -> np.ndarray[tuple[int], np.dtype[np.void]]:
    rows = np.empty(len(numbers), KEYS)
    rows["key"] = numbers
    return rows


@given(st.lists(st.tuples(st.sets(st.integers(0, 5), min_size=1), st.integers(0, 9)), max_size=30))
def test_a_series_keeps_its_rows_while_others_grow(acts: list[tuple[set[int], int]]) -> None:
    table, expected = RaggedArray(KEYS, "key"), {series: list[int]() for series in range(6)}
    table.reserve(6)
    for series, more in acts:
        chosen = np.array(sorted(series))
        fresh = [list(range(len(expected[one]), len(expected[one]) + more)) for one in chosen]
        rows = keys([key for part in fresh for key in part])
        table.replace(chosen, table.size[chosen], np.full(len(chosen), more), rows)
        for one, part in zip(chosen.tolist(), fresh, strict=True):
            expected[one] += part
    assert {series: table.keys(series).tolist() for series in range(6)} == expected


def test_a_tail_starts_at_the_first_row_of_its_key() -> None:
    table = RaggedArray(KEYS, "key")
    table.reserve(3)
    table.replace(np.array([0, 1]), np.zeros(2, np.int64), np.array([3, 2]), keys([10, 20, 30, 5, 6]))
    assert table.tails(np.array([0, 1, 2]), np.array([31, 6, 0])).tolist() == [3, 1, 0]
    assert table.tails(np.array([0, 1]), np.array([15, 0])).tolist() == [1, 0]


def test_spans_count_from_each_start() -> None:
    assert spans(np.array([5, 0, 9]), np.array([2, 0, 3])).tolist() == [5, 6, 9, 10, 11]
