"""Framed records of append-only files: LevelDB's log format, which wandb and SwanLab write, and TensorBoard's TFRecord.

Of a file that is damaged or was cut off, as by a killed process, every whole record is read; `lost` is told what is not.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from .source import Damaged

BLOCK: Final = 32768  # bytes of a block of LevelDB's logs, over whose end no part of a record goes
CHECKED: Final = (
    4096  # bytes up to which a TFRecord's checksum is compared: larger ones are media, and Python takes 0.1 us a byte
)
_PART: Final = struct.Struct("<IHB")  # checksum, size, type
_FULL, _FIRST, _MIDDLE, _LAST = 1, 2, 3, 4
_SEEDS: Final = {kind: zlib.crc32(bytes([kind])) for kind in (_FULL, _FIRST, _MIDDLE, _LAST)}
_HEAD: Final = struct.Struct("<QI")  # length and its checksum
_FOOT: Final = struct.Struct("<I")
_LARGEST: Final = 1 << 30  # bytes of one record that are believed

Lost = Callable[[str], None]


def leveldb_records(path: Path, header: bytes, lost: Lost) -> Iterator[tuple[memoryview, int]]:
    """Yield each record of a file, and the offset after it. `header` are the file's first bytes; `Damaged` is raised for others.

    After a damaged part the records of the next block are read.
    """
    with path.open("rb") as file:
        at, block = 0, file.read(BLOCK)
        if not block.startswith(header):
            raise Damaged(f"{path} does not begin as such a file does")
        at = len(header)
        pieces: list[bytes] = []
        begin = 0
        while block:
            part = _part(block, at)
            if isinstance(part, str):
                lost(f"{path} is {part} at byte {begin + at:,}")
                pieces, at = [], BLOCK
            elif part is not None:
                kind, piece = part
                at += _PART.size + len(piece)
                if kind in (_FULL, _FIRST):
                    pieces = [piece]
                elif pieces:  # else the beginning of the record was lost
                    pieces.append(piece)
                if kind in (_FULL, _LAST) and pieces:
                    yield memoryview(b"".join(pieces)), begin + at
                    pieces = []
                continue
            begin, at, block = begin + len(block), 0, file.read(BLOCK)
        if pieces:
            lost(f"{path} is cut off in a record at byte {begin:,}")


def _part(block: bytes, at: int) -> tuple[int, bytes] | str | None:
    """Return type and bytes of the part of a record at an offset of a block, None after the last one, else what is wrong."""
    if len(block) - at < _PART.size and (len(block) == BLOCK or at >= len(block)):
        return None
    if len(block) - at < _PART.size:
        return "cut off"
    checksum, size, kind = _PART.unpack_from(block, at)
    piece = block[at + _PART.size : at + _PART.size + size]
    if len(piece) < size and len(block) < BLOCK:
        return "cut off"
    if kind not in _SEEDS or zlib.crc32(piece, _SEEDS[kind]) != checksum:
        return "damaged"
    return kind, piece


def tf_records(path: Path, lost: Lost) -> Iterator[tuple[memoryview, int]]:
    """Yield each record of a TFRecord file, and the offset after it."""
    with path.open("rb") as file:
        at = 0
        while head := file.read(_HEAD.size):
            size, checksum = _HEAD.unpack(head) if len(head) == _HEAD.size else (0, None)
            if checksum is not None and (_masked_crc32c(head[:8]) != checksum or size > _LARGEST):
                lost(f"{path} is damaged at byte {at:,}, and cannot be read from there on")
                return
            data, foot = file.read(size), file.read(_FOOT.size)
            if checksum is None or len(foot) < _FOOT.size:
                lost(f"{path} is cut off in a record at byte {at:,}")
                return
            begin, at = at, at + _HEAD.size + size + _FOOT.size
            if size <= CHECKED and _masked_crc32c(data) != _FOOT.unpack(foot)[0]:
                lost(f"{path} is damaged at byte {begin:,}")
                continue
            yield memoryview(data), at


def _table() -> list[int]:
    table = []
    for byte in range(256):
        number = byte
        for _ in range(8):
            number = number >> 1 ^ (0x82F63B78 if number & 1 else 0)  # the polynomial of CRC-32C
        table.append(number)
    return table


_TABLE: Final = _table()


def _masked_crc32c(data: bytes) -> int:
    crc = 0xFFFFFFFF
    for byte in data:
        crc = _TABLE[(crc ^ byte) & 255] ^ crc >> 8
    crc ^= 0xFFFFFFFF
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF
