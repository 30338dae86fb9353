"""One row of a terminal without a right margin: plain text, or cells after an edit."""

from __future__ import annotations

from pyte.screens import wcwidth

Origin = tuple[str, float, int | None]  # stream, time and cell of a write
Line = tuple[int, str, str, float, int | None]  # number, stream, text, time and cell: a row of the table `console`


class TerminalRow:
    """One row: text until the first edit, then cells. The cell after a wide character is empty."""

    __slots__ = ("_cells", "_text", "left_out", "origin")

    def __init__(self, origin: Origin, text: str = "") -> None:
        self.origin = origin
        self.left_out = 0
        self._text: str | None = text
        self._cells: list[str] = []

    def edit(self) -> list[str]:
        if self._text is not None:
            self._cells = cells_of(self._text)
            self._text = None
        return self._cells

    def read(self) -> str:
        text = ("".join(self._cells) if self._text is None else self._text).rstrip(" ")
        return f"{text} ... {self.left_out:,} characters left out" if self.left_out else text

    def write_first(self, text: str) -> bool:
        """Set the text of an empty row. Return False if the row is not empty."""
        if self._text == "":
            self._text = text
            return True
        return False

    def line(self, number: int) -> Line:
        stream, time, cell = self.origin
        return (number, stream, self.read(), time, cell)


def cells_of(text: str) -> list[str]:
    if text.isascii():
        return list(text)
    cells: list[str] = []
    for char in text:
        width = wcwidth(char)
        if width > 0:
            cells += [char, ""][:width]
        elif width == 0 and cells:
            cells[-1 if cells[-1] or len(cells) < 2 else -2] += char
    return cells


def put(cells: list[str], x: int, new: list[str]) -> None:
    """Overwrite cells. A wide character that is half covered becomes a blank."""
    if x > len(cells):
        cells += [" "] * (x - len(cells))
    end = x + len(new)
    if 0 < x < len(cells) and not cells[x]:
        cells[x - 1] = " "
    if end < len(cells) and not cells[end]:
        cells[end] = " "
    cells[x:end] = new
