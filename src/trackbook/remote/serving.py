"""What a server tells those who read a project from elsewhere: the records that changed, and the points of a run after a cursor."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

from . import wire

if TYPE_CHECKING:
    from ..store.base import Store
    from ..types import Cursor

MOST_POINTS: Final = 1 << 18  # of one answer


def project_news(store: Store, since: str | None) -> dict[str, Any]:
    """Return the records that changed after `since`, which an earlier answer gave, and who writes runs.

    ``ids`` are those of all runs when some may have been deleted, else None. Raises ``ValueError`` for another `since`, ``OSError``.
    """
    revision: Any = store.revision()
    earlier = None if since is None else _revision(since)
    changed = store.runs() if earlier is None else store.changed_runs(earlier)
    is_same = earlier is not None and earlier[0][1] == revision[0][1]
    return {
        "since": json.dumps(revision),
        "runs": [asdict(run) for run in changed],
        "ids": None if is_same else [run.id for run in store.runs()],
        "writers": {run: [writer.host, writer.seen] for run, writer in store.writers().items()},
    }


def run_news(store: Store, run_id: str, start: Cursor) -> bytes:
    """Return the points of a run after a cursor, packed with the cursor after them. Raises ``OSError``."""
    points, end = store.since(run_id, start, MOST_POINTS)
    return wire.pack({"rows": len(points), "end": end}, points)


def _revision(text: str) -> Any:
    found = json.loads(text)
    if not (isinstance(found, list) and len(found) == 2 and isinstance(found[0], list) and len(found[0]) == 2):
        raise ValueError("since is what an earlier answer gave")
    if not all(isinstance(number, int) for number in found[0]):
        raise ValueError("since is what an earlier answer gave")
    return tuple(found[0]), found[1]
