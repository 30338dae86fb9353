from __future__ import annotations

import errno
import json
import math
import mmap
import os
import re
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from journals import Row, drained, in_memory, put, rows
from trackbook import filesystem
from trackbook.journal import journal as journal_module
from trackbook.journal.journal import HEAD, SMALLEST_SEGMENT, FileJournal, Journal, head_of
from trackbook.journal.null_journal import NullJournal
from trackbook.journal.reader import Remains
from trackbook.journal.records import RECORD_BYTES
from trackbook.store.base import POINTS
from trackbook.store.paths import journal_prefix
from trackbook.types import RunRecord

KINDS = ["memory", "mapped", "written through"]
FULL = OSError(errno.ENOSPC, "No space left on device")


@pytest.fixture(params=KINDS)
def journal(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FileJournal]:
    """A journal of each kind, with the metrics `a` and `b`."""
    if request.param == "written through":
        monkeypatch.setattr(filesystem, "is_network", lambda _: True)
    journal = two_metrics(None if request.param == "memory" else tmp_path)
    yield journal
    journal.close()


@pytest.fixture(params=KINDS[1:])
def kept(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FileJournal]:
    """A journal of each kind that has files."""
    if request.param == "written through":
        monkeypatch.setattr(filesystem, "is_network", lambda _: True)
    journal = two_metrics(tmp_path)
    yield journal
    journal.close()


def two_metrics(home: Path | None) -> FileJournal:
    journal = FileJournal(home, {"id": "r1"})
    journal.open()
    assert (journal.metric("a"), journal.metric("b")) == (0, 1)
    return journal


def left_behind(home: Path) -> list[Row]:
    """Return what another process finds while this one is alive."""
    (folder,) = home.iterdir()
    return rows(Remains(folder, None).batches({}))


def refuse(error: OSError) -> Any:
    def call(*_: Any, **__: Any) -> Any:
        raise error

    return call


# --- what goes in comes out -------------------------------------------------------------------------------------------


def test_records_are_drained_once_in_order(journal: FileJournal) -> None:
    put(journal, (0, 0, 0.5), (1, 7, 0.9), now=1.5)
    put(journal, (0, 1, math.inf), now=2.5)
    batch = journal.drain(journal.ready())
    assert batch is not None
    assert batch.points.schema == POINTS
    assert batch.points.rows() == [("a", 0, 0.5, 1.5), ("b", 7, 0.9, 1.5), ("a", 1, math.inf, 2.5)]
    journal.drained(batch.marks)
    assert journal.drain(journal.ready()) is None


def test_records_are_drained_again_until_noted(journal: FileJournal) -> None:
    put(journal, (0, 0, 0.5))
    first = rows(journal.drain(journal.ready()))
    assert rows(journal.drain(journal.ready())) == first == [("a", 0, 0.5)]


def test_records_after_ready_wait_for_the_next_drain(journal: FileJournal) -> None:
    put(journal, (0, 0, 0.5))
    ready = journal.ready()
    put(journal, (0, 1, 0.5))
    assert rows(journal.drain(ready)) == [("a", 0, 0.5)]


def test_the_largest_step_fits(journal: FileJournal) -> None:
    put(journal, (0, 2**63 - 1, 0.0))
    assert drained(journal) == [("a", 2**63 - 1, 0.0)]


@pytest.mark.parametrize("count", [31, 32, 33, 64, 65, 100_000])
def test_a_call_of_any_size_is_one_call(journal: FileJournal, count: int) -> None:
    put(journal, (0, 0, 0.5))
    put(journal, *[(0, step, 0.5) for step in range(1, count + 1)])
    put(journal, (0, count + 1, 0.5))
    assert drained(journal) == [("a", step, 0.5) for step in range(count + 2)]


def test_segments_follow_each_other(journal: FileJournal) -> None:
    steps = SMALLEST_SEGMENT // RECORD_BYTES * 3 + 5
    for step in range(steps):
        put(journal, (0, step, 0.5))
    assert [step for _, step, _ in drained(journal)] == list(range(steps))


