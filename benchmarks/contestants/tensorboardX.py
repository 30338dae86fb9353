from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

from ._protocol import Log

SETTINGS = "defaults; values are float32"
_writers: list[Any] = []


def start(folder: Path) -> Log:
    from tensorboardX import SummaryWriter

    writer = SummaryWriter(str(folder))
    _writers.append(writer)
    steps = count()

    def log(values: dict[str, float]) -> None:
        step = next(steps)
        for name, value in values.items():
            writer.add_scalar(name, value, step)

    return log


def finish() -> None:
    _writers.pop().close()


def read_back(folder: Path) -> dict[str, list[float]]:
    from tensorboardX.proto.event_pb2 import Event

    found: dict[str, list[float]] = {}
    for path in folder.glob("events.*"):
        for data in _events(path.read_bytes()):
            for value in Event.FromString(data).summary.value:
                found.setdefault(value.tag, []).append(value.simple_value)
    return found


def _events(data: bytes) -> Iterator[bytes]:
    """TFRecord: length, its checksum, the event, its checksum."""
    at = 0
    while at + 12 <= len(data):
        end = at + 12 + int.from_bytes(data[at : at + 8], "little")
        if end + 4 > len(data):
            return
        yield data[at + 12 : end]
        at = end + 4
