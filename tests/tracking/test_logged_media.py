"""Media of a run: steps, lists, files that are there once `log` returned, and their removal."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import trackbook as tb
from journals import a_run, put
from media_trials import trial
from processes import own_process
from trackbook import user_warnings
from trackbook.api.process import Process
from trackbook.journal.journal import FileJournal
from trackbook.journal.records import NEXT_STEP
from trackbook.media import index
from trackbook.media.files import MediaFiles
from trackbook.media.values import Encoded
from trackbook.store.memory import MemoryStore
from trackbook.store.paths import ProjectPaths
from trackbook.store.sqlite import SqliteStore
from trackbook.tracking.run import writer_of
from trackbook.types import RunRecord
from tracker_scripts import hearing


@pytest.fixture(autouse=True)
def process(monkeypatch: pytest.MonkeyPatch) -> Iterator[Process]:
    monkeypatch.setattr(user_warnings, "_said", set())
    with own_process(monkeypatch) as made:
        yield made


def image(shade: int = 0) -> tb.Image:
    return tb.Image(np.full((2, 2), shade, np.uint8))


def files(folder: Path, project: str = "p") -> list[str]:
    return sorted(path.name for path in (folder / f"{project}.files").glob("??/*"))


def logged(run: tb.Run, metric: str | None = None) -> list[tuple[str, int, int]]:
    return [(each.metric, each.step, each.item) for each in run.media(metric)]


def test_media_are_read_back_as_they_were_logged() -> None:
    run = tb.init("p")
    assert run.log({"loss": 0.5, "val": {"image": tb.Image([[7]], caption="x")}, "text": tb.Text("a")}) == {"loss": 0.5}
    run.log({"table": tb.Table(columns=["a"], data=[[1]]), "counts": tb.Histogram([1, 2], num_bins=1)})
    run.finish()
    first, text, table, counts = tb.get_run(run.id, "p").media()
    assert (first.metric, first.step, first.kind, first.caption, first.mime) == (
        "val/image",
        0,
        "image",
        "x",
        "image/png",
    )
    assert first.about == {"width": 1, "height": 1}
    assert np.asarray(first.read()).tolist() == [[7]]
    assert first.path is not None
    assert first.size == first.path.stat().st_size
    assert text.read() == "a"
    assert table.read().to_dicts() == [{"a": 1}]
    assert [each.tolist() for each in counts.read()] == [[2], [1.0, 2.0]]
    assert counts.path is None
    assert run.history()["metric"].to_list() == ["loss"]


def test_saved_copy_has_the_same_bytes(tmp_path: Path) -> None:
    run = tb.init("p")
    run.log({"a": image()})
    (found,) = run.media("a")
    found.save(tmp_path / "x.png")
    assert found.path is not None
    assert (tmp_path / "x.png").read_bytes() == found.path.read_bytes()


def test_unknown_name_is_an_error_that_names_the_nearest() -> None:
    run = tb.init("p")
    run.log({"samples": image()})
    with pytest.raises(ValueError, match=r"has no media 'sample'; did you mean 'samples'"):
        run.media("sample")


def test_each_name_counts_its_own_steps() -> None:
    run = tb.init("p")
    run.log({"a": image(), "loss": 1})
    run.log({"loss": 1})
    run.log({"a": [image(), image(1)]})
    run.log({"a": image()}, step=7)
    run.log({"a": image()})
    assert logged(run) == [("a", 0, 0), ("a", 1, 0), ("a", 1, 1), ("a", 7, 0), ("a", 8, 0)]


def test_run_counts_calls_with_media() -> None:
    run = tb.init("p", step_by="run")
    run.log({"loss": 1})
    run.log({"a": image()}, commit=False)
    run.log({"loss": 1})
    run.log({"a": image()})
    run.log({"a": image(), "loss": 1})
    assert [step for _, step, _ in logged(run)] == [1, 2, 3]
    assert run.history("loss")["step"].to_list() == [0, 1, 3]


def test_second_value_at_a_step_is_discarded_with_a_warning() -> None:
    run = tb.init("p")
    run.log({"a": image(1)}, step=3)
    run.log({"a": image(2)}, step=1)
    with hearing() as heard:
        run.log({"a": image(3)}, step=3)
        run.log({"a": image(3)}, step=1)
    assert len(heard) == 1
    assert "'a' of run" in heard[0]
    assert [(each.step, np.asarray(each.read())[0, 0]) for each in run.media("a")] == [(3, 1), (1, 2)]


@pytest.mark.parametrize(
    "data", [{"loss": 1, "a": image(), "b": object()}, {"loss": 1, "a": [image(), 3]}, {"a": image(), "x": {"": 1}}]
)
def test_bad_call_records_nothing(data: Any, store_dir: Path) -> None:
    run = tb.init("p")
    with pytest.raises((TypeError, ValueError)):
        run.log(data)
    assert run.media() == []
    assert run.history().is_empty()
    assert files(store_dir) == []


def test_one_name_for_a_number_and_a_medium_is_refused() -> None:
    with pytest.raises(ValueError, match="given twice"):
        tb.init("p").log({"a": {"b": image()}, "a/b": 1})


def test_bad_object_is_named_with_its_metric() -> None:
    import PIL.Image

    with pytest.raises(ValueError, match="metric 'a': Image: an image of 0 x 3 pixels is empty"):
        tb.init("p").log({"a": PIL.Image.new("L", (0, 3))})


def test_missing_encoder_is_said_once_and_the_rest_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    run = tb.init("p")
    with hearing() as heard:
        for _ in range(2):
            run.log({"v": tb.Video(np.zeros((2, 3, 4, 4), np.uint8), format="mp4"), "loss": 1, "a": image()})
    (sentence,) = heard
    assert "Video of type mp4 needs PyAV: pip install 'trackbook[media]'" in sentence
    assert "'v', which is left out" in sentence
    assert (run.history().height, len(run.media())) == (2, 2)


def test_full_disk_leaves_media_out_and_keeps_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    run = tb.init("p")
    monkeypatch.setattr(MediaFiles, "put", full)
    with hearing() as heard:
        run.log({"a": image(), "loss": 1})
    assert "metric 'a': its media are not recorded" in heard[0]
    assert run.media() == []
    assert run.history()["value"].to_list() == [1.0]


def test_equal_content_is_one_file(store_dir: Path) -> None:
    run = tb.init("p")
    for _ in range(3):
        run.log({"a": [image(), image()], "b": image()})
    assert len(files(store_dir)) == 1
    assert len(run.media()) == 9


def test_file_by_path_is_copied(tmp_path: Path) -> None:
    path = tmp_path / "x.md"
    path.write_text("before")
    run = tb.init("p")
    (tmp_path / "x.gif").write_bytes(b"GIF89a" + bytes(20))
    run.log({"v": tb.Video(tmp_path / "x.gif")})
    (tmp_path / "x.gif").write_bytes(b"other")
    assert run.media("v")[0].read() == b"GIF89a" + bytes(20)


def test_disabled_run_keeps_nothing(store_dir: Path) -> None:
    run = tb.init("p", mode="disabled")
    assert run.log({"a": image(), "loss": 1}) == {"loss": 1.0}
    assert not store_dir.exists()


def test_ended_run_takes_no_media() -> None:
    run = tb.init("p")
    run.finish()
    with pytest.raises(RuntimeError, match="takes no more points"):
        run.log({"a": image()})


def test_run_that_ends_while_media_are_written_takes_none(monkeypatch: pytest.MonkeyPatch) -> None:
    run = tb.init("p")
    put = MediaFiles.put

    def put_and_end(*given: Any, **named: Any) -> Any:
        run.finish()
        return put(*given, **named)

    monkeypatch.setattr(MediaFiles, "put", put_and_end)
    with pytest.raises(RuntimeError, match="takes no more points"):
        run.log({"a": image()})
    assert run.media() == []
    assert not [*writer_of(run).journals.iterdir()]  # type: ignore[union-attr]


def test_threads_log_media_side_by_side() -> None:
    run = tb.init("p")

    def work(name: str) -> None:
        for number in range(30):
            run.log({name: image(number), "all": image(number)})

    threads = [threading.Thread(target=work, args=(f"t{number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [step for _, step, _ in logged(run, "all")] == list(range(120))
    for number in range(4):
        assert [np.asarray(each.read())[0, 0] for each in run.media(f"t{number}")] == list(range(30))


def test_resumed_run_counts_on() -> None:
    for step_by in ("metric", "run"):
        with tb.init("p", id=step_by, step_by=step_by) as run:
            run.log({"a": image()})
        with tb.init("p", id=step_by, resume="must") as run:
            run.log({"a": image()})
            assert [step for _, step, _ in logged(run)] == [0, 1]


def test_run_that_is_cut_back_loses_later_media(store_dir: Path) -> None:
    with tb.init("p", id="r") as run:
        for step in range(4):
            run.log({"a": image(step), "loss": 1})
    with tb.init("p", id="r", resume="must", resume_from=1) as run:
        assert [step for _, step, _ in logged(run)] == [0, 1]
        run.log({"a": image(9)})
        assert logged(run)[-1] == ("a", 2, 0)


def test_deleted_run_takes_its_own_files_along(store_dir: Path) -> None:
    with tb.init("p", id="one") as run:
        run.log({"a": tb.Image([[1]], masks={"m": {"mask_data": [[0]]}}), "b": image(2)})
        run.log({"t": tb.Table(columns=["x"], data=[[image(4)]])})
    other = tb.init("p", id="two")
    other.log({"b": image(2)})  # still in its journal
    assert len(files(store_dir)) == 5
    tb.delete_run("one", "p", force=True)
    assert len(files(store_dir)) == 1
    assert np.asarray(other.media("b")[0].read())[0, 0] == 2


def test_file_that_another_process_just_logged_is_kept(store_dir: Path) -> None:
    with tb.init("p", id="one") as run:
        run.log({"a": image(2)})
    program = """
