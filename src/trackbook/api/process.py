"""The state of this process: its open projects, runs and boards, and the pump that serves them."""

from __future__ import annotations

import atexit
import contextlib
import contextvars
import copyreg
import dataclasses
import functools
import os
import sys
import threading
import weakref
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

from .. import filesystem, forks, settings
from ..alerting.sender import Sender
from ..boards.open_boards import OpenBoards
from ..capture.base import Capture, Captures, LazyCapture
from ..capture.cells import CellCapture
from ..capture.console.recorder import ConsoleCapture
from ..notebook import host
from ..notebook.cell_executions import CellExecutions
from ..pump import STOP_SECONDS, Pump
from ..store.paths import DEFAULT_PROJECT, ProjectPaths
from ..store.polars_import import import_polars
from ..switch_interval import switching
from ..tracking.alert_rows import AlertRow, message_of
from ..tracking.endings import loss, state_after
from ..tracking.exit_status import main_frame, returned, status_of_child, write_at_exit
from ..tracking.logged_values import check_text
from ..tracking.ray_function import end_with_function
from ..tracking.run import Run, writer_of
from ..tracking.run_options import RunOptions
from ..tracking.run_writer import RunWriter
from ..types import RunRecord, State
from ..user_warnings import warn
from .uploads import Uploads, tell

if TYPE_CHECKING:
    from ..alerting.webhook import Webhook
    from ..capture.hardware import Machine
    from ..tracking.project import Project

_LAST_TO_FINISH: Final = -100  # priority among the finalizers of multiprocessing: after pools and children were joined

chosen: Final[contextvars.ContextVar[Run | None]] = contextvars.ContextVar("trackbook_run", default=None)


class Follower(Protocol):
    """Follows a project of another machine by a thread."""

    def stop(self) -> None: ...

    def join(self, seconds: float) -> None: ...


