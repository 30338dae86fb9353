"""The run of a program that `trackbook run` starts: it begins here, and the program's `init` may take it."""

from __future__ import annotations

import codecs
import dataclasses
import signal
import threading
import time
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ..capture.console.line_buffer import ConsoleLines
from ..capture.environment import EnvironmentCapture
from ..capture.hardware import Machine
from ..store.paths import DEFAULT_PROJECT
from ..tracking.invitation import Invitation, Place
from ..tracking.liveness import life
from ..tracking.logged_values import check_title
from ..tracking.project import Project
from ..tracking.run import writer_of
from ..tracking.run_options import run_options
from ..user_warnings import warn

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..tracking.run_writer import RunWriter
    from ..types import RunRecord, State

_STORE_SECONDS: Final = 1.0
_BACKLOG: Final = 1 << 23  # bytes heard that wait for the next tick; above, the program waits until they are taken in
_INTERRUPTS: Final = (signal.SIGINT, signal.SIGTERM)


class ProgramRun:
    """Records console, environment and exit state of a program as a run, in whatever run the program's `init` opens."""

    def __init__(self, project: str | None, name: str | None, folder: Path, invited: Path) -> None:
        options = run_options(name=name)
        self._begun = Project(DEFAULT_PROJECT if project is None else check_title("project", project), folder)
        self._is_new_project = not self._begun.exists
        self._writer = writer_of(self._begun.open_run(options))
        self._project = self._begun
        self._invitation = Invitation(
            at=invited,
            project=project,
            run=self._writer.id,
            name=self._writer.name,
            started=self._writer.record.started,
            keeps_name=name is not None,
            console="console" in options.captures,
        )
        self._environment = EnvironmentCapture(Machine) if "environment" in options.captures else None
        if self._environment is not None:
            self._environment.begin(self._writer)
        self._lines = ConsoleLines(self._writer, 0) if "console" in options.captures else None
        self._decode: dict[tuple[str, bool], Callable[[bytes], str]] = {}
        self._heard: deque[tuple[str, bool, float, bytes]] = deque()
        self._waiting = 0  # bytes of `_heard`
        self._taking_in = threading.Lock()
        self._next = 0.0
        self.joined = False  # the program's `init` took the run
        self._invitation.offer()

    @property
    def record(self) -> RunRecord:
        """The run as it is recorded."""
        return self._project.store.run(self._writer.id) or self._writer.record

    @property
    def project(self) -> str:
        """The name of the run's project."""
        return self._project.name

    def hear(self, stream: str, data: bytes, *, apart: bool) -> None:
        """Note what the program wrote; may be called from any thread. Streams `apart` are not one terminal's."""
        if self._lines is not None:
            self._heard.append((stream, apart, time.time(), data))
            self._waiting += len(data)
            if self._waiting > _BACKLOG:
                self._take_in()

    def _take_in(self) -> None:
        with self._taking_in:
            while self._lines is not None and self._heard:
                stream, apart, at, data = self._heard.popleft()
                self._waiting -= len(data)
                decoder = codecs.getincrementaldecoder("utf-8")
                decode = self._decode.setdefault((stream, apart), decoder("replace").decode)
                self._lines.feed(stream, at, None, decode(data), apart=apart)

    def tick(self) -> None:
        """Store what was heard, and follow the program to the run of its `init`."""
        self._take_in()
        if not self.joined and (place := self._invitation.answer()) is not None:
            self._follow(place)
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + _STORE_SECONDS
            self._store()

    def _store(self) -> None:
        if self._lines is not None:
            self._lines.store()
        self._project.store.flush()

    def _follow(self, place: Place) -> None:
        self.joined = True
        self._end_environment()
        self._store()
        begun, self._project = self._writer, Project(place.paths.project, place.paths.folder)
        is_same = self._project.store.path == self._begun.store.path and place.run == begun.id
        record = self._project.store.run(place.run) or begun.record
        self._writer = _reader(self._project, record)
        if self._lines is not None and is_same:
            self._lines.run = self._writer
        elif self._lines is not None:
            self._lines.move_to(self._writer)
        begun.recorder.close()
        begun.recorder.journal.close()
        if not is_same:
            self._begun.store.delete(begun.id)
            self._begun.store.flush()
            self._begun.close()
            if self._is_new_project and not self._begun.runs():
                self._begun.delete_all()

    def _end_environment(self) -> None:
        if self._environment is not None:
            self._environment.end(self._writer)
            self._environment = None

    def end(self, code: int) -> None:
        """End the run in the state that the program's return code tells, unless the program itself said more."""
        self.tick()
        self._end_environment()
        self._store()
        state, error = state_of(code)
        if not self.joined:
            self._writer.end(state, error)
            self._project.close()
            return
        self._project.recover()
        record = self._project.store.run(self._writer.id)
        store, journals = self._project.store, self._project.journals
        is_over = record is not None and (record.state != "running" or life(store, journals, record.id) != "alive")
        if record is not None and is_over and (record.state in ("running", "lost") or _is_worse(state, record.state)):
            ended = time.time() if record.state in ("running", "lost") else record.ended
            store.put_run(dataclasses.replace(record, state=state, error=error, ended=ended))
        store.close()
        for notice in store.failures:
            warn(notice)


def _is_worse(state: State, said: State) -> bool:
    return said == "finished" and state != "finished"


def _reader(project: Project, record: RunRecord) -> RunWriter:
    from ..tracking.run_writer import RunWriter

    return RunWriter(project.name, record, project.store, folder=project.paths.folder)


def state_of(code: int) -> tuple[State, str | None]:
    """Return the state of a run whose program ended with this return code, negative for a signal, and the error."""
    if code == 0:
        return "finished", None
    if code < 0:
        name = signal.Signals(-code).name if -code in set(signal.Signals) else f"signal {-code}"
        return "interrupted" if -code in _INTERRUPTS else "failed", f"the program was ended by {name}"
    # 128 + the signal is what shells and many programs return when a signal ends them
    return "interrupted" if code - 128 in _INTERRUPTS else "failed", f"the program ended with exit code {code}"
