from __future__ import annotations

import json
from typing import Any

import numpy as np
import polars as pl
import pytest

from trackbook.boards import frame_source as source_module
from trackbook.boards.frame_source import FrameSource
from trackbook.frames.picture import SERIES_BYTES
from trackbook.store.base import POINTS
from trackbook.store.memory import MemoryStore
from trackbook.types import Cursor, RunRecord, State
from wire import FrontEnd


class Following:
    """A store with a run, a source that follows it, and a front end that receives every frame."""

    def __init__(self, store: Any = None) -> None:
        self.store = store or MemoryStore()
        self.store.put_run(RunRecord("r", "run", started=100.0))
        self.source = FrameSource("p", self.store)
        self.source.add_run("r")
        self.front_end = FrontEnd()

    def log(self, metric: str, values: dict[int, float], run: str = "r") -> None:
        points = {"metric": [metric] * len(values), "step": list(values), "value": list(values.values())}
        self.store.append(run, pl.DataFrame(points | {"time": [100.0 + step for step in values]}, schema=POINTS))

    def send(self) -> dict[str, Any]:
        if self.source.pull():
            keyframe, delta = self.source.frames()
            self.front_end.receive(keyframe=keyframe, delta=delta)
        assert self.front_end.picture is not None
        return self.front_end.picture

    def drawn(self) -> list[float]:
        (_, rows), *_ = self.send()["series"].values()
        return [row["value"] for row in rows.values()]


@pytest.fixture
def following() -> Following:
    case = Following()
    case.source.pull()
    keyframe, delta = case.source.keyframe()
    case.front_end.receive(keyframe=keyframe, delta=delta)
    return case


def test_points_come_as_deltas(following: Following) -> None:
    following.log("loss", {0: 3.0, 1: 2.0})
    assert following.drawn() == [3.0, 2.0]
    following.log("loss", {2: 1.0})
    assert following.drawn() == [3.0, 2.0, 1.0]
    assert following.front_end.keyframe["header"]["seq"] == 1


def test_pull_without_news_returns_false(following: Following) -> None:
    following.log("loss", {0: 3.0})
    following.send()
    assert not following.source.pull()


def test_expensive_deltas_are_replaced_by_a_keyframe(following: Following) -> None:
    following.log("loss", dict.fromkeys(range(1100), 0.0))
    following.send()
    assert following.front_end.keyframe["header"]["seq"] > 1
    assert following.front_end.delta["header"]["series"] == []
    assert len(following.drawn()) == 1100


def test_deltas_that_do_not_grow_need_no_keyframe(following: Following) -> None:
    following.log("loss", dict.fromkeys(range(0, 2**24, 2**8), 0.0))
    following.send()
    keyframe = following.front_end.keyframe
    (series,) = keyframe["header"]["series"]
    sent = 0
    for step in range(1, 2000):
        following.log("loss", {2**24 - series.width + step: 0.0})
        following.source.pull()
        again, delta = following.source.frames()
        assert again is None
        assert delta["header"]["series"][0].rows == 1
        sent += SERIES_BYTES + len(delta["data"])
    assert sent > len(keyframe["data"])


def test_end_of_a_run_is_sent(following: Following) -> None:
    following.store.put_run(RunRecord("r", "run", started=100.0, state="failed", ended=160.0, error="ValueError: no"))
    run = following.send()["runs"][0]
    assert (run["state"], run["ended"], run["error"]) == ("failed", 160.0, "ValueError: no")
    assert not following.source.running


def test_progress_is_the_largest_step_or_the_runs_own_count(following: Following) -> None:
    following.log("loss", {0: 0.0, 41: 0.0})
    assert following.send()["runs"][0]["done"] == 42
    following.store.put_run(RunRecord("r", "run", started=100.0, done=7, total=10))
    run = following.send()["runs"][0]
    assert (run["done"], run["total"]) == (7, 10)


