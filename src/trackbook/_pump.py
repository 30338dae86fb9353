"""The one thread that moves what was logged: from journals to stores, from stores to boards."""

from __future__ import annotations

import contextvars
import logging
import threading
import time
from collections.abc import Callable
from typing import Protocol

INTERVAL = 0.05  # seconds; boards and stores are slower than this and decide for themselves

logger = logging.getLogger("trackbook")


class Ticking(Protocol):
    def tick(self, now: float) -> None:
        """Does what is due at `now` (seconds of the monotonic clock). Called from the pump's thread."""


class Pump:
    """Ticks its members in the order they were added, in a daemon thread that sleeps while there are none.

    `context` gives the context variables that the thread starts with.
    """

    def __init__(self, context: Callable[[], contextvars.Context] = contextvars.Context) -> None:
        self._context = context
        self.leave()

    def leave(self) -> None:
        """Begins anew: in a forked child, which has no such thread, and whose members are its parent's."""
        self._members: list[Ticking] = []
        self._failing: set[int] = set()
        self._lock = threading.Lock()
        self._wanted = threading.Event()
        self._thread: threading.Thread | None = None

    def add(self, member: Ticking) -> None:
        with self._lock:
            if member not in self._members:
                self._members.append(member)
            self._wanted.set()
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._context().run, args=(self._work,), name="trackbook-pump", daemon=True
                )
                self._thread.start()

    def remove(self, member: Ticking) -> None:
        with self._lock:
            if member in self._members:
                self._members.remove(member)
                self._failing.discard(id(member))
            if not self._members:
                self._wanted.clear()

    def _work(self) -> None:
        while True:
            self._wanted.wait()
            time.sleep(INTERVAL)
            with self._lock:
                members = list(self._members)
            now = time.monotonic()  # one for all, so that a board and its project are due together
            for member in members:
                self._tick(member, now)

    def _tick(self, member: Ticking, now: float) -> None:
        try:
            member.tick(now)
        except Exception:
            # the thread must live for the others, and the next tick may well succeed: said once until it does
            if id(member) not in self._failing:
                self._failing.add(id(member))
                logger.exception("trackbook: %r failed; it will be tried again", member)
        else:
            self._failing.discard(id(member))
