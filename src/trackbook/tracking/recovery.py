"""Recovery of runs whose process died: move the points of their journals into the store, and mark the runs ``lost``."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Collection
from pathlib import Path

import polars as pl

from .. import filesystem
from ..journal.null_journal import NullJournal
from ..journal.reader import Remains, probe, remains
from ..journal.records import NEXT_STEP
from ..metrics import logged
from ..store import check_stored
from ..store.base import Store
from ..types import RunRecord
from . import logged_media, noted_alerts
from .exit_status import statuses
from .liveness import life
from .recorder import Recorder


def recover(store: Store, home: Path, open_here: Collection[str], forced: Collection[str] = ()) -> list[str]:
    """Drain every journal in `home` whose process is dead, mark runs without a living process ``lost``, and return notices.

    `open_here` are the ids of runs that this process writes. When it is unknown whether the process of a run is alive, the run is
    left alone, unless it is one of `forced`. Each journal that cannot be read gives a notice. After a failure of the store the next
    call tries again.
    """
    notices = []
    left_behind = set(forced)
    for children in (False, True):  # parents first, because a child's steps continue its parent's
        for left in remains(home):
            with contextlib.closing(left):
                if not left.is_readable:
                    notices += [] if children else left.notices
                elif left.is_child == children:
                    try:
                        if not _is_taken_care_of(store, left, home, open_here, forced):
                            left_behind.add(left.head["id"])
                            _recover(store, left)
                    except ValueError as error:
                        notices.append(f"{left.folder} is damaged and is left as it is: {error}")
                    except OSError:  # the store has a notice, and the next call tries again
                        continue
    with contextlib.suppress(OSError):  # the next call tries again
        _take_up_statuses(store, home)
        for record in store.running():
            if record.id not in open_here and _is_dead(store, home, record.id, left_behind):
                note_loss(store, record.id)
    store.flush()
    return notices


def _take_up_statuses(store: Store, home: Path) -> None:
    """Mark runs ``failed`` whose program ended by `SystemExit` with a status other than 0."""
    used = []
    for path, runs, status in statuses(home):
        for record in (store.run(run) for run in runs if status):
            if record is not None and record.state == "finished":
                store.put_run(dataclasses.replace(record, state="failed", error=f"SystemExit: {status}"))
        used.append(path)
    if used and store.flush():
        for path in used:
            with contextlib.suppress(OSError):  # another process was faster
                path.unlink()


def _is_dead(store: Store, home: Path, run: str, presumed: Collection[str], *, held: str = "") -> bool:
    """Whether the process that writes a run is dead, or is `presumed` dead and not known to be alive."""
    found = life(store, home, run, held=held)
    return found == "dead" or (found == "unknown" and run in presumed)


def take_over(
    store: Store,
    left: Remains,
    recorder: Recorder,
    look: Callable[[pl.DataFrame], None] = lambda _: None,
    numbered: list[pl.DataFrame] | None = None,
) -> list[str]:
    """Move new points of a journal into the store, and let `look` see them; return the metrics of which points were discarded.

    Points that are given the steps of their calls here are appended to `numbered`. Raises ``OSError`` when the store fails to store them all.
    """
    discarded: list[str] = []
    for batch in left.batches(store.marks(left.folder.name)):
        points = batch.points
        is_open = (points["step"] == NEXT_STEP).any()
        if is_open:  # numbers and marks must be written together: points numbered twice would be duplicates
            _flush(store)
            steps = recorder.number(points["metric"].cast(pl.String), points["step"], batch.calls().tolist())
            points = points.with_columns(pl.Series("step", steps, dtype=pl.Int64))
        discarded += store.append(left.head["id"], points, batch.marks)
        if is_open and numbered is not None and not recorder.by_metric:
            numbered.append(points)
        look(points)
        if is_open:
            _flush(store)
    return discarded


def _flush(store: Store) -> None:
    if not store.flush():
        raise OSError(" ".join(store.notices))


def _is_taken_care_of(
    store: Store, left: Remains, home: Path, open_here: Collection[str], forced: Collection[str]
) -> bool:
    """Whether a journal with a free lock is to be left to another process.

    The process that writes a run drains its children's journals, because only it knows the next steps. And on a file system that does
    not share locks, a journal with a free lock may be in use by another machine.
    """
    run = left.head["id"]
    if run in open_here or (left.is_child and probe(home, run, children=False) in ("alive", "unknown")):
        return True
    if filesystem.shares_locks(home):
        return False
    return run in store.writers() and not _is_dead(store, home, run, forced, held=left.folder.name)


def _recover(store: Store, left: Remains) -> None:
    store.marks(left.folder.name)  # raises when the store cannot be read
    record, own = store.run(left.head["id"]), _record(left)
    if record is None or (record.state == "running" and own.state != "running"):
        record = own
        store.put_run(record)
    first_step = max((row.step + 1 for row in logged_media.rows_of(store, record.id)), default=0)
    recorder = Recorder(NullJournal(), record.step_by, _largest(store, record.id), first_step)
    numbered: list[pl.DataFrame] = []
    take_over(store, left, recorder, numbered=numbered)
    logged_media.recover(store, left, recorder, numbered)
    noted_alerts.recover(store, left, record.name)
    if store.flush() and left.remove():
        store.clear_marks(left.folder.name)


def note_loss(store: Store, run: str) -> None:
    """Mark a run ``lost`` whose state is ``running``, but which no process writes."""
    record = store.run(run)  # read again: the process may just have ended the run, and removed the journal afterwards
    if record is not None and record.state == "running":
        times = store.read_many({run: [*store.summary(run)]}, ("time",))["time"].to_numpy()  # decodes nothing else
        store.put_run(dataclasses.replace(record, state="lost", ended=float(times.max(initial=record.started))))


def _largest(store: Store, run: str) -> dict[str, int]:
    return {metric: figures.step for metric, figures in logged(store.summary(run)).items()}


def _record(left: Remains) -> RunRecord:
    return check_stored.record(left.head)
