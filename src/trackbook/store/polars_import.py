"""Import of Polars without its effects on the process: its handling of SIGINT, and an environment variable."""

from __future__ import annotations

import contextlib
import signal
import sys
from collections.abc import Iterator
from typing import Final

from .. import settings

_STRUCT_BYTES: Final = 512  # more than any platform's `struct sigaction`


def import_polars() -> None:
    """Import Polars, unless it is imported; keep SIGINT and the environment as they were.

    Polars handles SIGINT with ``SA_RESTART``: Ctrl-C and "Interrupt kernel" would no longer end a wait (`queue.get`,
    `Thread.join`, `input`, `subprocess.run`). It also leaves a variable of its allocator to every child process.
    """
    if "polars" not in sys.modules:
        with _same_action(signal.SIGINT), settings.same_variable("_RJEM_MALLOC_CONF"):
            import polars as pl  # noqa: F401


@contextlib.contextmanager
def _same_action(number: signal.Signals) -> Iterator[None]:
    """Restore the action of a signal afterwards: the handler in C, its mask and its flags.

    `signal.signal` would set another handler in C, and does not know flags.
    """
    if sys.platform == "win32":
        yield
    else:
        import ctypes

        sigaction = ctypes.CDLL(None, use_errno=True).sigaction
        action = ctypes.create_string_buffer(_STRUCT_BYTES)
        known = sigaction(int(number), None, action) == 0
        yield
        if known:
            sigaction(int(number), action, None)
