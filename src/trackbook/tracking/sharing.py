"""`Run.share`: a text by which processes that are not started by this one log to a run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ..types import RunRecord
from .endings import in_words

if TYPE_CHECKING:
    from .run import Run

_KEYS = ("project", "folder", "id", "name")


class Shared(NamedTuple):
    """Where a shared run is."""

    project: str
    folder: Path
    record: RunRecord
    all_ranks: bool  # whether every rank of a distributed job logs to it, rather than only rank 0


def share(self: Run) -> str:
    """Return a text by which another process of this machine logs to this run: ``trackbook.attach(text)``.

    The process needs not be a child of this one: hand the text on by an argument, a variable of the environment or a file. Its points
    go through a journal of its own, and are in the run like those logged here. Of the processes of a distributed job only rank 0 logs to
    it, unless it was begun by ``init(all_ranks=True)``. The text holds no secret and no values.

    Raises
    ------
    RuntimeError
        When the run has ended or is not recorded.
    """
    writer = self._writer
    if self.ended:
        raise RuntimeError(
            f"run {self.name!r} {in_words(self.state)}, so no process can log to it; share it while it is open"
        )
    if writer.paths is None:
        raise RuntimeError(f"run {self.name!r} is not recorded, so no process can log to it")
    writer.has_children = True
    record = writer.record
    where = {"project": writer.project, "folder": str(writer.paths.folder.absolute())}
    about = {"id": record.id, "name": record.name, "started": record.started, "all_ranks": writer.options.all_ranks}
    return json.dumps(where | about)


def shared(text: str) -> Shared:
    """Parse the text of `share`. Raises ``ValueError`` for any other."""
    try:
        said = json.loads(text)
        texts = [said[key] for key in _KEYS]
        started, all_ranks = float(said["started"]), bool(said["all_ranks"])
    except (KeyError, TypeError, ValueError):
        texts, started, all_ranks = [None], 0.0, False
    if not all(isinstance(one, str) for one in texts):
        raise ValueError(f"{str(text)[:80]!r} does not name a run; attach() takes what run.share() returned")
    project, folder, run_id, name = texts
    return Shared(project, Path(folder), RunRecord(run_id, name, started), all_ranks)
