"""The LevelDB log format, in which wandb and SwanLab keep their records."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

BLOCK = 32_768
HEADER = 7
FULL, FIRST, LAST = 1, 2, 4


def records(path: Path) -> Iterator[bytes]:
    """Yield the complete records of a file, up to the first torn one."""
    data = path.read_bytes()
    at, parts = HEADER, b""
    while at + HEADER <= len(data):
        room = BLOCK - at % BLOCK
        if room < HEADER:
            at += room
            continue
        size, kind = int.from_bytes(data[at + 4 : at + 6], "little"), data[at + 6]
        at += HEADER
        if at + size > len(data):
            return
        parts = data[at : at + size] if kind in (FULL, FIRST) else parts + data[at : at + size]
        at += size
        if kind in (FULL, LAST):
            yield parts