def test_a_drain_of_a_long_backlog_stops_between_segments(
    journal: FileJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal_module, "MOST_AT_ONCE", SMALLEST_SEGMENT)
    for step in range(SMALLEST_SEGMENT // RECORD_BYTES + 1):
        put(journal, (0, step, 0.5))
    assert len(rows(journal.drain(journal.ready()))) == SMALLEST_SEGMENT // RECORD_BYTES
    assert len(drained(journal)) == SMALLEST_SEGMENT // RECORD_BYTES + 1


def test_draining_while_threads_write_loses_nothing_and_splits_no_call(journal: FileJournal) -> None:
    lock = threading.Lock()

    def write(metric: int) -> None:
        for step in range(2000):
            with lock:
                put(journal, (metric, step, 0.5), (metric, step + 10_000, 0.5))

    threads = [threading.Thread(target=write, args=(metric,)) for metric in (0, 1)]
    for thread in threads:
        thread.start()
    seen: list[Row] = []
    while any(thread.is_alive() for thread in threads):
        with lock:
            ready = journal.ready()
        batch = journal.drain(ready)
        if batch is not None:
            assert len(batch.points) % 2 == 0
            seen += rows(batch)
            journal.drained(batch.marks)
    seen += drained(journal)
    for name in "ab":
        assert [step for metric, step, _ in seen if metric == name] == [
            step for first in range(2000) for step in (first, first + 10_000)
        ]


def test_interrupted_call_leaves_a_hole_that_is_skipped(journal: FileJournal, monkeypatch: pytest.MonkeyPatch) -> None:
    put(journal, (0, 0, 0.5))
    with monkeypatch.context() as broken:
        broken.setattr(journal_module, "_PACK", [refuse(OSError("interrupted"))] * 3)
        with pytest.raises(OSError, match="interrupted"):
            put(journal, (0, 1, 0.5), (1, 1, 0.5))
    put(journal, (0, 2, 0.5))
    assert drained(journal) == [("a", 0, 0.5), ("a", 2, 0.5)]


# --- its files --------------------------------------------------------------------------------------------------------


def test_another_process_reads_what_was_written(kept: FileJournal, tmp_path: Path) -> None:
    put(kept, (0, 0, 0.5), (1, 0, 1.5))
    put(kept, *[(0, step, 0.5) for step in range(1, 100)])
    assert left_behind(tmp_path) == [("a", 0, 0.5), ("b", 0, 1.5), *[("a", step, 0.5) for step in range(1, 100)]]


def test_a_hole_is_a_hole_in_the_file_too(kept: FileJournal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An interrupt before a segment's write must not move later records, because marks are positions in the file."""
    put(kept, (0, 0, 0.5))
    with monkeypatch.context() as broken:
        broken.setattr(journal_module, "_PACK", [refuse(OSError("interrupted"))] * 3)
        with pytest.raises(OSError, match="interrupted"):
            put(kept, (0, 1, 0.5), (1, 1, 0.5))
    put(kept, (0, 2, 0.5))
    kept.leave()
    left = Remains(tmp_path / kept.name, -1)
    assert rows(left.batches({})) == [("a", 0, 0.5), ("a", 2, 0.5)]
    assert rows(left.batches({f"{kept.name}/000000.seg": 3 * RECORD_BYTES})) == [("a", 2, 0.5)]


def test_a_metric_is_named_before_its_first_point(kept: FileJournal, tmp_path: Path) -> None:
    assert kept.metric("train/損失\n") == 2
    lines = (tmp_path / kept.name / HEAD).read_text("utf-8").split("\n")
    assert json.loads(lines[-2]) == {"metric": 2, "name": "train/損失\n"}


def test_lock_shows_that_the_process_is_alive(kept: FileJournal, tmp_path: Path) -> None:
    head = tmp_path / kept.name / HEAD
    assert filesystem.hold(head) is None
    kept.leave()
    held = filesystem.hold(head)
    assert held is not None
    os.close(held)


def test_files_are_made_by_the_first_record_or_open(tmp_path: Path) -> None:
    journal = FileJournal(tmp_path / "journals", {"id": "r1"})
    number = journal.metric("a")
    assert list(tmp_path.iterdir()) == []
    put(journal, (number, 0, 0.5))
    assert left_behind(tmp_path / "journals") == [("a", 0, 0.5)]
    journal.close()


def test_full_segment_is_removed_once_durable(kept: FileJournal, tmp_path: Path) -> None:
    def files() -> list[str]:
        return sorted(path.name for path in (tmp_path / kept.name).glob("*.seg"))

    for step in range(SMALLEST_SEGMENT // RECORD_BYTES):
        put(kept, (0, step, 0.5))
    marks = {f"{kept.name}/000000.seg": SMALLEST_SEGMENT}
    kept.forget(marks)
    assert files() == ["000000.seg"]
    put(kept, (0, 10**6, 0.5))
    kept.forget({})  # who logs slowly has had each segment drained to its end before the next one came
    assert files() == ["000001.seg"]
    assert drained(kept) == [("a", 10**6, 0.5)]


def test_partly_durable_segment_stays(kept: FileJournal, tmp_path: Path) -> None:
    for step in range(SMALLEST_SEGMENT // RECORD_BYTES + 1):
        put(kept, (0, step, 0.5))
    kept.forget({f"{kept.name}/000000.seg": SMALLEST_SEGMENT - RECORD_BYTES})
    assert len(list((tmp_path / kept.name).glob("*.seg"))) == 2


def test_closed_journal_is_removed(kept: FileJournal, tmp_path: Path) -> None:
    put(kept, (0, 0, 0.5))
    kept.close()
    assert list(tmp_path.iterdir()) == []


def test_left_journal_has_the_runs_final_record(kept: FileJournal, tmp_path: Path) -> None:
    kept.leave({"id": "r1", "state": "finished"})
    assert Remains(tmp_path / kept.name, None).head["state"] == "finished"


@pytest.mark.parametrize("run", ["a/b", "../../x", "a\0b", "x" * 500, "*", "[a-z]", "con", "", "A", "損失"])
def test_a_run_of_any_id_has_one_folder(tmp_path: Path, run: str) -> None:
    journal = FileJournal(tmp_path / "home", {"id": run})
    journal.open()
    assert journal.notices == []
    (folder,) = (tmp_path / "home").iterdir()
    assert folder.name == journal.name
    assert Remains(folder, None).head["id"] == run
    journal.close()


def test_ids_with_a_common_prefix_have_different_folders() -> None:
    ids = ["a", "a-", "a-b", "A", "a-1-"]
    assert len({journal_prefix(run) for run in ids}) == len(ids)
    assert not any(
        journal_prefix(one).startswith(journal_prefix(other)) for one in ids for other in ids if one != other
    )


def test_probing_the_lock_does_not_block_the_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    open_to_hold, looking = filesystem.open_to_hold, []

    def open_and_be_overtaken(path: Path, *, create: bool = True) -> int:
        descriptor = open_to_hold(path, create=create)
        if create:
            looking.append(filesystem.hold(path))
        return descriptor

    monkeypatch.setattr(filesystem, "open_to_hold", open_and_be_overtaken)
    monkeypatch.setattr(filesystem.time, "sleep", lambda _: os.close(looking.pop()))
    journal = two_metrics(tmp_path)
    assert looking == []
    assert journal.notices == []
    journal.close()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no fork")
def test_forked_child_can_close_a_buffer_with_views(tmp_path: Path) -> None:
    """The child inherits the pump's array, but no thread that would release it."""
    journal = two_metrics(tmp_path)
    array = np.frombuffer(journal._segment.buffer, np.uint8)
    journal.leave()
    assert len(array) == SMALLEST_SEGMENT


def resident(folder: Path) -> list[int]:
    """Return the kB of each mapped segment in this process's memory, by name."""
    found: dict[str, int] = {}
    name = ""
    for line in Path("/proc/self/smaps").read_text().splitlines():
        if re.match("[0-9a-f]+-", line):
            name = line.split(maxsplit=5)[-1]
        elif line.startswith("Rss:") and str(folder) in name:
            found[name] = int(line.split()[1])
    return [found[name] for name in sorted(found)]


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")
def test_full_segments_release_memory_without_loss(tmp_path: Path) -> None:
    journal = two_metrics(tmp_path)
    steps = 4 * SMALLEST_SEGMENT // RECORD_BYTES  # more than two segments, of which the second is twice the first
    for step in range(steps):
        put(journal, (0, step, 0.5))
    assert [kb > 0 for kb in resident(tmp_path)] == [False, False, True]
    assert [step for _, step, _ in left_behind(tmp_path)] == list(range(steps))
    batch = journal.drain(journal.ready())
    assert [step for _, step, _ in rows(batch)] == list(range(steps))
    assert [kb > 0 for kb in resident(tmp_path)] == [True, True, True]  # that was reading
    assert batch is not None
    journal.drained(batch.marks)
    assert [kb > 0 for kb in resident(tmp_path)] == [False, False, True]
    journal.close()


@pytest.mark.parametrize("machine", ["knows no such advice", "refuses it"])
def test_journal_works_without_madvise(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, machine: str) -> None:
    if machine == "refuses it":
        monkeypatch.setattr(mmap, "MADV_DONTNEED", -1, raising=False)
    else:
        monkeypatch.delattr(mmap, "MADV_DONTNEED", raising=False)
    journal = two_metrics(tmp_path)
    steps = 2 * SMALLEST_SEGMENT // RECORD_BYTES
    for step in range(steps):
        put(journal, (0, step, 0.5))
    assert [step for _, step, _ in drained(journal)] == list(range(steps))
    journal.close()


def test_backlog_is_the_undrained_bytes(journal: FileJournal) -> None:
    put(journal, (0, 0, 0.5), (1, 0, 0.5))
    put(journal, (0, 1, 0.5))
    assert journal.backlog() == 3 * RECORD_BYTES
    drained(journal)
    assert journal.backlog() == 0


# --- a disk that fails ------------------------------------------------------------------------------------------------


def test_full_disk_keeps_records_in_memory_with_a_notice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as full:
        full.setattr(filesystem, "allocate", refuse(FULL))
        journal = two_metrics(tmp_path)
        put(journal, (0, 0, 0.5))
    (notice,) = journal.notices
    assert notice.startswith(f"Cannot keep a journal in {tmp_path} (No space left on device).")
    assert drained(journal) == [("a", 0, 0.5)]
    journal.close()


def test_freed_disk_is_used_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as full:
        full.setattr(filesystem, "allocate", refuse(FULL))
        journal = two_metrics(tmp_path)
    for step in range(SMALLEST_SEGMENT // RECORD_BYTES + 1):
        put(journal, (0, step, 0.5))
    assert journal.notices == []
    assert [step for _, step, _ in left_behind(tmp_path)] == [SMALLEST_SEGMENT // RECORD_BYTES]
    assert len(drained(journal)) == SMALLEST_SEGMENT // RECORD_BYTES + 1
    journal.close()


def test_segments_in_memory_are_small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(filesystem, "allocate", refuse(FULL))
    journal = two_metrics(tmp_path)
    for step in range(SMALLEST_SEGMENT // RECORD_BYTES * 3):
        put(journal, (0, step, 0.5))
    assert [segment.size for segment in journal._segments] == [SMALLEST_SEGMENT] * 3
    journal.close()


@pytest.mark.parametrize("in_the_way", ["the home", "a parent"])
def test_a_folder_that_cannot_be_made_is_a_notice(tmp_path: Path, in_the_way: str) -> None:
    home = tmp_path / "parent" / "home"
    (home.parent if in_the_way == "a parent" else home).parent.mkdir(exist_ok=True)
    (home.parent if in_the_way == "a parent" else home).write_text("a file")
    journal = two_metrics(home)
    put(journal, (0, 0, 0.5))
    assert "Cannot keep a journal" in journal.notices[0]
    assert drained(journal) == [("a", 0, 0.5)]
    journal.close()


def test_name_not_written_to_a_full_disk_is_written_later(
    kept: FileJournal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as full:
        full.setattr(filesystem, "write_all", refuse(FULL))
        put(kept, (kept.metric("c"), 0, 0.5))
    assert "No space left" in kept.notices[0]
    assert left_behind(tmp_path) == []
    (folder,) = tmp_path.iterdir()
    with closing(Remains(folder, os.open(os.devnull, os.O_RDONLY))) as of_dead_process:
        assert rows(of_dead_process.batches({})) == [("unnamed metric 2", 0, 0.5)]
    kept.ready()
    assert left_behind(tmp_path) == [("c", 0, 0.5)]


def test_name_torn_by_a_full_disk_is_written_again(
    kept: FileJournal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write_half(descriptor: int, data: bytes) -> None:
        os.write(descriptor, data[: len(data) // 2])
        raise FULL

    with monkeypatch.context() as full:
        full.setattr(filesystem, "write_all", write_half)
        put(kept, (kept.metric("c"), 0, 0.5))
    kept.ready()
    assert left_behind(tmp_path) == [("c", 0, 0.5)]


@pytest.mark.parametrize("refused", ["allocating", "mapping"])
def test_refused_mapping_writes_each_call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refused: str) -> None:
    if refused == "allocating":
        monkeypatch.setattr(filesystem, "allocate", refuse(OSError(errno.EOPNOTSUPP, "not supported")))
    else:
        monkeypatch.setattr(journal_module, "mmap", _Mapless)
    journal = two_metrics(tmp_path)
    put(journal, (0, 0, 0.5))
    assert journal.notices == []
    assert left_behind(tmp_path) == drained(journal) == [("a", 0, 0.5)]
    journal.close()


class _Mapless:
    class mmap:  # noqa: N801  as the module calls it
        def __init__(self, *_: Any) -> None:
            raise OSError(errno.ENODEV, "no such device")


def test_failing_write_is_a_notice_and_keeps_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(filesystem, "is_network", lambda _: True)
    journal = two_metrics(tmp_path)
    put(journal, (0, 0, 0.5))
    with monkeypatch.context() as full:
        full.setattr(filesystem, "write_at", refuse(FULL))
        put(journal, (0, 1, 0.5))
    put(journal, (0, 2, 0.5))
    assert "No space left" in journal.notices[0]
    assert left_behind(tmp_path) == [("a", 0, 0.5)]
    assert [step for _, step, _ in drained(journal)] == [0, 1, 2]
    journal.close()


# --- no journal -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("journal", [in_memory(), NullJournal()])
def test_an_empty_journal_has_nothing_to_drain(journal: Journal) -> None:
    assert journal.drain(journal.ready()) is None


def test_the_null_journal_keeps_nothing() -> None:
    journal = NullJournal()
    put(journal, (journal.metric("a"), 0, 0.5))
    assert drained(journal) == []


def test_head_of_a_run_holds_no_secret() -> None:
    head = head_of(RunRecord("r1", "r1", 1.0, config={"password": "hunter2"}))
    assert head["config"] == {"password": "[redacted]"}
