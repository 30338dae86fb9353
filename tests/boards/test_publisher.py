"""The publisher without a widget: it gets a `publish` that records, and a front end in plain Python hears the result."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import polars as pl
import pytest

from trackbook.boards import frame_source
from trackbook.boards import publisher as publisher_module
from trackbook.boards.frame_source import FrameSource
from trackbook.boards.publisher import Publisher
from trackbook.boards.questions import DONE, AnswerTable, Question
from trackbook.pump import INTERVAL
from trackbook.store.base import POINTS
from trackbook.store.memory import MemoryStore
from trackbook.switch_interval import QUICKEST
from trackbook.types import RunRecord
from wire import FrontEnd, assert_same, kernel_picture, plain


class FakeActions:
    """Actions that record their calls."""

    def __init__(self, **actions: Callable[[Question], Any]) -> None:
        self.open_runs: list[str] = []
        self.idle_since: float | None = None
        self.is_uploading = False
        self.uploads: tuple[dict[str, Any] | None, list[str]] = (None, [])
        self._actions = actions

    def synced(self) -> tuple[dict[str, Any] | None, list[str]]:
        return self.uploads

    def answers(self) -> AnswerTable:
        return self._actions  # type: ignore[return-value]


class Published:
    """A publisher of one run, its published traits, and a front end that received them."""

    def __init__(self, actions: FakeActions | None = None) -> None:
        self.store = MemoryStore()
        self.store.put_run(RunRecord("r", "run", started=100.0))
        self.source = FrameSource("p", self.store)
        self.source.add_run("r")
        self.front_end = FrontEnd()
        self.actions = actions or FakeActions()
        self.messages: list[list[str]] = []  # the traits of each message
        self.in_message = False
        self.publisher = Publisher(self.source, self.publish, message=self.message, actions=self.actions)
        self.state = self.publisher.opening()
        self.front_end.receive(keyframe=self.state["keyframe"], delta=self.state["delta"])
        self.now = 0.0
        self.logged = 0

    def publish(self, trait: str, value: Any, /) -> None:
        if self.in_message:
            self.messages[-1].append(trait)
        else:
            self.messages.append([trait])
        self.state[trait] = value
        if trait in ("keyframe", "delta"):
            self.front_end.receive(**{trait: value})

    @contextmanager
    def message(self) -> Iterator[None]:
        if self.in_message:
            yield
            return
        self.in_message = True
        self.messages.append([])
        yield
        self.in_message = False

    def log(self, count: int = 1) -> None:
        steps = list(range(self.logged, self.logged + count))
        points = {"metric": ["loss"] * count, "step": steps, "value": steps, "time": steps}
        self.store.append("r", pl.DataFrame(points, schema=POINTS, strict=False))
        self.logged += count

    def tick(self) -> None:
        """Tick at a time when everything is due, including the table of runs."""
        self.now += 10.0
        self.publisher.tick(self.now)

    def end(self) -> None:
        self.store.put_run(RunRecord("r", "run", started=100.0, state="finished"))

    def drawn(self) -> list[str]:
        assert self.front_end.picture is not None
        return [run["name"] for run in self.front_end.picture["runs"].values()]

    def in_table(self) -> list[str]:
        return [run["name"] for run in self.state["table"]["header"]["runs"]]


@pytest.fixture
def published() -> Published:
    return Published()


def other_run(published: Published) -> None:
    published.store.put_run(RunRecord("o", "other", started=50.0, state="finished"))
    points = {"metric": ["loss"], "step": [0], "value": [9.0], "time": [50.0]}
    published.store.append("o", pl.DataFrame(points, schema=POINTS))


def test_charts_of_a_long_run_are_drawn_before_all_of_it_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    for module, name in (
        (frame_source, "POINTS_AT_ONCE"),
        (publisher_module, "FIRST_POINTS"),
        (publisher_module, "MOST_POINTS"),
    ):
        monkeypatch.setattr(module, name, 100)
    case = Published()
    case.log(350)
    case.store.put_run(RunRecord("r", "run", started=100.0, state="finished", ended=200.0))
    again = Publisher(FrameSource("p", case.store), case.publish)
    again.source.add_run("r")
    opening = again.opening()
    case.front_end = FrontEnd()
    case.front_end.receive(keyframe=opening["keyframe"], delta=opening["delta"])
    drawn, waits = [rows_of(case)], []
    while again.awake:
        waits.append(again.tick(case.now))
        drawn.append(rows_of(case))
    assert drawn == [100, 200, 300, 350]
    assert waits == [INTERVAL, INTERVAL, publisher_module.SILENT_SECONDS]


def rows_of(case: Published) -> int:
    assert case.front_end.picture is not None
    ((_, rows),) = case.front_end.picture["series"].values()
    return len(rows)


def test_publisher_needs_neither_anywidget_nor_traitlets() -> None:
    program = """
