"""A project: its store, its journals, and the runs that this process has open."""

from __future__ import annotations

import contextlib
import dataclasses
import math
import os
import shutil
import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path
from time import monotonic, sleep, time
from typing import TYPE_CHECKING, Final

from .. import filesystem
from ..ids import readable_name
from ..journal.journal import FileJournal, head_of
from ..journal.reader import probe
from ..pump import INTERVAL
from ..store.paths import ProjectPaths, project_names
from ..store.sqlite import SqliteStore
from ..store.transfer import put_whole, read_whole
from ..store.writer_process import this_process
from ..switch_interval import QUICK, QUICKEST, switching
from ..text import ago, did_you_mean, listed
from ..types import RunRecord
from ..user_warnings import warn
from .files_folder import FilesFolder
from .liveness import life
from .recovery import recover
from .run import Run
from .run_options import RunOptions
from .run_writer import RunWriter
from .stored_project import StoredProject
from .uploading import Uploading

if TYPE_CHECKING:
    from ..store.base import Points

FLUSH_SECONDS: Final = 1.0
SLOWEST_FLUSH_SECONDS: Final = 5.0  # after which other processes see new points at the latest
SHOWN_SECONDS: Final = 0.1  # at least, between two hand-overs for boards
SLOWEST_SHOWN_SECONDS: Final = 0.5
QUIET_SECONDS: Final = 0.25  # between two checks of the backlog, without a board
QUIET_AFTER: Final = 5.0  # seconds without any point, from when the backlog is checked at each flush
QUIETER: Final = 20  # with a board, the interval of hand-overs after a pause in logging is the pause divided by this
_PATIENCE_SECONDS: Final = 10.0  # to wait for another process that resumes a run of the project
_REST: Final = 20  # times the duration of a flush: so long the pump sleeps after it, to leave the GIL to training
_RECOVER_SECONDS: Final = 1.5  # between two looks, for a board, at whether the processes of running runs are alive
IDLE_SECONDS = 10.0  # without runs and boards, after which the file is closed; to open it again costs an `init` 10 ms
LARGEST_BACKLOG = 1 << 22  # bytes of a journal that wait for the next flush: 10 metrics at 13,000 calls a second


