from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from trackbook.boards import zoom_detail
from trackbook.boards.frame_source import FrameSource
from trackbook.frames.protocol import BUCKET_COLUMNS
from trackbook.store.base import POINTS, Store
from trackbook.store.memory import MemoryStore
from trackbook.store.sqlite import SqliteStore
from trackbook.types import RunRecord
from wire import Row, all_rows

LENGTH = 60_000
METRICS = ("loss", "acc")


def value(metric: str, step: int) -> float:
    return step % 1009 + (0.5 if metric == "acc" else 0.0)


@pytest.fixture(params=["memory", "sqlite", "reopened"])
def store(request: Any, tmp_path: Path) -> Store:
    path = tmp_path / "p.db"
    store: Store = MemoryStore() if request.param == "memory" else SqliteStore(path, "p")
    store.put_run(RunRecord("r", "run", started=100.0))
    for part in np.array_split(np.arange(LENGTH), 13):
        steps = np.repeat(part, 2)
        metric = list(METRICS) * len(part)
        values = [value(name, step) for name, step in zip(metric, steps.tolist(), strict=True)]
        points = {"metric": metric, "step": steps, "value": values, "time": 100.0 + steps}
        store.append("r", pl.DataFrame(points, schema=POINTS))
        store.flush()
    if request.param == "reopened":
        store.close()
        store = SqliteStore(path, "p")
    return store


@pytest.fixture
def source(store: Store) -> FrameSource:
    source = FrameSource("p", store)
    source.add_run("r")
    source.pull()
    return source


def ask(source: FrameSource, **fields: Any) -> dict[int, tuple[int, dict[float, Row]]]:
    """Return width and rows by metric."""
    answer, buffers = zoom_detail.detail(source.picture, source.store, {"series": [[0, 0]], **fields})
    assert len(buffers) == 1
    return {metric: found for (_, metric), found in all_rows(answer["series"], buffers[0]).items()}


def test_window_of_few_points_has_points(source: FrameSource) -> None:
    width, rows = ask(source, **{"from": 31_000, "to": 31_099}, buckets=50)[0]
    assert width == 1
    assert {step: row["value"] for step, row in rows.items()} == {step: value("loss", int(step)) for step in rows}
    assert set(range(31_000, 31_100)) <= rows.keys()
    assert len(rows) <= 110


@pytest.mark.parametrize("buckets", [100, 1000])
def test_wide_window_has_aligned_buckets_as_fine_as_asked(source: FrameSource, buckets: int) -> None:
    width, rows = ask(source, **{"from": 20_000, "to": 45_000}, buckets=buckets)[0]
    assert buckets / 2 < len(rows) <= buckets + 1
    for bucket, row in rows.items():
        assert (row["first_step"], row["last_step"]) == (bucket * width, bucket * width + width - 1)
        inside = [value("loss", step) for step in range(int(bucket) * width, int(bucket + 1) * width)]
        assert (row["count"], row["min"], row["max"]) == (width, min(inside), max(inside))
        assert row["mean"] == pytest.approx(np.mean(inside), rel=1e-6)


def test_margin_is_added_on_both_sides(source: FrameSource) -> None:
    _, rows = ask(source, **{"from": 1000, "to": 1100}, buckets=500, margin=40)[0]
    assert (min(rows), max(rows)) == (960, 1140)


def test_open_end_is_the_end_of_the_series(source: FrameSource) -> None:
    _, rows = ask(source, **{"from": LENGTH - 50, "to": None}, buckets=500)[0]
    assert (min(rows), max(rows)) == (LENGTH - 50, LENGTH - 1)
    _, rows = ask(source, **{"from": None, "to": 20}, buckets=500)[0]
    assert (min(rows), max(rows)) == (0, 20)


def test_several_series_come_in_one_buffer(source: FrameSource) -> None:
    found = ask(source, series=[[0, 0], [0, 1]], **{"from": 500, "to": 510}, buckets=100)
    assert found[0][1][500]["value"] + 0.5 == found[1][1][500]["value"]


def test_window_without_points_is_empty(source: FrameSource) -> None:
    assert ask(source, **{"from": 10 * LENGTH, "to": 11 * LENGTH}, buckets=100) == {}


def test_window_includes_points_not_yet_in_the_file(source: FrameSource) -> None:
    late = pl.DataFrame({"metric": ["loss"], "step": [LENGTH + 7], "value": [-5.0], "time": [1.0]}, schema=POINTS)
    source.store.append("r", late)
    source.pull()
    _, rows = ask(source, **{"from": LENGTH - 5, "to": LENGTH + 10}, buckets=100)[0]
    assert rows[LENGTH + 7]["value"] == -5.0
    assert len(rows) == 6


@pytest.mark.parametrize("store", ["reopened"], indirect=True)
def test_window_too_large_to_read_has_the_boards_rows(source: FrameSource, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zoom_detail, "READ_AT_MOST", 1000)
    width, _ = ask(source, **{"from": 10_000, "to": 14_000}, buckets=3000)[0]
    assert width == 1 << int(source._picture.buckets.shift[0])


class Untouchable(MemoryStore):
    """A store that fails at every read."""

    def window(self, *_: Any) -> pl.DataFrame:
        raise AssertionError("the board has it itself")


def test_rows_that_the_board_has_are_not_read(source: FrameSource) -> None:
    source.store = Untouchable()
    width, rows = ask(source, buckets=256)[0]
    assert 128 < len(rows) <= 256
    assert set(rows[0]) == set(BUCKET_COLUMNS)
    assert width * len(rows) >= LENGTH


@pytest.mark.parametrize(
    ("question", "why"),
    [
        ({"series": []}, "1 to 256 series"),
        ({"series": None}, "1 to 256 series"),
        ({"series": "loss"}, "1 to 256 series"),
        ({"series": [[0, 99]]}, "no series"),
        ({"series": [[7, 0]]}, "no series"),
        ({"series": [[0]]}, "no series"),
        ({"series": [[[], {}]]}, "no series"),
        ({"series": [[0, 0]], "from": "x"}, "from is a number"),
        ({"series": [[0, 0]], "from": float("nan")}, "from is a number"),
        ({"series": [[0, 0]], "to": float("inf")}, "to is a number"),
        ({"series": [[0, 0]], "to": True}, "to is a number"),
        ({"series": [[0, 0]], "from": 10, "to": 5}, "ends before it begins"),
        ({"series": [[0, 0]], "buckets": 0}, "buckets are 1 to"),
        ({"series": [[0, 0]], "buckets": 1e9}, "buckets are 1 to"),
        ({"series": [[0, 0]], "margin": []}, "margin is a number"),
    ],
)
def test_bad_arguments_are_value_errors(question: dict[str, Any], why: str) -> None:
    source = FrameSource("p", MemoryStore())
    source.store.put_run(RunRecord("r", "run", started=100.0))
    source.store.append(
        "r", pl.DataFrame({"metric": ["loss"], "step": [0], "value": [1.0], "time": [1.0]}, schema=POINTS)
    )
    source.add_run("r")
    source.pull()
    with pytest.raises(ValueError, match=why):
        zoom_detail.detail(source.picture, source.store, question)


@pytest.mark.parametrize("ends", [(-1e300, 1e300), (1e300, 1e301), (-5, -1), (0.25, 0.75), (2**62, 2**62)])
def test_windows_of_any_size_are_answered(source: FrameSource, ends: tuple[float, float]) -> None:
    ask(source, **{"from": ends[0], "to": ends[1]}, buckets=10)