import sys
from trackbook.boards.publisher import Publisher
from trackbook.boards.frame_source import FrameSource
from trackbook.store.memory import MemoryStore
publisher = Publisher(FrameSource("p", MemoryStore()), print)
publisher.opening(), publisher.tick(1.0), publisher.settle()
print(*{"anywidget", "ipywidgets", "traitlets", "IPython"} & set(sys.modules))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == ""


def test_a_cell_that_computes_delays_no_answer(published: Published) -> None:
    before = sys.getswitchinterval()
    published.publisher.add_answers({"interval": lambda _: ({"seconds": sys.getswitchinterval()}, [])})
    answer, _ = published.publisher.answer({"ask": "interval"})
    assert answer["seconds"] == pytest.approx(QUICKEST)
    assert sys.getswitchinterval() == before


def test_front_end_holds_the_kernels_picture_after_every_tick(published: Published) -> None:
    for count in (3, 1, 900, 2, 40, 700, 1):
        published.log(count)
        published.tick()
        shown = published.front_end.picture
        assert shown is not None
        assert shown["runs"][0]["done"] == published.logged
    published.publisher.settle()
    got, expected = plain(published.front_end.picture or {}), plain(kernel_picture(published.source.picture))
    assert got["metrics"] == expected["metrics"] == ["loss"]
    assert_same(got["series"], expected["series"])


def test_tick_without_news_publishes_nothing(published: Published) -> None:
    published.log(3)
    published.tick()
    sent = len(published.messages)
    published.publisher.tick(published.now + 1.0)
    assert len(published.messages) == sent


def test_keyframe_and_its_delta_are_one_message(published: Published) -> None:
    published.log(1100)
    published.tick()
    assert ["keyframe", "delta"] in published.messages


def test_pace_follows_acknowledgements(published: Published) -> None:
    publisher = published.publisher
    published.log()
    published.tick()
    sent = publisher._unseen_since or 0.0
    assert [publisher.interval(sent + later) for later in (0.0, 0.5, 0.7, 61)] == [0.1, 0.1, 0.2, 1.0]
    publisher.acknowledge()
    assert publisher.interval(sent + 61) == 0.1


def system_point() -> pl.DataFrame:
    points = {"metric": ["@system/cpu %"], "step": [0], "value": [9.0], "time": [160.0]}
    return pl.DataFrame(points, schema=POINTS)


def test_publisher_that_has_no_news_lets_the_pump_sleep(published: Published) -> None:
    tick = published.publisher.tick
    published.log()
    assert tick(1.0) == pytest.approx(0.1)
    assert tick(1.1) == pytest.approx(0.1)
    assert tick(5.0) == pytest.approx(0.2)  # the run is open and logs nothing
    assert tick(60.0) == pytest.approx(0.5)
    published.store.append("r", system_point())
    assert tick(60.25) == pytest.approx(0.25), "not due"
    assert tick(60.5) == pytest.approx(0.5), "its system metrics go on"
    assert published.front_end.picture is not None
    assert published.front_end.picture["metrics"] == ["loss", "@system/cpu %"]
    published.log()
    assert tick(61.0) == pytest.approx(0.1)
    published.end()
    assert tick(62.0) == pytest.approx(1.0)


