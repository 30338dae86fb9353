"""Journals of others: of a dead process, whose points nobody else will take up, or of a forked child that still writes."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from . import _files
from ._journal import HEAD
from ._records import Batch, batch, dtype, up_to_a_call


class Remains:
    """A journal as others see it: of a process that is dead, or of a forked child that may still write."""

    def __init__(self, folder: Path, lock: int | None) -> None:
        self.folder = folder
        self.dead = lock is not None
        self._lock = lock
        self.head: dict[str, Any] = {}
        self._metrics: dict[int, str] = {}
        for line in _lines(folder / HEAD):
            if "metric" in line:
                self._metrics[line["metric"]] = line["name"]
            else:
                self.head = self.head or line

    @property
    def is_child(self) -> bool:
        """Whether a forked child wrote it: the run is its parent's."""
        return bool(self.head.get("child"))

    def batches(self, marks: Mapping[str, int]) -> Iterator[Batch]:
        """What is beyond `marks`. Of a journal that is still written, up to the first record that is not there yet."""
        import numpy as np

        for path in sorted(self.folder.glob("*.seg")):
            mark = f"{self.folder.name}/{path.name}"
            start = marks.get(mark, 0)
            records = np.fromfile(path, dtype(), offset=start)
            if not self.dead:
                holes = np.flatnonzero(records["left"] == 0)
                records = up_to_a_call(records[: holes[0]] if len(holes) else records)
            if records["left"].any():
                yield batch([records], self._metrics, {mark: start + records.nbytes})

    def remove(self) -> None:
        """Removes what was taken over, the lock last, and lets go of it."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.release()
        shutil.rmtree(self.folder, ignore_errors=True)  # Windows removes no file that is held

    def release(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def remains(home: Path) -> Iterator[Remains]:
    """The journals in `home` whose processes are dead, each locked for the caller, who removes or releases it."""
    for head in sorted(home.glob(f"*/{HEAD}")):
        with contextlib.suppress(FileNotFoundError):  # another opener has just removed it
            lock = _files.hold(head)
            if lock is not None:
                yield Remains(head.parent, lock)


def of_run(home: Path, run: str, *, but: str) -> Iterator[Remains]:
    """The journals in `home` of a run, `but` one: those of dead processes locked for the caller, the others to look into."""
    for head in sorted(home.glob(f"{run}-*/{HEAD}")):
        if head.parent.name != but:
            with contextlib.suppress(FileNotFoundError):
                left = Remains(head.parent, _files.hold(head))
                if left.head:
                    yield left
                else:
                    left.release()


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    for line in path.read_bytes().split(b"\n"):
        with contextlib.suppress(ValueError):  # the last line of a torn file
            content = json.loads(line)
            if isinstance(content, dict):
                yield content
