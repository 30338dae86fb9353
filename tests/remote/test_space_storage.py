"""The data of a Space: saved in a dataset, restored from it, never replaced by less."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import trackbook as tb
from remote.fake_hub import FakeHub
from trackbook.api.process import process
from trackbook.remote import space_storage
from trackbook.remote.hub import Hub
from trackbook.remote.space_storage import SpaceStorage
from trackbook.remote.target import TargetBusy, TargetError

DATASET = "ada/runs-data"
DATABASE = "digits.trackbook.db"

Open = Callable[[str], SpaceStorage]


@pytest.fixture
def storage(hub_server: FakeHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Open:
    """Return the storage of a folder of this name, in which runs are recorded from now on."""

    def opened(name: str) -> SpaceStorage:
        monkeypatch.setenv("TRACKBOOK_DIR", str(tmp_path / name))
        return SpaceStorage(Hub(), DATASET, tmp_path / name)

    return opened


def record(name: str, value: float = 0.5) -> None:
    with tb.init("digits", name=name, display=False) as run:
        run.log({"loss": value})
    for project in process().projects.values():
        project.store.close()  # writes what it has to itself


def names() -> list[str]:
    return tb.runs("digits")["name"].to_list()


def test_what_was_saved_is_in_the_next_container(hub_server: FakeHub, storage: Open) -> None:
    first = storage("first")
    assert first.restore() == 0
    record("one")
    (Path(first._folder) / "digits.files" / "ab").mkdir(parents=True)
    (Path(first._folder) / "digits.files" / "ab" / "ab.png").write_bytes(b"picture")
    assert first.save() == ["digits.files/ab/ab.png", DATABASE]
    second = storage("second")
    assert second.restore() == 2
    assert names() == ["one"]
    assert tb.get_run("one", "digits").history()["value"].to_list() == [0.5]
    assert (second._folder / "digits.files" / "ab" / "ab.png").read_bytes() == b"picture"
    assert sorted(path.name for path in second._folder.iterdir() if path.name.startswith(".")) == []


def test_dataset_is_private(hub_server: FakeHub, storage: Open) -> None:
    storage("first").restore()
    assert hub_server.dataset(DATASET).private


def test_only_what_has_changed_is_saved(hub_server: FakeHub, storage: Open) -> None:
    kept = storage("first")
    kept.restore()
    record("one")
    assert kept.save() == [DATABASE]
    assert kept.save() == []
    assert len(hub_server.dataset(DATASET).commits) == 1
    record("two")
    assert kept.save() == [DATABASE]
    again = storage("second")
    again.restore()
    assert names() == ["one", "two"]
    assert again.save() == []  # what was restored is there


def test_deleted_project_is_deleted_in_the_dataset(hub_server: FakeHub, storage: Open) -> None:
    kept = storage("first")
    kept.restore()
    record("one")
    kept.save()
    tb.delete_project("digits", force=True)
    assert kept.save() == [DATABASE]
    assert [path for path in hub_server.dataset(DATASET).files if path.startswith("data/")] == []


def test_stop_saves_what_is_left(hub_server: FakeHub, storage: Open) -> None:
    kept = storage("first")
    kept.restore()
    kept.start()
    record("one")
    kept.stop()
    storage("second").restore()
    assert names() == ["one"]


def test_changes_are_saved_regularly(hub_server: FakeHub, storage: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(space_storage, "SAVE_SECONDS", 0.01)
    kept = storage("first")
    kept.restore()
    kept.start()
    record("one")
    while not hub_server.dataset(DATASET).commits:
        pass
    kept.stop()
    storage("second").restore()
    assert names() == ["one"]


def test_last_change_is_saved_sooner_than_one_amid_others(
    hub_server: FakeHub, storage: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(space_storage, "SAVE_SECONDS", 10_000.0)
    monkeypatch.setattr(space_storage, "QUIET_SECONDS", 0.0)
    monkeypatch.setattr(space_storage, "LOOK_SECONDS", 0.01)
    kept = storage("first")
    kept.restore()
    record("one")
    kept.start()
    while not hub_server.dataset(DATASET).commits:
        pass
    kept.stop()
    storage("second").restore()
    assert names() == ["one"]


def test_failed_save_leaves_the_dataset_and_is_made_up_for(hub_server: FakeHub, storage: Open) -> None:
    kept = storage("first")
    kept.restore()
    record("one")
    hub_server.fail("POST .*/commit/main", 500)
    with pytest.raises(TargetBusy):
        kept.save()
    assert hub_server.dataset(DATASET).commits == []
    assert kept.save() == [DATABASE]


def test_failing_saves_are_told_once_and_do_not_end_the_thread(
    hub_server: FakeHub, storage: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    monkeypatch.setattr(space_storage, "warn", said.append)
    monkeypatch.setattr(space_storage, "SAVE_SECONDS", 0.01)
    kept = storage("first")
    kept.restore()
    record("one")
    hub_server.fail("POST .*/commit/main", 500, times=3)
    hub_server.fail("POST .*/commit/main", 200)  # an answer that is no answer
    kept.start()
    while not hub_server.dataset(DATASET).commits:
        pass
    kept.stop()
    assert said == [
        f"runs are not saved in the dataset {DATASET} for now: cannot write to the dataset {DATASET} now, the Hub answers 500"
    ]


def test_restore_that_fails_leaves_the_folder_without_a_part(hub_server: FakeHub, storage: Open) -> None:
    kept = storage("first")
    kept.restore()
    record("one")
    (kept._folder / "other").write_bytes(b"other")
    kept.save()
    again = storage("second")
    hub_server.fail("GET /datasets/.*/other", 403)
    with pytest.raises((TargetError, OSError)):
        again.restore()
    assert list(again._folder.iterdir()) == []


def test_what_is_here_already_stays(hub_server: FakeHub, storage: Open) -> None:
    kept = storage("first")
    kept.restore()
    record("one")
    kept.save()
    record("two")
    again = SpaceStorage(Hub(), DATASET, kept._folder)  # the same container starts once more
    assert again.restore() == 0
    assert names() == ["one", "two"]
    assert again.save() == [DATABASE]


def test_path_out_of_the_folder_is_passed_over(hub_server: FakeHub, storage: Open, tmp_path: Path) -> None:
    kept = storage("first")
    kept.restore()
    hub_server.dataset(DATASET).files |= {"data/../../outside": b"x", "other": b"y"}
    assert kept.restore() == 0
    assert not (tmp_path / "outside").exists()


def test_history_is_cut_so_that_former_versions_take_no_room(
    hub_server: FakeHub, storage: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(space_storage, "SAVES_IN_HISTORY", 2)
    kept = storage("first")
    kept.restore()
    for name in ("one", "two"):
        record(name)
        kept.save()
    assert hub_server.dataset(DATASET).commits == ["Keep the newest version"]
    storage("second").restore()
    assert names() == ["one", "two"]
