"""The uploader: what is in the local store arrives once, in order, whatever the target does, and delays nobody."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from remote.faulty_target import FaultyTarget, MemoryTarget, Place, at_random
from remote.target_contract import points, rows
from trackbook.remote import attempts
from trackbook.remote import upload as upload_module
from trackbook.remote import uploader as uploader_module
from trackbook.remote.target import NOTHING, Target, TargetError
from trackbook.remote.upload import Upload
from trackbook.remote.uploader import Uploader, send_all
from trackbook.store.sqlite import SqliteStore
from trackbook.types import RunRecord

WHERE = "https://host"
SECONDS = 30.0  # that a test waits for what must come
RUN = RunRecord("r1", "brisk-otter-1", 1_000.0, config={"lr": 0.1})
ENDED = dataclasses.replace(RUN, state="finished", ended=1_100.0)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attempts, "LONGEST_WAIT", 0.01)
    monkeypatch.setattr(uploader_module, "PACE_SECONDS", 0.01)
    monkeypatch.setattr(uploader_module, "IDLE_SECONDS", 0.01)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    store = SqliteStore(tmp_path / "digits.trackbook.db", "digits")
    store.put_run(RUN)
    store.append("r1", points("loss", 0, 5))
    store.flush()
    yield store
    store.close()


@pytest.fixture
def place() -> Place:
    return Place()


def opening(make: Callable[[str], Target]) -> Callable[..., Target]:
    def opened(where: str, *, project: str, source: str, token: str | None) -> Target:
        return make(source)

    return opened


def to_memory(place: Place) -> Callable[..., Target]:
    return opening(lambda source: MemoryTarget(place, source))


def with_faults(place: Place, choose: Callable[[str], str | None]) -> Callable[..., Target]:
    return opening(lambda source: FaultyTarget(MemoryTarget(place, source), choose))


def upload_of(store: SqliteStore, opened: Callable[..., Target], *runs: str, include: tuple[str, ...] = ()) -> Upload:
    made = Upload(store.path, "digits", WHERE, opened)
    made.ledger.follow(runs or ("r1",), WHERE, include)
    return made


def sent(store: SqliteStore, place: Place, *, include: tuple[str, ...] = ()) -> None:
    """Upload everything in a process of its own, as it were."""
    upload = upload_of(store, to_memory(place), include=include)
    send_all(upload)
    upload.close()


def assert_equal(store: SqliteStore, place: Place, run: str = "r1") -> None:
    assert rows(place.points[run]) == rows(store.read(run))
    assert place.runs[run] == store.run(run)


def test_what_is_stored_is_uploaded(store: SqliteStore, place: Place) -> None:
    sent(store, place)
    assert_equal(store, place)


def test_what_comes_later_is_added(store: SqliteStore, place: Place) -> None:
    sent(store, place)
    store.append("r1", points("acc", 0, 3))
    store.put_run(ENDED)
    store.flush()
    sent(store, place)
    assert_equal(store, place)


def test_end_arrives_where_a_killed_uploader_has_sent_all_points(store: SqliteStore, place: Place) -> None:
    sent(store, place)
    store.put_run(ENDED)
    store.flush()
    upload = upload_of(store, to_memory(place))
    upload.ledger.note("r1", WHERE, NOTHING, -1)  # as it was before the killed process noted what it had sent
    send_all(upload)
    upload.close()
    assert_equal(store, place)


def test_end_arrives_after_an_answer_that_was_lost(store: SqliteStore, place: Place) -> None:
    upload = upload_of(store, with_faults(place, lambda name: "lost acknowledgement" if name == "put" else None))
    with pytest.raises(OSError, match="answer"):
        upload.send(*upload.pending())
    upload.close()
    store.put_run(ENDED)
    store.flush()
    sent(store, place)
    assert_equal(store, place)


def test_end_of_a_run_does_not_wait_for_the_interval_of_its_target(store: SqliteStore, place: Place) -> None:
    def slow(source: str) -> Target:
        target = MemoryTarget(place, source)
        target.seconds = 3600.0
        return target

    upload = upload_of(store, opening(slow))
    upload.send(*upload.pending())
    store.append("r1", points("loss", 5, 3))
    store.flush()
    assert not upload.send(*upload.pending())
    assert rows(place.points["r1"]) == rows(points("loss", 0, 5))
    store.put_run(ENDED)
    store.flush()
    upload.send(*upload.pending())
    upload.close()
    assert_equal(store, place)


def test_only_durable_points_leave(store: SqliteStore, place: Place) -> None:
    store.append("r1", points("loss", 5, 3))
    sent(store, place)
    assert rows(place.points["r1"]) == rows(points("loss", 0, 5))


def test_a_rewind_replaces(store: SqliteStore, place: Place) -> None:
    sent(store, place)
    store.cut("r1", 2)
    store.append("r1", points("loss", 3, 4, factor=9))
    store.flush()
    sent(store, place)
    assert_equal(store, place)


def test_a_deleted_run_is_deleted_there(store: SqliteStore, place: Place) -> None:
    sent(store, place)
    store.delete("r1")
    sent_again = Upload(store.path, "digits", WHERE, to_memory(place))
    send_all(sent_again)
    assert (place.runs, sent_again.ledger.targets()) == ({}, [])
    sent_again.close()


def test_a_run_made_again_under_a_deleted_id_is_uploaded_whole(store: SqliteStore, place: Place) -> None:
    sent(store, place)
    store.delete("r1")
    store.put_run(RUN)
    store.append("r1", points("acc", 0, 2))
    store.flush()
    sent(store, place)
    assert_equal(store, place)


def test_a_file_that_lost_points_at_a_power_failure_replaces(store: SqliteStore, place: Place) -> None:
    sent(store, place)
    (key,) = place.cursors
    place.cursors[key] = place.cursors[key]._replace(ordinal=9)
    place.points["r1"] = points("loss", 0, 9)
    upload = upload_of(store, to_memory(place))
    upload.ledger.note("r1", WHERE, place.cursors[key], -1)
    send_all(upload)
    assert_equal(store, place)
    upload.close()


def test_batches_are_bounded(store: SqliteStore, place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upload_module, "MOST_POINTS", 100)
    sizes = []

    class Counting(MemoryTarget):
        def put(self, batch: Any) -> Any:
            sizes.append((len(batch.points), batch.run.state))
            return super().put(batch)

    store.append("r1", points("acc", 0, 250))
    store.put_run(ENDED)
    store.flush()
    upload = upload_of(store, opening(lambda source: Counting(place, source)))
    send_all(upload)
    assert sizes == [(100, "running"), (100, "running"), (55, "finished")]
    assert_equal(store, place)
    upload.close()


def test_two_uploaders_at_once_send_each_point_once(store: SqliteStore, place: Place) -> None:
    first, second = (upload_of(store, to_memory(place)) for _ in range(2))
    send_all(first)
    store.append("r1", points("acc", 0, 3))
    store.flush()
    send_all(second)
    store.append("r1", points("acc", 3, 3))
    store.flush()
    send_all(first)
    assert rows(place.points["r1"]) == rows(store.read("r1"))
    first.close()
    second.close()


@pytest.mark.parametrize("seed", range(5))
def test_faults_lose_and_double_nothing(store: SqliteStore, place: Place, seed: int) -> None:
    upload = upload_of(store, with_faults(place, at_random(seed, 0.5)))
    for batch in range(5):
        store.append("r1", points("acc", 10 * batch, 10))
        if batch == 3:
            store.cut("r1", 17)
        store.flush()
        send_all(upload)
    assert rows(place.points["r1"]) == rows(store.read("r1"))
    assert place.points["r1"].filter(pl.col("metric") == "acc")["step"].is_sorted()
    upload.close()


def test_captured_rows_stay_here(store: SqliteStore, place: Place) -> None:
    fill_tables(store)
    sent(store, place)
    assert place.documents == {}


def test_included_rows_follow_their_changes(store: SqliteStore, place: Place) -> None:
    fill_tables(store)
    upload = upload_of(store, to_memory(place), include=("console", "environment"))
    send_all(upload)
    assert place.documents["r1", "console"].keys() == {0, 1}
    assert place.documents["r1", "facts"] == {"environment": ("environment", '{"git": {"commit": "abc"}}')}
    store.drop_captured("r1", "console", 1, 2)
    store.put_captured("r1", "console", [(0, "stdout", "epoch 1 done", 1.0, None)])
    store.put_run(ENDED)
    store.flush()
    send_all(upload)
    assert place.documents["r1", "console"] == {0: (0, "stdout", "epoch 1 done", 1.0, None)}
    upload.close()


def fill_tables(store: SqliteStore) -> None:
    store.put_captured("r1", "console", [(0, "stdout", "epoch 1", 1.0, None), (1, "stdout", "epoch 2", 2.0, None)])
    facts = [("environment", '{"git": {"commit": "abc", "diff": "+secret"}}'), ("code", '{"source": "x"}')]
    store.put_captured("r1", "facts", facts)
    store.flush()


# --- the thread


def test_a_live_run_is_followed_to_its_end(store: SqliteStore, place: Place) -> None:
    uploader = Uploader(WHERE, opened=to_memory(place))
    followed = uploader.follow(store.path, "digits", "r1", seconds=0.0)
    assert followed.wait(SECONDS).state == "synced"
    store.append("r1", points("acc", 0, 3))
    store.put_run(ENDED)
    store.flush()
    followed.end()
    state = followed.wait(SECONDS)
    assert (state.state, state.left, state.problem) == ("synced", 0, None)
    assert_equal(store, place)
    assert uploader.stop(SECONDS) == []
    uploader.join(SECONDS)


def test_a_target_that_fails_is_told_once_and_tried_again(store: SqliteStore, place: Place) -> None:
    is_down, told = threading.Event(), threading.Event()
    said: list[str] = []
    is_down.set()

    def tell(sentence: str) -> None:
        said.append(sentence)
        told.set()

    uploader = Uploader(WHERE, opened=with_faults(place, lambda _: "refused" if is_down.is_set() else None))
    followed = uploader.follow(store.path, "digits", "r1", tell=tell)
    assert told.wait(SECONDS)
    assert followed.state.state == "waiting"
    assert "https://host cannot be reached or is busy (nobody listens there). Nothing is lost" in said[0]
    is_down.clear()
    assert followed.wait(SECONDS).state == "synced"
    assert len(said) == 1
    uploader.stop()
    uploader.join(SECONDS)


def test_a_target_that_refuses_says_what_to_do(store: SqliteStore, place: Place) -> None:
    class Refusing(MemoryTarget):
        def put(self, batch: Any) -> Any:
            raise TargetError("https://host refuses the token: set TRACKBOOK_TOKEN")

    said: list[str] = []
    uploader = Uploader(WHERE, opened=opening(lambda source: Refusing(place, source)))
    followed = uploader.follow(store.path, "digits", "r1", tell=said.append)
    state = followed.wait(SECONDS)
    assert (state.state, state.problem) == ("refused", "https://host refuses the token: set TRACKBOOK_TOKEN")
    remedy = "Nothing is lost: runs stay on this machine too, and are uploaded once that is done, also later by `trackbook sync`"
    assert said == [f"https://host refuses the token: set TRACKBOOK_TOKEN. {remedy}"]
    assert [one.run_id for one in uploader.stop()] == ["r1"]
    uploader.join(SECONDS)


class FailingFor(MemoryTarget):
    """Loses the connection while it takes some runs."""

    def __init__(self, place: Place, source: str, runs: tuple[str, ...]) -> None:
        super().__init__(place, source)
        self._runs = runs

    def put(self, batch: Any) -> Any:
        if batch.run.id in self._runs:
            raise ConnectionError("the connection was lost")
        return super().put(batch)


@pytest.mark.parametrize("first", ["r1", "r0"])  # before and after the others
def test_a_run_that_fails_delays_no_other_run(store: SqliteStore, place: Place, first: str) -> None:
    failing = [first, "x1", "x2", "x3"]
    for run in [*failing, "r2"]:
        store.put_run(dataclasses.replace(RUN, id=run))
        store.append(run, points("loss", 0, 5))
    store.flush()
    uploader = Uploader(WHERE, opened=opening(lambda source: FailingFor(place, source, tuple(failing))))
    followed = {run: uploader.follow(store.path, "digits", run) for run in [*failing, "r2"]}
    state = followed["r2"].wait(SECONDS)
    assert (state.state, state.left) == ("synced", 0)
    assert_equal(store, place, "r2")
    assert followed[first].wait(0.0).state in ("waiting", "uploading")
    assert {one.run_id for one in uploader.stop()} == set(failing)
    uploader.join(SECONDS)


@pytest.mark.parametrize("what", ["pending", "follow"])
def test_a_project_that_fails_delays_no_other_project(
    store: SqliteStore, place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    def fail(*_: object) -> None:
        raise OSError("the file is busy")

    other = SqliteStore(tmp_path / "speech.trackbook.db", "speech")
    other.put_run(dataclasses.replace(RUN, id="r2"))
    other.append("r2", points("loss", 0, 5))
    other.flush()
    uploader = Uploader(WHERE, opened=to_memory(place))
    monkeypatch.setattr(uploader.upload(store.path, "digits").ledger, what, fail)
    busy = uploader.follow(store.path, "digits", "r1")
    followed = uploader.follow(other.path, "speech", "r2")
    assert followed.wait(SECONDS).state == "synced"
    assert_equal(other, place, "r2")
    assert uploader.stop() == [busy]
    uploader.join(SECONDS)
    other.close()


def test_a_target_that_hangs_delays_neither_the_store_nor_the_end(store: SqliteStore, place: Place) -> None:
    goes_on, hangs = threading.Event(), threading.Event()

    def hang(_: str) -> None:
        hangs.set()
        goes_on.wait(SECONDS)

    uploader = Uploader(WHERE, opened=with_faults(place, hang))
    followed = uploader.follow(store.path, "digits", "r1")
    assert hangs.wait(SECONDS)
    store.append("r1", points("acc", 0, 3))
    assert store.flush()
    assert followed.wait(0.0).state == "uploading"
    assert [(one, one.state.left) for one in uploader.stop()] == [(followed, 8)]  # although no round has ended
    goes_on.set()
    uploader.join(SECONDS)


def test_a_later_process_goes_on(store: SqliteStore, place: Place) -> None:
    upload = upload_of(store, with_faults(place, lambda _: "refused"))
    with pytest.raises(ConnectionRefusedError):
        send_all(upload, patience=0.0)
    assert upload.ledger.targets() == [WHERE]
    upload.close()
    later = Uploader(WHERE, opened=to_memory(place))
    later.upload(store.path, "digits")
    store.put_run(ENDED)
    store.flush()
    send_all(later.upload(store.path, "digits"))
    assert_equal(store, place)
    assert later.upload(store.path, "digits").ledger.targets() == []
    later.stop()
