"""The thread and asyncio task in which a run was begun."""

from __future__ import annotations

import sys
import threading
import weakref
from dataclasses import dataclass, field
from typing import Any


def _current_task() -> weakref.ref[Any] | None:
    asyncio = sys.modules.get("asyncio")
    try:
        task = None if asyncio is None else asyncio.current_task()
    except RuntimeError:  # no event loop runs in this thread
        return None
    return None if task is None else weakref.ref(task)


@dataclass(frozen=True)
class Origin:
    """The place in a program that began a run, and the last exception that Python had shown before.

    Each thread and each running asyncio task is a separate place. A task that is done belongs to its thread, so that consecutive cells
    of a notebook are one place.
    """

    thread: threading.Thread = field(default_factory=threading.current_thread)
    task: weakref.ref[Any] | None = field(default_factory=_current_task)
    shown: BaseException | None = field(default_factory=lambda: getattr(sys, "last_value", None))

    @property
    def place(self) -> tuple[threading.Thread, object]:
        """The thread, and the task while it runs."""
        task = None if self.task is None else self.task()
        return self.thread, None if task is None or task.done() else task

    def is_here(self) -> bool:
        """Whether the run was begun in this place."""
        thread, task = self.place
        current = _current_task()
        return thread is threading.current_thread() and task in (None, None if current is None else current())