class Project(StoredProject):
    """One project of one folder."""

    def __init__(self, name: str, folder: Path) -> None:
        self.store: SqliteStore
        self.paths = ProjectPaths(folder, name)
        super().__init__(name, SqliteStore(self.paths.file, name))
        self.journals = self.paths.journals
        self.files = FilesFolder(self.store)
        self.open_runs: list[RunWriter] = []
        self.on_recovered: Callable[[], None] = lambda: None
        self.on_wake: Callable[[], None] = lambda: None  # a run was opened, so it is to be ticked
        self.uploads: list[Uploading] = []  # of runs of this process, and of ended ones until they are uploaded
        self.boards: set[object] = set()  # boards of this process that show the project
        self._lock = threading.Lock()
        self._ticking = threading.Lock()  # held by a tick
        self._is_deleted = False
        self._recovering = threading.RLock()
        self._is_recovered = False
        self._next_flush = self._next_showing = self._next_recovery = 0.0
        self._logged: list[tuple[str, int]] = []  # the lengths of the journals
        self._logged_at = 0.0  # when `_logged` changed last
        self._used_at = 0.0  # when a run ended last, or a board was served
        self._said: set[str] = set()
        self._notices: list[str] = []  # of recoveries for boards

    def open_run(self, options: RunOptions) -> Run:
        """Open a new run, or the earlier run that `options` resume. Raises ``ValueError`` as `admit` does."""
        resumes = options.by_id or options.resume != "never"
        with self._resuming(options) if resumes else contextlib.nullcontext():
            return self._open_run(options)

    @contextlib.contextmanager
    def _resuming(self, options: RunOptions) -> Iterator[None]:
        """Keep other processes from resuming the same run meanwhile. They are not kept where files cannot be locked."""
        path = self.store.path.with_name(self.store.path.name + ".resume")
        if options.resume != "must":  # without a folder there is nothing to go on with, and none is made for it
            with contextlib.suppress(OSError):  # the store and the journal say what is wrong with the folder
                path.parent.mkdir(parents=True, exist_ok=True)
        lock, until = None, monotonic() + _PATIENCE_SECONDS
        with contextlib.suppress(OSError):
            while (lock := filesystem.hold(path, create=True)) is None and monotonic() < until:
                sleep(0.01)
        try:
            yield
        finally:
            if lock is not None:
                with contextlib.suppress(OSError):  # an empty file stays
                    path.unlink(missing_ok=True)
                os.close(lock)

    def _open_run(self, options: RunOptions) -> Run:
        record = self.admit(options)
        if options.resume_from is not None:
            self.store.cut(record.id, options.resume_from)
            self.files.cut(record.id, options.resume_from)
        journal = FileJournal(self.journals, head_of(record))
        journal.open()  # first, to show other processes that the run is being written
        self.store.sign(record.id, this_process())
        writer = RunWriter(
            self.name,
            record,
            self.store,
            journal,
            self.paths.folder,
            options=options,
            is_new=(record.id, record.started) == (options.record.id, options.record.started),
        )
        run = Run(writer)
        with self._lock:
            self.open_runs.append(writer)
            self._is_recovered = False
        writer.on_end.append(self._remove)
        self.flush([writer])
        self.on_wake()
        return run

    def tick(self, now: float) -> float:
        """Hand over and flush when it is due. Without boards there is one hand-over for each flush, because each delays training.

        After an idle period the file is closed, and nothing is due until a run is opened.
        """
        with self._ticking, switching.every(QUICK):
            is_gone = self._is_deleted and filesystem.is_missing(self.store.path)
            return FLUSH_SECONDS if is_gone else self._tick(now)

    def _tick(self, now: float) -> float:
        with self._lock:
            runs = list(self.open_runs)
        if self.boards:
            self._used_at = now
        if runs and not self._is_recovered:  # once, and not in `init`, which reads no other runs
            self._is_recovered = True
            runs[0].findings.note(self._recover())
            self.on_recovered()
        behind = any(map(_is_behind, runs))
        with switching.every(QUICKEST) if behind else contextlib.nullcontext():
            self._serve(runs, now, behind=behind)
        if not runs:
            return SLOWEST_FLUSH_SECONDS if self.boards else self._rest(now)
        logged = [(segment.name, used) for run in runs for segment, used in run.ready()[-1:]]
        if logged != self._logged:
            self._logged, self._logged_at = logged, now
        if self.boards and not behind:
            return min(max(INTERVAL, (now - self._logged_at) / QUIETER), SLOWEST_SHOWN_SECONDS)
        if behind:
            return INTERVAL
        return QUIET_SECONDS if now < self._logged_at + QUIET_AFTER else FLUSH_SECONDS

    def _rest(self, now: float) -> float:
        left = self._used_at + IDLE_SECONDS - now
        if left > 0:
            return min(left, SLOWEST_FLUSH_SECONDS)
        if not self.store.flush():
            return SLOWEST_FLUSH_SECONDS
        self.close()
        return math.inf

    def _serve(self, runs: Sequence[RunWriter], now: float, *, behind: bool) -> None:
        due = now >= self._next_flush
        shown = bool(self.boards) and now >= self._next_showing
        if shown:
            self._next_showing = now + SHOWN_SECONDS
        for run in runs:
            run.note_problems()
            if due or shown or _is_behind(run):
                run.hand_over(children=due, compress=False)
        if due:
            begin = monotonic()
            if self.flush(runs):
                with contextlib.suppress(OSError):  # the next flush tries again
                    self.files.sweep()
            # a long flush has waited for the disk or for a computing loop, and each wait delays that loop
            rest = 0.0 if behind else _REST * (monotonic() - begin)
            self._next_flush = now + min(max(FLUSH_SECONDS, rest), SLOWEST_FLUSH_SECONDS)

    def flush(self, runs: Sequence[RunWriter]) -> bool:
        """Make the points that `runs` handed over durable, and release their journals up to there. Return False when that fails."""
        handed_over = [(run, run.handed_over()) for run in runs]
        written = self.store.flush()
        for run, marks in handed_over:
            if written:
                run.forget(marks)
            run.note_problems()
        return written

    def close(self) -> None:
        """Write what is left, and close the file until the next call."""
        if self.store.flush():
            with contextlib.suppress(OSError):  # files that nothing uses stay there
                self.files.sweep()
        self.store.close()

    def recover(self, forced: Collection[str] = ()) -> None:
        """Recover runs of dead processes, and those of `forced` whose processes are not known to be alive, as before each reading."""
        for notice in self._recover(forced):
            warn(notice)

    def recover_for_board(self, now: float) -> list[str]:
        """Recover when it is due at `now`, for a board that shows runs of other processes. Return the notices of all such recoveries."""
        if now >= self._next_recovery:
            begin = monotonic()
            if self._has_others():
                self._notices += self._recover()
            self._next_recovery = now + max(_RECOVER_SECONDS, _REST * (monotonic() - begin))
        return self._notices

    def _has_others(self) -> bool:
        """Whether a run is running that this process does not write."""
        here = {run.id for run in self.open_runs}
        with contextlib.suppress(OSError):  # the store has a notice, and the next call may succeed
            return any(record.id not in here for record in self.store.running())
        return False

    def _recover(self, forced: Collection[str] = ()) -> list[str]:
        """Recover, and return new notices."""
        if filesystem.is_missing(self.journals) and filesystem.is_missing(self.store.path):
            return []
        with self._recovering:  # locks of journals belong to the process: two threads would both get one
            self._is_recovered = True
            found = recover(self.store, self.journals, {run.id for run in self.open_runs}, forced)
        new = [notice for notice in found if notice not in self._said]
        self._said.update(new)
        return new

    def get(self, id_or_name: str | Run) -> Run:
        """Return the run if it is open here, else one for reading that takes no points.

        Raises ``ValueError`` when there is no such run, ``OSError`` when the project was written by a later version of Trackbook.
        """
        self.recover()
        record = self.find(id_or_name)
        for writer in list(self.open_runs):
            if writer.id == record.id:
                return writer.run
        return Run(RunWriter(self.name, record, self.store, folder=self.paths.folder))

    def delete(self, run: Run, *, force: bool = False) -> None:
        """Delete a run. Raises ``ValueError`` while it is being written; when that is unknown, only without `force`."""
        self._refuse_running("delete", run, force=force)
        files = self.files.names_of_run(run.id)
        self.store.delete(run.id)
        self.store.flush()
        self.files.remove(files)

    def move(self, run: Run, target: Project) -> None:
        """Move a run to another project. It is deleted here after it was read back completely there.

        Raises ``ValueError`` while it is being written, or when the id is taken there. Raises ``OSError`` when a part of it cannot be
        read here or written there; the run then stays here.
        """
        self._refuse_running("move", run)
        if target.store.run(run.id) is not None:
            raise ValueError(f"project {target.name!r} has a run with id {run.id!r} already; delete that one first")
        try:
            with self.files.in_use():  # another process may delete the run
                put_whole(target.store, *read_whole(self.store, run.id))
                self._copy_files(run.id, target.store)
        except OSError as error:
            raise OSError(f"run {run.name!r} stays in {self.name!r}: {error}") from error
        try:
            self.delete(run)
        except OSError as error:
            raise OSError(f"run {run.name!r} is in {target.name!r} now, and in {self.name!r} still: {error}") from error

    def _copy_files(self, run_id: str, target: SqliteStore) -> None:
        """Copy the files of a run that are there. Deletes the run in `target` and raises ``OSError`` when that fails."""
        try:
            self.files.copy(run_id, target)
        except OSError:
            target.delete(run_id)
            raise

    def delete_all(self, *, force: bool = False) -> None:
        """Delete the project with all its runs. Raises ``ValueError`` as `delete` does."""
        self.recover()
        for record in self.store.running():
            self._refuse_running("delete", self.get(record.id), force=force)
        with self._ticking:  # one that is under way would make the file again
            self._is_deleted = True
            self.store.close()
            for suffix in ("", "-wal", "-shm", "-journal"):
                self.store.path.with_name(self.store.path.name + suffix).unlink(missing_ok=True)
            for folder in (self.paths.journals, self.paths.files):
                shutil.rmtree(folder, ignore_errors=True)

    def _remove(self, writer: RunWriter) -> None:
        with self._lock:
            self.open_runs.remove(writer)
            self._used_at = monotonic()

    def admit(self, options: RunOptions) -> RunRecord:
        """Return the record of a new run, or of the earlier run that `options` resume.

        Raises ``ValueError`` when a required earlier run does not exist, or when the id is taken and the run is not to be resumed.
        """
        run, resume, by_id = options.record, options.resume, options.by_id
        if resume == "never" and not by_id:  # reads no other runs, so a busy or damaged file does not matter
            return self._named(run)
        self.recover()
        found = self.store.run(run.id) if by_id else None
        earlier = ([] if found is None else [found]) if by_id else self.store.named(run.name)
        if resume == "never" and by_id and earlier:
            raise ValueError(
                f"project {self.name!r} has a run with id {run.id!r} already; choose another id, or resume='allow' to go on"
            )
        if resume == "must" and not by_id and not run.name:
            raise ValueError(
                "resume='must' and resume_from=... go on with an earlier run; say which one by name=... or id=..."
            )
        if resume == "must" and not earlier:
            what = f"id {run.id!r}" if by_id else f"name {run.name!r}"
            raise ValueError(f"resume='must', and project {self.name!r} has no run with {what}; use resume='allow'")
        return self._resumable(earlier[-1], options) if earlier else self._named(run)

    def _named(self, run: RunRecord) -> RunRecord:
        return run if run.name else dataclasses.replace(run, name=readable_name(self.store.next_number()))

    def _resumable(self, found: RunRecord, options: RunOptions) -> RunRecord:
        """Return the record of an earlier run, to be continued. Raises ``ValueError`` while it is or may be written."""
        run = options.record
        if any(open_run.id == found.id for open_run in self.open_runs):
            raise ValueError(
                f"run {found.name!r} is still open here and cannot be resumed; log to it, or finish() it first"
            )
        if found.state == "running" and options.force:
            self.recover({found.id})
            found = self.store.run(found.id) or found
        if found.state == "running" or probe(self.journals, found.id, children=False) == "alive":
            raise ValueError(f"run {found.name!r} {self._running(found.id)}, and cannot be resumed")
        self.store.summary(found.id)  # raises when its steps cannot be read: counting from 0 would discard points
        return dataclasses.replace(
            found,
            state="running",
            ended=None,
            error=None,
            config=found.config | run.config,
            tags=tuple(dict.fromkeys([*found.tags, *run.tags])),
            notes=run.notes or found.notes,
            total=run.total or found.total,
            defined=found.defined | run.defined,
            goals=found.goals | run.goals,
        )

    def refresh(self) -> None:
        """Move points logged here, and points of dead processes, into the store."""
        self.recover()
        for run in list(self.open_runs):
            run.hand_over()

    def live_points(self) -> Points:
        """Return a reader of points for one board, which finds those of other processes before they are in the file."""
        from .live_points import LivePoints

        return LivePoints(self.store, self.journals, lambda run_id: any(run.id == run_id for run in self.open_runs))

    @property
    def exists(self) -> bool:
        """Whether the project has, or had, a run."""
        return bool(self.open_runs) or not filesystem.is_missing(self.store.path) or bool(self.store.latest(1))

    def neighbours(self) -> str:
        """Return a sentence that names the project of its folder that was meant, else all of them."""
        names = project_names(self.paths.folder)
        return did_you_mean(self.name, names, f"there are {listed(names)}" if names else "there is none at all")

    def _refuse_running(self, act: str, run: Run, *, force: bool = False) -> None:
        for writer in [one for one in self.open_runs if one.id == run.id and one.is_suspended]:
            writer.end(writer.state)
        if run.state == "running" and not (force and life(self.store, self.journals, run.id) == "unknown"):
            raise ValueError(f"run {run.name!r} {self._running(run.id)}: finish it before you {act} it")

    def _running(self, run_id: str) -> str:
        """Return a predicate for messages about a run that may still be written."""
        if any(run.id == run_id for run in self.open_runs):
            return "is still running"
        if life(self.store, self.journals, run_id) == "alive":
            return "is being written by another process"
        writer = self.store.writers().get(run_id)
        seen = "" if writer is None else f" (process {writer.pid} of {writer.host}, seen {ago(time() - writer.seen)})"
        return f"may still be written by another process{seen}, which nobody can tell from here; force=True says that it is dead"


def _is_behind(writer: RunWriter) -> bool:
    return writer.backlog > LARGEST_BACKLOG
