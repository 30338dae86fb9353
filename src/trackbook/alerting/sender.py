"""The thread that sends alerts: nobody waits for it, it tries again, and after a success never."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from .webhook import Message, NotDelivered, Webhook

logger = logging.getLogger("trackbook")

FIRST_WAIT: Final = 1.0  # seconds before the second try; each further wait is twice as long
LONGEST_WAIT: Final = 300.0  # also of a service that asks for more patience
MOST_TRIES: Final = 8  # two minutes with the waits above
MOST_WAITING: Final = 500  # alerts; a further one is not sent
END_SECONDS: Final = 5.0  # that the end of the program waits for alerts that are not sent yet

SENT: Final = "sent"
_OVER: Final = "not sent: the program ended before {host} answered"

Done = Callable[[str], None]  # takes what became of the alert: `SENT`, or a text that begins with "not sent: "


@dataclass(eq=False)
class _Job:
    webhook: Webhook
    message: Message
    done: Done
    due: float
    tries: int = 0

    def tell(self, outcome: str) -> None:
        """Say what became of the alert. An error there must not keep other alerts from being sent."""
        try:
            self.done(outcome)
        except Exception:
            logger.exception("what became of an alert cannot be noted: %s", outcome)


class Sender:
    """Sends alerts in the background. Its thread lives while there is something to send."""

    def __init__(self) -> None:
        self.forget_in_child()

    def forget_in_child(self) -> None:
        """Begin anew in a forked child: the thread and what it has to send are the parent's."""
        self._jobs: list[_Job] = []
        self._telling = 0  # outcomes that are being told
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._until: float | None = None  # when the program stops to wait; None before its end

    def send(self, webhook: Webhook, message: Message, done: Done) -> None:
        """Send an alert soon, and call `done`, on another thread, with what became of it. Returns at once."""
        job = _Job(webhook, message, done, time.monotonic())
        with self._changed:
            if len(self._jobs) >= MOST_WAITING:
                refused = f"not sent: {MOST_WAITING} alerts were waiting for {webhook.host}"
            elif self._start():
                self._jobs.append(job)
                self._changed.notify_all()
                return
            else:
                refused = _OVER.format(host=webhook.host)
        job.tell(refused)

    def close(self, seconds: float = END_SECONDS) -> None:
        """Wait at most `seconds` until everything is sent. What waits for another try is tried at once, and given up after it."""
        with self._changed:
            self._until = time.monotonic() + seconds
            self._changed.notify_all()
            self._changed.wait_for(self._is_idle, seconds)
            given_up, self._jobs = self._jobs, []
        for job in given_up:
            job.tell(_OVER.format(host=job.webhook.host))

    def wait(self, seconds: float) -> bool:
        """Wait until everything is sent or given up, and return whether it is."""
        with self._changed:
            return self._changed.wait_for(self._is_idle, seconds)

    def _is_idle(self) -> bool:
        return not self._jobs and not self._telling

    def _start(self) -> bool:
        """Start the thread if there is none, and return whether there is one."""
        if self._thread is None:
            thread = threading.Thread(target=self._work, name="trackbook-alerts", daemon=True)
            try:
                thread.start()
            except RuntimeError:  # the interpreter is shutting down
                return False
            self._thread = thread
        return True

    def _work(self) -> None:
        while (job := self._next()) is not None:
            outcome = self._try(job)
            if outcome is None:
                continue
            with self._changed:
                if job not in self._jobs:  # given up meanwhile
                    continue
                self._jobs.remove(job)
                self._telling += 1
            job.tell(outcome)
            with self._changed:
                self._telling -= 1
                self._changed.notify_all()

    def _next(self) -> _Job | None:
        """Return the job that is due first, once it is due; None, and the thread ends, when there is none."""
        with self._changed:
            while self._jobs:
                job = min(self._jobs, key=lambda one: one.due)
                wait = job.due - time.monotonic()
                if wait <= 0 or self._until is not None:
                    return job
                self._changed.wait(wait)
            self._thread = None
            return None

    def _try(self, job: _Job) -> str | None:
        """Return what became of an alert, None when it is to be tried again."""
        is_last = self._until is not None
        try:
            job.webhook.send(job.message)
        except NotDelivered as refused:
            job.tries += 1
            if not refused.again or job.tries >= MOST_TRIES or is_last:
                return f"not sent: {refused}"
            wait = FIRST_WAIT * 2 ** (job.tries - 1) if refused.wait is None else refused.wait
            job.due = time.monotonic() + min(wait, LONGEST_WAIT)
            return None
        except Exception as error:  # noqa: BLE001  # an address that no check foresaw must not end the thread; its text may hold the address
            return f"not sent: {type(error).__name__}"
        return SENT
