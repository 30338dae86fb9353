"""Whether the process that writes a run is alive, also as seen by other users, containers and machines."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Final, Protocol

from .. import filesystem
from ..journal.reader import probe, remains
from ..store.writer_process import UPLOADED, runs_here
from ..types import Life, RunRecord, Writer
from .exit_status import SUFFIX

FRESH_SECONDS: Final = 90.0  # since the last heartbeat: three times the store's interval


class Writers(Protocol):
    """The part of a store that tells which processes write."""

    def running(self) -> list[RunRecord]: ...

    def writers(self) -> dict[str, Writer]: ...


def is_settled(store: Writers, home: Path) -> bool:
    """Whether nothing is to be recovered: living processes hold all journals in `home`, and write all runs that are running.

    Raises ``OSError`` where the store cannot be read.
    """
    left = next(remains(home), None)
    if left is not None:
        left.close()
        return False
    if any(home.glob(f"*{SUFFIX}")):
        return False
    return all(life(store, home, record.id) != "dead" for record in store.running())


def life(store: Writers, home: Path, run_id: str, *, held: str = "") -> Life:
    """Return whether the process that writes a run is alive, ``unknown`` without proof.

    A held lock proves that it is alive; the process table of this machine proves either; a free lock proves that it is dead where the
    file system shares locks between all machines; a recent heartbeat in the store shows that another machine's process is alive.
    `home` is the folder of the project's journals, `held` one of them that the caller has locked.
    """
    locked = probe(home, run_id, held=held)
    if locked == "alive":
        return "alive"
    writer = store.writers().get(run_id)
    if writer is not None and writer.system == UPLOADED:
        return "alive" if is_fresh(writer) else "unknown"
    running = None if writer is None else runs_here(writer)
    if running is not None:
        return "alive" if running else "dead"
    if locked == "dead" and (writer is None or filesystem.shares_locks(home)):
        return "dead"
    return "alive" if writer is not None and is_fresh(writer) else "unknown"


def is_fresh(writer: Writer) -> bool:
    """Whether the last heartbeat is recent, by this machine's clock."""
    return abs(time.time() - writer.seen) < FRESH_SECONDS