import sys, numpy as np, trackbook as tb
run = tb.init("p", id="two")
run.log({"b": tb.Image(np.full((2, 2), 2, np.uint8))})
print("logged", flush=True)
sys.stdin.read()
"""
    with subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"logged\n"
        tb.delete_run("one", "p", force=True)
        assert len(files(store_dir)) == 1
        other.communicate(b"")
    assert np.asarray(tb.get_run("two", "p").media("b")[0].read())[0, 0] == 2


def test_deleted_project_takes_all_files_along(store_dir: Path) -> None:
    with tb.init("p") as run:
        run.log({"a": image()})
    tb.delete_project("p", force=True)
    assert not (store_dir / "p.files").exists()


def test_moved_run_takes_its_files_along(store_dir: Path) -> None:
    with tb.init("p") as run:
        run.log({"a": image(3)})
    tb.move_run(run.id, "q", "p")
    assert (files(store_dir), len(files(store_dir, "q"))) == ([], 1)
    assert np.asarray(tb.get_run(run.id, "q").media("a")[0].read())[0, 0] == 3


def _log_in_child(count: int) -> None:
    for number in range(count):
        tb.log({"a": image(number), "loss": 1})


@pytest.mark.parametrize("step_by", ["metric", "run"])
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_forked_child_logs_media_into_its_parents_run(step_by: Any) -> None:
    run = tb.init("p", step_by=step_by)
    run.log({"a": image(100)})
    child = multiprocessing.get_context("fork").Process(target=_log_in_child, args=(3,))
    child.start()
    child.join()
    assert child.exitcode == 0
    run.finish()
    found = tb.get_run(run.id, "p").media("a")
    assert sorted(np.asarray(each.read())[0, 0] for each in found) == [0, 1, 2, 100]
    assert len({each.step for each in found}) == 4


def _log_some_with_points() -> None:
    tb.log({"a": image(0), "b": image(0), "loss": 0})
    tb.log({"loss": 1})
    tb.log({"a": image(2), "loss": 2})
    tb.log({"a": image(3), "b": image(3)})


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_media_and_points_of_a_childs_call_are_at_one_step() -> None:
    run = tb.init("p", step_by="run")
    run.log({"loss": -1})
    child = multiprocessing.get_context("fork").Process(target=_log_some_with_points)
    child.start()
    child.join()
    run.finish()
    found = tb.get_run(run.id, "p")
    losses = found.history().sort("step").select("step", "value").rows()
    assert losses == [(0, -1), (1, 0), (2, 1), (3, 2)]
    assert logged(found, "a") == [("a", 1, 0), ("a", 3, 0), ("a", 4, 0)]
    assert logged(found, "b") == [("b", 1, 0), ("b", 4, 0)]


class ChildThatLogs:
    """The journal of a process that logs to a run which counts for all its metrics, and the hand-overs of the run's process."""

    def __init__(self, folder: Path) -> None:
        self.store, home = MemoryStore(), ProjectPaths(folder, "p").journals
        self.run = a_run(
            "p", RunRecord("r1", "a", 1.0, step_by="run"), self.store, FileJournal(home, {"id": "r1"}), folder
        )
        writer_of(self.run).has_children = True
        self.journal = FileJournal(home, {"id": "r1", "child": True})
        self.journal.open()
        self._loss = self.journal.metric("loss")

    def image(self, name: str, step: int, now: float) -> None:
        rows = index.rows_from(int(now * 1000), name, step, now, [Encoded("image", None)])
        self.journal.note(index.line(rows))

    def point(self, now: float) -> None:
        put(self.journal, (self._loss, NEXT_STEP, now), now=now)

    def steps(self) -> tuple[dict[float, int], dict[str, int]]:
        """Return the steps of points by value, and of media by name, after a hand-over."""
        writer_of(self.run).hand_over()
        points = {row[2]: row[1] for row in self.store.read("r1").select("metric", "step", "value").iter_rows()}
        return points, {row[1]: row[2] for row in self.store.captured("r1", "media")}


