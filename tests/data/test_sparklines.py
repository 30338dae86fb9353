from __future__ import annotations

import math

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stores import one_run
from trackbook.data.sparklines import Sparklines, bars
from trackbook.store.base import POINTS
from trackbook.store.memory import MemoryStore


def put(store: MemoryStore, values: list[float], first: int = 0) -> None:
    rows = [("loss", first + place, value, 0.0) for place, value in enumerate(values)]
    store.append("r1", pl.DataFrame(rows, schema=POINTS, orient="row"))


def line(values: list[float], width: int) -> str:
    store = MemoryStore()
    store.put_run(one_run())
    put(store, values)
    lines = Sparklines(store, "r1")
    lines.pull()
    return lines.line("loss", width)


def test_bars_span_from_the_smallest_to_the_largest() -> None:
    assert bars([0, 1, 2, 3, 4, 5, 6, 7]) == "▁▂▃▄▅▆▇█"
    assert bars([7, 0]) == "█▁"
    assert bars([]) == ""
    assert bars([5, 5]) == "▁▁"
    assert bars([0, math.nan, 1]) == "▁?█"


@given(st.lists(st.floats()))
def test_every_number_has_a_bar(values: list[float]) -> None:
    assert len(bars(values)) == len(values)


def test_a_column_shows_the_mean_of_its_points() -> None:
    assert line([0, 0, 4, 4, 7, 7], 3) == bars([0, 4, 7])
    assert line([1, 2], 10) == bars([1, 2])
    assert line([math.nan, 1.0, math.inf, 3.0], 2) == bars([1, 3])
    assert line([math.nan, math.nan, 1, 2], 2) == bars([math.nan, 1.5])


@pytest.mark.parametrize("together", [1, 7, 1000, 100_000])
def test_a_long_curve_keeps_its_form_however_its_points_come(together: int) -> None:
    count = min(3_000 * together, 100_000)
    store = MemoryStore()
    store.put_run(one_run())
    lines = Sparklines(store, "r1")
    for first in range(0, count, together):
        put(store, [float(place) for place in range(first, min(first + together, count))], first)
        lines.pull()
    assert lines.line("loss", 8) == "▁▂▃▄▅▆▇█"
    assert sum(len(curve._buckets) for curve in lines._curves.values()) <= 2048


def test_a_run_that_is_cut_back_begins_anew() -> None:
    store = MemoryStore()
    store.put_run(one_run())
    put(store, [0.0, 1.0, 9.0])
    lines = Sparklines(store, "r1")
    lines.pull()
    assert lines.line("loss", 8) == bars([0, 1, 9])
    store.cut("r1", 1)
    lines.pull()
    assert lines.line("loss", 8) == bars([0, 1])
    assert lines.line("other", 8) == ""
