from __future__ import annotations

import itertools
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from journals import Row, abandoned, put, rows
from trackbook import filesystem
from trackbook.journal import reader
from trackbook.journal.journal import HEAD, SMALLEST_SEGMENT, FileJournal
from trackbook.journal.reader import Remains, of_run, probe, remains
from trackbook.journal.records import RECORD_BYTES

A, B = 0, 1
TWO_CALLS = [[(A, 0, 0.5)], [(A, 1, 1.5), (B, 0, 2.5), (A, 9, 3.5)]]
POINTS = [("a", 0, 0.5), ("a", 1, 1.5), ("b", 0, 2.5), ("a", 9, 3.5)]


def found(home: Path, marks: dict[str, int] | None = None) -> list[Row]:
    """Return what the next opener finds, and release the lock."""
    points: list[Row] = []
    for left in remains(home):
        points += rows(left.batches(marks or {}))
        left.close()
    return points


def seen(folder: Path) -> list[Row]:
    """Return the parent's view of a child's journal while the child is alive."""
    return rows(Remains(folder, None).batches({}))


# --- what is there ----------------------------------------------------------------------------------------------------


def test_journal_of_a_dead_process_is_found(tmp_path: Path) -> None:
    abandoned(tmp_path, *TWO_CALLS)
    assert found(tmp_path) == POINTS


def test_records_beyond_the_marks_are_found(tmp_path: Path) -> None:
    name = abandoned(tmp_path, *TWO_CALLS).name
    assert found(tmp_path, {f"{name}/000000.seg": RECORD_BYTES}) == POINTS[1:]
    assert found(tmp_path, {f"{name}/000000.seg": 4 * RECORD_BYTES}) == []


def test_marks_of_a_batch_are_its_end(tmp_path: Path) -> None:
    folder = abandoned(tmp_path, *TWO_CALLS)
    (batch,) = Remains(folder, None).batches({})
    assert batch.marks == {f"{folder.name}/000000.seg": 4 * RECORD_BYTES}


@pytest.mark.parametrize("most", [1, 2, 3, 4, 7])
def test_batches_are_small_and_end_with_a_call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, most: int) -> None:
    monkeypatch.setattr(reader, "_MOST_AT_ONCE", most)
    folder = abandoned(tmp_path, *TWO_CALLS, [(B, 1, 4.5)])
    marks: dict[str, int] = {}
    points: list[Row] = []
    for batch in Remains(folder, os.open(os.devnull, os.O_RDONLY)).batches({}):
        points += rows(batch)
        marks |= batch.marks
        assert points + found(tmp_path, marks) == [*POINTS, ("b", 1, 4.5)]
    assert points == [*POINTS, ("b", 1, 4.5)]


def test_a_journal_of_a_living_process_is_not_found(tmp_path: Path) -> None:
    journal = FileJournal(tmp_path, {"id": "r1"})
    put(journal, (journal.metric("a"), 0, 0.5))
    assert found(tmp_path) == []
    assert probe(tmp_path, "r1") == "alive"
    journal.leave()
    assert probe(tmp_path, "r1") == "dead"
    assert found(tmp_path) == [("a", 0, 0.5)]


def test_journal_is_found_by_one_process_at_a_time(tmp_path: Path) -> None:
    abandoned(tmp_path, *TWO_CALLS)
    (first,) = remains(tmp_path)
    assert list(remains(tmp_path)) == []
    first.close()
    assert found(tmp_path) == POINTS


def test_read_journal_can_be_removed(tmp_path: Path) -> None:
    abandoned(tmp_path, *TWO_CALLS)
    (left,) = remains(tmp_path)
    assert len(list(left.batches({}))) == 1
    assert left.remove()
    assert list(tmp_path.iterdir()) == []


def test_segments_that_were_not_read_are_not_removed(tmp_path: Path) -> None:
    abandoned(tmp_path, *TWO_CALLS)
    (left,) = remains(tmp_path)
    assert not left.remove()
    assert found(tmp_path) == POINTS


