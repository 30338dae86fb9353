"""What every target must do. A test of a target derives a class ``Test...`` from `TargetContract`, and says how to open and read it."""

from __future__ import annotations

import dataclasses
import hashlib
import math
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl
import pytest

from trackbook.remote.target import NOTHING, Batch, Target
from trackbook.store.base import POINTS
from trackbook.types import Cursor, RunRecord

RUN = RunRecord("r1", "brisk-otter-1", 1_000.0, config={"lr": 0.1, "layers": [64, 32]}, tags=("a", "b"))
OTHER = RunRecord("r2", "calm-heron-2", 2_000.0)


class Stored(NamedTuple):
    """What a target has of a run: its record, its points sorted by metric and step, and rows of console by key."""

    run: RunRecord
    points: list[tuple[str, int, float, float]]  # metric, step, value, time
    console: dict[int, tuple[Any, ...]]


def points(metric: str, first: int, count: int, *, factor: float = 1.0) -> pl.DataFrame:
    """Return points with steps from `first` on, the values of which are the steps times `factor`."""
    steps = range(first, first + count)
    rows = [(metric, step, step * factor, 1_000.0 + step) for step in steps]
    return pl.DataFrame(rows, schema=POINTS, orient="row")


def rows(frame: pl.DataFrame) -> list[tuple[str, int, float, float]]:
    """Return points as `Stored` has them."""
    return frame.with_columns(pl.col("metric").cast(pl.String)).sort("metric", "step").rows()


def batch(first: int, end: int, run: RunRecord = RUN, *, generation: int = 0, **more: Any) -> Batch:
    """Return the batch with the points of ``loss`` from one ordinal to another, which are their steps."""
    start = Cursor(generation, first) if first or generation else NOTHING
    return Batch(run, points("loss", first, end - first), start, Cursor(generation, end), **more)


