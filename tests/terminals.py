"""Programs in a terminal, and what it shows then."""

from __future__ import annotations

import os
import struct
import sys

import pyte

if sys.platform != "win32":
    import fcntl
    import pty
    import termios


def in_terminal(
    *command: str, columns: int = 100, lines: int = 40, typed: tuple[str, str] | None = None, **environment: str
) -> str:
    """All that a program writes to a terminal of this size. `typed` is a text to wait for, and what somebody types then."""
    size = {"COLUMNS": str(columns), "LINES": str(lines)}  # pytest's workers have a size of their own there
    child, master = pty.fork()
    if child == 0:
        fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        os.execvpe(command[0], command, os.environ | {"TERM": "xterm-256color"} | size | environment)
    data = b""
    while True:
        try:
            more = os.read(master, 65536)
        except OSError:  # the program has ended
            break
        if not more:
            break
        data += more
        if typed is not None and typed[0].encode() in data:
            os.write(master, typed[1].encode())
            typed = None
    os.close(master)
    os.waitpid(child, 0)
    return data.decode()


def screen(text: str, columns: int = 100, lines: int = 40) -> list[str]:
    """The lines that the terminal shows at last."""
    shown = pyte.Screen(columns, lines)
    pyte.Stream(shown).feed(text)
    return [line.rstrip() for line in shown.display if line.strip()]
