"""Which execution of a cell a point came from: the trait `cells`, by which a tooltip finds it from the point's time."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from ..frames.protocol import Origins
from ..store.base import Store
from ..types import CAPTURED

MOST: Final = 500  # executions on a board: 20 KB
_COLUMNS: Final = CAPTURED["cells"]
_WANTED: Final = [_COLUMNS.index(name) for name in ("count", "started", "ended", "points", "state")]


def origins(store: Store, runs: Iterable[str]) -> Origins:
    """The executions that logged points of `runs`, or may while they are running; the newest `MOST` of them."""
    found: list[tuple[float, str, int, float | None]] = []
    for run_id in runs:
        for row in store.captured(run_id, "cells"):
            count, started, ended, points, state = (row[place] for place in _WANTED)
            if count is not None and (points or state == "running"):
                found.append((round(started, 3), run_id, count, None if ended is None else round(ended, 3)))
    told: Origins = {}
    for started, run_id, count, ended in sorted(found, key=lambda one: one[0])[-MOST:]:
        told.setdefault(run_id, []).append((count, started, ended))
    return told
