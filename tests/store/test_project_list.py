from __future__ import annotations

from pathlib import Path

import pytest

from trackbook.store import project_list
from trackbook.store.paths import project_file
from trackbook.store.project_list import ProjectEntry, ProjectList
from trackbook.store.sqlite import SqliteStore
from trackbook.types import RunRecord


def put(folder: Path, project: str, *runs: RunRecord) -> None:
    store = SqliteStore(folder / project_file(project), project)
    for run in runs:
        store.put_run(run)
    assert store.flush()
    store.close()


def test_projects_are_listed_with_the_last_active_one_first(tmp_path: Path) -> None:
    put(tmp_path, "Old one", RunRecord("a", "a", 5.0, state="finished", ended=9.0), RunRecord("b", "b", 6.0))
    put(tmp_path, "new", RunRecord("a", "a", 20.0))
    entries = ProjectList(tmp_path).entries()
    assert [entry._replace(size=0) for entry in entries] == [
        ProjectEntry("new", 1, 1, 20.0, path=tmp_path / project_file("new")),
        ProjectEntry("Old one", 2, 1, 9.0, path=tmp_path / project_file("Old one")),
    ]
    assert entries[0].size == (tmp_path / project_file("new")).stat().st_size


def test_changed_and_removed_projects_are_seen(tmp_path: Path) -> None:
    projects = ProjectList(tmp_path)
    assert projects.entries() == []
    put(tmp_path, "p", RunRecord("a", "a", 1.0))
    assert [entry.runs for entry in projects.entries()] == [1]
    put(tmp_path, "p", RunRecord("b", "b", 2.0))
    assert [entry.runs for entry in projects.entries()] == [2]
    (tmp_path / project_file("p")).unlink()
    assert projects.entries() == []


@pytest.mark.parametrize("content", [b"", b"x" * 1000, b"SQLite format 3\0" + b"\0" * 1000])
def test_file_that_cannot_be_read_is_listed_with_its_problem(tmp_path: Path, content: bytes) -> None:
    (tmp_path / project_file("broken")).write_bytes(content)
    (entry,) = ProjectList(tmp_path).entries()
    assert entry.name == "broken"
    assert entry.problem is not None
    assert project_file("broken") in entry.problem


def test_list_that_two_threads_ask_for_is_whole_for_both(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a", "b"):
        put(tmp_path, name, RunRecord("a", "a", 1.0))
    projects = ProjectList(tmp_path)
    read, inner = project_list._entry, list[list[str]]()

    def between(path: Path) -> ProjectEntry:
        """Read a file, while another thread asks for the list."""
        monkeypatch.setattr(project_list, "_entry", read)
        (tmp_path / project_file("b")).rename(tmp_path / "elsewhere")
        inner.append([entry.name for entry in projects.entries()])
        (tmp_path / "elsewhere").rename(tmp_path / project_file("b"))
        return read(path)

    monkeypatch.setattr(project_list, "_entry", between)
    monkeypatch.setattr(Path, "glob", lambda folder, _: iter([folder / project_file("a"), folder / project_file("b")]))
    assert sorted(entry.name for entry in projects.entries()) == ["a", "b"]