def test_busy_lock_makes_no_tick_wait(published: Published) -> None:
    published.log(3)
    sent = len(published.messages)
    with published.publisher.lock:
        ticking = threading.Thread(target=published.tick)
        ticking.start()
        ticking.join(10)
        assert not ticking.is_alive()
    assert len(published.messages) == sent
    published.tick()
    assert published.front_end.picture is not None
    assert published.front_end.picture["runs"][0]["done"] == 3


def test_open_run_that_logs_nothing_beats(published: Published) -> None:
    for second in range(1, 35):
        published.publisher.tick(float(second))
    assert published.state["beat"] == 3


def test_late_view_gets_a_fresh_delta_and_others_the_next_tick(published: Published) -> None:
    published.log(3)
    late = FrontEnd()
    late.receive(keyframe=published.state["keyframe"], delta=published.publisher.delta())
    assert late.picture is not None
    assert plain(late.picture)["series"][0]["columns"]["step"] == [0, 1, 2]
    published.tick()
    assert plain(published.front_end.picture or {})["series"][0]["columns"]["step"] == [0, 1, 2]


# --- the runs panel


def test_shown_table_has_the_whole_project(published: Published) -> None:
    other_run(published)
    published.tick()
    assert published.in_table() == ["run"]
    published.publisher.show_all_runs(True)
    published.tick()
    assert published.in_table() == ["other", "run"]


def test_notebook_keeps_the_boards_own_runs_after_the_panel_is_closed(published: Published) -> None:
    other_run(published)
    published.publisher.show_all_runs(True)
    published.tick()
    published.publisher.show_all_runs(False)
    published.publisher.settle()
    assert published.in_table() == ["run"]


def test_selected_run_is_drawn_until_it_is_no_longer_selected(published: Published) -> None:
    other_run(published)
    published.publisher.select(["o", "no such run"])
    published.tick()
    assert published.drawn() == ["run", "other"]
    published.publisher.select(["r"])
    published.tick()
    assert published.drawn() == ["run"]
    published.publisher.select([])
    published.tick()
    assert published.drawn() == ["run"], "a board's own run stays"


def test_sleeping_publisher_asks_to_be_ticked_again_when_it_is_used() -> None:
    published = Published(FakeActions(rename=lambda _: DONE))
    publisher = published.publisher
    woken: list[str] = []
    publisher.on_wake = lambda: woken.append("")
    other_run(published)
    published.end()
    published.tick()
    assert not publisher.awake
    publisher.show_all_runs(True)
    assert (len(woken), publisher.awake) == (1, True)
    publisher.show_all_runs(False)
    assert (len(woken), publisher.awake) == (1, False)
    publisher.select(["o"])
    assert len(woken) == 2
    publisher.answer({"ask": "rename", "run": "r"})
    assert len(woken) == 3


# --- questions


@pytest.mark.parametrize("name", ["the time", None, ["keyframe"], {}])
def test_unknown_question_is_refused_by_name(published: Published, name: Any) -> None:
    assert published.publisher.answer({"ask": name}) == ({"error": f"a board cannot answer {name!r}"}, [])


def test_question_keyframe_publishes_a_keyframe(published: Published) -> None:
    published.log(2)
    published.tick()
    before = published.state["keyframe"]["header"]["seq"]
    assert published.publisher.answer({"ask": "keyframe"}) == DONE
    assert published.state["keyframe"]["header"]["seq"] > before
    assert published.front_end.keyframe is published.state["keyframe"]


