from __future__ import annotations

import json
from pathlib import Path

from ._protocol import Log
from ._records import records

SETTINGS = "offline; no system metrics, no console"


def start(folder: Path) -> Log:
    import wandb

    settings = wandb.Settings(silent=True, console="off", x_disable_stats=True)
    wandb.init(project="bench", mode="offline", dir=str(folder), settings=settings)
    return wandb.log


def finish() -> None:
    import wandb

    wandb.finish()


def read_back(folder: Path) -> dict[str, list[float]]:
    from wandb.proto.wandb_internal_pb2 import Record

    found: dict[str, list[float]] = {}
    for path in folder.rglob("*.wandb"):
        for data in records(path):
            for item in Record.FromString(data).history.item:
                name = item.nested_key[0] if item.nested_key else item.key
                if not name.startswith("_"):
                    found.setdefault(name, []).append(json.loads(item.value_json))
    return found
