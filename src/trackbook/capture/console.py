"""The console of a run: what its process writes to stdout and stderr while it is open, as a terminal shows it.

The streams stay the objects that they are. Each is heard where it sends what it collected, which costs a print next to nothing, and
is what is shown: a kernel's stream by its hook, one on a file by the `write` of its buffer, others by their own. So the record lives through hosts that
replace or reset `sys.stdout` or its `write`, holds what handlers of `logging` write, and holds of a redirected stream
(``redirect_stdout``, ``%%capture``) nothing, since it is not shown. In a kernel all output of subprocesses comes by the streams, of
``!`` commands too; in a script, what a subprocess writes to an inherited stdout passes us by, as do log records that no handler
shows. The traceback of a failing cell is no text of these streams in a kernel: the table `cells` has it.
"""

from __future__ import annotations

import codecs
import contextlib
import functools
import io
import os
import sys
import threading
import time
from collections.abc import Callable
from typing import IO, Any, Final

from .._pump import INTERVAL, Pump
from .._run import Run
from ._record import Record

SECONDS: Final = 0.2  # between two hand-overs; the store writes once a second
TOGETHER: Final = 0.01  # seconds: what is written within them counts as written at once
_BACKLOG: Final = 50_000  # writes that wait for the pump; with more, who writes does its work
_LARGE: Final = 1_000_000  # characters of one write that does not wait
_PATIENCE: Final = 0.1  # seconds for another thread's write, for the sake of the order
_REQUESTS: Final = 20  # executions whose late output is still theirs
_DEEPEST: Final = 30  # functions around a `write`
_NUMBERS: Final = {"stdout": 1, "stderr": 2}

Cells = dict[str, int | None]  # the number of the running execution, by run
Decode = Callable[[bytes], str]
Source = tuple[str, Decode | None]  # the name of a stream; None where texts are noted, and no bytes
Event = tuple[float, Source, Any, Cells]