def test_question_detail_comes_with_its_buffer(published: Published) -> None:
    published.log(5)
    published.tick()
    answer, buffers = published.publisher.answer({"ask": "detail", "series": [[0, 0]]})
    assert [one.rows for one in answer["series"]] == [5]
    assert len(buffers) == 1
    answer, buffers = published.publisher.answer({"ask": "detail", "series": "all"})
    assert ("detail is of" in answer["error"], buffers) == (True, [])


def test_questions_about_runs_need_no_drawn_run(published: Published) -> None:
    other_run(published)
    published.store.put_captured("o", "console", [(0, "stdout", "hello", 50.0, None)])
    answer, _ = published.publisher.answer({"ask": "console", "run": "o"})
    assert answer["lines"] == [[0, "stdout", "hello", 50.0, None]]


@pytest.mark.parametrize("error", [OSError, RuntimeError, TypeError, ValueError])
def test_failing_action_is_answered_with_its_error(error: type[Exception]) -> None:
    def fail(_: Question) -> Any:
        raise error("not now")

    publisher = Published(FakeActions(rename=fail)).publisher
    assert publisher.answer({"ask": "rename", "run": "r"}) == ({"error": "not now"}, [])


def test_board_without_actions_refuses_them(published: Published) -> None:
    publisher = Publisher(published.source, published.publish)
    answer, _ = publisher.answer({"ask": "delete", "run": "r"})
    assert answer == {"error": "the runs of this board cannot be changed"}


def test_renamed_run_shows_at_once_even_when_it_has_ended() -> None:
    def rename(question: Question) -> Any:
        published.store.put_run(RunRecord(question["run"], question["name"], started=100.0, state="finished"))
        return DONE

    published = Published(FakeActions(rename=rename))
    published.end()
    published.tick()
    published.publisher.answer({"ask": "rename", "run": "r", "name": "best"})
    published.publisher.tick(published.now)
    assert (published.in_table(), published.drawn()) == (["best"], ["best"])


def test_deleted_run_leaves_table_and_picture() -> None:
    def delete(question: Question) -> Any:
        published.store.delete(question["run"])
        return DONE

    published = Published(FakeActions(delete=delete))
    other_run(published)
    published.publisher.show_all_runs(True)
    published.publisher.select(["o"])
    published.tick()
    assert published.drawn() == ["run", "other"]
    published.publisher.answer({"ask": "delete", "run": "o"})
    published.publisher.tick(published.now)
    assert (published.in_table(), published.drawn()) == (["run"], ["run"])


def test_run_that_could_not_be_deleted_stays() -> None:
    published = Published(FakeActions(delete=lambda _: ({"error": "it is still running"}, [])))
    published.publisher.answer({"ask": "delete", "run": "r"})
    published.tick()
    assert published.drawn() == ["run"]


# --- cells and open runs


def executed(number: int, ended: float | None) -> tuple[Any, ...]:
    state = "running" if ended is None else "ok"
    return (number, None, number + 1, "", 100.0 + number, ended, state, None, None, "[]", 1, None)


def test_cell_executions_are_published_when_they_begin_and_end(published: Published) -> None:
    published.publisher.tick(1.0)
    published.store.put_captured("r", "cells", [executed(0, None)])
    published.publisher.tick(2.0)
    assert not published.state.get("cells")  # nobody said that a cell has begun
    published.publisher.note_cells()
    published.publisher.tick(4.0)
    assert published.state["cells"] == {"r": [(1, 100.0, None)]}
    published.store.put_captured("r", "cells", [executed(0, 100.5)])
    published.publisher.settle()
    assert published.state["cells"] == {"r": [(1, 100.0, 100.5)]}


def test_cell_executions_of_a_run_that_joins_are_published(published: Published) -> None:
    published.tick()
    published.store.put_run(RunRecord("s", "second", started=100.0))
    published.store.put_captured("s", "cells", [executed(3, 101.0)])
    published.publisher.add_run("s")
    published.publisher.tick(published.now)
    assert published.state["cells"] == {"s": [(4, 103.0, 101.0)]}