def test_media_of_later_calls_wait_for_a_call_whose_points_are_not_there(tmp_path: Path) -> None:
    child = ChildThatLogs(tmp_path)
    child.image("first", index.WITH_POINTS, 1.0)
    child.image("second", index.LATER, 2.0)
    assert child.steps() == ({}, {})
    child.point(1.0)
    assert child.steps() == ({1.0: 0}, {"first": 0, "second": 1})
    child.image("third", index.LATER, 3.0)
    assert child.steps()[1] == {"first": 0, "second": 1, "third": 2}
    child.journal.leave()
    child.run.finish()


def test_media_that_wait_get_the_step_of_points_that_came_earlier(tmp_path: Path) -> None:
    child = ChildThatLogs(tmp_path)  # two threads of it log at once
    child.image("first", index.WITH_POINTS, 1.0)
    child.image("second", index.WITH_POINTS, 2.0)
    child.point(2.0)
    assert child.steps() == ({2.0: 0}, {})
    child.point(1.0)
    assert child.steps() == ({2.0: 0, 1.0: 1}, {"first": 1, "second": 0})
    child.journal.leave()
    child.run.finish()


@pytest.mark.parametrize("field", index.Row._fields)
def test_damaged_row_of_a_child_is_left_out(tmp_path: Path, field: str) -> None:
    child = ChildThatLogs(tmp_path)
    child.image("good", index.LATER, 1.0)
    (row,) = index.rows_from(5, "bad", index.LATER, 2.0, [Encoded("image", None)])
    child.journal.note(index.line([row._replace(**{field: ["no"]})]))
    child.image("also good", index.LATER, 3.0)
    assert child.steps()[1] == {"good": 0, "also good": 1}
    child.journal.leave()
    child.run.finish()