class TargetContract:
    """The tests. `open` and `stored` are a target's own."""

    def open(self, place: Any, source: str = "source") -> Target:
        """Return the target at `place` for one project and a source."""
        raise NotImplementedError

    def stored(self, place: Any, run_id: str) -> Stored | None:
        """Return what is at `place` of a run, read as its users read it; None without such a run."""
        raise NotImplementedError

    @pytest.fixture
    def place(self, tmp_path: Path) -> Any:
        """Return an empty place."""
        return tmp_path

    def test_a_new_place_has_nothing(self, place: Any) -> None:
        target = self.open(place)
        assert (target.cursors(), target.cursor("r1"), self.stored(place, "r1")) == ({}, None, None)
        target.close()

    def test_batches_follow_each_other(self, place: Any) -> None:
        target = self.open(place)
        assert target.put(batch(0, 3)) == Cursor(0, 3)
        assert target.put(batch(3, 5)) == Cursor(0, 5)
        stored = self.stored(place, "r1")
        assert stored == Stored(RUN, rows(points("loss", 0, 5)), {})
        assert (target.cursor("r1"), target.cursors()) == (Cursor(0, 5), {"r1": Cursor(0, 5)})
        target.close()

    def test_the_cursor_is_there_when_it_is_opened_again(self, place: Any) -> None:
        target = self.open(place)
        target.put(batch(0, 3))
        target.close()
        again = self.open(place)
        assert again.cursor("r1") == Cursor(0, 3)
        again.close()

    def test_a_batch_that_is_sent_twice_is_there_once(self, place: Any) -> None:
        target = self.open(place)
        for _ in range(2):
            assert target.put(batch(0, 3)) == Cursor(0, 3)
        stored = self.stored(place, "r1")
        assert stored is not None
        assert stored.points == rows(points("loss", 0, 3))
        target.close()

    def test_a_batch_that_begins_elsewhere_changes_nothing(self, place: Any) -> None:
        target = self.open(place)
        target.put(batch(0, 3))
        renamed = dataclasses.replace(RUN, name="other")
        for first, end in ((0, 5), (2, 6), (4, 6)):
            assert target.put(batch(first, end, renamed)) == Cursor(0, 3)
        assert self.stored(place, "r1") == Stored(RUN, rows(points("loss", 0, 3)), {})
        target.close()

    def test_a_second_uploader_of_the_same_source_goes_on(self, place: Any) -> None:
        one, two = self.open(place), self.open(place)
        one.put(batch(0, 3))
        assert two.put(batch(0, 4)) == Cursor(0, 3)
        assert two.put(batch(3, 4)) == Cursor(0, 4)
        assert one.put(batch(3, 6)) == Cursor(0, 4)
        stored = self.stored(place, "r1")
        assert stored is not None
        assert stored.points == rows(points("loss", 0, 4))
        one.close()
        two.close()

    def test_a_batch_may_replace_all_earlier_points(self, place: Any) -> None:
        target = self.open(place)
        target.put(batch(0, 6))
        cut = Batch(RUN, points("loss", 0, 2, factor=7), Cursor(0, 6), Cursor(1, 2), replaces=True)
        for _ in range(2):
            assert target.put(cut) == Cursor(1, 2)
        assert target.put(batch(6, 9)) == Cursor(1, 2)  # of the generation before
        stored = self.stored(place, "r1")
        assert stored is not None
        assert stored.points == rows(points("loss", 0, 2, factor=7))
        target.close()

    def test_of_two_sources_the_first_value_of_a_step_stays(self, place: Any) -> None:
        """A run that goes on, on another machine that has nothing of its beginning."""
        one, two = self.open(place, "one"), self.open(place, "two")
        one.put(batch(0, 4))
        assert two.cursor("r1") is None
        theirs = Batch(RUN, points("loss", 2, 4, factor=9), NOTHING, Cursor(0, 4))
        assert two.put(theirs) == Cursor(0, 4)
        assert (one.cursor("r1"), two.cursor("r1")) == (Cursor(0, 4), Cursor(0, 4))
        stored = self.stored(place, "r1")
        assert stored is not None
        assert stored.points == rows(pl.concat([points("loss", 0, 4), points("loss", 4, 2, factor=9)]))
        one.close()
        two.close()

    def test_a_replacement_lets_other_sources_send_again(self, place: Any) -> None:
        one, two = self.open(place, "one"), self.open(place, "two")
        one.put(batch(0, 4))
        two.put(Batch(RUN, points("loss", 4, 2), NOTHING, Cursor(0, 2)))
        two.put(Batch(RUN, points("loss", 4, 1), Cursor(0, 2), Cursor(1, 1), replaces=True))
        assert one.cursor("r1") is None
        assert two.cursor("r1") == Cursor(1, 1)
        one.close()
        two.close()

    def test_a_batch_without_points_updates_the_record(self, place: Any) -> None:
        target = self.open(place)
        target.put(batch(0, 3))
        ended = dataclasses.replace(RUN, state="finished", ended=1_010.5, error=None, summary={"best": 0.5})
        assert target.put(batch(3, 3, ended)) == Cursor(0, 3)
        assert self.stored(place, "r1") == Stored(ended, rows(points("loss", 0, 3)), {})
        target.close()

    def test_a_run_without_points_is_there(self, place: Any) -> None:
        target = self.open(place)
        assert target.put(batch(0, 0)) == NOTHING
        assert self.stored(place, "r1") == Stored(RUN, [], {})
        assert target.cursors() == {"r1": NOTHING}
        target.close()

    def test_values_that_are_not_finite_are_kept(self, place: Any) -> None:
        target = self.open(place)
        values = [math.nan, math.inf, -math.inf, -0.0, 5e-324]
        odd = pl.DataFrame([("a/ü'\"\n", step, value, 1.5) for step, value in enumerate(values)], POINTS, orient="row")
        target.put(Batch(RUN, odd, NOTHING, Cursor(0, 5)))
        stored = self.stored(place, "r1")
        assert stored is not None
        assert repr(stored.points) == repr(rows(odd))
        target.close()

    def test_documents_are_replaced_and_dropped_by_key(self, place: Any) -> None:
        target = self.open(place)
        one, two = (0, "stdout", "epoch 1", 1.5, None), (1, "stderr", "epoch 2", 2.5, None)
        target.put(batch(0, 1, documents={"console": [one, two]}))
        again = (0, "stdout", "epoch 1 done", 1.5, None)
        target.put(batch(1, 2, documents={"console": [again]}, dropped={"console": [1]}))
        stored = self.stored(place, "r1")
        assert stored is not None
        assert stored.console == {0: again}
        target.close()

    def test_a_deleted_run_is_gone_and_may_come_again(self, place: Any) -> None:
        target = self.open(place)
        target.put(batch(0, 3))
        target.put(batch(0, 2, OTHER))
        for _ in range(2):
            target.delete("r1")
        assert (self.stored(place, "r1"), target.cursors()) == (None, {"r2": Cursor(0, 2)})
        assert target.put(Batch(RUN, points("loss", 0, 1), NOTHING, Cursor(4, 1), replaces=True)) == Cursor(4, 1)
        stored = self.stored(place, "r1")
        assert stored is not None
        assert stored.points == rows(points("loss", 0, 1))
        target.close()

    def test_files_are_stored_once(self, place: Any, tmp_path: Path) -> None:
        target = self.open(place)
        content = b"\x89PNG of a test"
        name, other = f"{hashlib.sha256(content).hexdigest()}.png", f"{64 * '0'}.png"
        picture = tmp_path / "picture.png"
        picture.write_bytes(content)
        assert target.missing_files([name, other]) == {name, other}
        for _ in range(2):
            target.put_file(name, picture)
        assert target.missing_files([name, other]) == {other}
        target.close()
