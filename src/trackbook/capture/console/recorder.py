"""Recorder of the console: what a process writes to stdout and stderr while a run is open, as a terminal shows it.

`sys.stdout` and `sys.stderr` are not replaced. Output is observed at the point where a stream sends its buffer, which costs a print
next to nothing: a kernel's stream by its hook, a stream on a file by the `write` of its buffer, others by their own `write`. So the
recording survives hosts that replace or reset `sys.stdout` or its `write`, includes output of `logging` handlers, and excludes
redirected output (``redirect_stdout``, ``%%capture``), which is not shown. In a kernel, output of subprocesses and of ``!`` commands
arrives through the streams; in a script, what a subprocess writes to an inherited stdout is not recorded. In a kernel the traceback
of a failing cell is not written to these streams: it is in the table `cells`.
"""

from __future__ import annotations

import codecs
import functools
import itertools
import sys
import threading
import time
from collections.abc import Callable
from typing import Any, Final

from ...pump import INTERVAL, Pump
from ...tracking.run_writer import RunWriter
from .line_buffer import ConsoleLines
from .streams import HookedStream, TappedStream, can_be_tapped, descriptor_of, is_shown

SECONDS: Final = 0.2  # between two reads of the written text; the store writes once a second
QUIET_AFTER: Final = 5.0  # seconds without any text
QUIET_SECONDS: Final = 1.0  # between two reads from then on
SLOWEST_SECONDS: Final = 2.0  # between two writes into the store while a flood of lines makes them slow
_REST: Final = 50  # the pause after a write, as a multiple of its duration
TOGETHER: Final = 0.01  # seconds: writes within this time have one timestamp
_BACKLOG: Final = 50_000  # writes that wait for the pump; above, the writing thread processes them
_LARGE: Final = 1_000_000  # characters of a write that is processed at once
_PATIENCE: Final = 0.1  # seconds limit of waiting for another thread's write, to keep the order
_MOMENT: Final = 1e-5
_REQUESTS: Final = 20  # executions to which late output is still attributed
_NUMBERS: Final = {"stdout": 1, "stderr": 2}

CellNumbers = dict[str, int | None]  # number of the running execution, by run id
Decode = Callable[[bytes], str]
StreamSource = tuple[str, Decode | None]  # name of a stream, and its decoder; None for streams of text


class WriteBatch:
    """Text or bytes written to one stream, in one cell, within `TOGETHER` seconds."""

    __slots__ = ("at", "cells", "source", "texts")

    def __init__(self, at: float, source: StreamSource, cells: CellNumbers, texts: list[Any]) -> None:
        self.at = at
        self.source = source
        self.cells = cells
        self.texts = texts

    def goes_on_in(self, other: WriteBatch) -> bool:
        return other.source is self.source and other.cells is self.cells and other.at - self.at <= TOGETHER


_NO_BATCH: Final = WriteBatch(0.0, ("", None), {}, [])


