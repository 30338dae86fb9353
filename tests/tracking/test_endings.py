from __future__ import annotations

import pickle
from pathlib import Path

import pytest

import trackbook as tb
from trackbook.tracking.endings import Stopped, in_words, state_after
from trackbook.tracking.project import Project
from trackbook.tracking.run_options import RunOptions
from trackbook.types import RunRecord, State


@pytest.mark.parametrize(
    ("error", "state", "said"),
    [
        (None, "finished", None),
        (SystemExit(0), "finished", None),
        (SystemExit(2), "failed", "SystemExit: 2"),
        (ValueError("no"), "failed", "ValueError: no"),
        (KeyboardInterrupt(), "interrupted", "KeyboardInterrupt"),
        (Stopped("run 'x' was stopped"), "interrupted", "trackbook.Stopped: run 'x' was stopped"),
    ],
)
def test_a_run_ends_as_the_exception_says(error: BaseException | None, state: str, said: str | None) -> None:
    assert state_after(error) == (state, said)


@pytest.mark.parametrize(
    ("state", "said"),
    [("finished", "has finished"), ("failed", "has failed"), ("interrupted", "was interrupted"), ("lost", "was lost")],
)
def test_sentences_say_how_a_run_ended(state: State, said: str) -> None:
    assert in_words(state) == said


def test_a_run_that_ended_says_how_when_it_takes_no_more_points() -> None:
    run = tb.init("p")
    run.finish(state="failed")
    with pytest.raises(RuntimeError, match="has failed and takes no more points"):
        run.log({"loss": 1.0})


def test_should_stop_is_true_after_a_request() -> None:
    with tb.init("p") as run:
        assert run.should_stop is False
        run.stop()
        assert run.should_stop is True
        assert run.log({"loss": 1.0}) == {"loss": 1.0}
    assert (run.state, run.record.error) == ("interrupted", "stopped by run.stop()")


def test_stopped_run_has_the_state_that_finish_names() -> None:
    run = tb.init("p")
    run.stop()
    run.finish("finished")
    assert (run.state, run.record.error) == ("finished", None)


def test_log_raises_stopped_after_recording_its_points() -> None:
    run = tb.init("p", stop="raise")
    run.log({"loss": 1.0})
    run.stop()
    with pytest.raises(tb.Stopped, match=rf"^run '{run.name}' was stopped by run\.stop\(\)$"):
        tb.log({"loss": 2.0, "acc": 0.5})
    assert run.history()["value"].to_list() == [1.0, 2.0, 0.5]
    run.finish()


def test_stopped_is_raised_once_for_each_request() -> None:
    run = tb.init("p", stop="raise")
    for number in range(2):
        run.stop()
        with pytest.raises(Stopped):
            run.log({"loss": number})
        run.log({"test": number})
    assert run.history("test")["value"].to_list() == [0, 1]
    run.finish()


def test_run_ended_by_stopped_is_interrupted() -> None:
    run = tb.init("p", stop="raise")
    run.stop()
    with pytest.raises(Stopped), run:
        run.log({"loss": 1.0})
    assert run.state == "interrupted"


def test_wrong_call_raises_its_own_error_and_the_next_one_stops() -> None:
    run = tb.init("p", stop="raise")
    run.stop()
    with pytest.raises(TypeError):
        run.log({"loss": "no number"})
    with pytest.raises(Stopped):
        run.log({"loss": 1.0})
    run.finish()


def test_except_runtime_error_does_not_catch_stopped() -> None:
    assert not issubclass(Stopped, RuntimeError)
    assert str(pickle.loads(pickle.dumps(Stopped("why")))) == "why"


def test_a_run_that_has_ended_cannot_be_stopped() -> None:
    run = tb.init("p", "done", stop="raise")
    run.finish()
    with pytest.raises(RuntimeError, match=r"^run 'done' has finished already$"):
        run.stop()
    assert not run.should_stop


def test_run_of_another_process_cannot_be_stopped(tmp_path: Path) -> None:
    theirs, ours = Project("p", tmp_path), Project("p", tmp_path)
    run = theirs.open_run(RunOptions(RunRecord("r", "theirs", started=100.0)))
    with pytest.raises(RuntimeError, match=r"^run 'theirs' is being written by another process; stop it there$"):
        ours.get("r").stop()
    assert not run.should_stop
    run.finish()
    for project in (theirs, ours):
        project.store.close()


def test_a_run_that_is_not_recorded_can_be_stopped() -> None:
    run = tb.init("p", mode="disabled", stop="raise")
    run.stop()
    with pytest.raises(Stopped):
        run.log({"loss": 1.0})
    run.finish()


def test_unknown_stop_option_is_refused() -> None:
    with pytest.raises(ValueError, match=r"init\(stop='kill'\): stop is one of 'flag', 'raise'"):
        tb.init("p", stop="kill")  # type: ignore[arg-type]
