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
from .run_options import DEFAULT_PROJECT, RunOptions

_OPEN, _TAKEN, _ACCEPTED = "invitation", "taken", "accepted"


class Place(NamedTuple):
    """Where a run is: the folder of the project files, the project and the run's id."""

    folder: str
    project: str
    run: str


class Invitation(NamedTuple):
    """A run that waits for its program."""

    at: Path
    project: str
    run: str
    name: str
    started: float
    keeps_project: bool  # the user named the project to the launcher, and whatever `init` says comes second
    keeps_name: bool
    console: bool  # the launcher records what the program writes

    def offer(self) -> None:
        """Write the invitation."""
        said = {name: value for name, value in self._asdict().items() if name != "at"}
        (self.at / _OPEN).write_text(json.dumps(said), "utf-8")

    def answer(self) -> Place | None:
        """Return where the run of the program is, None before its `init`."""
        try:
            return Place(**json.loads((self.at / _ACCEPTED).read_text("utf-8")))
        except FileNotFoundError:
            return None

    def applied(self, options: RunOptions) -> RunOptions:
        """Return the options of an `init` that takes this run. An `init` that names a run by id, or resumes one, keeps that run."""
        captures = tuple(name for name in options.captures if name != "console" or not self.console)
        keeps_default = self.keeps_project or options.project == DEFAULT_PROJECT
        options = dataclasses.replace(
            options, captures=captures, project=self.project if keeps_default else options.project
        )
        if options.by_id or options.resume != "never":
            return options
        name = self.name if self.keeps_name or not options.record.name else options.record.name
        record = dataclasses.replace(options.record, id=self.run, name=name, started=self.started)
        return dataclasses.replace(options, record=record)

    def accept(self, place: Place) -> None:
        """Tell the launcher which run it is."""
        new = self.at / f".{_ACCEPTED}"
        new.write_text(json.dumps(place._asdict()), "utf-8")
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