def _log_as_rank_1() -> None:
    os.environ["RANK"] = "1"
    tb.log({"a": image(1), "loss": 1})


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_child_of_another_rank_logs_no_media(store_dir: Path) -> None:
    run = tb.init("p")
    child = multiprocessing.get_context("fork").Process(target=_log_as_rank_1)
    child.start()
    child.join()
    assert child.exitcode == 0
    run.finish()
    assert run.media() == []
    assert files(store_dir) == []


WRITER = """
import sys, numpy as np, trackbook as tb
run = tb.init("p")
sys.stdin.readline()
for number in range(20):
    run.log({"a": tb.Image(np.full((64, 64), number, np.uint8))})
run.finish()
"""


@pytest.mark.slow
def test_eight_processes_that_log_the_same_images_write_each_once(store_dir: Path) -> None:
    programs = [subprocess.Popen([sys.executable, "-c", WRITER], stdin=subprocess.PIPE) for _ in range(8)]
    for program in programs:
        assert program.stdin is not None
        program.stdin.write(b"go\n")
        program.stdin.close()
    assert [program.wait() for program in programs] == [0] * 8
    assert len(files(store_dir)) == 20
    assert not [*(store_dir / "p.files").glob(".new-*")]
    for name in tb.runs("p")["id"]:
        assert [np.asarray(each.read())[0, 0] for each in tb.get_run(name, "p").media("a")] == list(range(20))


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(6))
def test_media_of_a_returned_call_outlive_a_kill(seed: int, tmp_path: Path) -> None:
    outcome = trial(tmp_path, seed)
    assert outcome.returned
    assert (outcome.lost, outcome.damaged, outcome.state) == (0, 0, "lost")


def test_rows_reach_the_file_within_seconds(store_dir: Path) -> None:
    run = tb.init("p")
    run.log({"a": image()})
    until = time.monotonic() + 20
    path = writer_of(run).store.path  # type: ignore[attr-defined]
    while time.monotonic() < until:
        with SqliteStore(path, "p").reopened() as other:
            if other.captured(run.id, "media"):
                return
        time.sleep(0.05)
    pytest.fail("the row is not in the file")
