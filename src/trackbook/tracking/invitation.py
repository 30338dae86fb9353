"""How `trackbook run` hands the run that it began to the program that it starts: an invitation, which one `init` takes.

The invitation is a folder, named by the environment variable ``TRACKBOOK_RUN``. It has the file ``invitation``; `take` renames it, which
one process can do once. `accept` writes which run that `init` opened, for the launcher to follow.
"""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any, NamedTuple

from .. import settings
from ..store.paths import ProjectPaths
from .run_options import RunOptions

_OPEN, _TAKEN, _ACCEPTED = "invitation", "taken", "accepted"


class Place(NamedTuple):
    """Where a run is."""

    paths: ProjectPaths
    run: str  # its id


class Invitation(NamedTuple):
    """A run that waits for its program."""

    at: Path
    project: str | None  # that the user named to the launcher; it has precedence over that of `init`
    run: str
    name: str
    started: float
    keeps_name: bool  # the user named the run, too
    console: bool  # the launcher records what the program writes

    def offer(self) -> None:
        """Write the invitation."""
        said = {name: value for name, value in self._asdict().items() if name != "at"}
        (self.at / _OPEN).write_text(json.dumps(said), "utf-8")

    def answer(self) -> Place | None:
        """Return where the run of the program is, None before its `init`."""
        try:
            said = json.loads((self.at / _ACCEPTED).read_text("utf-8"))
        except FileNotFoundError:
            return None
        return Place(ProjectPaths(Path(said["folder"]), said["project"]), said["run"])

    def project_for(self, asked: ProjectPaths) -> ProjectPaths:
        """Return where the run of an `init` that asks for a project belongs."""
        return asked if self.project is None else asked._replace(project=self.project)

    def applied(self, options: RunOptions) -> RunOptions:
        """Return the options of an `init` that takes this run. An `init` that names a run by id, or resumes one, keeps that run."""
        captures = tuple(name for name in options.captures if name != "console" or not self.console)
        options = dataclasses.replace(options, captures=captures)
        if options.by_id or options.resume != "never":
            return options
        name = self.name if self.keeps_name or not options.record.name else options.record.name
        record = dataclasses.replace(options.record, id=self.run, name=name, started=self.started)
        return dataclasses.replace(options, record=record)

    def accept(self, place: Place) -> None:
        """Tell the launcher which run it is."""
        new = self.at / f".{_ACCEPTED}"
        said = {"folder": str(place.paths.folder), "project": place.paths.project, "run": place.run}
        new.write_text(json.dumps(said), "utf-8")
        new.replace(self.at / _ACCEPTED)

    def give_back(self) -> None:
        """Let another `init` take it: this one failed."""
        (self.at / _TAKEN).replace(self.at / _OPEN)


def take() -> Invitation | None:
    """Return the invitation to this program, None where there is none, or another `init` took it."""
    folder = settings.invitation()
    if folder is None:
        return None
    at = Path(folder)
    try:
        (at / _OPEN).replace(at / _TAKEN)
        said: dict[str, Any] = json.loads((at / _TAKEN).read_text("utf-8"))
        return Invitation(at=at, **said)
    except OSError:  # taken already, or the launcher has gone
        return None