class Process:
    """The open projects, runs and boards of this process. Made by the first function that needs it: see `process`."""

    def __init__(self) -> None:
        self.projects: dict[ProjectPaths, Project] = {}
        self.runs: list[RunWriter] = []
        self.last_run: Run | None = None
        self.last_project: Project | None = None
        self.pump = Pump(host.thread_context)
        self.boards = OpenBoards(self.pump, self.hand_over)
        self.uploads = Uploads()
        self.cells = CellExecutions()
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
        self.cells.on_begin.append(lambda execution: self.boards.note_cells(execution.logged_to))
        self.sender = Sender()
        self.followers: weakref.WeakSet[Follower] = weakref.WeakSet()
        self.is_closed = False  # whether the program is ending
        is_forked = forks.is_fork() or forks.is_forked_by_multiprocessing()
        self.polars_is_dead = is_forked and "polars" in sys.modules
        self._main_frame = main_frame()
        self._at_risk: list[RunWriter] = []  # ended runs of which something is only in memory
        self._finalized_in: int | None = None  # the process that ends by a finalizer of multiprocessing
        atexit.register(self.close)
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_parent=self._forked, after_in_child=self._go_on_in_child)

    def project(self, name: str | None, folder: str | os.PathLike[str] | None = None) -> Project:
        """Return the project of a name, by default the notebook's."""
        if self.polars_is_dead:
            raise RuntimeError(
                "in a process forked from one that uses Polars, runs can be opened and logged to, but nothing can be read, because "
                "Polars hangs there; start the process with multiprocessing.get_context('spawn')"
            )
        return self._project(project_paths(name, folder))

    def _project(self, paths: ProjectPaths) -> Project:
        import_polars()
        from ..tracking.project import Project

        found = self.projects.get(paths)  # a server asks from several threads: all get the first one
        if found is None:
            found = self.projects.setdefault(paths, Project(paths.project, paths.folder))
            found.on_recovered, found.on_wake = partial(self.uploads.resume, found), partial(self.pump.add, found)
        return found

    def forget_project(self, project: Project) -> None:
        """Forget a project that was deleted."""
        self.pump.remove(project)
        self.projects.pop(project.paths, None)
        if self.last_project is project:
            self.last_project = None

    def current_run(self) -> Run | None:
        """Return the run of `log`: that of this context, else of this thread, else of the main thread, else the only open run.

        Return None without an open run, and when several other threads or tasks, but not this one, have opened runs.
        """
        run = chosen.get()
        if run is not None and not run.ended:
            return run
        is_open = [writer for writer in self.runs if not writer.ended]
        here = [writer for writer in is_open if writer.origin.is_here()]
        main = [writer for writer in is_open if writer.origin.thread is threading.main_thread()]
        found = here or main or is_open
        places = {writer.origin.place for writer in found}
        return found[-1].run if here or len(places) == 1 else None

    def own_run(self) -> Run | None:
        """Return the open run that this thread or task began last, or None."""
        here = [writer for writer in self.runs if writer.origin.is_here() and not (writer.ended or writer.in_child)]
        return here[-1].run if here else None

    def begin_run(self, paths: ProjectPaths, options: RunOptions) -> Run:
        """Open the run that `options` describe in a project. Raises ``TypeError``, ``ValueError`` and ``RuntimeError``."""
        is_other_rank = settings.rank() > 0 and not options.all_ranks
        if is_other_rank and settings.is_task_only():
            warn(
                f"this is task {settings.rank()} of an srun job, of which only task 0 records; where tasks train on their own, give "
                "each a run: init(all_ranks=True)"
            )
        elif is_other_rank and host.current().is_notebook and not forks.is_fork():
            warn(
                f"the environment says that this is rank {settings.rank()} of a distributed job, of which only rank 0 records, so "
                "nothing of this run is kept; unset RANK, or give each rank a run: init(all_ranks=True)"
            )
        is_recorded = not (options.disabled or is_other_rank)
        project = self._project(paths) if is_recorded and not self.polars_is_dead else None
        if project is not None:
            run = project.open_run(options)
        else:
            import_polars()
            from ..tracking import storeless

            run = storeless.open_in_fork(paths, options) if is_recorded else storeless.open_disabled(paths, options)
        writer = writer_of(run)
        self._take_up(writer)  # before anything else, so that a run whose `init` is interrupted ends as others do
        self.cells.note_run(writer)
        if project is not None:
            self._serve(project, writer)
        return run

    def _serve(self, project: Project, writer: RunWriter) -> None:
        """Follow a run that has begun: with boards, alerts, uploads and captures."""
        self.last_project = project
        writer.on_end.append(partial(self._release, project))
        writer.on_go_on.append(self.boards.wake)
        writer.alerts.on_new.append(partial(self._alerted, writer))
        self.uploads.follow(project, writer)
        self.captures.begin(writer, writer.options.captures)

    def attach(self, project: str, folder: Path | None, record: RunRecord, *, all_ranks: bool) -> Run:
        """Return the run of a pickle, one that records nothing, with a warning, if it is not found."""
        found = None if folder is None else self.find_elsewhere(project, folder, record, all_ranks=all_ranks)
        if found is not None:
            return found
        if folder is not None:
            warn(
                f"run {record.name!r} of project {project!r} is not open, and is not found in {folder}: it records nothing here"
            )
        import_polars()
        from ..tracking import storeless

        return storeless.lost(project, record)

    def find_elsewhere(self, project: str, folder: Path, record: RunRecord, *, all_ranks: bool) -> Run | None:
        """Return the run if it is open here, else one that logs to its writing process, else one that can only be read."""
        import_polars()
        from ..tracking import storeless

        is_open = next((writer.run for writer in self.runs if writer.id == record.id), None)
        if is_open is not None:
            return is_open
        joined = storeless.join(ProjectPaths(folder, project), RunOptions(record, all_ranks=all_ranks))
        if joined is not None:
            self._take_up(writer_of(joined))
            return joined
        if not self.polars_is_dead:
            with contextlib.suppress(ValueError):  # no such run: it was deleted, or this is another machine
                return self.project(project, folder).get(record.id)
        return None

    def _take_up(self, writer: RunWriter) -> None:
        self.runs.append(writer)
        self.last_run = writer.run
        chosen.set(writer.run)
        writer.on_end.append(self._ended)
        end_with_function(self.runs)
        self._end_with_child()

    def _end_with_child(self) -> None:
        """Register `_close_child` in a child of multiprocessing, which does not call `atexit` functions."""
        util = sys.modules.get("multiprocessing.util")
        if forks.is_of_multiprocessing() and util is not None and self._finalized_in != os.getpid():
            self._finalized_in = os.getpid()
            util.Finalize(None, self._close_child, exitpriority=_LAST_TO_FINISH)

    def hand_over(self, *, compress: bool = True) -> None:
        """Move what was logged in this process into the stores; without `compress` images that are still to be compressed come later."""
        for writer in list(self.runs):
            writer.hand_over(compress=compress)

    def _ended(self, writer: RunWriter) -> None:
        self.runs.remove(writer)
        if writer.at_risk is not None and not writer.is_apart:
            self._at_risk.append(writer)
        self.boards.settle()

    def _alerted(self, writer: RunWriter, row: AlertRow, webhook: Webhook | None) -> None:
        """Show a new alert on the boards, and send it."""
        self.boards.note_alerts()
        if webhook is not None:

            def done(outcome: str) -> None:
                with contextlib.suppress(OSError):  # the file is busy: the alert stays `WAITING` there
                    writer.alerts.note_delivery(row.number, outcome)

            self.sender.send(webhook, message_of(writer, row), done)

    def _release(self, project: Project, _: RunWriter) -> None:
        """Close a project's file after its last run, if the system could not remove it while open; elsewhere the pump closes it later."""
        if filesystem.HOLDS_OPEN_FILES and not project.open_runs and not project.boards:
            self.pump.remove(project)
            project.close()

    def _forked(self) -> None:
        for writer in self.runs:
            writer.has_children = True

    def _go_on_in_child(self) -> None:
        """Let a forked child continue to log, into journals of its own. Polars, SQLite and the pump would hang here."""
        switching.restore_in_child()
        self.projects, self.last_project, self._at_risk = {}, None, []
        self.uploads, self.followers = Uploads(), weakref.WeakSet()
        self.boards.forget_in_child()
        self.pump.reset()
        self.sender.forget_in_child()
        self.polars_is_dead = "polars" in sys.modules
        self.captures.forget_in_child()
        for writer in self.runs:
            writer.go_on_in_child()

    def _close_child(self) -> None:
        """End the runs of a child of multiprocessing, in the state that its exception, if any, gives them."""
        status = status_of_child()
        error = SystemExit(status) if status else sys.exc_info()[1]
        self._end_all(lambda _: state_after(error))

    def close(self) -> None:
        """End the open runs at the end of the process, in the state in which the program ended."""
        if status_of_child() is not None:
            self._close_child()
            return
        if not self._ends_by_its_main_program:
            self._end_all(self._ending_in_a_kernel)
            return
        error = getattr(sys, "last_value", None)
        exits = [writer for writer in self.runs if writer.origin.shown is error]
        if self._main_frame is not None and not returned(self._main_frame):
            for folder in {writer.journals for writer in exits if writer.journals is not None}:
                write_at_exit(folder, [writer.id for writer in exits if writer.journals == folder])
        self._end_all(lambda writer: state_after(None if writer in exits else error))

    def _ending_in_a_kernel(self, writer: RunWriter) -> tuple[State, str | None]:
        """Return how a run ends with its kernel: one whose cell is still running did not reach its end."""
        cell = self.cells.cut_short(writer)
        if not cell:
            return "finished", None
        return (
            "interrupted",
            "the kernel ended while its cell ran" if cell is True else f"the kernel ended while In [{cell}] ran",
        )

    @property
    def _ends_by_its_main_program(self) -> bool:
        """Whether the last exception that Python showed may have ended the program. Notebooks and REPLs continue after it."""
        return host.current().shell is None and not hasattr(sys, "ps1")

    def _end_all(self, ending: Callable[[RunWriter], tuple[State, str | None]]) -> None:
        self.is_closed = True
        with contextlib.ExitStack() as rest:  # so that a failure does not keep other runs from ending
            rest.callback(self._end_threads)
            rest.callback(self._tell_losses)
            for project in self.projects.values():
                rest.callback(project.close)
            rest.callback(self.pump.stop)
            rest.callback(self.sender.close)
            for writer in reversed(self.runs):
                writer.at_exit = True
                rest.callback(writer.end, *ending(writer))

    def _end_threads(self) -> None:
        """Wait for the threads that call libraries in Rust: those that Python ends within such a call, as it ends itself, crash."""
        followers = list(self.followers)
        for follower in followers:
            follower.stop()
        self.uploads.close()
        for follower in followers:
            follower.join(STOP_SECONDS)

    def _tell_losses(self) -> None:
        """Tell what is lost of ended runs, after the last attempt to write it."""
        for writer in self._at_risk:
            if not writer.store.flush():
                tell(loss(writer, is_over=True))