class ConsoleCapture:
    """Records stdout and stderr while runs are open. `cell_of` returns the number of the execution that a run is in."""

    def __init__(self, pump: Pump, cell_of: Callable[[RunWriter], int | None] = lambda _: None) -> None:
        self._pump = pump
        self._cell_of = cell_of
        self._passed_on: set[int] = set()  # threads whose write was recorded by an inner stream
        self._forget()

    def _forget(self) -> None:
        self._records: dict[str, ConsoleLines] = {}
        self._taps: list[TappedStream | HookedStream] = []
        self._cells_of: dict[str, CellNumbers] = {}  # by message id of the kernel's request
        self._batches: list[WriteBatch] = []
        self._batch = _NO_BATCH  # the batch that receives writes
        self._passed_on.clear()
        self._cells: CellNumbers | None = None
        self._writes = self._writes_read = 0
        self._is_writing = False  # in any thread
        self._era = 0  # incremented when waiting for a write was given up
        self._reading = threading.RLock()  # held while batches are taken
        self._storing = threading.RLock()  # held while lines are stored; acquired before `_reading`
        self._looking = threading.RLock()  # held while streams are tapped, so that each is tapped once
        self._is_reading = False
        self._failure: Exception | None = None  # raised by processing inside a write, for the pump to re-raise
        self._next = self._next_storing = self._written_at = 0.0

    def begin(self, run: RunWriter) -> None:
        self._flush()
        with self._storing:
            self.read()
            earlier = run.earlier_rows("console")
            self._records[run.id] = ConsoleLines(run, earlier[-1][0] + 1 if earlier else 0)
            self._cells = None
            run.before_reading.append(self.store)
            self._pump.add(self)
            try:
                self.look()
                self._note_request()
            except Exception:
                self._close(run)
                raise

    def end(self, run: RunWriter) -> None:
        try:
            self.store()
        except Exception:
            self._close(run)
            raise
        self._close(run)  # not reached after an interrupt: the call is repeated

    def _close(self, run: RunWriter) -> None:
        with self._storing:
            if self._records.pop(run.id, None) is not None:
                run.before_reading.remove(self.store)
            if not self._records:
                self._pump.remove(self)
                self._release()

    def forget_in_child(self) -> None:
        for tap in self._taps:
            tap.release_in_child()
        self._forget()  # also the locks, which another thread of the parent may have held

    def cell_began(self) -> None:
        """Note that another cell runs."""
        self._cells = None
        if self._records:
            self.look()
            self._note_request()

    def cell_ended(self) -> None:
        self._cells = None

    def tick(self, now: float) -> float:
        if now >= self._next:
            if self._writes != self._writes_read:
                self._written_at = now
            self._next = now + (SECONDS if now < self._written_at + QUIET_AFTER else QUIET_SECONDS)
            failure, self._failure = self._failure, None
            self.look()
            self.read()
            if now >= self._next_storing:
                begin = time.monotonic()
                self.store(flush=False)
                self._next_storing = now + min(_REST * (time.monotonic() - begin), SLOWEST_SECONDS)
            if failure is not None:
                raise failure
        return max(INTERVAL, self._next - now)

    def is_in_line(self, run_id: str) -> bool:
        """Return whether the next text continues a line, as far as this run's console is recorded."""
        self._flush()
        self.read()
        record = self._records.get(run_id)
        return record is not None and record.is_in_line()

    def store(self, *, flush: bool = True) -> None:
        """Write new lines into the stores."""
        if flush:
            self._flush()
        with self._storing:
            self.read()
            for record in self._records.values():
                record.store()

    def _flush(self) -> None:
        for tap in self._taps:
            tap.flush()

    def _note_request(self) -> None:
        """Note which cells the current request runs: output of a kernel carries its request's id."""
        for request in {tap.request() for tap in self._taps} - {None}:
            self._cells_of[str(request)] = self._ask()
        for request in list(self._cells_of)[:-_REQUESTS]:
            del self._cells_of[request]

    def read(self) -> None:
        """Feed everything written so far to the terminals."""
        with self._reading:  # a `with`, so that no interrupt can leave it held
            if self._is_reading:  # by this thread, interrupted by a signal handler
                return
            self._is_reading = True
            try:
                self._feed(self._take())
            finally:
                self._is_reading = False

    def _take(self) -> list[WriteBatch]:
        """Return the batches written since the last call."""
        self._writes_read = self._writes
        self._batch = _NO_BATCH
        batches = self._batches[:]
        del self._batches[: len(batches)]
        return batches

    def _feed(self, batches: list[WriteBatch]) -> None:
        for batch, after in itertools.zip_longest(batches, batches[1:]):
            if after is not None and batch.goes_on_in(after):
                after.at, after.texts = batch.at, batch.texts + after.texts
                continue
            name, decode = batch.source
            text = "".join(batch.texts) if decode is None else decode(b"".join(batch.texts))
            apart = decode is None  # a host's stream: stdout and stderr are sent and shown separately
            for run_id, record in list(self._records.items()):
                record.feed(name, batch.at, batch.cells.get(run_id), text, apart=apart)

    def look(self) -> None:
        """Tap the shown streams that are not tapped. IPython 9 restores a stream's original `write` at the end of each
        cell, which removes ours.
        """
        with self._looking:
            for name, number in _NUMBERS.items():
                stream = getattr(sys, name)
                target = stream if descriptor_of(stream) is None else stream.buffer
                if not can_be_tapped(target):
                    continue
                if stream is None or any(tap.holds() for tap in self._taps if tap.target is target):
                    continue
                others = [tap for tap in self._taps if tap.target is not target]
                lost = len(others) < len(self._taps)
                if lost or is_shown(stream, number, [tap.stream for tap in others if tap.name == name]):
                    self._taps = [*others, self._tap(stream, target, name)]

    def _tap(self, stream: Any, target: Any, name: str) -> TappedStream | HookedStream:
        if hasattr(stream, "register_hook") and hasattr(stream, "pub_thread"):
            return HookedStream(stream, name, functools.partial(self._hear, (name, None)))
        if target is stream:
            write = self._tapped_leniently(target.write, (name, None))
        else:
            decode = codecs.getincrementaldecoder(stream.encoding or "utf-8")("replace").decode
            write = self._tapped(target.write, (name, decode))
        return TappedStream(stream, target, name, functools.wraps(target.write)(write))

    def _hear(self, source: StreamSource, text: str, request: str | None) -> None:
        if self._records:
            cells = self._cells_of.get(request or "") or self._cells or self._ask()
            self._batches.append(WriteBatch(time.time(), source, cells, [text]))

    def _tapped(self, original: Callable[[Any], Any], source: StreamSource) -> Callable[[Any], Any]:
        """Return a `write` that calls `original` and records the text: 0.4 us, where a print to a terminal takes 4.

        There is no lock, which would cost more than everything else. It is safe because Python switches threads only at calls and
        at the ends of loops: not between reading and setting `_is_writing`, nor between reading `_batch` and the `append`.
        """
        now, get_ident, passed_on = time.time, threading.get_ident, self._passed_on
        kind = str if source[1] is None else bytes

        def write(given: Any, /) -> Any:
            if not self._records:
                return original(given)
            is_beneath = False
            while self._is_writing and not is_beneath:
                is_beneath = self._wait()
            self._is_writing, era = True, self._era
            if passed_on:
                passed_on.discard(get_ident())
            try:
                written = original(given)
                if not passed_on or get_ident() not in passed_on:
                    self._writes += 1
                    text = (
                        given if type(given) is kind else kind(given)
                    )  # a copy, since the caller may reuse the buffer
                    at = now()
                    batch = self._batch
                    if batch.source is source and batch.cells is self._cells and at - batch.at <= TOGETHER:
                        batch.texts.append(text)
                    else:
                        self._open(at, source, text)
                    if is_beneath:
                        passed_on.add(get_ident())
                    if len(text) > _LARGE:
                        self._relieve()
            finally:
                if era == self._era:
                    self._is_writing = is_beneath
            return written

        return write

    def _tapped_leniently(self, original: Callable[..., Any], source: StreamSource) -> Callable[..., Any]:
        """Return the same for a stream of the user's own class, whose `write` may have any signature."""

        def write(*given: Any, **named: Any) -> Any:
            text = next(iter((*given, *named.values())), "")
            return self._tapped(lambda _: original(*given, **named), source)(text)

        return write

    def _open(self, at: float, source: StreamSource, text: str | bytes) -> None:
        batch = WriteBatch(at, source, self._cells or self._ask(), [text])
        self._batch = batch
        self._batches.append(batch)
        if self._writes - self._writes_read > _BACKLOG:
            self._relieve()

    def _wait(self) -> bool:
        """Wait for another thread's write, to keep the order. Return True at once inside a write of this thread."""
        caller = sys._getframe(1)  # noqa: SLF001  the documented way to the caller's frame
        frame = caller.f_back
        while frame is not None:
            if frame.f_code is caller.f_code:
                return True
            frame = frame.f_back
        end = time.monotonic() + _PATIENCE
        while self._is_writing:
            if time.monotonic() > end:
                self._era += 1  # a write that never ends must not delay others again
                self._is_writing = False
            time.sleep(_MOMENT)
        return False

    def _ask(self) -> CellNumbers:
        """Return the executions that the runs are in, computed at the first write of each cell."""
        cells: CellNumbers = {}
        try:
            for run_id, record in list(self._records.items()):
                cells[run_id] = None
                cells[run_id] = self._cell_of(record.run)
        except Exception as error:  # noqa: BLE001  an exception here must not stop the user's print
            self._failure = error
        self._cells = cells
        return cells

    def _relieve(self) -> None:
        """Read in the writing thread, when the pump cannot keep up or waits for a disk."""
        if self._is_reading:  # another thread is reading
            return
        try:
            self.read()
        except Exception as error:  # noqa: BLE001  an exception here must not stop the user's print
            self._failure = error

    def _release(self) -> None:
        self._taps = [tap for tap in self._taps if not tap.release()]
