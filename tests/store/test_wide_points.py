from __future__ import annotations

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from trackbook.store.base import POINTS
from trackbook.store.wide_points import wide_points


@given(
    st.dictionaries(
        st.tuples(st.sampled_from("abc"), st.integers(0, 9) | st.integers(0, 2**63 - 1)),
        st.floats(),
        min_size=1,
        max_size=12,
    ),
    st.sets(st.sampled_from("abc"), min_size=1),
)
def test_wide_points_are_polars_pivot(points: dict[tuple[str, int], float], chosen: set[str]) -> None:
    rows = [(*at, value) for at, value in points.items()]
    metrics = [name for name in dict.fromkeys(name for name, _ in points) if name in chosen]
    table = pl.DataFrame([(*row, 1.0) for row in rows], POINTS, orient="row")
    wide = wide_points(table, metrics)
    long = pl.DataFrame([row for row in rows if row[0] in chosen], ["metric", "step", "value"], orient="row")
    if len(long):
        expected = long.pivot(on="metric", index="step", values="value").sort("step").select("step", *metrics)
        assert wide.equals(expected)
    else:
        assert wide.columns == ["step"]