def _machine() -> Machine:
    from ..capture.hardware import Machine

    return Machine()


def _environment(machine: Callable[[], Machine]) -> Capture:
    from ..capture.environment import EnvironmentCapture

    return EnvironmentCapture(machine, host.current().about)


def _system(machine: Callable[[], Machine]) -> Capture:
    from ..capture.system import SystemCapture

    return SystemCapture(machine)


def project_paths(name: str | None = None, folder: str | os.PathLike[str] | None = None) -> ProjectPaths:
    """Return where the project of a name is, by default the notebook's. Raises ``TypeError`` and ``ValueError`` for the name."""
    name = check_text("project", host.current().name() or DEFAULT_PROJECT if name is None else name)
    return ProjectPaths(settings.data_dir(folder), name)


_making = threading.Lock()
_made: Process | None = None


def attach(project: str, folder: Path | None, record: dict[str, Any], all_ranks: bool = False) -> Run:
    """Unpickle a run."""
    return process().attach(project, folder, RunRecord(**record), all_ranks=all_ranks)


def _reference(run: Run) -> tuple[Callable[..., Run], tuple[str, Path | None, dict[str, Any], bool]]:
    """Pickle a run as a reference: elsewhere it logs to this process's run by a journal of its own."""
    writer = writer_of(run)
    writer.has_children = writer.paths is not None
    folder = None if writer.paths is None else writer.paths.folder
    return attach, (writer.project, folder, dataclasses.asdict(writer.record), writer.options.all_ranks)


copyreg.pickle(Run, _reference)


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
