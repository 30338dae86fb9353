"""The board's two sides: what it sends over its comm is played to a front end, which must hold the kernel's picture."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import ipywidgets
import polars as pl
import pytest
import traitlets
from comm.base_comm import BaseComm

from trackbook import TrackbookWarning
from trackbook.boards import front_end as front_end_module
from trackbook.boards import widget
from trackbook.boards.frame_source import FrameSource
from trackbook.boards.widget import Board
from trackbook.store.base import POINTS
from trackbook.store.memory import MemoryStore
from trackbook.types import RunRecord
from wire import FrontEnd, kernel_picture, plain


class Browser(BaseComm):
    """The other end of the comm, which keeps the last value of each trait, and passes frames on to a front end."""

    def __init__(self, **kwargs: Any) -> None:
        self.front_end = FrontEnd()
        self.state: dict[str, Any] = {}
        self.messages: list[dict[str, Any]] = []
        self.seqs: list[int] = []
        super().__init__(**kwargs)

    def publish_msg(
        self, msg_type: str, data: Any = None, metadata: Any = None, buffers: Any = None, **keys: Any
    ) -> None:
        if msg_type not in ("comm_open", "comm_msg") or data.get("method") in ("echo_update", "custom"):
            return
        state = {name: dict(v) if isinstance(v, dict) else v for name, v in data["state"].items()}
        for path, buffer in zip(data["buffer_paths"], buffers or [], strict=True):
            state[path[0]][path[1]] = bytes(buffer)
        self.messages.append({"state": state, "paths": data["buffer_paths"]})
        self.state |= state
        self.front_end.receive(**{name: state[name] for name in ("keyframe", "delta") if name in state})
        if self.front_end.picture is not None:
            self.seqs.append(self.front_end.picture["seq"])

    def set(self, **state: Any) -> None:
        """Set traits as the front end does."""
        self.handle_msg({"content": {"data": {"method": "update", "state": state, "buffer_paths": []}}, "buffers": []})


class Live:
    """A board of one run, with both ends of its comm."""

    def __init__(self) -> None:
        self.store = MemoryStore()
        self.store.put_run(RunRecord("r", "run", started=100.0))
        source = FrameSource("p", self.store)
        source.add_run("r")
        self.board = Board("p", source)
        self.browser: Browser = self.board.comm
        self.logged = 0

    def log(self, count: int = 1) -> None:
        steps = list(range(self.logged, self.logged + count))
        points = {"metric": ["loss"] * count, "step": steps, "value": steps, "time": steps}
        self.store.append("r", pl.DataFrame(points, schema=POINTS, strict=False))
        self.logged += count

    def tick(self) -> None:
        self.board.publisher._due = 0.0
        self.board.tick(1.0)

    def assert_same_picture(self) -> None:
        shown = self.browser.front_end.picture
        assert shown is not None
        got = plain(shown)
        expected = plain(kernel_picture(self.board.source.picture))
        assert [run["done"] for run in got["runs"]] == [self.logged]
        assert got["metrics"] == expected["metrics"]
        for one, other in zip(got["series"], expected["series"], strict=True):
            assert (one["width"], one["columns"]["step" if one["width"] == 1 else "last"]) == (
                other["width"],
                other["columns"]["step" if other["width"] == 1 else "last"],
            )


@pytest.fixture
def live(monkeypatch: pytest.MonkeyPatch) -> Iterator[Live]:
    monkeypatch.setattr(widget, "built_file", lambda _: "export default {}")
    monkeypatch.setattr(front_end_module, "built_file", lambda _: "export default {}")
    monkeypatch.setattr(ipywidgets.widgets.widget.comm, "create_comm", Browser)
    case = Live()
    yield case
    case.board.close()


def test_the_board_opens_with_a_keyframe(live: Live) -> None:
    assert live.browser.front_end.picture is not None
    assert live.browser.front_end.picture["runs"][0]["name"] == "run"


def test_a_board_without_uploads_says_nothing_of_them(live: Live) -> None:
    assert live.board.synced is None
    assert live.browser.state["synced"] is None


def test_a_tick_sends_what_is_new(live: Live) -> None:
    live.log(3)
    live.tick()
    live.assert_same_picture()


def test_a_tick_with_nothing_new_sends_nothing(live: Live) -> None:
    live.log(3)
    live.tick()
    sent = len(live.browser.messages)
    live.tick()
    assert len(live.browser.messages) == sent


def test_each_frame_has_one_buffer_at_a_fixed_path(live: Live) -> None:
    live.log(3)
    live.tick()
    live.board.settle()
    frames = [message["paths"] for message in live.browser.messages if "delta" in message["state"]]
    assert len(frames) == 3
    assert all(
        path in (["keyframe", "data"], ["delta", "data"], ["table", "data"]) for paths in frames for path in paths
    )


def test_a_keyframe_and_the_delta_on_it_come_in_one_message(live: Live) -> None:
    live.log(1100)
    live.tick()
    assert set(live.browser.messages[-1]["state"]) == {"keyframe", "delta"}


def test_the_whole_state_comes_with_a_fresh_picture(live: Live) -> None:
    live.log(3)
    sent = len(live.browser.messages)
    state = live.board.get_state()
    assert len(live.browser.messages) == sent  # a reloading page would take an update for the answer
    late = FrontEnd()
    late.receive(keyframe=state["keyframe"], delta=state["delta"])
    assert late.picture is not None
    assert plain(late.picture)["series"][0]["columns"]["step"] == [0, 1, 2]
    live.log(2)
    live.tick()
    live.assert_same_picture()
    late.receive(delta=live.browser.state["delta"])
    assert plain(late.picture)["series"][0]["columns"]["step"] == [0, 1, 2, 3, 4]


def test_news_in_the_whole_state_reach_other_views_next_tick(live: Live) -> None:
    live.log(3)
    live.board.get_state()
    live.tick()
    live.assert_same_picture()


def test_saved_widget_state_holds_the_whole_picture(live: Live) -> None:
    live.log(5)
    saved = ipywidgets.Widget.get_manager_state(widgets=[live.board])["state"][live.board.model_id]
    assert sorted(buffer["path"] for buffer in saved["buffers"]) == [
        ["delta", "data"],
        ["keyframe", "data"],
        ["table", "data"],
    ]
    assert saved["state"]["delta"]["header"]["series"][0].rows == 5


def test_the_last_value_of_each_trait_is_the_whole_picture(live: Live) -> None:
    for count in (3, 1, 900, 2, 40, 700, 1):
        live.log(count)
        live.tick()
        kept = FrontEnd()
        kept.receive(keyframe=live.browser.state["keyframe"], delta=live.browser.state["delta"])
        assert kept.picture is not None
        assert kept.picture["runs"][0]["done"] == live.logged


def test_under_hold_sync_the_picture_is_whole_when_it_is_released(live: Live) -> None:
    with live.board.hold_sync():
        live.board.smoothing = 3
        live.log(900)
        live.tick()
        live.log(5)
        live.tick()
    live.assert_same_picture()
    assert live.browser.state["smoothing"] == 3


def test_the_pump_does_not_wait_for_a_thread_that_holds_sync(live: Live) -> None:
    held, release = threading.Event(), threading.Event()

    def hold() -> None:
        with live.board.hold_sync():
            held.set()
            assert release.wait(10)

    holder = threading.Thread(target=hold)
    holder.start()
    assert held.wait(10)
    live.log(3)
    live.tick()  # would never return if it waited
    release.set()
    holder.join()
    live.tick()
    live.assert_same_picture()


def test_frames_survive_a_rollback_of_held_notifications(live: Live) -> None:
    held, release = threading.Event(), threading.Event()
    errors: list[BaseException] = []

    def hold() -> None:
        try:
            with live.board.hold_trait_notifications():
                held.set()
                assert release.wait(10)
                live.board.smoothing = 100  # out of range: traitlets takes back all that was set while it held
        except traitlets.TraitError as error:
            errors.append(error)

    holder = threading.Thread(target=hold)
    holder.start()
    assert held.wait(10)
    live.log(900)
    live.tick()
    release.set()
    holder.join()
    live.log(1)
    live.tick()
    live.assert_same_picture()
    assert len(errors) == 1


def test_picture_stays_right_under_three_threads(live: Live) -> None:
    """The pump ticks, the front end sets, the user sets and asks for the whole state, all at once."""
    stop = threading.Event()
    failures: list[BaseException] = []

    def repeat(act: Any) -> None:
        number = 0
        try:
            while not stop.is_set():
                act(number)
                number += 1
        except BaseException as error:  # noqa: BLE001  # told by the test's last lines
            failures.append(error)

    def user(number: int) -> None:
        with live.board.hold_sync():
            live.board.smoothing = number % 21
            live.board.metric_filter = str(number)
        live.board.get_state()

    def front_end(number: int) -> None:
        live.browser.set(x_axis=["step", "time"][number % 2], seen=number, hidden_runs=[str(number)])

    threads = [threading.Thread(target=repeat, args=(act,)) for act in (user, front_end)]
    for thread in threads:
        thread.start()
    for _ in range(150):
        live.log(17)
        live.tick()
    stop.set()
    for thread in threads:
        thread.join()
    live.board.settle()
    assert not failures
    live.assert_same_picture()
    assert live.browser.seqs == sorted(live.browser.seqs)
    for name in ("smoothing", "metric_filter"):
        assert live.browser.state[name] == getattr(live.board, name)


def test_front_end_can_set_controls_but_not_data(live: Live) -> None:
    live.log(2)
    live.tick()
    live.browser.set(smoothing=7, keyframe={}, delta={}, _esm="alert(1)")
    assert live.board.smoothing == 7
    assert live.board._esm == "export default {}"
    live.assert_same_picture()


@pytest.mark.parametrize(
    ("trait", "value"),
    [
        ("smoothing", 100),
        ("smoothing", -1),
        ("smoothing_kind", "median"),
        ("x_axis", ""),
        ("y_scale", "sqrt"),
        ("hidden_runs", 3),
        ("chart_height", 79),
        ("chart_height", 801),
        ("columns", 7),
        ("run_colors", {"r": "red"}),
        ("panel", "settings"),
    ],
)
def test_setting_out_of_range_is_a_trait_error(live: Live, trait: str, value: Any) -> None:
    with pytest.raises(traitlets.TraitError, match=trait):
        setattr(live.board, trait, value)


def test_the_front_end_is_heard_while_a_cell_runs() -> None:
    class Comm:
        """A comm as in ipykernel 7.4, which passes messages to the subshell that last published, and may be busy."""

        def _reply_subshell_for(self, data: Any, default: str | None) -> str:
            return "the busy main shell"

    comm = Comm()
    widget._answer_while_busy(comm)
    assert comm._reply_subshell_for({}, None) is None


def test_repr_names_the_runs(live: Live) -> None:
    assert repr(live.board) == "<trackbook board of 'p': run>"


def test_answer_carries_the_id_of_its_question(live: Live) -> None:
    sent: list[Any] = []
    live.board.send = lambda content, buffers: sent.append((content, buffers))  # type: ignore[method-assign]
    live.board._handle_custom_msg({"ask": "the time", "id": 7}, [])
    live.board._handle_custom_msg({"something": "else"}, [])
    assert sent == [({"error": "a board cannot answer 'the time'", "answers": 7}, [])]


def test_displayed_board_calls_on_show(live: Live) -> None:
    shown: list[Any] = []
    live.board.on_show = shown.append
    live.board._repr_mimebundle_()
    assert shown == [live.board]


def test_text_of_a_board_in_a_notebook_can_never_be_untrue(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    live.log(5)
    (data, *_) = live.board._repr_mimebundle_()
    assert "running" in data["text/plain"]
    monkeypatch.setattr(widget.host.Host, "is_notebook", True)
    (data, *_) = live.board._repr_mimebundle_()
    assert data["text/plain"] == "trackbook board of 'p'"


# --- the runs panel ---------------------------------------------------------------------------------------------------


def other_run(live: Live, run: str = "o", **fields: Any) -> None:
    live.store.put_run(RunRecord(run, fields.pop("name", "other"), started=50.0, state="finished", **fields))
    live.store.append(
        run, pl.DataFrame({"metric": ["loss"], "step": [0], "value": [9.0], "time": [50.0]}, schema=POINTS)
    )


def in_table(live: Live) -> list[str]:
    return [run["name"] for run in live.browser.state["table"]["header"]["runs"]]


def drawn(live: Live) -> list[str]:
    assert live.browser.front_end.picture is not None
    return [run["name"] for run in live.browser.front_end.picture["runs"].values()]


def test_the_table_has_the_whole_project_once_the_panel_is_open(live: Live) -> None:
    other_run(live)
    live.tick()
    assert in_table(live) == ["run"]
    live.browser.set(panel="runs")
    live.tick()
    assert in_table(live) == ["other", "run"]


@pytest.mark.parametrize("trait", [{"panel": "compare"}, {"group_by": "config.lr"}])
def test_comparing_and_grouping_open_the_table_too(live: Live, trait: dict[str, str]) -> None:
    other_run(live)
    live.browser.set(**trait)
    live.tick()
    assert in_table(live) == ["other", "run"]


def test_the_front_end_cannot_set_the_table(live: Live) -> None:
    live.browser.set(table={})
    assert live.board.table["header"]["runs"]


@pytest.mark.parametrize("who", ["python", "front end"])
def test_a_selected_run_is_drawn_until_it_is_no_longer_selected(live: Live, who: str) -> None:
    def select(runs: list[str]) -> None:
        if who == "python":
            live.board.selected_runs = runs
        else:
            live.browser.set(selected_runs=runs)
        live.tick()

    other_run(live)
    select(["o", "no such run"])
    assert drawn(live) == ["run", "other"]
    select(["r"])
    assert drawn(live) == ["run"]
    select([])
    assert drawn(live) == ["run"], "a board's own run stays"


def test_misspelt_trait_is_an_error_naming_the_nearest(live: Live) -> None:
    with pytest.raises(AttributeError, match=r"^a board has no 'smooting'; did you mean 'smoothing'\?$"):
        live.board.smooting = 3
    with pytest.raises(AttributeError, match=r"^a board has no 'zzz'; see dir\(board\)$"):
        live.board.zzz = 3
    live.board._mine = 3


def test_unlogged_x_axis_is_warned_of_naming_the_nearest(live: Live) -> None:
    live.log()
    with pytest.warns(
        TrackbookWarning, match=r"has logged 'los'; charts are .* once one does; did you mean 'loss'\?"
    ) as said:
        live.board.x_axis = "los"
    assert (said[0].filename, live.board.x_axis) == (__file__, "los")
    for known in ("loss", "step", "relative", "time"):
        live.board.x_axis = known


def test_front_end_may_set_an_unlogged_metric_as_x_axis(live: Live) -> None:
    live.browser.set(x_axis="epoch")
    assert live.board.x_axis == "epoch"


def test_completion_offers_what_users_may_use(live: Live) -> None:
    offered = set(dir(live.board))
    assert offered >= {"smoothing", "x_axis", "panel", "chart", "to_altair", "save", "metrics", "project"}
    assert not offered & {"keyframe", "delta", "source", "tick", "get_state", "trait_names", "comm", "_lock"}
    for name in offered:
        getattr(live.board, name)


def test_acknowledging_front_end_sets_the_pace(live: Live) -> None:
    live.log()
    live.tick()
    late = (live.board.publisher._unseen_since or 0.0) + 61
    assert live.board.publisher.interval(late) == 1.0
    live.browser.set(seen=live.board.source.seq)
    assert live.board.publisher.interval(late) == 0.1


def test_traits_of_the_publisher_reach_the_browser(live: Live) -> None:
    for trait, value in (("beat", 3), ("open_runs", ["r"]), ("cells", {"r": [(1, 100.0, None)]})):
        live.board.publisher.publish(trait, value)
        assert live.browser.state[trait] == value
    live.browser.set(open_runs=["other"], beat=9, user_charts=[{}])
    assert (live.board.open_runs, live.board.beat, live.board.user_charts) == (["r"], 3, [])
