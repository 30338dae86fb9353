"""Whether the process that writes a run is alive, also as seen by other users, containers and machines."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Final

from .. import filesystem
from ..journal.reader import probe
from ..store.base import Store
from ..store.writer_process import runs_here
from ..types import Life, Writer

FRESH_SECONDS: Final = 90.0  # since the last heartbeat: three times the store's interval


def life(store: Store, home: Path, run_id: str, *, held: str = "") -> Life:
    """Return whether the process that writes a run is alive, ``unknown`` without proof.

    A held lock proves that it is alive; the process table of this machine proves either; a free lock proves that it is dead where the
    file system shares locks between all machines; a recent heartbeat in the store shows that another machine's process is alive.
    `home` is the folder of the project's journals, `held` one of them that the caller has locked.
    """
    locked = probe(home, run_id, held=held)
    if locked == "alive":
        return "alive"
    writer = store.writers().get(run_id)
    running = None if writer is None else runs_here(writer)
    if running is not None:
        return "alive" if running else "dead"
    if locked == "dead" and (writer is None or filesystem.shares_locks(home)):
        return "dead"
    return "alive" if writer is not None and is_fresh(writer) else "unknown"


def is_fresh(writer: Writer) -> bool:
    """Whether the last heartbeat is recent, by this machine's clock."""
    return abs(time.time() - writer.seen) < FRESH_SECONDS