def test_alerts_are_published_when_one_comes(published: Published) -> None:
    published.publisher.tick(1.0)
    assert published.state["alerts"] == []
    rows = [(0, 100.0, "warn", "first", "", None, 1, None), (1, 101.0, "error", "x" * 200, "more", 7, 3, "sent")]
    published.store.put_captured("r", "alerts", rows)
    published.publisher.note_cells()
    published.publisher.tick(3.0)
    first, second = published.state["alerts"]
    assert first == ("r", 0, 100.0, "warn", "first", "", 1)
    assert (second[1], second[3], second[5:], len(second[4])) == (1, "error", ("more", 3), 100)


def test_board_has_the_newest_alerts_of_all_its_runs(published: Published) -> None:
    published.store.put_run(RunRecord("s", "second", started=100.0))
    published.publisher.add_run("s")
    for run, first in (("r", 0.0), ("s", 0.5)):
        published.store.put_captured(
            run, "alerts", [(n, n + first, "warn", f"{run}{n}", "", None, 1, None) for n in range(30)]
        )
    published.tick()
    found = published.state["alerts"]
    assert len(found) == 50
    assert [alert[4] for alert in found[-3:]] == ["s28", "r29", "s29"]


def test_front_end_knows_which_runs_can_be_stopped(published: Published) -> None:
    assert published.state["open_runs"] == []
    published.actions.open_runs = ["r"]
    published.log()
    published.tick()
    assert published.state["open_runs"] == ["r"]


def test_how_far_uploads_are_is_published_and_their_problems_are_notices(published: Published) -> None:
    published.tick()
    published.actions.uploads = ({"at": 97, "left": 3}, [])
    published.tick()
    assert published.state["synced"] == {"at": 97, "left": 3}
    published.messages.clear()
    published.tick()
    assert ["synced"] not in published.messages, "nothing has changed"
    published.actions.uploads = ({"at": 99, "left": 0}, [])
    published.publisher.settle()
    assert published.state["synced"] == {"at": 99, "left": 0}
    published.actions.uploads = (None, ["Not uploaded: no token."])
    published.tick()
    assert published.state["synced"] is None
    assert published.state["delta"]["header"]["notices"] == ["Not uploaded: no token."]


def test_kernel_is_idle_when_no_cell_runs_and_no_thread_logs(published: Published) -> None:
    published.log()
    published.tick()
    published.actions.idle_since = 500.0
    published.publisher.tick(published.now + 1.0)
    assert published.state.get("idle_since") is None  # its last points may be a thread's
    published.tick()
    assert published.state["idle_since"] > 500.0  # since then nothing was logged
    published.actions.idle_since = None
    published.tick()
    assert published.state["idle_since"] is None


def test_publisher_of_a_failed_run_that_is_open_stays_awake(published: Published) -> None:
    published.store.put_run(RunRecord("r", "run", started=100.0, state="failed", ended=200.0))
    published.tick()
    assert not published.publisher.awake
    published.actions.open_runs = ["r"]
    assert published.publisher.awake


def test_alerts_and_media_from_before_are_there_at_once() -> None:
    store = MemoryStore()
    store.put_run(RunRecord("r", "run", started=100.0, state="finished"))
    store.put_captured("r", "alerts", [(0, 100.0, "warn", "old", "", None, 1, None)])
    source = FrameSource("p", store)
    source.add_run("r")
    published: list[str] = []
    publisher = Publisher(source, lambda trait, _: published.append(trait))
    assert [alert[4] for alert in publisher.opening()["alerts"]] == ["old"]
    publisher.tick(1.0)
    assert not {"alerts", "media"}.intersection(published)


def test_publisher_of_an_ended_run_stays_awake_until_it_is_uploaded(published: Published) -> None:
    published.end()
    published.actions.is_uploading = True
    published.tick()
    assert published.publisher.awake
    published.actions.is_uploading = False
    assert not published.publisher.awake