class Console:
    """Follows stdout and stderr while runs are open. `cell_of` tells the number of the execution that a run is in."""

    def __init__(self, pump: Pump, cell_of: Callable[[Run], int | None] = lambda _: None) -> None:
        self._pump = pump
        self._cell_of = cell_of
        self._forget()

    def _forget(self) -> None:
        self._records: dict[str, Record] = {}
        self._taps: list[Tap | Ear] = []
        self._cells_of: dict[str, Cells] = {}  # by the kernel's request
        self._events: list[Event] = []
        self._cells: Cells | None = None
        self._writes = 0
        self._order = threading.RLock()  # of the threads that write
        self._reading = threading.RLock()  # of those that take events
        self._storing = threading.RLock()  # of those that store lines; taken before `_reading`
        self._looking = threading.RLock()  # of those that tap streams, each of which must be tapped once
        self._is_reading = False
        self._failure: Exception | None = None  # of what a write brought about, for the pump to raise
        self._next = 0.0

    def begin(self, run: Run) -> None:
        self._flush()
        with self._storing:
            self.read()
            earlier = run.store.captured(run.id, "console")
            self._records[run.id] = Record(run, earlier[-1][0] + 1 if earlier else 0)
            self._cells = None
            run.before_reading.append(self.store)
            self._pump.add(self)
            try:
                self.look()
                self._note_request()
            except Exception:
                self._close(run)
                raise

    def end(self, run: Run) -> None:
        try:
            self.store()
        except Exception:
            self._close(run)
            raise
        self._close(run)  # not after an interrupt: a call that it breaks off is made again

    def _close(self, run: Run) -> None:
        with self._storing:
            if self._records.pop(run.id, None) is not None:
                run.before_reading.remove(self.store)
            if not self._records:
                self._pump.remove(self)
                self._release()

    def leave(self) -> None:
        for tap in self._taps:
            tap.leave()
        self._forget()  # locks, too, which another thread of the parent may have held

    def cell_began(self) -> None:
        """Another cell runs, and `cell_of` knows it or will when it writes."""
        self._cells = None
        if self._records:
            self.look()
            self._note_request()

    def cell_ended(self) -> None:
        self._cells = None

    def tick(self, now: float) -> float:
        if now >= self._next:
            self._next = now + SECONDS
            failure, self._failure = self._failure, None
            self.look()
            self.store(flush=False)
            if failure is not None:
                raise failure
        return max(INTERVAL, self._next - now)

    def store(self, *, flush: bool = True) -> None:
        """Puts into the stores what is new."""
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
        """What a kernel sends says which request it belongs to."""
        for request in {tap.request() for tap in self._taps} - {None}:
            self._cells_of[str(request)] = self._ask()
        for request in list(self._cells_of)[:-_REQUESTS]:
            del self._cells_of[request]

    def read(self) -> None:
        """Brings the records up to what was written by now."""
        with self._reading:  # nothing else takes it so that no interrupt comes in between, and nobody ever has it again
            if self._is_reading:  # by this thread, which a signal handler interrupted
                return
            self._is_reading = True
            try:
                events = self._events[:]
                del self._events[: len(events)]
                if events:
                    self._feed(events)
            finally:
                self._is_reading = False

    def _feed(self, events: list[Event]) -> None:
        begin, source, _, cells = events[0]
        texts: list[Any] = []
        for at, origin, text, there in events:
            if origin is not source or at - begin > TOGETHER or there is not cells:
                self._feed_records(source, begin, cells, texts)
                begin, source, cells, texts = at, origin, there, []
            texts.append(text)
        self._feed_records(source, begin, cells, texts)

    def _feed_records(self, source: Source, at: float, cells: Cells, texts: list[Any]) -> None:
        name, decode = source
        text = "".join(texts) if decode is None else decode(b"".join(texts))
        apart = decode is None  # a host's stream: it sends each by itself, and shows them so
        for run_id, record in self._records.items():
            record.feed(name, at, cells.get(run_id), text, apart=apart)

    def look(self) -> None:
        """Taps the streams that are shown, where they are not, or not any more: at the end of each cell IPython 9 gives a
        stream back the `write` that it had before the cell.
        """
        with self._looking:
            for name, number in _NUMBERS.items():
                stream = getattr(sys, name)
                target = stream if _descriptor(stream) is None else stream.buffer
                if stream is None or any(tap.holds() for tap in self._taps if tap.target is target):
                    continue
                others = [tap for tap in self._taps if tap.target is not target]
                lost = len(others) < len(self._taps)
                if lost or is_shown(stream, number, [tap.stream for tap in others if tap.name == name]):
                    self._taps = [*others, self._tap(stream, target, name)]

    def _tap(self, stream: Any, target: Any, name: str) -> Tap | Ear:
        if target is not stream:
            decode = codecs.getincrementaldecoder(stream.encoding or "utf-8")("replace").decode
            return Tap(stream, target, name, self._tapped(target.write, (name, decode)))
        if hasattr(stream, "register_hook") and hasattr(stream, "pub_thread"):
            return Ear(stream, name, functools.partial(self._hear, (name, None)))
        return Tap(stream, stream, name, self._tapped(stream.write, (name, None)))

    def _hear(self, source: Source, text: str, request: str | None) -> None:
        if self._records:
            cells = self._cells_of.get(request or "") or self._cells or self._ask()
            self._events.append((time.time(), source, text, cells))

    def _tapped(self, original: Callable[..., Any], source: Source) -> Callable[..., Any]:
        """A `write` that does what `original` does, and notes what was written."""
        note, now = self._events.append, time.time

        @functools.wraps(original)
        def write(*given: Any, **named: Any) -> Any:
            if not self._records:
                return original(*given, **named)
            order = self._order
            held = order.acquire(True, _PATIENCE)
            text: str | bytes = ""
            try:
                writes = self._writes
                written = original(*given, **named)
                # else it wrote to another tapped stream, which is the one that shows it, or others did not wait for it
                if writes == self._writes or order is not self._order:
                    self._writes = writes + 1
                    text = _text(source, given, named)
                    note((now(), source, text, self._cells or self._ask()))
            finally:
                if held:
                    order.release()
                else:
                    self._order = threading.RLock()  # a write that does not end must not hold up the others again
            if len(self._events) > _BACKLOG or len(text) > _LARGE:
                self._relieve()
            return written

        return write

    def _ask(self) -> Cells:
        """The cells that the runs are in, asked once a cell: at its first write, when all that follow cells know of it."""
        cells: Cells = {}
        try:
            for run_id, record in list(self._records.items()):
                cells[run_id] = None
                cells[run_id] = self._cell_of(record.run)
        except Exception as error:  # noqa: BLE001  the user's print goes on
            self._failure = error
        self._cells = cells
        return cells

    def _relieve(self) -> None:
        """Does the pump's work for it, which cannot follow, or is held up by a disk."""
        if self._is_reading:  # somebody does it
            return
        try:
            self.read()
        except Exception as error:  # noqa: BLE001  the user's print goes on
            self._failure = error

    def _release(self) -> None:
        self._taps = [tap for tap in self._taps if not tap.release()]
        self._events.clear()


