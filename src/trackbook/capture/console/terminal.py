"""A terminal emulator that turns a stream of text into lines: progress bars redrawn, cursor movements applied, colours removed.

pyte parses escape sequences and tracks cursor, margins and modes. The rows are our own: pyte's cost 2 us a character and wrap at a
right margin, where a recording needs each line as long as it was printed.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from typing import Any, Final

import pyte
from pyte.screens import wcwidth

from .terminal_row import Line, Origin, TerminalRow, cells_of, put

HEIGHT: Final = 100  # rows that can still change: more than real terminals have, to which programs restrict themselves
LONGEST: Final = 100_000  # characters of a line
_REACH: Final = 4_096  # the rightmost column that a cursor can be moved to without text

_MOVING: Final = "\x1b\r\b\t"  # beside a newline
_LEAVING: Final = "\x1b\r\b\v\f"  # characters that leave the line or overwrite text
_INVISIBLE: Final = re.compile(
    r"\x1b\[[0-9;:<=>?]*m"  # colours
    r"|\x1b[\]PX^_](?:[^\x07\x1b]|\x1b(?!\\))*?(?:\x07|\x1b\\)"  # titles, links, pictures
    r"|\r+(?=\n)"
)
_UNFINISHED: Final = re.compile(r"\x1b(?:\[[0-?]*[ -/]*|[\]PX^_][^\x07]{0,4096}|[#%()])?\Z")
_OVERLONG: Final = re.compile(r"\x1b[\]PX^_]")  # a sequence that is still unfinished after so many characters is noise
_SILENT: Final = dict.fromkeys({*range(0x20), *range(0x7F, 0xA0)} - set(map(ord, _MOVING + "\n"))) | {
    ord("\v"): "\n",
    ord("\f"): "\n",
}
_EACH_ESCAPE: Final = re.compile(r"(?=\x1b)")
_ALTERNATE: Final = frozenset((47, 1047, 1049))  # modes of the alternate screen, as editors use it
# Recorded outputs of tqdm, rich, Keras, pip, git, apt, npm, curl and less contain none of these; editors, which do, draw on the
# alternate screen, which is not recorded. Margins and saved cursors stay: the progress bar of `apt install` is made of them.
_UNUSED: Final = frozenset(
    "report_device_attributes report_device_status select_graphic_rendition set_tab_stop clear_tab_stop "
    "insert_lines delete_lines insert_characters delete_characters reverse_index".split()
)
_PARAMETERS: Final = {"cursor_position": 2, "set_margins": 2}  # of the others one counts


class _Screen(pyte.Screen):
    """pyte's screen with our own rows and no right margin."""

    def __init__(self) -> None:
        self.rows: list[TerminalRow] = []  # rows below these are empty
        self.first = 0  # line number of the top row
        self.finished: list[Line] = []  # scrolled off, so they no longer change
        self.origin: Origin = ("stdout", 0.0, None)
        self._saved = 0, 0
        self._aside: tuple[list[TerminalRow], int, int] | None = (
            None  # the main screen while the alternate one is shown
        )
        super().__init__(_REACH, HEIGHT)

    def is_plain(self) -> bool:
        """Whether text without control characters is only appended."""
        y = self.cursor.y
        while len(self.rows) > y + 1 and not self.rows[-1].read():
            self.rows.pop()
        return len(self.rows) <= y + 1 and self.margins is None and self._aside is None

    def is_at_empty_line(self) -> bool:
        return self.cursor.x == 0 and (self.cursor.y >= len(self.rows) or not self.rows[self.cursor.y].read())

    def write(self, lines: list[str]) -> None:
        """Append text without control characters, split into lines. The screen must be plain."""
        self.draw(lines[0])
        if len(lines) > 1:
            self.linefeed()
            if len(lines) > 2:
                self._append(lines[1:-1])
            self.draw(lines[-1])

    def _append(self, lines: list[str]) -> None:
        """Append whole lines from the cursor's row on, which must be empty."""
        del self.rows[self.cursor.y :]
        stay = HEIGHT - 1
        if len(lines) > stay:
            self._scroll(len(self.rows))
            stream, time, cell = self.origin
            gone = lines[:-stay]
            self.finished += [(i, stream, text.rstrip(" "), time, cell) for i, text in enumerate(gone, self.first)]
            self.first += len(gone)
            lines = lines[-stay:]
        self.rows += [TerminalRow(self.origin, text) for text in lines]
        self._scroll(len(self.rows) - stay)
        self.cursor.y = len(self.rows)

    def _scroll(self, count: int) -> None:
        if count > 0:
            self.finished += [row.line(number) for number, row in enumerate(self.rows[:count], self.first)]
            del self.rows[:count]
            self.first += count

    def skip(self, newlines: int) -> int:
        """Drop all rows and as many lines as `newlines` would end. Return how many lines that is."""
        count = self.cursor.y + newlines
        self.rows.clear()
        self.first += count
        self.cursor.x = self.cursor.y = 0
        return count

    def changing(self) -> list[Line]:
        """Return the rows that can still change, without trailing empty rows except those that a newline ended."""
        rows, y = (self.rows, self.cursor.y) if self._aside is None else (self._aside[0], self._aside[2])
        lines = [row.line(number) for number, row in enumerate(rows, self.first)]
        while len(lines) > y and not lines[-1][2]:
            lines.pop()
        return lines

    def _row(self, y: int | None = None) -> TerminalRow:
        y = self.cursor.y if y is None else y
        while len(self.rows) <= y:
            self.rows.append(TerminalRow(self.origin))
        return self.rows[y]

    def draw(self, data: str) -> None:
        if not data:
            return
        row, x = self._row(), self.cursor.x
        if x == 0 and data.isascii() and len(data) <= LONGEST and row.write_first(data):  # the usual
            row.origin, self.cursor.x = self.origin, len(data)
            return
        if not data.isascii() and wcwidth(data[0]) == 0:
            data = self._join(row, x, data)
        cells, new = row.edit(), cells_of(data)
        if not cells or (x == 0 and (row.origin[0] != self.origin[0] or not row.read())):
            row.origin = self.origin
        self.cursor.x = x + len(new)
        if self.cursor.x > LONGEST:
            row.left_out += min(len(new), self.cursor.x - LONGEST)
            del new[max(0, LONGEST - x) :]
        if new:
            put(cells, x, new)

    @staticmethod
    def _join(row: TerminalRow, x: int, data: str) -> str:
        """Append combining characters and emoji joiners to the character before the cursor. Return the rest of `data`."""
        cells, count = row.edit(), 0
        while count < len(data) and wcwidth(data[count]) == 0:
            count += 1
        if 0 < x <= len(cells):
            cells[x - 1 if cells[x - 1] or x < 2 else x - 2] += data[:count]
        return data[count:]

    def index(self) -> None:
        top, bottom = self.margins or (0, HEIGHT - 1)
        self._row()
        if self.cursor.y != bottom:
            self.cursor.y = min(self.cursor.y + 1, HEIGHT - 1)
            return
        if top == 0 and self._aside is None:
            self._scroll(1)
        else:
            del self.rows[top]
        if self.margins:
            self.rows.insert(bottom, TerminalRow(self.origin))

    def linefeed(self) -> None:
        self.index()
        self.cursor.x = 0  # terminals translate a newline of a program into both

    def tab(self) -> None:
        self.cursor.x = min((self.cursor.x // 8 + 1) * 8, LONGEST)

    def save_cursor(self) -> None:
        self._saved = self.cursor.x, self.cursor.y

    def restore_cursor(self) -> None:
        self.cursor.x, self.cursor.y = self._saved

    def erase_characters(self, count: int | None = None) -> None:
        cells, x = self._row().edit(), self.cursor.x
        put(cells, x, [" "] * min(count or 1, len(cells) - x))

    def erase_in_line(self, how: int = 0, private: bool = False) -> None:
        row = self._row()
        if how == 0:
            self.erase_characters(LONGEST)
            del row.edit()[self.cursor.x :]
            row.left_out = 0
        elif how == 1:
            put(row.edit(), 0, [" "] * min(self.cursor.x + 1, len(row.edit())))
        elif how == 2:
            self.rows[self.cursor.y] = TerminalRow(self.origin)

    def erase_in_display(self, how: int = 0, *args: Any, **kwargs: Any) -> None:
        y = self.cursor.y
        if how == 0:
            del self.rows[y + 1 :]
        elif how == 1:
            self.rows[:y] = [TerminalRow(self.origin) for _ in range(y)]
        elif how in (2, 3):
            self.rows.clear()
        if how in (0, 1):
            self.erase_in_line(how)

    def set_mode(self, *modes: int, **kwargs: Any) -> None:
        if kwargs.get("private") and not _ALTERNATE.isdisjoint(modes) and self._aside is None:
            self._aside = self.rows, self.cursor.x, self.cursor.y
            self.rows = []

    def reset_mode(self, *modes: int, **kwargs: Any) -> None:
        if kwargs.get("private") and not _ALTERNATE.isdisjoint(modes) and self._aside is not None:
            self.rows, self.cursor.x, self.cursor.y = self._aside
            self._aside = None

    def reset(self) -> None:
        super().reset()
        self._aside = None
        self.rows.clear()

    def ensure_hbounds(self) -> None:
        length = len(self.rows[self.cursor.y].edit()) if self.cursor.y < len(self.rows) else 0
        self.cursor.x = min(max(0, self.cursor.x), max(_REACH, length + 1) - 1)

    def alignment_display(self) -> None:
        """Ignore the test picture of `ESC # 8`."""


class _Parser(pyte.Stream):
    """pyte's parser, made tolerant of sequences with too many parameters."""

    csi = {  # noqa: RUF012  # pyte declares it so
        code: name
        for code, name in {**pyte.Stream.csi, "s": "save_cursor", "u": "restore_cursor"}.items()
        if name not in _UNUSED
    }
    escape = {code: name for code, name in pyte.Stream.escape.items() if name not in _UNUSED}  # noqa: RUF012  # likewise

    def attach(self, screen: pyte.Screen) -> None:
        for name in set(self.csi.values()) - {"set_mode", "reset_mode"}:
            most = 0 if name.endswith("_cursor") else _PARAMETERS.get(name, 1)
            setattr(screen, name, _lenient(getattr(screen, name), most))
        super().attach(screen)


def _lenient(method: Callable[..., None], most: int) -> Callable[..., None]:
    @functools.wraps(method)
    def call(*numbers: int, private: bool = False) -> None:
        if not private:
            method(*numbers[:most])

    return call


class Terminal:
    """A terminal whose lines are as wide as their text."""

    def __init__(self) -> None:
        self._screen = _Screen()
        self._parser = _Parser(self._screen, strict=False)
        self._held: dict[str, str] = {}  # an unfinished escape sequence, by stream
        self._cut: str | None = None  # the stream whose line was ended by output of another stream

    def feed(self, stream: str, time: float, cell: int | None, text: str, *, apart: bool = False) -> None:
        """Process text written to a stream. With `apart`, no line mixes two streams."""
        screen = self._screen
        text = self._turn(stream, text) if apart and stream != screen.origin[0] else text
        screen.origin = (stream, time, cell)
        if self._held:
            text = self._held.pop(stream, "") + text
        if "\x1b" in text or "\r" in text:
            text = _INVISIBLE.sub("", text)
            unfinished = _UNFINISHED.search(text)
            if unfinished is not None:
                self._held[stream] = unfinished[0]
                text = text[: unfinished.start()]
            text = _OVERLONG.sub("", text)
        if text.isascii() or not text.isprintable():  # which are quick, one or the other
            text = text.translate(_SILENT)
        moving = [char for char in _MOVING if char in text]
        if moving == ["\t"] and text.isascii() and screen.is_at_empty_line():
            text, moving = text.expandtabs(8), []
        if not moving and screen.is_plain():
            lines = text.split("\n")
            if len(text) <= LONGEST or max(map(len, lines)) <= LONGEST:
                screen.write(lines)
                return
        for part in _EACH_ESCAPE.split(text):
            try:
                self._parser.feed(part)
            except ValueError:  # a non-ASCII digit inside a sequence: noise, like the rest of it
                continue

    def _turn(self, stream: str, text: str) -> str:
        """Start a new line for another stream. A late newline of the interrupted line, as after a progress bar, is dropped."""
        screen = self._screen
        if stream == self._cut:
            text = text.removeprefix("\n")
        self._cut = None
        if text and screen.cursor.x and not text.startswith("\n") and screen.is_plain():
            self._cut = screen.origin[0]
            screen.linefeed()
        return text

    def is_plain(self, text: str) -> bool:
        """Whether `text` would only append lines, one for each newline."""
        return not self._held and self._screen.is_plain() and not any(char in text for char in _LEAVING)

    @property
    def is_in_line(self) -> bool:
        """Whether the next text continues a line, such as a progress bar."""
        return bool(self._screen.cursor.x)

    def skip(self, newlines: int) -> int:
        """Process text of so many newlines whose lines are not kept. Return how many lines it ends. The terminal must be plain.

        The rows above can no longer change after this.
        """
        return self._screen.skip(newlines)

    def finished(self) -> list[Line]:
        """Return the lines that scrolled off since the last call and no longer change."""
        lines, self._screen.finished = self._screen.finished, []
        return lines

    def changing(self) -> list[Line]:
        """Return the lines that can still change."""
        return self._screen.changing()
