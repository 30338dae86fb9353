"""Follows `clear_output` in the running cell, by the hooks that ipykernel offers for outgoing messages."""

from __future__ import annotations

import contextvars
import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Any, TypeAlias

from ..user_warnings import warn

Message: TypeAlias = dict[str, Any]


class ClearedOutputs:
    """Whether `clear_output` took away what the running cell had displayed.

    `clear_output(wait=True)` only takes effect with the next output, whoever it is from: until then a display of ours would
    take away what the user displayed last. `before_waiting` is called just before such a clear is sent: what is displayed
    then stays when nothing follows, and can be updated without taking effect as an output. `on_clear` is called when outputs
    are gone. Whoever displays because of `cleared` holds `lock`, so that no clear comes in between.
    """

    def __init__(self, before_waiting: Callable[[], None], on_clear: Callable[[], None]) -> None:
        self.lock = threading.RLock()
        self.changed = 0.0  # when outputs were cleared last, by the monotonic clock
        self.context = contextvars.Context()  # of the cell, for threads that display in it
        self._before_waiting = before_waiting
        self._on_clear = on_clear
        self._release: list[Callable[[], None]] = []
        self._waits = False
        self._cleared = False

    @property
    def cleared(self) -> bool:
        """Whether earlier outputs are gone, and new ones can be displayed."""
        return self._cleared and not self._waits

    def follow(self, shell: Any) -> None:
        """Follow the running cell, from now on; a second call changes nothing."""
        if self._release:
            return
        self.context = contextvars.copy_context()
        for publisher in (shell.display_pub, shell.displayhook):
            if hasattr(publisher, "register_hook"):  # for the thread that runs the cell
                publisher.register_hook(self._note)
                self._release.append(partial(publisher.unregister_hook, self._note))
        for stream in (sys.stdout, sys.stderr):
            if hasattr(stream, "register_hook") and hasattr(stream, "pub_thread"):  # for the thread that sends
                stream.pub_thread.schedule(partial(stream.register_hook, self._note))
                self._release.append(partial(_unhook, stream, self._note))

    def outputs_came_back(self) -> None:
        """What was cleared is displayed again."""
        self._cleared = False

    def end(self) -> None:
        """Stop following: the cell has ended."""
        while self._release:
            self._release.pop()()
        self._waits = self._cleared = False

    def _note(self, message: Message) -> Message:
        try:
            with self.lock:
                self._follow_message(message["header"]["msg_type"], message["content"])
        except Exception as error:  # noqa: BLE001  whatever it is, the user's output must appear
            self.end()
            warn(f"trackbook no longer brings boards back after clear_output, because that failed: {error!r}")
        return message

    def _follow_message(self, kind: str, content: Message) -> None:
        if kind == "clear_output" and content["wait"]:
            self._before_waiting()
            self._waits = True
        elif kind == "clear_output" or (self._waits and kind != "update_display_data"):
            self._waits, self._cleared = False, True
            self.changed = time.monotonic()
            self._on_clear()


def _unhook(stream: Any, hook: Callable[[Message], Message]) -> None:
    if not stream.closed:
        stream.pub_thread.schedule(partial(stream.unregister_hook, hook))
