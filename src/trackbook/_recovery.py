"""Taking up what dead processes left: their points go into the store, and their runs are ``lost``."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection
from pathlib import Path

import polars as pl

from ._journal import NullJournal
from ._recorder import Recorder
from ._records import NEXT_STEP
from ._remains import Remains, remains
from ._types import RunRecord
from .store._interface import Store


def recover(store: Store, home: Path, open_here: Collection[str]) -> None:
    """Drains every journal in `home` whose process is dead. `open_here` are the ids of runs that this process writes.

    A run that says it is running and has no journal left that could say otherwise becomes ``lost``.
    """
    found = [left for left in remains(home) if left.head and left.head["id"] not in open_here]
    for left in sorted(found, key=lambda left: left.is_child):  # a child's points count on from its parent's
        record = store.run(left.head["id"]) or _record(left)
        recorder = Recorder(NullJournal(), record.step_by, {m: s.step for m, s in store.summary(record.id).items()})
        store.put_run(record)
        take_over(store, left, recorder)
        if store.flush():
            left.remove()
            store.clear_marks(left.folder.name)
        else:
            left.release()
    for record in store.runs():
        if record.state == "running" and record.id not in open_here and not any(home.glob(f"{record.id}-*")):
            times = store.read(record.id)["time"].to_numpy()
            ended = float(times.max(initial=record.started))
            store.put_run(dataclasses.replace(record, state="lost", ended=ended))
    store.flush()


def take_over(store: Store, left: Remains, recorder: Recorder) -> list[str]:
    """Moves what is new in a journal into the store; the names of metrics of which a point was discarded."""
    discarded: list[str] = []
    for batch in left.batches(store.marks(left.folder.name)):
        points = batch.points
        if (points["step"] == NEXT_STEP).any():
            steps = recorder.number(points["metric"].cast(pl.String), points["step"], batch.calls.tolist())
            points = points.with_columns(pl.Series("step", steps, dtype=pl.Int64))
        discarded += store.append(left.head["id"], points, batch.marks)
    return discarded


def _record(left: Remains) -> RunRecord:
    fields = {field.name: left.head[field.name] for field in dataclasses.fields(RunRecord)}
    return RunRecord(**{**fields, "tags": tuple(fields["tags"])})
