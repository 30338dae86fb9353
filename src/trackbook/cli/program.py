"""A program started by `trackbook run`: its output is passed on and heard, and signals are passed to it."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import IO, Any, Final, Protocol

from ..filesystem import write_all

TICK_SECONDS: Final = 0.2
_DRAIN_SECONDS: Final = 1.0  # after the program, for output of its children, which may live on
_READ_BYTES: Final = 1 << 16
_PASSED_ON: Final = ("SIGTERM", "SIGHUP", "SIGINT", "SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGBREAK")
_FROM_THE_TERMINAL: Final = (
    "SIGINT",
    "SIGQUIT",
    "SIGBREAK",
)  # which a terminal sends to all programs in its foreground


class Hear(Protocol):
    """Takes what a program writes. Streams `apart` are not one terminal's: only the order within each is known."""

    def __call__(self, stream: str, data: bytes, *, apart: bool) -> None: ...


def run_program(command: Sequence[str], environment: Mapping[str, str], hear: Hear, tick: Callable[[], None]) -> int:
    """Run a program to its end; return its return code, negative for the signal that ended it.

    What it writes goes to our stdout and stderr at once, and to `hear` with the name of the stream; may be called by several threads.
    Where our stdout is a terminal, the program's is one, too. `tick` is called every `TICK_SECONDS`.
    """
    terminal = _Terminal() if os.isatty(1) and sys.platform != "win32" else None
    stdout, stderr = (_output(number, terminal) for number in (1, 2))
    with _passing_signals() as signals, contextlib.nullcontext() if terminal is None else terminal.following_size():
        process = subprocess.Popen(command, env=dict(environment), stdout=stdout, stderr=stderr)  # noqa: S603  # asked for
        signals.to(process)
        sources = [
            (name, pipe, number, True)
            for name, pipe, number in (("stdout", process.stdout, 1), ("stderr", process.stderr, 2))
            if pipe is not None
        ]
        if terminal is not None:
            sources.append(("stdout", terminal.opened(), 1, False))
        readers = [threading.Thread(target=_relay, args=(*source, hear), daemon=True) for source in sources]
        for reader in readers:
            reader.start()
        code = _wait(process, tick)
    for reader in readers:
        reader.join(_DRAIN_SECONDS)
    return code


def _wait(process: subprocess.Popen[bytes], tick: Callable[[], None]) -> int:
    while True:
        tick()
        with contextlib.suppress(subprocess.TimeoutExpired):
            return process.wait(TICK_SECONDS)


def _output(number: int, terminal: _Terminal | None) -> int:
    return terminal.slave if terminal is not None and os.isatty(number) else subprocess.PIPE


def _relay(name: str, source: IO[bytes], target: int, apart: bool, hear: Hear) -> None:
    """Pass on what comes from a stream until it ends, or nobody reads it any more, which the program is to notice."""
    with contextlib.suppress(OSError), source:  # a terminal ends by an error
        while data := os.read(source.fileno(), _READ_BYTES):
            hear(name, data, apart=apart)
            write_all(target, data)


class _Signals:
    """Passes signals to a program; those that come before it has started, too."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._early: list[int] = []

    def to(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        for number in self._early:
            process.send_signal(number)

    def pass_on(self, number: int, _: Any) -> None:
        if signal.Signals(number).name in _FROM_THE_TERMINAL and _is_in_foreground():
            return
        if self._process is None:
            self._early.append(number)
        else:
            self._process.send_signal(number)


@contextlib.contextmanager
def _passing_signals() -> Iterator[_Signals]:
    passing = _Signals()
    numbers = [getattr(signal, name) for name in _PASSED_ON if hasattr(signal, name)]
    heard = [number for number in numbers if signal.getsignal(number) is not signal.SIG_IGN]  # as nohup has it
    before = {number: signal.signal(number, passing.pass_on) for number in heard}
    try:
        yield passing
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


if sys.platform != "win32":
    import fcntl
    import pty
    import termios

    def _is_in_foreground() -> bool:
        """Whether the terminal sends its signals to this process, and so to the program, which is in its group."""
        try:
            descriptor = os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY)
        except OSError:
            return False
        try:
            return os.tcgetpgrp(descriptor) == os.getpgrp()
        except OSError:
            return False
        finally:
            os.close(descriptor)

    class _Terminal:
        """A terminal for the program, as large as ours; ours does the rest."""

        def __init__(self) -> None:
            self.master, self.slave = pty.openpty()
            attributes = termios.tcgetattr(self.slave)
            attributes[1] &= ~termios.OPOST  # what is written comes as it is
            termios.tcsetattr(self.slave, termios.TCSANOW, attributes)
            self._follow_size()

        def opened(self) -> IO[bytes]:
            """Return the stream to read from, once the program has the other end."""
            os.close(self.slave)
            return os.fdopen(self.master, "rb", buffering=0)

        def _follow_size(self, *_: Any) -> None:
            with contextlib.suppress(OSError):
                size = fcntl.ioctl(1, termios.TIOCGWINSZ, bytes(8))
                fcntl.ioctl(self.master, termios.TIOCSWINSZ, size)

        @contextlib.contextmanager
        def following_size(self) -> Iterator[None]:
            """Pass changes of the size on; the program is told by the terminal itself."""
            before = signal.signal(signal.SIGWINCH, self._follow_size)
            try:
                yield
            finally:
                signal.signal(signal.SIGWINCH, before)

else:

    def _is_in_foreground() -> bool:
        return True

    class _Terminal:
        """Windows has none for programs to be given: their output is piped."""

        slave = master = -1

        def opened(self) -> IO[bytes]:
            raise NotImplementedError

        def following_size(self) -> contextlib.AbstractContextManager[None]:
            return contextlib.nullcontext()