class Ear:
    """A kernel's stream, which calls a hook with what it sends, in the thread that sends."""

    def __init__(self, stream: Any, name: str, hear: Callable[[str, str | None], None]) -> None:
        self.stream = self.target = stream
        self.name = name

        def hook(message: dict[str, Any]) -> dict[str, Any]:
            hear(message["content"]["text"], (message.get("parent_header") or {}).get("msg_id"))
            return message

        self._hook = hook
        self.flush()  # what was written before is no part of the record
        stream.pub_thread.schedule(functools.partial(stream.register_hook, hook))

    def request(self) -> str | None:
        """The request that writes now."""
        found: str | None = (self.stream.parent_header or {}).get("msg_id")
        return found

    def flush(self) -> None:
        self.stream.flush()

    def holds(self) -> bool:
        return True

    def release(self) -> bool:
        if not self.stream.closed:
            self.stream.pub_thread.schedule(functools.partial(self.stream.unregister_hook, self._hook))
        return True

    def leave(self) -> None:
        """The thread that sends is the parent's."""


class Tap:
    """A stream whose `write` is ours, until it is released."""

    def __init__(self, stream: IO[str], target: Any, name: str, write: Callable[..., Any]) -> None:
        """`target` is what has the `write`: the stream, or its buffer."""
        self.stream = stream
        self.target = target
        self.name = name
        self._write = write
        self.flush()  # what was written before is no part of the record
        self._earlier = vars(target).get("write")  # somebody else's
        vars(target)["write"] = write

    def request(self) -> None:
        """Its host tells none."""

    def flush(self) -> None:
        with contextlib.suppress(OSError, ValueError, RuntimeError):  # what cannot be written now is not shown, either
            self.stream.flush()

    def holds(self) -> bool:
        """Whether what is written to the stream comes by us: its `write` is ours, or calls ours as far as can be seen."""
        found = [vars(self.target).get("write")]
        for function in found:
            if function is self._write:
                return True
            with contextlib.suppress(ValueError):  # a variable that is not assigned yet
                inner = [cell.cell_contents for cell in getattr(function, "__closure__", None) or ()]
                found += [each for each in inner if callable(each) and len(found) < _DEEPEST]
        return False

    def release(self) -> bool:
        """Gives the stream its own `write` back; False where somebody wraps ours, which then only passes on."""
        attributes = vars(self.target)
        if attributes.get("write") is self._write:
            if self._earlier is None:
                del attributes["write"]
            else:
                attributes["write"] = self._earlier
        return not self.holds()

    def leave(self) -> None:
        self.release()


def is_shown(stream: Any, number: int, tapped: list[Any]) -> bool:
    """Whether what is written to `stream` is shown: by the file descriptor `number`, or by a host's own stream.

    A stream that comes after others of its name are `tapped` must be of their kind: another one is likely a redirection, which
    may still write to one of them. Where a host has streams of its own, it reads the file descriptors itself.
    """
    if isinstance(stream, io.StringIO):
        return False
    hosts = [each for each in tapped if _descriptor(each) is None]
    descriptor = _descriptor(stream)
    if descriptor is None:
        return not tapped or any(type(host) is type(stream) for host in hosts)
    try:
        return not hosts and os.path.sameopenfile(descriptor, number)
    except OSError:  # there is no such file
        return False


def _text(source: Source, given: tuple[Any, ...], named: dict[str, Any]) -> str | bytes:
    """What was given to a `write`: text, or bytes as they are now, since a buffer may be used again."""
    text: Any = given[0] if given else next(iter(named.values()), "")
    if source[1] is None:
        return text if isinstance(text, str) else str(text)  # a stream of the user's own may take anything
    return bytes(text)


def _descriptor(stream: Any) -> int | None:
    """The file descriptor of a Python stream on a file."""
    try:
        return stream.fileno() if isinstance(stream, io.TextIOWrapper) else None
    except (OSError, ValueError):  # none, or closed
        return None