@pytest.mark.parametrize("change", [lambda records: records[:1], lambda records: records[::-1]])
def test_journal_that_reads_differently_twice_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: Callable[[Any], Any]
) -> None:
    """After a short read or a flipped bit, the read data differ from the file."""
    abandoned(tmp_path, *TWO_CALLS)
    plain, calls = np.fromfile, itertools.count()

    def read(*given: Any, **more: Any) -> Any:
        return change(plain(*given, **more)) if next(calls) == 0 else plain(*given, **more)

    (left,) = remains(tmp_path)
    monkeypatch.setattr(np, "fromfile", read)
    with pytest.raises(OSError, match="does not read the same twice"):
        list(left.batches({}))
    assert not left.remove()
    assert found(tmp_path) == POINTS


def test_unreadable_folder_is_not_taken_for_empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    abandoned(tmp_path, *TWO_CALLS)
    (left,) = remains(tmp_path)

    def refuse(_: Any) -> Any:
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patch:
        patch.setattr(os, "listdir", refuse)
        patch.setattr(os, "scandir", refuse)
        with pytest.raises(PermissionError):
            list(left.batches({}))
        assert not left.remove()
        assert probe(tmp_path, "r1") == "unknown"
    assert found(tmp_path) == POINTS


def test_journal_that_cannot_be_removed_keeps_its_head(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    abandoned(tmp_path, *TWO_CALLS)
    (left,) = remains(tmp_path)

    def refuse(_: Path) -> None:
        raise PermissionError

    with monkeypatch.context() as held:
        held.setattr(Path, "unlink", refuse)
        assert not left.remove()
    assert found(tmp_path) == POINTS


def test_journals_of_a_run_are_found_by_its_id(tmp_path: Path) -> None:
    folders = [abandoned(tmp_path, id=run) for run in ("r1", "r1-", "r", "r1")]
    names = []
    for left in of_run(tmp_path, "r1", but=folders[0].name):
        names.append(left.folder.name)
        left.close()
    assert names == [folders[3].name]


def test_living_child_does_not_make_its_parent_alive(tmp_path: Path) -> None:
    child = FileJournal(tmp_path, {"id": "r1", "child": True})
    child.open()
    assert probe(tmp_path, "r1") == "alive"
    assert probe(tmp_path, "r1", children=False) is None
    child.leave()


# --- torn -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("calls", [TWO_CALLS, [TWO_CALLS[0], [(A, 1, 1.5)]]], ids=["of a call of 3", "of a call of 1"])
def test_record_torn_anywhere_keeps_all_calls_before(tmp_path: Path, calls: Any) -> None:
    folder = abandoned(tmp_path, *calls)
    segment = folder / "000000.seg"
    whole = segment.read_bytes()
    end = sum(map(len, calls)) * RECORD_BYTES
    for torn in range(end - RECORD_BYTES, end):
        for rest in (bytes(len(whole) - torn), b""):  # never written, or cut off
            segment.write_bytes(whole[:torn] + rest)
            # the last 3 bytes are zero whether written or not
            expected = POINTS[: sum(map(len, calls))] if torn >= end - 3 and rest else POINTS[:1]
            assert found(tmp_path) == expected


@pytest.mark.parametrize("torn", range(0, RECORD_BYTES, 4))
def test_a_living_childs_torn_record_waits(tmp_path: Path, torn: int) -> None:
    folder = abandoned(tmp_path, *TWO_CALLS)
    segment = folder / "000000.seg"
    whole = segment.read_bytes()
    segment.write_bytes(whole[: 3 * RECORD_BYTES + torn] + bytes(len(whole) - 3 * RECORD_BYTES - torn))
    assert seen(folder) == POINTS[:1]
    segment.write_bytes(whole)
    assert seen(folder) == POINTS


def test_hole_stops_reading_only_while_the_writer_lives(tmp_path: Path) -> None:
    folder = abandoned(tmp_path, *TWO_CALLS, [(A, 10, 4.5)])
    with (folder / "000000.seg").open("r+b") as segment:
        segment.seek(RECORD_BYTES)
        segment.write(bytes(3 * RECORD_BYTES))
    assert seen(folder) == POINTS[:1]
    assert found(tmp_path) == [POINTS[0], ("a", 10, 4.5)]


def test_garbage_in_a_segment_costs_only_its_records(tmp_path: Path) -> None:
    folder = abandoned(tmp_path, *TWO_CALLS, [(A, 10, 4.5)])
    with (folder / "000000.seg").open("r+b") as segment:
        segment.seek(RECORD_BYTES)
        segment.write(np.random.default_rng(1).bytes(3 * RECORD_BYTES))
    points = found(tmp_path)
    assert points[0] == POINTS[0]
    assert points[-1] == ("a", 10, 4.5)


@pytest.mark.parametrize("size", [0, 31, 32, 127])
def test_truncated_segment_is_read_to_its_end(tmp_path: Path, size: int) -> None:
    folder = abandoned(tmp_path, *TWO_CALLS)
    os.truncate(folder / "000000.seg", size)
    assert found(tmp_path) == POINTS[: size >= RECORD_BYTES]
    assert found(tmp_path, {f"{folder.name}/000000.seg": 4 * RECORD_BYTES}) == []


def test_a_segment_that_is_missing_costs_only_itself(tmp_path: Path) -> None:
    count = SMALLEST_SEGMENT // RECORD_BYTES
    folder = abandoned(tmp_path, *[[(A, step, 0.5)] for step in range(4 * count)])
    (folder / "000001.seg").unlink()  # twice as large as the first
    steps = [step for _, step, _ in found(tmp_path)]
    assert steps == [*range(count), *range(3 * count, 4 * count)]


@pytest.mark.parametrize(
    "garbage",
    [
        b"\xff\xfe\x00garbage",
        b'{"metric": 7, "na',
        b"null\n[1]\n7",
        b'{"metric": "x"}',
        b'{"metric": 1}',
        b'{"name": "x"}',
        b"[" * 100_000,
    ],
)
def test_garbage_in_the_heads_last_line_is_skipped(tmp_path: Path, garbage: bytes) -> None:
    folder = abandoned(tmp_path, *TWO_CALLS)
    with (folder / HEAD).open("ab") as head:
        head.write(b"\n" + garbage)
    assert found(tmp_path) == POINTS


@pytest.mark.parametrize("torn", range(1, 30))
def test_a_name_torn_anywhere_is_a_metric_without_a_name(tmp_path: Path, torn: int) -> None:
    folder = abandoned(tmp_path, *TWO_CALLS)
    head = (folder / HEAD).read_bytes().rstrip()
    (folder / HEAD).write_bytes(head[:-torn])
    assert found(tmp_path)[2] == ("unnamed metric 1", 0, 2.5)


# --- not ours to read -------------------------------------------------------------------------------------------------


def notices(home: Path) -> list[str]:
    said = []
    for left in remains(home):
        assert not left.is_readable
        said += left.notices
        left.close()
    return said


@pytest.mark.parametrize("empty", ["no head", "an empty head"])
def test_empty_journal_folder_gives_no_notice(tmp_path: Path, empty: str) -> None:
    (tmp_path / "x").mkdir()
    if empty == "an empty head":
        (tmp_path / "x" / HEAD).touch()
    assert notices(tmp_path) == []


def test_journal_without_a_run_is_left_alone(tmp_path: Path) -> None:
    folder = abandoned(tmp_path, *TWO_CALLS)
    (folder / HEAD).write_bytes(b"garbage")
    (notice,) = notices(tmp_path)
    assert f"{folder} does not name its run and is left as it is" in notice


def test_a_journal_of_a_later_format_is_left_alone(tmp_path: Path) -> None:
    folder = abandoned(tmp_path, *TWO_CALLS)
    (folder / HEAD).write_text(json.dumps({"format": 2, "id": "r1"}))
    (notice,) = notices(tmp_path)
    assert f"{folder} was written by a later trackbook" in notice
    assert "upgrade" in notice
    assert list(of_run(tmp_path, "r1")) == []


def test_journal_removed_during_the_search_is_no_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = abandoned(tmp_path, *TWO_CALLS)
    hold = filesystem.hold

    def hold_late(path: Path) -> int | None:
        held = hold(path)
        shutil.rmtree(folder)
        return held

    monkeypatch.setattr(filesystem, "hold", hold_late)
    assert list(remains(tmp_path)) == []


def test_a_journal_of_another_user_is_no_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    abandoned(tmp_path, *TWO_CALLS)

    def refuse(_: Path) -> int:
        raise PermissionError

    monkeypatch.setattr(filesystem, "hold", refuse)
    assert list(remains(tmp_path)) == []


def test_missing_folder_has_no_journals(tmp_path: Path) -> None:
    assert list(remains(tmp_path / "nowhere")) == []
