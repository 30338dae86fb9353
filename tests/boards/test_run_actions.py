from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import polars as pl
import pytest

from trackbook.boards import questions
from trackbook.boards.run_actions import RunActions
from trackbook.store.base import POINTS
from trackbook.store.sqlite import SqliteStore
from trackbook.tracking.project import Project
from trackbook.tracking.run_options import RunOptions
from trackbook.types import RunRecord, SyncState


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    project = Project("p", tmp_path)
    yield project
    for run in list(project.open_runs):
        run.end("finished")
    project.store.close()


@pytest.fixture
def running(project: Project) -> Any:
    return project.open_run(RunOptions(RunRecord("live", "live one", started=100.0)))


def ended(project: Project, run_id: str = "r") -> None:
    """An ended run of another process."""
    other = SqliteStore(project.store.path, "p")
    other.put_run(RunRecord(run_id, "run", started=100.0, state="finished", ended=101.0))
    points = {"metric": ["loss"], "step": [0], "value": [1.0], "time": [100.0]}
    other.append(run_id, pl.DataFrame(points, schema=POINTS))
    other.close()


def ask(project: Project, ask: str, run: Any = "r", **fields: Any) -> dict[str, Any]:
    return answer_of(RunActions(project), {"ask": ask, "run": run, **fields})


def answer_of(actions: RunActions, question: dict[str, Any]) -> dict[str, Any]:
    answer, buffers = questions.answer(actions.answers(), question)
    assert buffers == []
    return answer


def stored(project: Project, run: str = "r") -> Any:
    return project.store.run(run)


def test_run_of_another_process_is_renamed_tagged_and_noted(project: Project) -> None:
    ended(project)
    assert ask(project, "rename", name=" best ") == {}
    assert ask(project, "tag", tags=["a", "b", "a"]) == {}
    assert ask(project, "note", notes="why\nnot") == {}
    run = stored(project)
    assert (run.name, run.tags, run.notes) == ("best", ("a", "b"), "why\nnot")


def test_open_run_is_renamed(project: Project, running: Any) -> None:
    assert ask(project, "rename", "live", name="better") == {}
    assert (running.name, stored(project, "live").name) == ("better", "better")


def test_run_that_another_process_writes_is_not_renamed(project: Project) -> None:
    other = Project("p", project.store.path.parent)
    run = other.open_run(RunOptions(RunRecord("theirs", "theirs", started=100.0)))
    assert "another process" in ask(project, "rename", "theirs", name="mine")["error"]
    assert stored(project, "theirs").name == "theirs"
    run.finish()
    other.store.close()


def test_empty_name_is_refused(project: Project) -> None:
    ended(project)
    assert "empty" in ask(project, "rename", name="  ")["error"]
    assert stored(project).name == "run"


def test_deleted_run_is_gone_and_reported(project: Project) -> None:
    ended(project)
    told: list[str] = []
    assert answer_of(RunActions(project, told.append), {"ask": "delete", "run": "r"}) == {}
    assert (stored(project), told) == (None, ["r"])


def test_open_run_is_not_deleted(project: Project, running: Any) -> None:
    told: list[str] = []
    answer = answer_of(RunActions(project, told.append), {"ask": "delete", "run": "live"})
    assert "still running: finish it before" in answer["error"]
    assert (stored(project, "live").name, told) == ("live one", [])


def test_open_run_is_asked_to_stop(project: Project, running: Any) -> None:
    assert ask(project, "stop", "live") == {}
    assert running.should_stop


def test_run_that_is_not_written_here_is_not_stopped(project: Project) -> None:
    ended(project)
    assert ask(project, "stop") == {"error": "run 'run' has finished already"}
    other = Project("p", project.store.path.parent)
    run = other.open_run(RunOptions(RunRecord("theirs", "theirs", started=100.0)))
    assert "another process; stop it there" in ask(project, "stop", "theirs")["error"]
    assert not run.should_stop
    run.finish()
    other.store.close()


@pytest.mark.parametrize(
    ("states", "is_uploading"),
    [([], False), (["synced"], False), (["synced", "refused"], False), (["uploading"], True), (["waiting"], True)],
)
def test_upload_goes_on_until_it_is_complete_or_refused(
    project: Project, states: list[Any], is_uploading: bool
) -> None:
    project.uploads = [SimpleNamespace(state=SyncState("https://host", each, 0, None)) for each in states]  # type: ignore[misc]
    assert RunActions(project).is_uploading == is_uploading


@pytest.mark.parametrize("run", ["run", "nobody", None, 7])
def test_run_is_found_by_its_id_only(project: Project, run: Any) -> None:
    ended(project)
    assert ask(project, "delete", run) == {"error": "this run is no longer in the project"}
    assert stored(project) is not None
