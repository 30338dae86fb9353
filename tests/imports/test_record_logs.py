from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foreign_stores import BLOCK, WANDB, leveldb, tf_record
from trackbook.imports.record_logs import CHECKED, leveldb_records, tf_records
from trackbook.imports.source import Damaged

SIZES = st.one_of(st.integers(0, 40), st.integers(BLOCK - 20, BLOCK + 20), st.integers(0, 3 * BLOCK))


def read(path: Path, data: bytes) -> tuple[list[bytes], list[str]]:
    path.write_bytes(data)
    lost: list[str] = []
    return [bytes(record) for record, _ in leveldb_records(path, WANDB, lost.append)], lost


def read_tf(path: Path, data: bytes) -> tuple[list[bytes], list[str]]:
    path.write_bytes(data)
    lost: list[str] = []
    return [bytes(record) for record, _ in tf_records(path, lost.append)], lost


def made(sizes: list[int]) -> list[bytes]:
    return [bytes([number + 1]) * size for number, size in enumerate(sizes)]


@settings(max_examples=60)
@given(st.lists(SIZES, max_size=6))
def test_records_of_any_size_come_back(tmp_path_factory: pytest.TempPathFactory, sizes: list[int]) -> None:
    path = tmp_path_factory.getbasetemp() / "x.wandb"
    assert read(path, leveldb(WANDB, made(sizes))) == (made(sizes), [])


@settings(max_examples=60)
@given(st.lists(SIZES, min_size=1, max_size=5), st.floats(0, 1, exclude_max=True))
def test_cut_off_file_gives_the_records_before(
    tmp_path_factory: pytest.TempPathFactory, sizes: list[int], share: float
) -> None:
    path = tmp_path_factory.getbasetemp() / "x.wandb"
    data = leveldb(WANDB, made(sizes))
    at = len(WANDB) + int(share * (len(data) - len(WANDB)))
    ends = [len(leveldb(WANDB, made(sizes[: count + 1]))) for count in range(len(sizes))]
    found, lost = read(path, data[:at])
    whole = sum(end <= at for end in ends)
    assert found == made(sizes)[:whole]
    assert len(lost) <= 1
    begin = max([len(WANDB), *(end for end in ends if end <= at)])
    assert bool(lost) == any(data[begin:at])  # zeros before the end of a block belong to no record


def test_records_after_a_damaged_block_are_read(tmp_path: Path) -> None:
    records = [bytes([number]) * 5000 for number in range(1, 21)]
    data = bytearray(leveldb(WANDB, records))
    data[100] ^= 1
    found, lost = read(tmp_path / "x.wandb", bytes(data))
    assert found == records[7:]  # the seventh one ends in the second block
    assert len(lost) == 1
    assert "is damaged at byte 7" in lost[0]


def test_other_header_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Damaged, match="does not begin as such a file does"):
        read(tmp_path / "x.wandb", b":W&B\xe1\xbe\x01")
    assert read(tmp_path / "x.wandb", WANDB) == ([], [])


def test_tf_records_come_back(tmp_path: Path) -> None:
    records = [b"", b"a", b"bc" * 100]
    assert read_tf(tmp_path / "x", b"".join(map(tf_record, records))) == (records, [])


def test_damaged_tf_record_is_left_out(tmp_path: Path) -> None:
    first, second, third = map(tf_record, (b"one", b"two", b"three"))
    damaged = second[:12] + b"two"[::-1] + second[15:]
    found, lost = read_tf(tmp_path / "x", first + damaged + third)
    assert found == [b"one", b"three"]
    assert [sentence.rpartition(" is ")[2] for sentence in lost] == ["damaged at byte 19"]


def test_tf_record_of_a_damaged_length_ends_the_file(tmp_path: Path) -> None:
    found, lost = read_tf(tmp_path / "x", tf_record(b"one") + b"\xff" + tf_record(b"two")[1:] + tf_record(b"three"))
    assert found == [b"one"]
    assert "cannot be read from there on" in lost[0]


@pytest.mark.parametrize("kept", [1, 11, 12, 14, 18])
def test_cut_off_tf_record_is_said(tmp_path: Path, kept: int) -> None:
    found, lost = read_tf(tmp_path / "x", tf_record(b"one") + tf_record(b"two")[:kept])
    assert found == [b"one"]
    assert "is cut off in a record at byte 19" in lost[0]


def test_checksums_of_large_records_are_not_compared(tmp_path: Path) -> None:
    large = bytes(CHECKED + 1)
    found, lost = read_tf(tmp_path / "x", tf_record(large)[:-4] + b"\0\0\0\0" + tf_record(b"two"))
    assert ([len(record) for record in found], lost) == ([CHECKED + 1, 3], [])
