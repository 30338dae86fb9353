from __future__ import annotations

import enum
import inspect
import itertools
import math
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import trackbook as tb
from journals import a_run, in_memory
from trackbook import TrackbookWarning
from trackbook.store.memory import MemoryStore
from trackbook.store.sqlite import SqliteStore
from trackbook.tracking.logged_values import as_tags
from trackbook.tracking.run import Run, writer_of
from trackbook.types import RunRecord


def new_run(**fields: Any) -> Run:
    return a_run("digits", RunRecord("r1", "brisk-otter-1", 0.0, **fields), MemoryStore(), in_memory())


@pytest.fixture
def run() -> Run:
    return new_run()


def logged(run: Run) -> list[tuple[str, int, float]]:
    return run.history().select("metric", "step", "value").rows()


def end_of(run: Run) -> tuple[str, str | None]:
    record = writer_of(run).store.run("r1")
    assert record is not None
    assert record.state == run.state
    assert record.ended is not None
    return record.state, record.error


# --- log --------------------------------------------------------------------------------------------------------------


def test_log_records_a_point_for_each_metric_of_the_call(run: Run) -> None:
    run.log({"train": {"loss": "0.5"}, "lr": np.float32(0.25)})
    assert logged(run) == [("train/loss", 0, 0.5), ("lr", 0, 0.25)]


def test_the_worked_example_of_swanlab(run: Run) -> None:
    run.log({"loss": 1, "acc": 1})
    run.log({"loss": 2, "iter": 2})
    run.log({"loss": 3, "iter": 3})
    assert logged(run) == [
        ("loss", 0, 1),
        ("loss", 1, 2),
        ("loss", 2, 3),
        ("acc", 0, 1),
        ("iter", 0, 2),
        ("iter", 1, 3),
    ]


def test_a_given_step_holds_for_every_metric(run: Run) -> None:
    run.log({"loss": 1})
    run.log({"loss": 2, "acc": 2}, step=1000)
    run.log({"loss": 3, "acc": 3})
    assert [step for _, step, _ in logged(run)] == [0, 1000, 1001, 1000, 1001]


def test_counted_by_run_a_call_is_a_step() -> None:
    run = new_run(step_by="run")
    run.log({"loss": 1})
    run.log({"acc": 2})
    assert logged(run) == [("loss", 0, 1), ("acc", 1, 2)]


def test_log_returns_the_flat_names_and_floats_it_took(run: Run) -> None:
    assert run.log({"train": {"loss": "0.5"}, "done": True}) == {"train/loss": 0.5, "done": 1.0}


@pytest.mark.parametrize("name", [np.str_("loss"), enum.StrEnum("Metric", ["loss"])("loss")])
def test_name_that_equals_a_known_one_is_that_metric(run: Run, name: str) -> None:
    for each in ("loss", name, name):
        assert run.log({each: 0.5}) == {"loss": 0.5}
    assert run.history()["metric"].to_list() == ["loss"] * 3
    assert run.history()["step"].to_list() == [0, 1, 2]


