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
    """Tracks whether `clear_output` removed the outputs of the running cell.

    `clear_output(wait=True)` takes effect with the next output, whether the user's or ours: until then, an output of ours would
    remove what the user displayed last. `before_waiting` is called just before such a clear is sent. Outputs displayed in it stay
    if nothing follows, and can be updated later without triggering the clear. `on_clear` is called when outputs were removed. Code
    that displays because of `cleared` holds `lock`, so that no clear comes in between.
    """

    def __init__(self, before_waiting: Callable[[], None], on_clear: Callable[[], None]) -> None:
        self.lock = threading.RLock()
        self.changed = 0.0  # time of the last clear, on the monotonic clock
        self.context = contextvars.Context()  # the cell's context, for threads that display in the cell
        self._before_waiting = before_waiting
        self._on_clear = on_clear
        self._release: list[Callable[[], None]] = []
        self._waits = False
        self._cleared = False

    @property
    def cleared(self) -> bool:
        """Whether earlier outputs were removed, and new ones can be displayed."""
        return self._cleared and not self._waits

    def follow(self, shell: Any) -> None:
        """Follow the running cell from now on. A second call has no effect."""
        if self._release:
            return
        self.context = contextvars.copy_context()
        for publisher in (shell.display_pub, shell.displayhook):
            if hasattr(publisher, "register_hook"):  # called in the thread that runs the cell
                publisher.register_hook(self._note)
                self._release.append(partial(publisher.unregister_hook, self._note))
        for stream in (sys.stdout, sys.stderr):
            if hasattr(stream, "register_hook") and hasattr(stream, "pub_thread"):  # called in the sending thread
                stream.pub_thread.schedule(partial(stream.register_hook, self._note))
                self._release.append(partial(_unhook, stream, self._note))

    def outputs_came_back(self) -> None:
        """Note that the cleared outputs are displayed again."""
        self._cleared = False

    def end(self) -> None:
        """Stop following when the cell ends."""
        while self._release:
            self._release.pop()()
        self._waits = self._cleared = False

    def _note(self, message: Message) -> Message:
        try:
            with self.lock:
                self._follow_message(message["header"]["msg_type"], message["content"])
        except Exception as error:  # noqa: BLE001  the user's output must appear whatever fails here
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