def test_rate_covers_the_last_seconds(following: Following, monkeypatch: pytest.MonkeyPatch) -> None:
    start = source_module.time.monotonic()
    for second in range(30):
        monkeypatch.setattr(source_module.time, "monotonic", lambda second=second: start + second)
        per_second = 100 if second < 15 else 10
        following.store.put_run(RunRecord("r", "run", started=100.0, done=second * per_second))
        following.send()
    assert following.send()["runs"][0]["rate"] == pytest.approx(10, rel=0.01)


def test_every_run_has_its_own_key(following: Following) -> None:
    following.store.put_run(RunRecord("s", "run", started=101.0))
    following.source.add_run("s")
    following.source.add_run("s")
    following.log("loss", {0: 1.0})
    following.log("loss", {0: 2.0}, run="s")
    picture = following.send()
    assert [(run["key"], run["id"]) for run in picture["runs"].values()] == [(0, "r"), (1, "s")]
    assert set(picture["series"]) == {(0, 0), (1, 0)}


def test_notices_of_the_store_come_and_go(following: Following) -> None:
    following.store.notices.append("The disk is full")
    following.send()
    assert following.front_end.delta["header"]["notices"] == ["The disk is full"]
    following.store.notices.clear()
    following.send()
    assert following.front_end.delta["header"]["notices"] == []


def test_long_runs_are_read_in_parts(following: Following, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source_module, "POINTS_AT_ONCE", 100)
    following.store.put_run(RunRecord("s", "other", started=101.0, state="finished", ended=102.0))
    following.source.add_run("s")
    following.log("loss", {step: float(step) for step in range(250)})
    following.log("loss", {0: 2.0, 1: 1.0}, run="s")
    read = []
    for _ in range(4):
        assert following.source.pull(100)
        keyframe, delta = following.source.frames()
        following.front_end.receive(keyframe=keyframe, delta=delta)
        picture = following.front_end.picture
        assert picture is not None
        assert len(picture["runs"]) == 2  # the other run is known before its points are read
        read.append([len(rows) for _, rows in picture["series"].values()])
        if not following.source.is_behind:
            break
    assert read == [[100], [200], [250, 2]]
    assert following.drawn() == [float(step) for step in range(250)]
    assert not following.source.pull(100)


def test_source_that_follows_adds_new_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    store = MemoryStore()
    source = FrameSource("p", store, follow=True)
    assert not source.pull()
    store.put_run(RunRecord("r", "from a script", started=100.0))
    monkeypatch.setattr(source_module, "RECHECK_SECONDS", 0.0)
    assert source.pull()
    assert source.run_names == ["from a script"]


def test_removed_run_comes_back_in_its_colour(following: Following) -> None:
    for run in "st":
        following.store.put_run(RunRecord(run, run, started=101.0))
        following.source.add_run(run)
    following.log("loss", {0: 2.0}, run="s")
    following.send()
    following.source.remove_run("s")
    picture = following.send()
    assert [run["id"] for run in picture["runs"].values()] == ["r", "t"]
    assert picture["series"] == {}
    assert following.source.run_ids == ["r", "t"]
    following.source.add_run("s")
    picture = following.send()
    assert {run["key"]: run["id"] for run in picture["runs"].values()} == {0: "r", 1: "s", 2: "t"}
    assert list(picture["series"]) == [(1, 0)]


@pytest.mark.parametrize("state", ["running", "finished"])
def test_run_that_another_process_deleted_is_removed(
    following: Following, monkeypatch: pytest.MonkeyPatch, state: State
) -> None:
    monkeypatch.setattr(source_module, "RECHECK_SECONDS", 0.0)
    following.store.put_run(RunRecord("r", "run", state=state, started=100.0))
    following.log("loss", {0: 1.0})
    following.send()
    following.source.add_run("not written yet")
    following.store.delete("r")
    assert (following.send()["series"], following.source.run_ids) == ({}, ["not written yet"])
    assert not following.source.pull()