def test_log_prints_when_asked(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    run.log({"train": {"loss": "0.5"}}, print_to_console=True)
    assert capsys.readouterr().out == "{'train/loss': 0.5}\n"


def test_log_prints_nothing_unasked(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    run.log({"loss": 0.5})
    assert capsys.readouterr() == ("", "")


def test_an_empty_call_records_nothing(run: Run) -> None:
    assert run.log({}) == {}
    assert logged(run) == []


@pytest.mark.parametrize(
    ("data", "step"),
    [({"a": 1, "loss": "high"}, None), ({"a": 1, "": 1}, None), ({"a": 1, "b": 10**400}, None), ({"a": 1}, 2.5)],
)
def test_a_call_with_an_error_records_nothing_and_counts_nothing(run: Run, data: Any, step: Any) -> None:
    with pytest.raises((TypeError, ValueError)):
        run.log(data, step)
    run.log({"a": 5})
    assert logged(run) == [("a", 0, 5)]


def test_the_time_of_a_point_is_the_calls(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    for now in (100.5, 200.25):
        monkeypatch.setattr("trackbook.tracking.run.time.time", lambda now=now: now)
        run.log({"loss": 1, "acc": 2})
    monkeypatch.setattr("trackbook.tracking.run.time.time", lambda: 999.0)
    writer_of(run).hand_over()
    assert run.history("loss")["time"].to_list() == [100.5, 200.25]
    assert run.history("acc")["time"].to_list() == [100.5, 200.25]


def test_later_change_of_an_array_does_not_change_points(run: Run) -> None:
    loss = np.array(0.5)
    run.log({"loss": loss})
    loss += 1
    assert logged(run) == [("loss", 0, 0.5)]


def test_changing_the_returned_dict_changes_no_points(run: Run) -> None:
    run.log({"loss": 0.5}).update(loss=9.0, other=1.0)
    assert logged(run) == [("loss", 0, 0.5)]


def test_nan_and_infinities_are_recorded(run: Run) -> None:
    for value in (math.nan, math.inf, -math.inf):
        run.log({"loss": value})
    assert repr([value for _, _, value in logged(run)]) == "[nan, inf, -inf]"


def test_threads_log_to_one_run(run: Run) -> None:
    def log() -> None:
        for _ in range(200):
            run.log({"loss": 1, "acc": 2})

    threads = [threading.Thread(target=log) for _ in range(4)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        writer_of(run).hand_over()
    for thread in threads:
        thread.join()
    assert run.history("loss")["step"].to_list() == list(range(800))
    assert run.history("acc")["step"].to_list() == list(range(800))


# --- the first write wins ---------------------------------------------------------------------------------------------


def test_duplicate_points_give_one_warning_a_metric(run: Run) -> None:
    run.log({"loss": 1, "acc": 1}, step=0)
    with pytest.warns(TrackbookWarning) as warned:
        assert run.log({"loss": 2, "acc": 2, "lr": 1}, step=0) == {"lr": 1}
    said = [str(warning.message) for warning in warned]
    assert ["'loss'" in said[0], "'acc'" in said[1], len(said)] == [True, True, 2]
    assert "first value stays" in said[0]
    assert run.log({"loss": 4}, step=0) == {}
    run.finish()
    assert logged(run) == [("loss", 0, 1), ("acc", 0, 1), ("lr", 0, 1)]


def test_log_returns_what_is_new_at_an_earlier_step(run: Run) -> None:
    for step in (0, 10, 20):
        run.log({"loss": step}, step=step)
    assert run.log({"loss": 5}, step=5) == {"loss": 5}
    with pytest.warns(TrackbookWarning, match="'loss'"):
        assert run.log({"loss": 6}, step=5) == {}
    assert [run.log({"loss": 7}, step=step) for step in (10, 30, 20, 25)] == [{}, {"loss": 7}, {}, {"loss": 7}]
    assert [run.log({"loss": 8}, step=step) for step in (30, 25, 5, 24)] == [{}, {}, {}, {"loss": 8}]
    run.finish()
    assert [step for _, step, _ in logged(run)] == [0, 5, 10, 20, 24, 25, 30]


def test_resumed_run_knows_the_points_of_before() -> None:
    run = tb.init("p")
    run.log({"loss": 1}, step=7)
    run.finish()
    again = tb.init("p", id=run.id, resume="must")
    with pytest.warns(TrackbookWarning, match="'loss'"):
        assert again.log({"loss": 2, "acc": 2}, step=7) == {"acc": 2}
    assert again.log({"loss": 2}, step=6) == {"loss": 2}
    again.finish()


def log_unseen(run: Run) -> None:
    """Log a duplicate at step 0 as two threads could, so that it is found when the points reach the store."""
    run.log({"loss": 1}, step=0)
    writer_of(run).recorder.record(0.0, {"loss": 2.0}, 0)


def test_pending_warnings_are_issued_at_the_end(run: Run) -> None:
    log_unseen(run)
    with pytest.warns(TrackbookWarning, match="'loss'.* was logged twice at one step"):
        run.finish()


def test_a_warning_points_at_the_users_line(run: Run) -> None:
    run.log({"loss": 1}, step=0)
    with pytest.warns(TrackbookWarning) as warned:
        run.log({"loss": 2}, step=0)
    line = inspect.currentframe().f_lineno - 1  # type: ignore[union-attr]
    assert (warned[0].filename, warned[0].lineno) == (__file__, line)


def test_a_call_that_a_warning_stops_records_nothing(run: Run) -> None:
    log_unseen(run)
    writer_of(run).hand_over()
    with pytest.raises(TrackbookWarning):
        run.log({"acc": 1})
    assert logged(run) == [("loss", 0, 1)]


# --- failing disks ----------------------------------------------------------------------------------------------------


def test_a_disk_that_cannot_be_written_is_warned_of_once_and_training_goes_on(tmp_path: Path) -> None:
    (tmp_path / "folder").write_text("in the way")
    store = SqliteStore(tmp_path / "folder" / "digits.trackbook.db", "digits")
    run = a_run("digits", RunRecord("r1", "a", 0.0), store, in_memory())
    store.flush()
    run.log({"loss": 1})
    writer_of(run).note_problems()
    with pytest.warns(TrackbookWarning, match="Cannot write") as warned:
        run.log({"loss": 2})
    store.flush()
    writer_of(run).note_problems()
    run.log({"loss": 3})
    assert len(warned) == 1
    with pytest.warns(TrackbookWarning, match="3 points of run 'a' are lost when this process ends"):
        run.finish()
    assert [value for _, _, value in logged(run)] == [1, 2, 3]


def test_a_disk_that_fails_at_the_end_is_warned_of(tmp_path: Path) -> None:
    (tmp_path / "folder").write_text("in the way")
    store = SqliteStore(tmp_path / "folder" / "digits.trackbook.db", "digits")
    run = a_run("digits", RunRecord("r1", "a", 0.0), store, in_memory())
    with pytest.warns(TrackbookWarning, match="Cannot write"):
        run.finish()


# --- its end ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", ["finished", "failed", "interrupted", "lost"])
def test_a_run_ends_in_the_state_it_is_given(run: Run, state: Any) -> None:
    run.finish(state)
    assert end_of(run) == (state, None)


def test_a_run_ends_as_finished_unless_told_otherwise(run: Run) -> None:
    assert run.state == "running"
    run.finish()
    assert end_of(run) == ("finished", None)


@pytest.mark.parametrize("state", ["running", "done", "", True])
def test_an_unknown_state_is_a_value_error_that_names_the_others(run: Run, state: Any) -> None:
    with pytest.raises(ValueError, match="a run ends as one of finished, failed, interrupted, lost"):
        run.finish(state)
    assert run.state == "running"


def test_a_second_finish_does_nothing(run: Run) -> None:
    run.finish("failed")
    run.finish()
    assert run.state == "failed"


def test_finish_records_what_was_logged_before(run: Run) -> None:
    run.log({"loss": 1})
    run.finish()
    assert len(writer_of(run).store.read("r1")) == 1


def test_log_after_finish_is_a_runtime_error_that_says_what_to_do(run: Run) -> None:
    run.finish()
    with pytest.raises(
        RuntimeError, match=r"'brisk-otter-1' has finished .*; call trackbook\.init\(\.\.\.\) for a new run"
    ):
        run.log({"loss": 1})
    assert logged(run) == []


def test_callbacks_of_the_end_are_called_once(run: Run) -> None:
    told: list[Run] = []
    writer_of(run).on_end.append(told.append)
    run.finish()
    run.finish()
    assert told == [writer_of(run)]


class BrokenError(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no text today")


@pytest.mark.parametrize(
    ("error", "end"),
    [
        (ValueError("bad batch"), ("failed", "ValueError: bad batch")),
        (KeyboardInterrupt(), ("interrupted", "KeyboardInterrupt")),
        (SystemExit(), ("finished", None)),
        (SystemExit(0), ("finished", None)),
        (SystemExit(3), ("failed", "SystemExit: 3")),
        (SystemExit("no data"), ("failed", "SystemExit: no data")),
        (ValueError("\udcff.csv"), ("failed", "ValueError: \\udcff.csv")),
    ],
)
def test_an_exception_ends_the_run_and_passes_on(run: Run, error: BaseException, end: tuple[str, str | None]) -> None:
    with pytest.raises(type(error)) as raised, run:
        raise error
    assert raised.value is error
    assert end_of(run) == end


def test_an_exception_that_cannot_be_shown_ends_the_run(run: Run) -> None:
    with pytest.raises(BrokenError), run:
        raise BrokenError
    assert end_of(run)[0] == "failed"
    assert "BrokenError" in (end_of(run)[1] or "")


def test_a_block_that_ends_well_ends_the_run_as_finished(run: Run) -> None:
    with run as same:
        assert same is run
    assert end_of(run) == ("finished", None)


def test_block_does_not_change_a_run_that_ended_inside(run: Run) -> None:
    with run:
        run.finish("interrupted")
    assert end_of(run) == ("interrupted", None)


# --- resumed ----------------------------------------------------------------------------------------------------------


def test_a_resumed_run_counts_on() -> None:
    first = new_run()
    first.log({"loss": 1}, step=4)
    first.finish()
    second = a_run("digits", RunRecord("r1", "a", 0.0), writer_of(first).store, in_memory())
    second.log({"loss": 2, "acc": 2})
    assert logged(second) == [("loss", 4, 1), ("loss", 5, 2), ("acc", 0, 2)]


# --- summary and progress ---------------------------------------------------------------------------------------------


def test_summary_includes_the_newest_points(run: Run) -> None:
    for value in (3, 1, math.nan, 2):
        run.log({"loss": value})
    assert run.summary["loss"] == 2
    assert (run.summary.min["loss"], run.summary.max["loss"]) == (1, 3)


def progress(run: Run) -> tuple[int | None, int | None]:
    writer_of(run).hand_over()
    record = writer_of(run).store.run("r1")
    assert record is not None
    return record.done, record.total


def test_track_gives_the_items_and_counts_those_done(run: Run) -> None:
    seen = [(item, progress(run)) for item in run.track("abc", total=3)]
    assert seen == [("a", (0, 3)), ("b", (1, 3)), ("c", (2, 3))]
    assert progress(run) == (3, 3)


def test_loop_that_breaks_keeps_its_progress(run: Run) -> None:
    for item in run.track(itertools.count(), total=9):
        if item == 2:
            break
    assert progress(run) == (2, 9)


def test_of_nested_loops_the_outermost_counts(run: Run) -> None:
    inner = [list(run.track(range(5), total=5)) for _ in run.track(range(2), total=2)]
    assert inner == [[0, 1, 2, 3, 4]] * 2
    assert progress(run) == (2, 2)


def test_a_loop_counts_afresh_after_one_that_broke_or_failed(run: Run) -> None:
    for _ in run.track(range(5), total=5):
        break

    def fail() -> None:
        for _ in run.track(range(5), total=5):
            raise ValueError

    with pytest.raises(ValueError):
        fail()
    assert list(run.track("ab", total=2)) == ["a", "b"]
    assert progress(run) == (2, 2)


def test_total_of_init_is_used_without_a_length() -> None:
    run = new_run(total=7)
    for _ in run.track(iter("ab")):
        pass
    assert progress(run) == (2, 7)


def test_a_total_of_numpys_kind_is_a_number(run: Run) -> None:
    assert list(run.track("ab", total=np.int64(2))) == ["a", "b"]
    assert type(run.total) is int


@pytest.mark.parametrize(("total", "error"), [(2.5, ValueError), (-1, ValueError), ("2", TypeError)])
def test_total_that_is_not_a_whole_number_is_an_error(run: Run, total: Any, error: type[Exception]) -> None:
    with pytest.raises(error, match="total="):
        next(run.track("ab", total=total))


def test_a_run_that_is_not_tracked_has_no_progress(run: Run) -> None:
    run.log({"loss": 1}, step=4)
    assert progress(run) == (None, None)


# --- what it is -------------------------------------------------------------------------------------------------------


def test_a_run_exists_before_anything_is_logged(run: Run) -> None:
    assert [record.id for record in writer_of(run).store.runs()] == ["r1"]


def test_repr_of_a_run(run: Run) -> None:
    assert repr(run) == "<trackbook run 'brisk-otter-1' (r1) of 'digits': running>"


def test_run_has_its_options_as_properties() -> None:
    run = new_run(group="sweep", tags=("a", "b"), notes="first try")
    assert (run.project, run.id, run.name) == ("digits", "r1", "brisk-otter-1")
    assert (run.group, run.tags, run.notes) == ("sweep", ("a", "b"), "first try")


@pytest.mark.parametrize(
    ("tags", "taken"),
    [(None, ()), ("a b", ("a b",)), (["b", "a", "b"], ("b", "a")), ((1, 2), ("1", "2")), (iter("ab"), ("a", "b"))],
)
def test_tags_are_one_text_or_several_each_once(tags: Any, taken: tuple[str, ...]) -> None:
    assert as_tags(tags) == taken


@pytest.mark.parametrize("tags", ["", ["a", ""], ["\ud800"]])
def test_tag_that_is_not_a_text_is_a_value_error(tags: Any) -> None:
    with pytest.raises(ValueError, match="tag"):
        as_tags(tags)


def test_completion_offers_what_users_may_use(run: Run) -> None:
    offered = set(dir(run))
    assert offered >= {"log", "config", "summary", "history", "should_stop", "stop", "tags", "finish"}
    assert not offered & {"store", "hand_over", "go_on_in_child", "on_end", "_recorder", "__init__"}
    for name in offered:
        getattr(run, name)


class StreamLoader:
    """A loader of streamed data, as in torch, whose `__len__` raises."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def __iter__(self) -> Iterator[int]:
        return iter(range(3))

    def __len__(self) -> int:
        raise self._error


@pytest.mark.parametrize("error", [TypeError("no len()"), NotImplementedError(), OverflowError(), AttributeError()])
def test_a_loader_whose_len_raises_is_tracked_without_a_total(error: Exception) -> None:
    with tb.init("p", capture=False) as run:
        assert list(tb.track(StreamLoader(error))) == [0, 1, 2]
        assert list(run.track(StreamLoader(error))) == [0, 1, 2]
    assert (run.record.done, run.record.total) == (3, None)


def test_track_counts_to_the_length_in_both_forms() -> None:
    with tb.init("p", capture=False) as run:
        list(tb.track([1, 2]))
    assert (run.record.done, run.record.total) == (2, 2)
    with tb.init("p", capture=False, total=9) as run:
        list(run.track([1, 2, 3]))
        list(run.track(iter([1])))
    assert run.record.total == 3


def test_log_has_one_signature() -> None:
    ours, theirs = (inspect.signature(each).parameters for each in (tb.log, tb.Run.log))
    assert list(ours) == [name for name in theirs if name != "self"]
    with tb.init("p", capture=False) as run:
        assert (run.log({"b": 1}, commit=False), tb.log({"a": 1}, commit=False)) == ({"b": 1.0}, {"a": 1.0})


@pytest.mark.parametrize("bad", [None, "warmup", [1, 2], object(), {"inner": None}])
def test_bad_value_is_left_out_with_on_bad_value_warn(bad: Any) -> None:
    with tb.init("p", capture=False, on_bad_value="warn") as run:
        with pytest.warns(tb.TrackbookWarning, match=r"left out \(said once a metric\)") as said:
            assert run.log({"loss": 0.5, "phase": bad}) == {"loss": 0.5}
        assert run.log({"loss": 0.25, "phase": bad}, step=1) == {"loss": 0.25}
        assert len(said) == 1
    assert run.history()["value"].to_list() == [0.5, 0.25]


@pytest.mark.parametrize("bad", [None, "warmup", [1, 2]])
def test_a_bad_value_is_an_error_that_points_to_the_option(bad: Any) -> None:
    with tb.init("p", capture=False) as run:
        with pytest.raises(TypeError, match=r"init\(on_bad_value='warn'\) leaves such values out"):
            run.log({"loss": 0.5, "phase": bad})
        assert run.history().height == 0


@pytest.mark.parametrize("bad", [{"": 1.0}, {3: 1.0}, "loss"])
def test_bad_name_is_an_error_even_with_on_bad_value_warn(bad: Any) -> None:
    with tb.init("p", capture=False, on_bad_value="warn") as run, pytest.raises((TypeError, ValueError)):
        run.log(bad)
