"""The background thread: it moves points from journals to stores, and from stores to boards."""

from __future__ import annotations

import contextvars
import logging
import math
import queue
import threading
import time
from collections.abc import Callable, Collection
from typing import Final, Protocol

INTERVAL: Final = 0.05  # seconds between two ticks of the most eager member
STOP_SECONDS: Final = 5.0  # for a tick that hangs, in a folder of a network, say
_LONGEST: Final = 3600.0  # seconds of one wait: a queue does not wait for ever

logger = logging.getLogger("trackbook")


class Ticking(Protocol):
    def tick(self, now: float) -> float:
        """Do what is due at `now` (seconds of the monotonic clock); return the seconds until something is due again.

        A member that returns infinity is removed, unless it was added again meanwhile. Called from the pump's thread. A tick costs a
        busy training loop 0.1 ms, because it has to give up the GIL.
        """


class Pump:
    """Ticks its members in the order in which they were added, each as often as it asks.

    The daemon thread sleeps in between, and ends when there are no members left.

    `context` gives the context variables that the thread starts with, and `name` is its name.
    """

    def __init__(
        self, context: Callable[[], contextvars.Context] = contextvars.Context, *, name: str = "trackbook-pump"
    ) -> None:
        self._context = context
        self._name = name
        self.reset()

    def reset(self) -> None:
        """Start without members and thread. A forked child has to, because both are its parent's."""
        self._members: list[Ticking] = []
        self._failing: set[int] = set()
        self._lock = threading.RLock()  # as the queue, it is safe in a signal handler that adds a member meanwhile
        self._news: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    def add(self, member: Ticking) -> None:
        """Tick `member` from now on. One that is added again has news: all members are ticked at once.

        Raises ``RuntimeError`` when the system refuses a thread; the next call tries again.
        """
        with self._lock:
            if member not in self._members:
                self._members.append(member)
            self._news.put(None)
            if self._thread is None:
                self._start(
                    threading.Thread(target=self._context().run, args=(self._work,), name=self._name, daemon=True)
                )

    def _start(self, thread: threading.Thread) -> None:
        if self._thread is not None:  # by a signal handler
            return
        self._thread = thread
        try:
            thread.start()
        except RuntimeError:
            self._thread = None
            raise

    def remove(self, member: Ticking) -> None:
        with self._lock:
            if member in self._members:
                self._members.remove(member)
                self._failing.discard(id(member))
            if not self._members:
                self._news.put(None)  # the thread ends

    def stop(self) -> None:
        """Remove all members, and wait for the ticks under way: at the end of the process they would open files that are closed."""
        with self._lock:
            self._members.clear()
            self._news.put(None)
            thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join(STOP_SECONDS)

    def _work(self) -> None:
        rest = INTERVAL
        due: dict[int, float] = {}
        while True:
            woken = self._wait(rest)
            with self._lock:
                while not self._news.empty():
                    self._news.get()
                members = list(self._members)
                if not members:
                    self._thread = None
                    return
            now = time.monotonic()  # one for all: a board that is due soon after its project is ticked with it
            due = {} if woken else {id(member): due.get(id(member), now) for member in members}
            for member in members:
                if due.get(id(member), now) <= now + INTERVAL / 2:
                    due[id(member)] = now + self._tick(member, now)
            rest = max(0.0, min(due.values()) - time.monotonic())
            self._dismiss([member for member in members if due[id(member)] == math.inf])

    def _wait(self, rest: float) -> bool:
        """Wait for news; return whether there are some."""
        try:
            self._news.get(timeout=min(rest, _LONGEST))
        except queue.Empty:
            return False
        return True

    def _dismiss(self, idle: Collection[Ticking]) -> None:
        with self._lock:
            if idle and self._news.empty():  # else one of them may have news
                self._members = [member for member in self._members if member not in idle]
                if not self._members:
                    self._news.put(None)  # the thread ends

    def _tick(self, member: Ticking, now: float) -> float:
        try:
            rest = member.tick(now)
        except Exception:
            # the other members need the thread, and the next tick may succeed: logged once until it does
            if id(member) not in self._failing:
                self._failing.add(id(member))
                logger.exception("trackbook: %r failed; it will be tried again", member)
            return INTERVAL
        self._failing.discard(id(member))
        return rest
