"""The screen of a terminal, by pyte."""

from __future__ import annotations

from collections.abc import Iterable

import pyte

from trackbook.capture.console.terminal import HEIGHT

WIDTH = 400  # no text of a test is wider


def expected(texts: Iterable[str]) -> list[str]:
    """Return the lines of pyte's own screen, including scrolled ones. It cannot delete the last line (`CSI M`)."""
    screen = pyte.HistoryScreen(WIDTH, HEIGHT, history=10**6, ratio=1e-9)
    screen.set_mode(pyte.modes.LNM)
    stream = pyte.Stream(screen)
    for text in texts:
        stream.feed(text)
    above = ["".join(row[x].data for x in range(WIDTH)) for row in screen.history.top]
    return trimmed([line.rstrip(" ") for line in [*above, *screen.display]])


def trimmed(lines: list[str]) -> list[str]:
    while lines and not lines[-1]:
        lines = lines[:-1]
    return lines
