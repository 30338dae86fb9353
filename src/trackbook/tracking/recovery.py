"""Taking up what dead processes left: their points go into the store, and their runs are ``lost``."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Collection
from pathlib import Path

import polars as pl

from ..journal.journal import NullJournal
from ..journal.reader import Remains, is_alive, remains
from ..journal.records import NEXT_STEP
from ..metrics import logged
from ..store.base import Store
from ..types import RunRecord
from .recorder import Recorder


def recover(store: Store, home: Path, open_here: Collection[str]) -> list[str]:
    """Drains every journal in `home` whose process is dead. `open_here` are the ids of runs that this process writes.

    A run that says it is running, and of which no process lives, becomes ``lost``. Returns a sentence for each journal that
    had to be left as it is. What the store cannot take now is left for the next time.
    """
    notices = []
    for children in (False, True):  # a child's points count on from its parent's
        for left in remains(home):
            with contextlib.closing(left):
                if not left.is_readable:
                    notices += [] if children else left.notices
                elif left.is_child == children and not _is_taken_care_of(left, home, open_here):
                    with contextlib.suppress(OSError):
                        _recover(store, left)
    for record in store.runs():
        if record.state == "running" and record.id not in open_here and not is_alive(home, record.id):
            note_loss(store, record.id)
    store.flush()
    return notices


def take_over(store: Store, left: Remains, recorder: Recorder) -> list[str]:
    """Moves what is new in a journal into the store; the names of metrics of which a point was discarded.

    Raises ``OSError`` when the store cannot take it all now.
    """
    discarded: list[str] = []
    for batch in left.batches(store.marks(left.folder.name)):
        points = batch.points
        is_open = (points["step"] == NEXT_STEP).any()
        if is_open:  # a point that is numbered twice is there twice: numbers and marks go into the file together
            _flush(store)
            steps = recorder.number(points["metric"].cast(pl.String), points["step"], batch.calls().tolist())
            points = points.with_columns(pl.Series("step", steps, dtype=pl.Int64))
        discarded += store.append(left.head["id"], points, batch.marks)
        if is_open:
            _flush(store)
    return discarded


def _flush(store: Store) -> None:
    if not store.flush():
        raise OSError(" ".join(store.notices))


def _is_taken_care_of(left: Remains, home: Path, open_here: Collection[str]) -> bool:
    """Whether the process that writes the run takes its children's journals up: only it knows what comes next."""
    run = left.head["id"]
    return run in open_here or (left.is_child and is_alive(home, run, children=False))


def _recover(store: Store, left: Remains) -> None:
    store.marks(left.folder.name)  # first of all, whether the store can be read
    record, own = store.run(left.head["id"]), _record(left)
    if record is None or (record.state == "running" and own.state != "running"):
        record = own
        store.put_run(record)
    take_over(store, left, Recorder(NullJournal(), record.step_by, _largest(store, record.id)))
    if store.flush() and left.remove():
        store.clear_marks(left.folder.name)


def note_loss(store: Store, run: str) -> None:
    """Marks a run ``lost`` that says it is running, and that nobody writes."""
    record = store.run(run)  # again: a process ends its run before it removes the journal, and may just have done so
    if record is not None and record.state == "running":
        times = store.read(run)["time"].to_numpy()
        store.put_run(dataclasses.replace(record, state="lost", ended=float(times.max(initial=record.started))))


def _largest(store: Store, run: str) -> dict[str, int]:
    return {metric: figures.step for metric, figures in logged(store.summary(run)).items()}


def _record(left: Remains) -> RunRecord:
    names = {field.name for field in dataclasses.fields(RunRecord)}
    fields = {name: value for name, value in left.head.items() if name in names}
    return RunRecord(**{**fields, "tags": tuple(fields.get("tags", ()))})
