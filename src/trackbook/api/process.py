"""What this process has open: projects, runs, boards, and the pump that serves them."""

from __future__ import annotations

import atexit
import contextlib
import contextvars
import dataclasses
import functools
import os
import sys
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from .. import settings
from ..boards.open_boards import OpenBoards
from ..capture.base import Capture, Captures, LazyCapture
from ..capture.cells import CellCapture
from ..capture.console.recorder import ConsoleCapture
from ..ids import readable_name
from ..notebook import host
from ..notebook.cells import Cells
from ..pump import Pump
from ..tracking.endings import state_after
from ..tracking.options import RunOptions
from ..tracking.run import Run, writer_of
from ..tracking.run_writer import RunWriter
from ..tracking.values import check_text

if TYPE_CHECKING:
    from ..capture.hardware import Machine
    from ..tracking.project import Project

DEFAULT_PROJECT: Final = "default"

chosen: Final[contextvars.ContextVar[Run | None]] = contextvars.ContextVar("trackbook_run", default=None)


class Process:
    """What this process has open. Made by the first verb that needs it: see `process`."""

    def __init__(self) -> None:
        self.projects: dict[Path, Project] = {}
        self.runs: list[RunWriter] = []
        self.last_run: Run | None = None
        self.last_project: Project | None = None
        self.pump = Pump(host.thread_context)
        self.boards = OpenBoards(self.pump, self.hand_over)
        self.cells = Cells()
        self.captures = Captures()
        machine = functools.cache(_machine)
        self.captures.add("environment", LazyCapture(partial(_environment, machine)))
        self.captures.add("system", LazyCapture(partial(_system, machine)))
        self.cell_capture = CellCapture(self.cells)
        self.captures.add("cells", self.cell_capture)
        self.cells.on_begin.append(self.captures.guarded("cells", self.cell_capture.began))
        self.cells.on_end.append(self.captures.guarded("cells", self.cell_capture.ended))
        self.console = ConsoleCapture(self.pump, self.cell_capture.number)
        self.captures.add("console", self.console)
        self.cells.on_begin.append(self.captures.guarded("console", lambda _: self.console.cell_began()))
        self.cells.on_end.append(self.captures.guarded("console", lambda *_: self.console.cell_ended()))
        self.cells.on_begin.append(lambda _: self.boards.note_cells())
        self.polars_is_dead = False
        atexit.register(self.close)
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_parent=self._forked, after_in_child=self._go_on_in_child)

    def project(self, name: str | None, folder: str | os.PathLike[str] | None = None) -> Project:
        """Return the project of a name, by default the notebook's."""
        from ..store.paths import project_file
        from ..tracking.project import Project

        if self.polars_is_dead:
            raise RuntimeError(
                "in a process forked from one that uses trackbook only log() works, because Polars hangs there; start the "
                "process with multiprocessing.get_context('spawn')"
            )
        name = check_text("project", host.current().name() or DEFAULT_PROJECT if name is None else name)
        path = settings.data_dir(folder) / project_file(name)
        if path not in self.projects:
            self.projects[path] = Project(name, path.parent)
        return self.projects[path]

    def forget_project(self, project: Project) -> None:
        """Forget a project that was deleted."""
        self.pump.remove(project)
        self.projects.pop(project.store.path, None)
        if self.last_project is project:
            self.last_project = None

    def current_run(self) -> Run | None:
        """Return the run of this context, else the newest that is open, whichever thread opened it."""
        run = chosen.get()
        if run is not None and run.state == "running":
            return run
        return self.runs[-1].run if self.runs else None

    def open(self, project: Project, options: RunOptions) -> Run:
        """Open a run of a project, and begin to capture what it is to record."""
        run = project.open_run(options)
        self.pump.add(project)
        self.last_project = project
        writer = writer_of(run)
        self.cells.opened(writer, project.store.path)
        self._take_up(writer)  # before anything else, so that one whose `init` is interrupted ends as others do
        self.captures.begin(writer, options.captures)
        return run

    def open_disabled(self, project: str, options: RunOptions) -> Run:
        """Open a run that does everything and keeps nothing."""
        from ..journal.journal import NullJournal
        from ..store.memory import MemoryStore

        record = dataclasses.replace(options.record, name=options.record.name or readable_name(1))
        writer = RunWriter(project, record, MemoryStore(), NullJournal())
        run = Run(writer, stop_raises=options.stop_raises)
        self.cells.opened(writer, None)
        self._take_up(writer)
        return run

    def _take_up(self, writer: RunWriter) -> None:
        self.runs.append(writer)
        self.last_run = writer.run
        chosen.set(writer.run)
        writer.on_end.append(self._ended)

    def hand_over(self) -> None:
        """Move what was logged in this process into the stores."""
        for writer in list(self.runs):
            writer.hand_over()

    def _ended(self, writer: RunWriter) -> None:
        self.runs.remove(writer)
        self.boards.settle()

    def _forked(self) -> None:
        for writer in self.runs:
            writer.has_children = True

    def _go_on_in_child(self) -> None:
        """Let a forked child log on into journals of its own. Polars, SQLite and the pump are its parent's: here they hang."""
        self.projects, self.last_project = {}, None
        self.boards.leave()
        self.pump.leave()
        self.polars_is_dead = "polars" in sys.modules
        self.captures.leave()
        for writer in self.runs:
            writer.go_on_in_child()

    def close(self) -> None:
        """At the end of the process, end the open runs as the program did."""
        error = getattr(sys, "last_value", None) if host.current().shell is None else None
        with contextlib.ExitStack() as rest:  # one that fails does not keep the others from ending
            for project in self.projects.values():
                rest.callback(project.store.close)
            for writer in reversed(self.runs):
                rest.callback(writer.end, *state_after(error))


def _machine() -> Machine:
    from ..capture.hardware import Machine

    return Machine()


def _environment(machine: Callable[[], Machine]) -> Capture:
    from ..capture.environment import EnvironmentCapture

    return EnvironmentCapture(machine, host.current().about)


def _system(machine: Callable[[], Machine]) -> Capture:
    from ..capture.system import SystemCapture

    return SystemCapture(machine)


_making = threading.Lock()
_made: Process | None = None


def process() -> Process:
    """Return what this process has open. The first call makes it, with its handlers for the exit and for forks."""
    global _made  # noqa: PLW0603  # one, as there is one process; made late, so that importing trackbook has no effect
    with _making:
        if _made is None:
            _made = Process()
        return _made


def process_if_made() -> Process | None:
    """Return what this process has open, or None before the first verb."""
    return _made
