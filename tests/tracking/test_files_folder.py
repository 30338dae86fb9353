"""The folder of a project's files: what is removed from it, and when."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from trackbook.media.image import Image
from trackbook.store import media_files
from trackbook.tracking.files_folder import FilesFolder
from trackbook.tracking.project import FLUSH_SECONDS, Project
from trackbook.tracking.run_options import RunOptions
from trackbook.types import RunRecord

RECORD = RunRecord("r1", "a", 1.0)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project with a run of four images, at steps 0 to 3, and another run with the last one of them."""
    project = Project("p", tmp_path)
    for run_id, shades in (("r1", range(4)), ("r2", [3])):
        run = project.open_run(RunOptions(RunRecord(run_id, run_id, 1.0)))
        for shade in shades:
            run.log({"a": Image(np.full((2, 2), shade, np.uint8))})
        run.finish()
    assert count(project) == 4
    return project


def count(project: Project) -> int:
    assert project.store.files_folder is not None
    return len([*project.store.files_folder.glob("??/*")])


def cut_back(project: Project, step: int) -> None:
    project.open_run(RunOptions(RECORD, by_id=True, resume="must", resume_from=step))


def test_files_that_no_run_uses_go_at_the_next_flush(project: Project) -> None:
    cut_back(project, 0)
    assert count(project) == 4  # `init` does not read the media of all runs
    project.tick(0.0)
    assert count(project) == 2  # the first one, and that of the other run


def test_files_that_no_run_uses_go_when_the_program_ends_at_once(project: Project) -> None:
    cut_back(project, 0)
    project.close()
    assert count(project) == 2


def test_run_that_another_process_deletes_while_it_is_moved_arrives_with_its_files(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = media_files.copy

    def delete_and_copy(names: set[str], source: Path, target: Path) -> int:
        other = Project("p", tmp_path)
        other.delete(other.get("r1"))
        return copy(names, source, target)

    monkeypatch.setattr("trackbook.store.content_files._PATIENCE", 0.0)
    monkeypatch.setattr(media_files, "copy", delete_and_copy)
    target = Project("q", tmp_path)
    project.move(project.get("r1"), target)
    assert [np.asarray(each.read())[0, 0] for each in target.get("r1").media()] == [0, 1, 2, 3]
    assert [run.id for run in project.runs()] == ["r2"]


def test_files_go_later_if_it_cannot_be_read_now_what_uses_them(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: FilesFolder) -> set[str]:
        raise OSError("the disk is gone")

    cut_back(project, 0)
    with monkeypatch.context() as patched:
        patched.setattr(FilesFolder, "_used", fail)
        project.tick(0.0)
        assert count(project) == 4
        with pytest.raises(OSError, match="the disk is gone"):
            project.delete(project.get("r2"))
    project.tick(10 * FLUSH_SECONDS)
    assert count(project) == 1
