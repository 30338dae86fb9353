"""What this process has open: projects, runs, boards, and the pump that serves them."""

from __future__ import annotations

import atexit
import contextlib
import contextvars
import dataclasses
import functools
import os
import signal
import sys
import threading
from collections.abc import Callable, Collection
from functools import partial
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from .. import settings
from ..capture.base import Capture, Captures, LazyCapture
from ..capture.cells import CellCapture
from ..capture.console.recorder import ConsoleCapture
from ..ids import readable_name
from ..notebook import host
from ..notebook.cells import Cells, Execution
from ..pump import Pump
from ..tracking.captured import SYSTEM_SECONDS
from ..tracking.endings import Terminated, state_after
from ..tracking.run import Run
from ..tracking.values import check_text
from ..types import RunRecord

if TYPE_CHECKING:
    from ..boards.run_actions import Actions
    from ..boards.session import Session
    from ..boards.snapshots import Snapshots
    from ..boards.widget import Board
    from ..capture.hardware import Machine
    from ..tracking.project import Project

DEFAULT_PROJECT = "default"


class Process:
    """What this process has open."""

    def __init__(self) -> None:
        self.projects: dict[Path, Project] = {}
        self.runs: list[Run] = []
        self.boards: dict[tuple[str, Path], Board] = {}  # by cell execution and project
        self.last_run: Run | None = None
        self.last_project: Project | None = None
        self.pump = Pump(host.thread_context)
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
        self.cells.on_begin.append(self._tell_boards)
        self.cell_end = host.CellHook(
            "post_run_cell", lambda _: self.settle_boards(), "updates boards at the end of a cell"
        )
        self._snapshots: Snapshots | None = None
        self.chosen: contextvars.ContextVar[Run | None] = contextvars.ContextVar("trackbook_run", default=None)
        self.polars_is_dead = False
        atexit.register(self.close)
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_parent=self._forked, after_in_child=self._go_on_in_child)

    def project(self, name: str | None, folder: str | os.PathLike[str] | None = None) -> Project:
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

    def let_go(self, project: Project) -> None:
        """Forgets a project that was deleted."""
        self.pump.remove(project)
        self.projects.pop(project.store.path, None)
        if self.last_project is project:
            self.last_project = None

    def current_run(self) -> Run | None:
        """The run of this context, else the newest that is open, whichever thread opened it."""
        run = self.chosen.get()
        if run is not None and run.state == "running":
            return run
        return self.runs[-1] if self.runs else None

    def open(
        self,
        record: RunRecord,
        project: Project,
        back_to: int | None = None,
        capture: Collection[str] = (),
        *,
        save_code: bool = True,
        system_seconds: float = SYSTEM_SECONDS,
    ) -> Run:
        run = project.open_run(record, back_to)
        run.save_code, run.system_seconds = save_code, system_seconds
        self.pump.add(project)
        self.last_project = project
        _terminate_softly()
        self.cells.opened(run, project.store.path)
        self._take_up(run)  # before anything else, so that one whose `init` is interrupted ends as others do
        self.captures.begin(run, capture)
        return run

    def open_disabled(self, record: RunRecord, project: str) -> Run:
        from ..journal.journal import NullJournal
        from ..store.memory import MemoryStore

        record = dataclasses.replace(record, name=record.name or readable_name(1))
        run = Run(project, record, MemoryStore(), NullJournal())
        self.cells.opened(run, None)
        return self._take_up(run)

    def _take_up(self, run: Run) -> Run:
        self.runs.append(run)
        self.last_run = run
        self.chosen.set(run)
        run.on_end.append(self._ended)
        return run

    def board(self, project: Project) -> Board | None:
        """The board of this cell and project, if it has one."""
        return self.boards.get((host.current().cell() or "", project.store.path))

    def add_board(self, project: Project, session: Session) -> Board:
        from ..boards.run_actions import RunActions

        for run in list(project.open_runs):
            run.hand_over()
        actions = RunActions(project, self.deleted)
        return self.board_of(session, project.name, project.store.path, actions)

    def board_of(self, session: Session, name: str, path: Path, actions: Actions) -> Board:
        """A new board of what a session follows: a project of this `name`, which is at `path`."""
        from ..boards.widget import Board

        self.cell_end.watch(host.current().shell)
        if not host.current().tells_cell_ends:
            self._let_go()
        board = Board(name, session, actions)
        board.publisher.before_reading = self.hand_over
        if host.current().shell is not None:
            board.on_show = self.snapshots.note_shown
        board.publisher.on_wake = partial(self._keep, (host.current().cell() or "", path), board)
        board.publisher.on_wake()
        return board

    def _keep(self, key: tuple[str, Path], board: Board) -> None:
        self.boards[key] = board
        if key[1] in self.projects:
            self.projects[key[1]].boards.add(board)
        self.pump.add(board)

    def _tell_boards(self, _: Execution) -> None:
        """A cell begins: the points to come are of its execution."""
        for board in list(self.boards.values()):
            board.publisher.note_cells()

    def deleted(self, run_id: str) -> None:
        """A run was deleted: no board shows it any more."""
        for board in list(self.boards.values()):
            board.forget(run_id)

    @property
    def snapshots(self) -> Snapshots:
        if self._snapshots is None:
            from ..boards.snapshots import Snapshots

            self._snapshots = Snapshots()
        return self._snapshots

    def show(self, board: Board) -> None:
        """Displays a board under the running cell, and what stays of it in the notebook."""
        host.current().show(board)
        if host.current().shell is not None:
            self.snapshots.place(board)

    def hand_over(self) -> None:
        """Makes the stores know all that was logged here."""
        for run in list(self.runs):
            run.hand_over()

    def settle_boards(self) -> None:
        """The end of a cell: boards say all they know, and those with nothing more to say are let go."""
        self.hand_over()
        boards = list(self.boards.values())
        for board in boards:
            board.settle(kept=host.current().has_no_reader())
        self._let_go()
        self.snapshots.cell_ended(boards)

    def _let_go(self) -> None:
        for key, board in list(self.boards.items()):
            if not board.awake:
                del self.boards[key]
                self.pump.remove(board)
                for project in self.projects.values():
                    project.boards.discard(board)

    def _ended(self, run: Run) -> None:
        self.runs.remove(run)
        for board in list(self.boards.values()):
            board.settle()

    def _forked(self) -> None:
        for run in self.runs:
            run.has_children = True

    def _go_on_in_child(self) -> None:
        """A forked child logs on into journals of its own. Polars, SQLite and the pump are the parent's: here they hang."""
        self.projects, self.boards, self.last_project = {}, {}, None
        self.pump.leave()
        self.polars_is_dead = "polars" in sys.modules
        self.captures.leave()
        for run in self.runs:
            run.go_on_in_child()
        if signal.getsignal(signal.SIGTERM) is _terminate:
            # what the child logs is safe, and its parent wants it to die
            signal.signal(signal.SIGTERM, signal.SIG_DFL)

    def close(self) -> None:
        """The end of the process: open runs end as the program did."""
        error = getattr(sys, "last_value", None) if host.current().shell is None else None
        with contextlib.ExitStack() as rest:  # one that fails does not keep the others from ending
            for project in self.projects.values():
                rest.callback(project.store.close)
            for run in reversed(self.runs):
                rest.callback(run.end, *state_after(error))


def _machine() -> Machine:
    from ..capture.hardware import Machine

    return Machine()


def _environment(machine: Callable[[], Machine]) -> Capture:
    from ..capture.environment import EnvironmentCapture

    return EnvironmentCapture(machine, host.current().about)


def _system(machine: Callable[[], Machine]) -> Capture:
    from ..capture.system import SystemCapture

    return SystemCapture(machine)


process = Process()


def _terminate_softly() -> None:
    """Makes SIGTERM end a script like an exception, where the program has not decided otherwise."""
    main = threading.current_thread() is threading.main_thread()
    if main and not host.current().is_notebook and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        signal.signal(signal.SIGTERM, _terminate)


def _terminate(number: int, _: FrameType | None) -> None:
    sys.last_value = Terminated(128 + number)
    raise sys.last_value
