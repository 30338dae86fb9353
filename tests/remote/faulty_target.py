"""A target in memory, the tests' double of every target, and faults for any target."""

from __future__ import annotations

import random
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeVar

import polars as pl

from trackbook.remote.target import NOTHING, Batch, Target, TargetBusy
from trackbook.store.base import POINTS
from trackbook.types import Cursor, RunRecord

T = TypeVar("T")
FAULTS: Final = ("refused", "busy", "server error", "lost acknowledgement")


@dataclass
class Place:
    """What targets in memory have stored: a double of the other machine."""

    runs: dict[str, RunRecord] = field(default_factory=dict)
    points: dict[str, pl.DataFrame] = field(default_factory=dict)
    cursors: dict[tuple[str, str], Cursor] = field(default_factory=dict)  # by run and source
    documents: dict[tuple[str, str], dict[Any, tuple[Any, ...]]] = field(default_factory=dict)  # by run and table
    files: dict[str, bytes] = field(default_factory=dict)


class MemoryTarget:
    """A target that keeps everything in a `Place`."""

    seconds = 0.0

    def __init__(self, place: Place, source: str = "source") -> None:
        self.name = "memory"
        self._place = place
        self._source = source

    def cursors(self) -> dict[str, Cursor]:
        return {run: cursor for (run, source), cursor in self._place.cursors.items() if source == self._source}

    def cursor(self, run_id: str) -> Cursor | None:
        return self._place.cursors.get((run_id, self._source))

    def put(self, batch: Batch) -> Cursor:
        place, run = self._place, batch.run.id
        kept = self.cursor(run) or NOTHING
        if kept != batch.start:
            return kept
        if batch.replaces:
            place.cursors = {key: cursor for key, cursor in place.cursors.items() if key[0] != run}
            place.points.pop(run, None)
        earlier = place.points.get(run, pl.DataFrame(schema=POINTS))
        whole = pl.concat([earlier, batch.points.match_to_schema(POINTS)])
        place.points[run] = whole.unique(["metric", "step"], keep="first", maintain_order=True)
        for table, rows in batch.documents.items():
            place.documents.setdefault((run, table), {}).update((row[0], tuple(row)) for row in rows)
        for table, keys in batch.dropped.items():
            for key in keys:
                place.documents.get((run, table), {}).pop(key, None)
        place.runs[run] = batch.run
        place.cursors[run, self._source] = batch.end
        return batch.end

    def delete(self, run_id: str) -> None:
        self._place.runs.pop(run_id, None)
        self._place.points.pop(run_id, None)
        for found in [key for key in self._place.cursors if key[0] == run_id]:
            del self._place.cursors[found]
        for found in [key for key in self._place.documents if key[0] == run_id]:
            del self._place.documents[found]

    def missing_files(self, names: Collection[str]) -> set[str]:
        return set(names) - self._place.files.keys()

    def put_file(self, name: str, path: Path) -> None:
        self._place.files.setdefault(name, path.read_bytes())

    def close(self) -> None:
        pass


class FaultyTarget:
    """Stands before any target, and fails its calls: some before they have an effect, some after."""

    def __init__(self, target: Target, choose: Callable[[str], str | None]) -> None:
        """`choose` returns for the name of each call one of `FAULTS`, or None."""
        self._target = target
        self._choose = choose
        self.name = target.name
        self.seconds = target.seconds

    def _call(self, name: str, call: Callable[[], T]) -> T:
        fault = self._choose(name)
        if fault == "refused":
            raise ConnectionRefusedError("nobody listens there")
        if fault == "busy":
            raise TargetBusy("too many requests", retry_after=0.001)
        if fault == "server error":
            raise TargetBusy("500 internal server error")
        answer = call()
        if fault == "lost acknowledgement":
            raise TimeoutError("the answer was lost")
        return answer

    def cursors(self) -> dict[str, Cursor]:
        return self._call("cursors", self._target.cursors)

    def cursor(self, run_id: str) -> Cursor | None:
        return self._call("cursor", lambda: self._target.cursor(run_id))

    def put(self, batch: Batch) -> Cursor:
        return self._call("put", lambda: self._target.put(batch))

    def delete(self, run_id: str) -> None:
        self._call("delete", lambda: self._target.delete(run_id))

    def missing_files(self, names: Collection[str]) -> set[str]:
        return self._call("missing_files", lambda: self._target.missing_files(names))

    def put_file(self, name: str, path: Path) -> None:
        self._call("put_file", lambda: self._target.put_file(name, path))

    def close(self) -> None:
        self._target.close()


def at_random(seed: int, share: float = 0.3) -> Callable[[str], str | None]:
    """Return a choice of faults that fails this share of the calls."""
    chance = random.Random(seed)
    return lambda _: chance.choice(FAULTS) if chance.random() < share else None
