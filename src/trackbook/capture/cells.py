"""Provenance of a run: the cells executed while it was open, how each ended and which metrics it logged.

A notebook shows only the newest source and count of each cell. An execution is *dirty* when it ran differently from what the notebook
shows, as far as a kernel can know: it receives the id and source of each executed cell, but not the order of cells on the page.

* ``edited since``: while the run was open the cell was executed again, with another source.
* ``out of order``: the cell had been executed before, and others after that, in this kernel.
* ``run again``: the cell had been executed before, in this run, with the same source and no other after it.

Hosts that send no cell ids (nbclient, IPython in a terminal) have no dirty executions.
"""

from __future__ import annotations

import dataclasses
import json
import re
import sys
import time
import traceback
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from ..metrics import logged
from ..notebook import host
from ..notebook.cell_executions import CellExecutions, Execution, Outcome
from ..store.documents import put_document
from ..tracking.endings import state_after
from ..tracking.run_writer import RunWriter

MOST_REASONS: Final = 100
_ANSI: Final = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]")
_SAID: Final = {"edited since": "was edited since", "out of order": "ran out of order", "run again": "ran again"}
_STATES: Final = {"finished": "ok", "failed": "error", "interrupted": "interrupted"}


@dataclass
class CellRow:
    """One execution: a row of the table `cells`."""

    number: int
    cell: str | None
    count: int | None
    source: str | None
    started: float
    ended: float | None = None
    state: str = "running"
    error: str | None = None
    output: str | None = None
    metrics: str = "[]"  # JSON
    points: int = 0
    dirty: str | None = None


@dataclass
class _FollowedRun:
    """The state of this capture for one open run."""

    run: RunWriter
    next: int  # number of the next execution
    before: Mapping[str, int] = field(default_factory=dict)  # points by metric when the running execution began
    counted: Mapping[str, int] = field(default_factory=dict)  # points by metric at the last count
    written: object = None  # the journal's length at the last count
    row: CellRow | None = None  # of the running execution
    newest: dict[str, tuple[CellRow, str | None]] = field(default_factory=dict)  # by cell, with its source
    dirty: dict[int, str] = field(default_factory=dict)  # by number

    def put(self, row: CellRow) -> None:
        self.run.store.put_captured(self.run.id, "cells", [dataclasses.astuple(row)])

    def mark(self, row: CellRow, why: str) -> None:
        row.dirty = why
        self.dirty[row.number] = f"In [{row.count}] {_SAID[why]}"
        self.put(row)
        self.say_notebook()

    def say_notebook(self) -> None:
        dirty = [self.dirty[number] for number in sorted(self.dirty)][-MOST_REASONS:]
        notebook = host.current()
        fact = {"name": notebook.name(), "path": notebook.path(), "dirty": dirty}
        put_document(self.run.store, self.run.id, "notebook", fact)

    def count(self) -> Mapping[str, int]:
        """Return the number of points per metric. Query the store, which may be busy writing, only after new points were logged."""
        written = self.run.written()
        if written != self.written:
            self.run.hand_over(children=False, compress=False)
            figures = self.run.store.summary(self.run.id)
            self.counted = {name: each.count for name, each in logged(figures).items()}
            self.written = written
        return self.counted

    def note_points(self, row: CellRow) -> None:
        now = self.count()
        row.metrics = json.dumps([name for name in now if now[name] > self.before.get(name, 0)])
        row.points = sum(now.values()) - sum(self.before.values())


