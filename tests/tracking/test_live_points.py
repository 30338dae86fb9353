"""Points of runs that another process writes, before they are in the file. A second `Project` stands for the other process."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from journals import Row, points, put
from trackbook.journal.journal import FileJournal
from trackbook.journal.reader import ReadJournals
from trackbook.store.base import POINTS
from trackbook.tracking import live_points
from trackbook.tracking.live_points import LivePoints
from trackbook.tracking.project import Project
from trackbook.tracking.run import Run, writer_of
from trackbook.tracking.run_options import RunOptions
from trackbook.types import Cursor, RunRecord


class Case:
    """A run that one project writes, and what a board of another project has of it."""

    def __init__(self, folder: Path) -> None:
        self.writer = Project("p", folder)
        self.run: Run = self.writer.open_run(RunOptions(RunRecord("r1", "a", 0.0)))
        self.reader = Project("p", folder)
        live = self.reader.live_points()
        assert isinstance(live, LivePoints)
        self.live = live
        self.cursor = Cursor()
        self.shown: list[Row] = []
        self.resets = -1  # the first read is none

    def look(self) -> list[Row]:
        """Read what is new, as a board does, and return all that the board has."""
        new, cursor = self.live.since("r1", self.cursor)
        if cursor.generation != self.cursor.generation:
            self.shown.clear()
            self.resets += 1
        self.cursor = cursor
        self.shown += points(new)
        return self.shown

    def write(self) -> None:
        """Let the writer bring its journal into the file."""
        writer = writer_of(self.run)
        writer.hand_over()
        self.writer.flush([writer])

    def stored(self) -> list[Row]:
        with self.writer.store.reopened() as store:
            return points(store.read("r1"))

    def close(self) -> None:
        for project in (self.writer, self.reader):
            project.store.close()


twice = pytest.mark.filterwarnings("ignore:.*logged twice at one step")


@pytest.fixture
def case(tmp_path: Path) -> Iterator[Case]:
    case = Case(tmp_path)
    case.look()
    yield case
    case.close()


def test_points_are_there_before_they_are_in_the_file_and_only_once(case: Case) -> None:
    case.run.log({"loss": 0.5})
    assert case.stored() == []
    assert case.look() == [("loss", 0, 0.5)]
    case.write()
    case.run.log({"loss": 0.25, "acc": 1.0})
    assert case.look() == [("loss", 0, 0.5), ("loss", 1, 0.25), ("acc", 0, 1.0)]
    case.run.finish()
    assert case.look() == [("loss", 0, 0.5), ("loss", 1, 0.25), ("acc", 0, 1.0)]
    assert not case.reader.journals.exists() or not list(case.reader.journals.glob("*.seg"))


def test_values_that_are_no_numbers_are_the_same_in_journal_and_file(case: Case) -> None:
    for value in (math.nan, math.inf, -math.inf, -0.0, 1e-320):
        case.run.log({"loss": value})
    assert len(case.look()) == 5
    case.run.finish()
    assert len(case.look()) == 5
    assert case.resets == -1


def test_cursor_grows_with_each_point_once(case: Case) -> None:
    ordinals = []
    for value in (0.5, 0.25):
        case.run.log({"loss": value})
        case.look()
        ordinals.append(case.cursor.ordinal)
        case.write()
        case.look()
        ordinals.append(case.cursor.ordinal)
    assert ordinals == [1, 1, 2, 2]


@twice
def test_second_value_of_a_step_is_never_shown(case: Case) -> None:
    case.run.log({"loss": 0.5}, step=3)
    case.look()
    case.write()
    put(writer_of(case.run).recorder.journal, (0, 3, 9.0))  # as another thread does that logs at the same time
    case.run.log({"loss": 0.4}, step=4)
    assert case.look() == [("loss", 3, 0.5)]  # all of it waits for the writer's choice
    case.write()
    assert case.look() == [("loss", 3, 0.5), ("loss", 4, 0.4)]
    case.run.finish()
    assert case.resets == -1


def test_points_that_come_from_elsewhere_are_shown_with_the_file(case: Case) -> None:
    case.run.log({"loss": 0.5})
    case.look()
    frame = pl.DataFrame({"metric": ["system/cpu"], "step": [0], "value": [7.0], "time": [1.0]}, schema=POINTS)
    case.writer.store.append("r1", frame)
    case.write()
    case.run.log({"loss": 0.25})
    assert sorted(case.look()) == [("loss", 0, 0.5), ("loss", 1, 0.25), ("system/cpu", 0, 7.0)]


def test_run_that_is_cut_back_begins_anew(case: Case) -> None:
    for value in (0.5, 0.25):
        case.run.log({"loss": value})
    case.look()
    case.write()
    case.writer.store.cut("r1", 0)
    assert case.look() == [("loss", 0, 0.5)]
    assert case.resets == 0


@twice
def test_early_point_that_the_writer_does_not_keep_goes_and_the_run_is_shown_from_the_file_alone(case: Case) -> None:
    case.run.log({"loss": 0.5})
    assert case.look() == [("loss", 0, 0.5)]
    frame = pl.DataFrame({"metric": ["loss"], "step": [0], "value": [7.0], "time": [1.0]}, schema=POINTS)
    case.writer.store.append("r1", frame)  # as a forked child does that was faster
    case.write()
    assert case.look() == [("loss", 0, 7.0)]
    case.run.log({"loss": 0.25})
    assert case.look() == [("loss", 0, 7.0)]
    case.write()
    assert case.look() == [("loss", 0, 7.0), ("loss", 1, 0.25)]
    case.run.finish()
    assert case.look() == [("loss", 0, 7.0), ("loss", 1, 0.25)]
    assert case.resets == 0


def test_journal_of_a_forked_child_lets_the_points_wait_for_the_file(case: Case) -> None:
    child = FileJournal(case.writer.journals, {"id": "r1", "name": "a", "started": 0.0, "child": True})
    child.open()
    case.run.log({"loss": 0.5})
    assert case.look() == []
    child.close()
    assert case.look() == [("loss", 0, 0.5)]


def test_run_that_is_resumed_here_has_all_points_once(case: Case) -> None:
    case.run.log({"loss": 0.5})
    case.look()
    case.run.finish()
    again = case.reader.open_run(RunOptions(RunRecord("r1", "a", 9.0), resume="must", by_id=True))
    again.log({"loss": 0.25})
    case.reader.refresh()
    assert case.look() == [("loss", 0, 0.5), ("loss", 1, 0.25)]
    again.finish()


def test_points_of_the_file_come_while_the_journal_cannot_be_read(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    case.run.log({"loss": 0.5})
    case.look()

    def refuse(*_: object) -> None:
        raise PermissionError("not yours")

    with monkeypatch.context() as refused:
        refused.setattr(ReadJournals, "of_run", refuse)
        case.run.log({"loss": 0.25})
        assert case.look() == [("loss", 0, 0.5)]
        case.write()
        assert case.look() == [("loss", 0, 0.5), ("loss", 1, 0.25)]
    case.run.log({"loss": 0.125})
    assert case.look() == [("loss", 0, 0.5), ("loss", 1, 0.25), ("loss", 2, 0.125)]


def test_early_points_are_bounded_while_the_writer_cannot_write(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_points, "MOST_EARLY", 2)
    for step in range(4):
        case.run.log({"loss": step / 4})
        case.look()
    assert case.shown == [("loss", 0, 0.0), ("loss", 1, 0.25)]
    case.run.finish()
    assert case.look() == [("loss", step, step / 4) for step in range(4)]


def test_window_has_points_that_are_not_in_the_file(case: Case) -> None:
    for step in range(4):
        case.run.log({"loss": step / 4, "acc": 1.0})
        if step == 1:
            case.write()
    case.look()
    found = case.live.window("r1", ["loss"], 1, 2)
    assert found is not None
    assert points(found) == [("loss", 1, 0.25), ("loss", 2, 0.5)]
    case.write()  # the board does not know yet
    found = case.live.window("r1", ["loss"], 1, 2)
    assert found is not None
    assert points(found) == [("loss", 1, 0.25), ("loss", 2, 0.5)]


def test_metric_whose_name_is_not_read_yet_waits(case: Case) -> None:
    journals = ReadJournals(case.writer.journals)
    case.run.log({"loss": 0.5})
    (before,) = journals.of_run("r1")
    case.run.log({"acc": 1.0})
    assert [points(batch.points) for batch in before.batches({})] == [[("loss", 0, 0.5)]]
    (after,) = journals.of_run("r1")
    assert [points(batch.points) for batch in after.batches({})] == [[("loss", 0, 0.5), ("acc", 0, 1.0)]]


ACTS = st.one_of(
    st.tuples(st.just("log"), st.sampled_from(["a", "b"]), st.integers(0, 9)),
    st.sampled_from([("look",), ("look",), ("hand over",), ("write",), ("system",)]),
)


@settings(max_examples=60, deadline=None)
@given(acts=st.lists(ACTS, max_size=40))
@pytest.mark.filterwarnings("ignore::trackbook.TrackbookWarning")
def test_board_has_each_stored_point_once_in_the_end(
    tmp_path_factory: pytest.TempPathFactory, acts: list[tuple]
) -> None:
    case = Case(tmp_path_factory.mktemp("live"))
    journal = writer_of(case.run).recorder.journal
    numbers = {name: journal.metric(name) for name in "ab"}
    try:
        for number, act in enumerate(acts):
            if act[0] == "log":
                put(journal, (numbers[act[1]], act[2], float(number)))
            elif act[0] == "look":
                seen = [(metric, step) for metric, step, _ in case.look()]
                assert len(seen) == len(set(seen))
            elif act[0] == "hand over":
                writer_of(case.run).hand_over()
            elif act[0] == "write":
                case.write()
            else:
                row = {"metric": ["system/cpu"], "step": [number], "value": [1.0], "time": [1.0]}
                case.writer.store.append("r1", pl.DataFrame(row, schema=POINTS))
        case.run.finish()
        assert sorted(case.look()) == sorted(case.stored())
        assert case.resets == -1
    finally:
        case.close()
