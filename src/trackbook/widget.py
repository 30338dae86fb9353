"""The board: a Jupyter widget that tells its front end what a session has to say. The only importer of anywidget."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import anywidget
import traitlets

from ._charted import Charted
from ._front_end import front_end
from ._session import Session
from ._view import TRAITS

ACKNOWLEDGED_SECONDS = 0.1
UNACKNOWLEDGED_SECONDS = 0.2
SILENT_SECONDS = 1.0
SILENT_AFTER = 60.0

_FROM_FRONT_END = TRAITS | {"seen"}


class Board(Charted, anywidget.AnyWidget):
    """Live charts of runs of one project. How one looks at them can be read and set: see `View`; what they draw: see `Charted`."""

    _esm = traitlets.Unicode().tag(sync=True)
    keyframe = traitlets.Dict().tag(sync=True, echo_update=False)
    delta = traitlets.Dict().tag(sync=True, echo_update=False)
    seen = traitlets.Int(0).tag(sync=True, echo_update=False)

    def __init__(self, project: str, session: Session) -> None:
        self._lock = threading.RLock()
        self._due = 0.0
        self._untold = False  # something new was told to one view only, by `get_state`
        self._unseen_since: float | None = None
        self.project = project
        self.session = session
        session.pull()
        keyframe, delta = session.keyframe()
        super().__init__(keyframe=keyframe, delta=delta)
        self.on_msg(self._answer)
        _answer_while_busy(self.comm)

    @traitlets.default("_esm")
    def _front_end(self) -> str:
        return front_end("trackbook.js")

    def add_run(self, run_id: str) -> None:
        """Shows one more run."""
        with self._lock:
            self.session.add_run(run_id)
            self._due = 0.0

    def tick(self, now: float) -> None:
        """Sends what is new, at most as often as the front end keeps up with. Called by the pump."""
        if now < self._due or not self._lock.acquire(blocking=False):
            return
        try:
            self._due = now + self._interval(now)
            if self.session.pull() or self._untold:
                self._publish(*self.session.frames())
        finally:
            self._lock.release()

    def settle(self) -> None:
        """Sends all there is as a keyframe: the end of a run or of a cell, which a saved notebook keeps."""
        with self._lock:
            self.session.pull()
            self._publish(*self.session.saved_keyframe())

    def _publish(self, keyframe: Any, delta: Any) -> None:
        if self._unseen_since is None:
            self._unseen_since = time.monotonic()
        self._untold = False
        with self.hold_sync():
            if keyframe is not None:
                self.keyframe = keyframe
            self.delta = delta

    def _interval(self, now: float) -> float:
        if not self.session.running:
            return SILENT_SECONDS
        if self._unseen_since is None:
            return ACKNOWLEDGED_SECONDS
        return UNACKNOWLEDGED_SECONDS if now - self._unseen_since < SILENT_AFTER else SILENT_SECONDS

    @traitlets.observe("seen")
    def _note_seen(self, change: Any) -> None:
        self._unseen_since = None

    def _answer(self, _: Any, question: Any, buffers: Any) -> None:
        """Answers a question of the front end, with what it asked or with why not."""
        if not isinstance(question, dict) or "ask" not in question:
            return
        with self._lock:
            answer, data = self.session.answer(question)
            self.send({**answer, "answers": question.get("id")}, data)
            if self.session.keyframe_due and question["ask"] == "keyframe":
                self._publish(*self.session.frames())

    # Under subshells the front end's sets arrive on another thread than the pump's and the user's, and ipywidgets keeps
    # what it holds back or must not echo in plain attributes: one lock for whatever touches them.

    def get_state(self, key: Any = None, drop_defaults: bool = False) -> dict[str, Any]:
        """The widget's state. The whole state (a page reload, a late view, a saved notebook) comes with a fresh picture.

        Fresh is the delta, which stands on the keyframe as it is: a page that waits for this answer takes an update sent
        before it for the whole state, and is broken.
        """
        with self._lock:
            state: dict[str, Any] = super().get_state(key, drop_defaults)
            if key is None and self.comm is not None:
                self._untold |= self.session.pull()
                state["delta"] = self.session.delta()
            return state

    def set_state(self, sync_data: dict[str, Any]) -> None:
        """Takes in what the front end may set: the view's state, never the picture."""
        with self._lock:
            super().set_state({name: value for name, value in sync_data.items() if name in _FROM_FRONT_END})

    def notify_change(self, change: Any) -> None:
        with self._lock:
            super().notify_change(change)

    def send_state(self, key: Any = None) -> None:
        with self._lock:
            super().send_state(key)

    @contextmanager
    def hold_sync(self) -> Iterator[None]:
        with self._lock, super().hold_sync():
            yield

    @contextmanager
    def hold_trait_notifications(self) -> Iterator[None]:
        with self._lock, super().hold_trait_notifications():
            yield

    def __repr__(self) -> str:
        return f"<trackbook board of {self.project!r}: {', '.join(self.session.run_names) or 'no runs yet'}>"


def _answer_while_busy(comm: Any) -> None:
    """Lets the front end be heard while a cell runs on ipykernel 7.4.

    It sends a comm's messages to the shell that last published on it: here the main one, which is busy. Private API, so
    guarded; `tests/browser/test_busy.py` says when it is no longer needed.
    """
    if hasattr(comm, "_reply_subshell_for"):
        comm._reply_subshell_for = lambda _, default: default  # noqa: SLF001