def test_removing_an_unknown_run_changes_nothing(following: Following) -> None:
    following.send()
    following.source.remove_run("nobody")
    assert not following.source.pull()


class Rewinding(MemoryStore):
    """A store whose run was cut back to nothing and written again."""

    generation = 0

    def since(self, run_id: str, cursor: Cursor, most: int | None = None) -> tuple[pl.DataFrame, Cursor]:
        if cursor.generation != self.generation:
            cursor = Cursor(self.generation, 0)
        points, later = super().since(run_id, cursor, most)
        return points, Cursor(self.generation, later.ordinal)


def test_rewound_run_is_sent_as_a_keyframe() -> None:
    store = Rewinding()
    following = Following(store)
    following.source.pull()
    keyframe, delta = following.source.keyframe()
    following.front_end.receive(keyframe=keyframe, delta=delta)
    following.log("loss", {0: 1.0, 1: 2.0, 2: 3.0})
    following.send()
    store.generation = 1
    store._points.clear()
    following.log("loss", {0: 9.0})
    assert following.drawn() == [9.0]
    assert following.front_end.keyframe["header"]["seq"] > 1


def test_saved_keyframe_is_small_and_the_next_one_fine_again() -> None:
    following = Following()
    following.source.pull()
    for metric in range(10):
        following.log(f"m{metric}", {step: float(step % 13) for step in range(9000)})
    following.source.pull()
    live, _ = following.source.keyframe()
    saved, delta = following.source.saved_keyframe()
    assert len(saved["data"]) <= source_module.SAVED_BUDGET < len(live["data"])
    assert delta["data"] == b""
    assert not following.source.pull()
    following.log("m0", {9000: 1.0})
    assert following.source.pull()
    keyframe, _ = following.source.frames()
    assert keyframe is not None
    assert len(keyframe["data"]) >= len(live["data"])


def test_small_picture_is_saved_whole_and_deltas_go_on(following: Following) -> None:
    following.log("loss", {0: 1.0})
    following.source.pull()
    following.source.saved_keyframe()
    following.log("loss", {1: 1.0})
    following.source.pull()
    assert following.source.frames()[0] is None


def scripted(rate: int, seconds: int) -> list[int]:
    """Return the bytes of each refresh of a run with 30 series, at ten refreshes a second."""
    following = Following()
    following.source.pull()
    following.source.keyframe()
    sent, random = [], np.random.default_rng(0)
    names = pl.Series([f"m{number}" for number in range(30)], dtype=pl.String)
    for refresh in range(10 * seconds):
        steps = np.repeat(np.arange(refresh * rate // 10, (refresh + 1) * rate // 10), 30)
        metric = names.gather(np.tile(np.arange(30), len(steps) // 30))
        points = {
            "metric": metric,
            "step": steps,
            "value": random.normal(size=len(steps)),
            "time": 100.0 + steps / rate,
        }
        following.store.append("r", pl.DataFrame(points, schema_overrides=POINTS))
        following.source.pull()
        frames = [frame for frame in following.source.frames() if frame is not None]
        sent.append(sum(len(frame["data"]) + len(json.dumps(frame["header"])) for frame in frames))
    return sent


@pytest.mark.parametrize(("rate", "seconds"), [(100, 40), (1000, 30)])
def test_growing_run_sends_at_most_60_kb_a_refresh(rate: int, seconds: int) -> None:
    sent = scripted(rate, seconds)
    assert sum(sent) / len(sent) <= 60_000
    assert max(sent) <= 1_100_000


def test_system_metrics_are_drawn_and_count_no_steps(following: Following) -> None:
    following.log("@system/cpu %", dict.fromkeys(range(50), 9.0))
    assert following.send()["runs"][0]["done"] == 0
    following.log("loss", {0: 3.0, 1: 2.0})
    following.log("@system/cpu %", {50: 8.0})
    picture = following.send()
    assert picture["runs"][0]["done"] == 2
    assert len(picture["series"]) == 2