class CellCapture:
    """Records executed cells for each open run, from the cell that opens it to the cell that ends it.

    Points that a thread logs between two cells are attributed to no cell. Nested cells (``%%capture``, ``%run notebook.ipynb``) count as
    part of the outer one. If the kernel dies, the state stays ``running``.
    """

    def __init__(self, cells: CellExecutions) -> None:
        self._cells = cells
        self._runs: dict[str, _FollowedRun] = {}
        self._running: Execution | None = None
        self._latest: str | None = None  # the cell executed last
        self._seen: set[str] = set()
        self._strayed = False  # the running execution is out of order

    def begin(self, run: RunWriter) -> None:
        earlier = [CellRow(*row) for row in run.earlier_rows("cells")]
        followed = _FollowedRun(run, earlier[-1].number + 1 if earlier else 0)
        if not self._cells.watching:
            if run.options.save_code and (code := script()) is not None:
                put_document(run.store, run.id, "code", code)
            return
        followed.newest = {row.cell: (row, row.source) for row in earlier if row.cell is not None}
        followed.dirty = {row.number: f"In [{row.count}] {_SAID[row.dirty]}" for row in earlier if row.dirty in _SAID}
        followed.say_notebook()
        self._runs[run.id] = followed
        if self._running is not None:
            self._follow(followed, self._running)

    def began(self, execution: Execution) -> None:
        """Record the start of an execution."""
        cell = execution.id
        self._running = execution
        self._strayed = cell is not None and cell in self._seen and cell != self._latest
        self._latest = cell
        if cell is not None:
            self._seen.add(cell)
        for followed in self._runs.values():
            self._follow(followed, execution)

    def ended(self, execution: Execution, outcome: Outcome) -> None:
        """Record the end of an execution."""
        self._running = None
        now = time.time()
        state, _ = state_after(outcome.error)
        failure = outcome.error
        trace = None if failure is None else plain(_traceback(failure, compiled=outcome.compiled))
        said = None if failure is None else plain(_without_source(failure))
        output = None if outcome.output is None else plain(outcome.output)
        for followed in list(self._runs.values()):
            row, followed.row = followed.row, None
            if row is None:
                continue
            if not followed.run.ended:
                followed.note_points(row)
            row.ended, row.state, row.output = now, _STATES[state], output
            row.error = trace if followed.run.options.save_code else said
            self._put_last(followed, row)

    def end(self, run: RunWriter) -> None:
        followed = self._runs.get(run.id)
        if followed is None:
            return
        if followed.row is None:
            del self._runs[run.id]
        else:  # the row is completed when the cell ends
            followed.note_points(followed.row)
            followed.put(followed.row)

    def forget_in_child(self) -> None:
        self._runs.clear()

    def number(self, run: RunWriter) -> int | None:
        """Return the number of the running execution in the table `cells` of a run, None between cells."""
        followed = self._runs.get(run.id)
        row = None if followed is None else followed.row
        return None if row is None else row.number

    def _follow(self, followed: _FollowedRun, execution: Execution) -> None:
        from ..store.text_gate import LONGEST_TEXTS, recorded_text

        # as stores keep it, to be compared with earlier rows that a resumed run has read
        source = recorded_text(plain(execution.source), LONGEST_TEXTS["source"])
        saved = source if followed.run.options.save_code else None
        row = CellRow(followed.next, execution.id, execution.count, saved, execution.started)
        followed.next += 1
        followed.before = followed.count()
        followed.put(row)
        followed.row = row
        earlier, former = followed.newest.get(execution.id or "", (None, None))
        if execution.id is not None:
            followed.newest[execution.id] = (row, source)
        if earlier is not None and former not in (None, source):
            followed.mark(earlier, "edited since")
        if self._strayed:
            followed.mark(row, "out of order")
        elif earlier is not None and former == source:
            followed.mark(row, "run again")

    def _put_last(self, followed: _FollowedRun, row: CellRow) -> None:
        run = followed.run
        if not run.ended:
            followed.put(row)
            return
        del self._runs[run.id]
        if run.store.run(run.id) is not None:  # unless it was deleted meanwhile
            followed.put(row)
            run.store.flush()


def script() -> dict[str, str] | None:
    """Return path and source of the running program, None unless it is a file."""
    path = getattr(sys.modules.get("__main__"), "__file__", None)
    if not path or not Path(path).is_file():
        return None
    return {"path": str(path), "source": plain(Path(path).read_text("utf-8", "replace"))}


def plain(text: str) -> str:
    """Return `text` without colours and other escape sequences."""
    return _ANSI.sub("", text)


def _without_source(error: BaseException) -> str:
    """Return the last part of a traceback, the only one that does not quote the code."""
    if isinstance(error, SyntaxError):
        return f"{type(error).__name__}: {error.msg}"
    return "".join(traceback.format_exception_only(error)).rstrip()


def _traceback(error: BaseException, *, compiled: bool) -> str:
    """Return the traceback as Python formats it, starting at the cell's own frame."""
    trace = error.__traceback__ if compiled else None
    while trace is not None and str(trace.tb_frame.f_globals.get("__name__")).startswith("IPython."):
        trace = trace.tb_next
    return "".join(traceback.format_exception(type(error), error, trace)).rstrip()
