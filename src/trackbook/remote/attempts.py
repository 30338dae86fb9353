"""When a target that fails is asked again."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final

import tenacity

from .target import TargetBusy

LONGEST_WAIT: Final = 120.0  # seconds between two attempts, unless the target asks for more
RESTART_SECONDS: Final = 30.0  # in which a server that cannot be reached is expected back
RESTART_WAIT: Final = 1.0  # meanwhile, in place of `LONGEST_WAIT`
LONGEST_ASKED: Final = 3_600.0  # that a target is left alone because it says so


def pause(attempt: tenacity.RetryCallState) -> float:
    """Return the seconds until the next attempt: more each time, at random, so that not all machines come back at once.

    A server that restarts is away for a few seconds: until then nobody waits long, as asking costs it nothing.
    """
    error = error_of(attempt)
    restarts = isinstance(error, ConnectionError) and (attempt.seconds_since_start or 0.0) < RESTART_SECONDS
    asked = error.retry_after if isinstance(error, TargetBusy) and error.retry_after is not None else 0.0
    grown = tenacity.wait_random_exponential(multiplier=0.5, max=RESTART_WAIT if restarts else LONGEST_WAIT)(attempt)
    return float(max(min(asked, LONGEST_ASKED), grown))


def error_of(attempt: tenacity.RetryCallState) -> BaseException | None:
    """Return why an attempt failed."""
    return None if attempt.outcome is None else attempt.outcome.exception()


class Rounds:
    """The rounds of a thread, of which each is tried again while an ``OSError`` ends it. `note` hears of each failure."""

    def __init__(self, note: Callable[[tenacity.RetryCallState], None]) -> None:
        self._note = note
        self._wake = threading.Event()
        self.stopping = threading.Event()

    def stop(self) -> None:
        """End the pause and the attempts."""
        self.stopping.set()
        self._wake.set()

    def wake(self) -> None:
        """End the pause."""
        self._wake.set()

    def sleep(self, seconds: float) -> None:
        """Pause until `wake`, at most so many seconds."""
        self._wake.wait(seconds)
        self._wake.clear()

    def attempts(self) -> tenacity.Retrying:
        """Return what calls a round. It raises the round's error once it is to stop."""
        return tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(OSError),
            wait=pause,
            sleep=self.sleep,
            stop=tenacity.stop_when_event_set(self.stopping),
            before_sleep=self._note,
            reraise=True,
        )
