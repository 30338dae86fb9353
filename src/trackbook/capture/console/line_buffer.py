"""Buffer for the console lines of a run between terminal and store, which bounds their number and length."""

from __future__ import annotations

import functools
import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Final

from ...tracking.run_writer import RunWriter

if TYPE_CHECKING:
    from .terminal import Terminal
    from .terminal_row import Line

FIRST: Final = 5_000  # lines kept from the start of a run
LAST: Final = 20_000  # lines kept from its end
FIRST_CHARACTERS: Final = 1_000_000
LAST_CHARACTERS: Final = 4_000_000
_MARGIN: Final = 200  # a bit more than the lines that can still change
_AT_ONCE: Final = 1_000_000  # characters fed to the terminal at once, to bound the memory for lines that are not kept

Written = tuple[str, float, int | None, str, int]  # stream, time, cell, text, and the number of newlines in it


class ConsoleLines:
    """The first and last lines of one run, and the number of lines left out in between."""

    def __init__(self, run: RunWriter, first: int) -> None:
        """`first` is the number of the first line, which is not 0 for a resumed run."""
        self.run = run
        self._first = first
        self._lock = threading.RLock()
        self._new: deque[Line] = deque()  # finished lines among the first, not stored yet
        self._newest: deque[Line] = deque(maxlen=LAST)  # finished lines among the last, not stored yet
        self._head_end: int | None = None  # the number of the line after the first ones
        self._head_characters = 0
        self._finished = 0  # the number of finished lines
        self._sizes: deque[int] = deque()  # the lengths of the finished lines kept among the last
        self._characters = 0
        self._dropped = 0  # lines from `_head_end` to before this number were removed from the store
        self._is_stored = True
        self._news: deque[tuple[list[Line], list[tuple[int, int]]]] = deque()  # rows to store, and ranges to remove
        self._waiting: deque[Written] = deque()  # text not yet fed to the terminal
        self._waiting_lines = self._waiting_characters = 0
        self._stored: dict[int, Line] = {}  # lines that may change, with their text in the store

    @functools.cached_property
    def _terminal(self) -> Terminal:
        from .terminal import Terminal

        return Terminal()

    def feed(self, stream: str, at: float, cell: int | None, text: str, *, apart: bool) -> None:
        """Add text written to a stream. May be called from any thread."""
        with self._lock:
            self._is_stored = False
            newlines = 0 if apart or self._head_end is None or not self._terminal.is_plain(text) else text.count("\n")
            if newlines:
                self._let_wait((stream, at, cell, text, newlines))
            else:
                self._take_in()
                self._show(stream, at, cell, text, apart=apart)

    def is_in_line(self) -> bool:
        """Return whether the next text continues a line."""
        with self._lock:
            self._take_in()
            return "_terminal" in self.__dict__ and self._terminal.is_in_line

    def _let_wait(self, written: Written) -> None:
        self._waiting.append(written)
        self._waiting_lines += written[-1]
        self._waiting_characters += len(written[3])
        while self._waiting_lines - self._waiting[0][-1] >= LAST + _MARGIN:
            self._skip()
        if self._waiting_characters > LAST_CHARACTERS:
            self._take_in()

    def _skip(self) -> None:
        """Drop the oldest waiting text, whose lines would all be dropped because of the text after it."""
        stream, at, cell, text, newlines = self._waiting.popleft()
        self._waiting_lines -= newlines
        self._waiting_characters -= len(text)
        self._finished += self._terminal.skip(newlines)
        self._show(stream, at, cell, text[text.rindex("\n") + 1 :])

    def _take_in(self) -> None:
        for stream, at, cell, text, _ in self._waiting:
            self._show(stream, at, cell, text)
        self._waiting.clear()
        self._waiting_lines = self._waiting_characters = 0

    def _show(self, stream: str, at: float, cell: int | None, text: str, *, apart: bool = False) -> None:
        for start in range(0, len(text), _AT_ONCE):
            self._terminal.feed(stream, at, cell, text[start : start + _AT_ONCE], apart=apart)
            lines = self._terminal.finished()
            if lines:
                self._finished += len(lines)
                self._keep(lines if self._head_end is not None else self._keep_first(lines))

    def _keep_first(self, lines: list[Line]) -> list[Line]:
        """Store lines of the start of the run, and return the others."""
        for place, line in enumerate(lines):
            self._head_characters += len(line[2])
            if line[0] == FIRST or self._head_characters > FIRST_CHARACTERS:
                self._head_end = self._dropped = line[0]
                return lines[place:]
            self._new.append(line)
        return []

    def _keep(self, lines: list[Line]) -> None:
        if len(lines) > LAST:
            self._sizes.clear()
            self._characters = 0
            lines = lines[-LAST:]
        sizes = [len(line[2]) for line in lines]
        self._sizes.extend(sizes)
        self._characters += sum(sizes)
        self._newest.extend(lines)
        while len(self._sizes) > LAST or self._characters > LAST_CHARACTERS:
            self._characters -= self._sizes.popleft()

    def store(self) -> None:
        """Write new lines to the run's store and remove dropped ones from it. One thread at a time."""
        with self._lock:  # released before writing to the store, since a disk may be slow
            if not self._is_stored:
                self._news.append(self._take_news())
        while self._news:
            rows, left_out = self._news[0]
            for first, end in left_out:
                self.run.store.drop_captured(self.run.id, "console", self._first + first, self._first + end)
            self._put(rows)
            self._news.popleft()  # not reached after an interrupt, so that the batch is written again

    def move_to(self, run: RunWriter) -> None:
        """Continue in another run, after the lines that it has. The lines stored so far are copied there."""
        self.store()
        first = self._first
        there = run.store.captured(run.id, "console")
        rows = self.run.store.captured(self.run.id, "console", first - 1 if first else None)
        self.run, self._first = run, there[-1][0] + 1 if there else 0
        run.store.put_captured(run.id, "console", [(row[0] - first + self._first, *row[1:]) for row in rows])

    def _take_news(self) -> tuple[list[Line], list[tuple[int, int]]]:
        self._is_stored = True
        self._take_in()
        kept_from = self._finished - len(self._sizes)
        changing = self._terminal.changing()
        rows = [*self._new, *(line for line in self._newest if line[0] >= kept_from), *changing]
        rows = [line for line in rows if self._stored.get(line[0]) != line]
        left_out = []
        end = self._finished + len(changing)
        if self._stored and max(self._stored) >= end:
            left_out.append((end, max(self._stored) + 1))
        if self._head_end is not None and kept_from > self._dropped:
            left_out.append((self._head_end, kept_from))
            self._dropped = kept_from
            rows.append((self._head_end, "cut", f"{kept_from - self._head_end:,} lines left out", time.time(), None))
        self._stored = {line[0]: line for line in changing}
        self._new.clear()
        self._newest.clear()
        return rows, left_out

    def _put(self, rows: list[Line]) -> None:
        if not rows:
            return
        self.run.store.put_captured(
            self.run.id,
            "console",
            [(self._first + line[0], *line[1:]) for line in rows],
        )
