from __future__ import annotations

import os
from pathlib import Path

from ._protocol import Log
from ._records import records

SETTINGS = "offline; no hardware monitor"


def start(folder: Path) -> Log:
    os.environ["SWANLAB_PROBE_MONITOR"] = "false"
    import swanlab

    swanlab.init(project="bench", mode="offline", log_dir=str(folder))
    return swanlab.log


def finish() -> None:
    import swanlab

    swanlab.finish()


def read_back(folder: Path) -> dict[str, list[float]]:
    from swanlab.proto.swanlab.record.v1.record_pb2 import Record

    found: dict[str, list[float]] = {}
    for path in folder.rglob("*.swanlab"):
        for data in records(path):
            record = Record.FromString(data)
            if record.HasField("scalar"):
                found.setdefault(record.scalar.key, []).append(record.scalar.value.number)
    return found
