from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import trackbook as tb
from processes import own_process
from trackbook import user_warnings
from trackbook.api.process import Process
from tracker_scripts import hearing


@pytest.fixture(autouse=True)
def process(monkeypatch: pytest.MonkeyPatch) -> Iterator[Process]:
    """Give each test a `Process` of its own, which has said nothing yet."""
    monkeypatch.setattr(user_warnings, "_said", set())
    with own_process(monkeypatch) as made:
        yield made


@pytest.fixture
def run() -> tb.Run:
    return tb.init("p", "r", step_by="run")


@pytest.mark.parametrize("by_run", [True, False])
def test_log_ignores_keywords_that_it_does_not_know(run: tb.Run, by_run: bool) -> None:
    log = run.log if by_run else tb.log
    with hearing() as heard:
        assert log({"a": 1}, sync=True, level=2) == {"a": 1.0}
        assert log({"a": 2}, sync=True, level=2) == {"a": 2.0}
    assert heard == ["log() ignores sync, level: trackbook has no use for them"]


@pytest.mark.parametrize("by_run", [True, False])
def test_metrics_of_trackio_are_the_data(run: tb.Run, by_run: bool) -> None:
    log = run.log if by_run else tb.log
    assert log(metrics={"a": 1}, step=3) == {"a": 1.0}
    assert run.history()["step"].to_list() == [3]


def test_log_without_data_is_an_error(run: tb.Run) -> None:
    with pytest.raises(TypeError, match="takes a dict of metrics"):
        run.log()
    with pytest.raises(TypeError, match="takes a dict of metrics"):
        tb.log(None)


def test_uncommitted_values_are_at_the_step_of_the_next_call(run: tb.Run) -> None:
    run.log({"a": 1}, commit=False)
    run.log({"b": 1}, commit=False)
    run.log({"c": 1})
    tb.log({"a": 2}, commit=False)
    tb.log({"c": 2}, commit=True)
    assert run.history()["metric", "step"].rows() == [("a", 0), ("a", 1), ("b", 0), ("c", 0), ("c", 1)]


def test_commit_changes_nothing_where_metrics_count_for_themselves() -> None:
    run = tb.init("p")
    for _ in range(2):
        run.log({"a": 1}, commit=False)
    assert run.history()["step"].to_list() == [0, 1]


@pytest.mark.parametrize(
    ("given", "state"),
    [
        ({}, "finished"),
        ({"state": "success"}, "finished"),
        ({"state": "crashed"}, "failed"),
        ({"state": "aborted"}, "interrupted"),
        ({"state": 0}, "finished"),
        ({"state": 1}, "failed"),
        ({"exit_code": 0}, "finished"),
        ({"exit_code": 3, "quiet": True}, "failed"),
        ({"error": "out of memory"}, "failed"),
        ({"state": "finished", "exit_code": 3}, "finished"),
    ],
)
@pytest.mark.parametrize("by_run", [True, False])
def test_ends_in_words_of_other_trackers(run: tb.Run, given: dict[str, Any], state: str, by_run: bool) -> None:
    (run.finish if by_run else tb.finish)(**given)
    assert (run.state, run.record.error) == (state, given.get("error"))


@pytest.mark.parametrize("state", ["over", True, "running"])
def test_state_that_does_not_exist_is_an_error(run: tb.Run, state: Any) -> None:
    with pytest.raises(ValueError, match="a run ends as one of"):
        run.finish(state)
    assert not run.ended


def test_finish_ignores_keywords_that_it_does_not_know(run: tb.Run) -> None:
    with pytest.warns(tb.TrackbookWarning, match=r"finish\(\) ignores linger"):
        tb.finish(linger=True)
    assert run.ended


def test_attributes_of_other_trackers(run: tb.Run) -> None:
    run.log({"a": 1}, step=6)
    values = {"path": f"p/{run.id}", "step": 7, "url": None, "entity": "", "offline": True, "experiment_name": "r"}
    assert {name: getattr(run, name) for name in values} == values
    assert run.start_time == run.starttime == run.record.started
    assert run.project_name() == "p"
    assert run.get_url() is run.mark_preempting() is run._label(code="x") is None
    run.join()
    assert run.ended


def test_disabled_run_says_so() -> None:
    with tb.init("p", mode="disabled") as run:
        assert run.disabled
    with tb.init("p") as run:
        assert not run.disabled


def test_resumed_run_says_so_and_where_it_goes_on() -> None:
    with tb.init("p", id="a") as run:
        run.log({"a": 1}, step=4)
        assert (run.resumed, run.starting_step) == (False, 0)
    with tb.init("p", id="a", resume="allow") as run:
        assert (run.resumed, run.starting_step) == (True, 5)
    with tb.init("p", id="b", resume="allow") as run:
        assert not run.resumed


def test_results_of_functions_are_logged(run: tb.Run) -> None:
    async def score() -> dict[str, float]:
        return {"a": 2.0}

    async def main() -> Any:
        return await run.async_log(score, step=2, mode="asyncio")

    with hearing() as heard:
        assert run.async_log(lambda value: {"a": value}, 1, step=1).result() == {"a": 1.0}
        assert isinstance(run.async_log(lambda: None).exception(), TypeError)
    assert heard == ["async_log() calls its function at once, and waits for it"]
    assert asyncio.run(main()) == {"a": 2.0}
    run.log_scalar("a", 3, step=3)
    assert run.history()["value"].to_list() == [1, 2, 3]


def test_step_counts_for_metrics_that_count_for_themselves() -> None:
    run = tb.init("p")
    assert run.step == 0
    run.log({"a": 1})
    run.log({"a": 1, "b": 2})
    assert run.step == 2


def test_folder_of_a_run_is_for_files(run: tb.Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.warns(tb.TrackbookWarning, match=r"files of run\.dir stay in .*trackbook-files"):
        folder = Path(run.dir)
    assert folder == tmp_path / "trackbook-files" / run.id
    assert folder.is_dir()
    assert run.dir == str(folder)


def test_log_code_is_done_anyway(run: tb.Run) -> None:
    with pytest.warns(tb.TrackbookWarning, match=r"log_code\(\) does nothing: trackbook records scripts"):
        run.log_code(".")


def test_other_names_are_attribute_errors(run: tb.Run) -> None:
    with pytest.raises(AttributeError, match="'histroy'"):
        run.histroy  # noqa: B018
    assert not hasattr(run, "_repr_html_")


def test_access_to_our_own_attributes_stays_fast() -> None:
    """Python caches no access to an attribute of a class that has one of these."""
    assert not {"__getattr__", "__getattribute__"} & {name for kind in tb.Run.__mro__[:-1] for name in vars(kind)}


def test_attribute_can_be_set(run: tb.Run) -> None:
    run.url = "https://runs.example"
    assert run.url == "https://runs.example"


def test_completion_offers_only_our_own(run: tb.Run) -> None:
    assert not {"url", "unwatch"} & set(dir(run))


def test_methods_of_wandbs_config(run: tb.Run) -> None:
    run.config.update({"lr": 1})
    run.config.setdefaults({"lr": 2, "momentum": 3})
    assert run.config.as_dict() == {"lr": 1, "momentum": 3}
    run.config.as_dict = "mine"
    assert run.config.as_dict == "mine"
