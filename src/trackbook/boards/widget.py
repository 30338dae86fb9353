"""The board: a Jupyter widget that tells its front end what a session has to say. The only importer of anywidget."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import anywidget
import traitlets
from ipywidgets import widget_serialization

from ..charts.snapshot import Still, make_still
from ..errors import warn
from ..metrics import AXES
from ..notebook.host import can_share_models
from ..pump import INTERVAL
from ..switch_interval import QUICK, switching
from ..text import did_you_mean, either
from .cell_spans import origins
from .chart_access import Charted
from .front_end import FrontEnd, front_end, shared_front_end
from .run_actions import ACTIONS
from .runs_table import KEPT_BYTES, Catalog
from .session import Session
from .view_state import TRAITS

ACKNOWLEDGED_SECONDS = 0.1
UNACKNOWLEDGED_SECONDS = 0.2
SILENT_SECONDS = 1.0
PATIENCE_SECONDS = 0.6  # a front end that keeps up says so four times a second, and its word waits for a busy kernel
SILENT_AFTER = 60.0
BEAT_SECONDS = 10.0  # `js/src/frames/heartbeat.ts` waits a few of them

_FROM_FRONT_END = TRAITS | {"seen"}
_OFFERED = TRAITS | set("chart close layout metrics observe project save to_altair unobserve".split())  # to users


class Board(Charted, anywidget.AnyWidget):
    """Live charts of runs of one project. How one looks at them can be read and set: see `View`; what they draw: see `Charted`."""

    _esm = traitlets.Unicode().tag(sync=True)
    front_end = traitlets.Instance(FrontEnd, allow_none=True).tag(sync=True, **widget_serialization)
    keyframe = traitlets.Dict().tag(sync=True, echo_update=False)
    delta = traitlets.Dict().tag(sync=True, echo_update=False)
    beat = traitlets.Int(0, help="says that the kernel lives, where a run says nothing").tag(
        sync=True, echo_update=False
    )
    table = traitlets.Dict().tag(sync=True, echo_update=False)
    cells = traitlets.Dict().tag(sync=True, echo_update=False)
    open_runs = traitlets.List(traitlets.Unicode(), help="ids of runs that this kernel writes, and can stop")
    open_runs.tag(sync=True, echo_update=False)
    seen = traitlets.Int(0).tag(sync=True, echo_update=False)

    _made = False

    def __init__(self, project: str, session: Session) -> None:
        self._lock = threading.RLock()
        self._due = 0.0
        self._said = 0.0  # when the front end last heard from here
        self._untold = False  # something new was told to one view only, by `get_state`
        self._unseen_since: float | None = None
        self.project = project
        self.session = session
        self.on_show: Callable[[Board], None] | None = None
        self.on_wake: Callable[[], None] = lambda: None  # somebody has to tick the board again
        self._catalog = Catalog(session.id, session.store)
        self.cells_due = True  # there may be news of executions
        self._told_cells_of: list[str] = []
        self._selected: set[str] = set()
        self._gone: deque[str] = deque()
        session.pull()
        keyframe, delta = session.keyframe()
        table = self._catalog.table(session.run_ids)
        shared = shared_front_end() if can_share_models() else None
        esm = front_end("trackbook.js" if shared is None else "loader.js")
        frames = {"keyframe": keyframe, "delta": delta, "table": table}
        super().__init__(_esm=esm, front_end=shared, open_runs=session.open_here(), **frames)
        self.on_msg(self._answer)
        _answer_while_busy(self.comm)
        self._made = True

    def __setattr__(self, name: str, value: Any) -> None:
        """Raises ``AttributeError`` for what a board does not have: a misspelt trait would do nothing."""
        if self._made and not name.startswith("_") and not hasattr(self, name):
            raise AttributeError(f"a board has no {name!r}; {did_you_mean(name, TRAITS, 'see dir(board)')}")
        super().__setattr__(name, value)
        if name == "x_axis" and value not in (*AXES, *self.metrics):
            meant = did_you_mean(value, [*AXES, *self.metrics], f"choose {either(AXES)}, or a metric")
            warn(f"no run of this board has logged {value!r}; charts are drawn over it once one does; {meant}")

    def __dir__(self) -> list[str]:
        return sorted(_OFFERED)

    def add_run(self, run_id: str) -> None:
        """Shows one more run."""
        with self._lock:
            self.session.add_run(run_id)
            self._due = 0.0
            self.cells_due = True

    def tick(self, now: float) -> float:
        """Sends what is new, at most as often as the front end keeps up with. Called by the pump."""
        if now >= self._due and self._lock.acquire(blocking=False):
            try:
                with switching.every(QUICK):
                    self._tell(now)
            finally:
                self._lock.release()
        return INTERVAL

    def _tell(self, now: float) -> None:
        self._due = now + self._interval(now)
        while self._gone:
            self.session.remove_run(self._gone.popleft())
        if self.session.pull() or self._untold:
            self._publish(*self.session.frames())
            self._said = now
        elif self.session.running and now - self._said >= BEAT_SECONDS:
            self.beat += 1
            self._said = now
            self.cells_due = True  # of runs that another process writes nobody tells
        table = self._catalog.news(now, self._in_table)
        if table is not None:
            self.set_trait("table", table)
        if self.cells_due or self._told_cells_of != self.session.run_ids:
            self._tell_cells()

    def settle(self, *, kept: bool = False) -> None:
        """Sends all there is as a keyframe: the end of a run or of a cell, which a saved notebook keeps.

        `kept`: nobody looks at it now, so that the table of all runs has only as many as a notebook should hold.
        """
        with self._lock:
            self.session.pull()
            with self.hold_sync():
                self._tell_cells()
                self._publish(*self.session.saved_keyframe())
                self.set_trait("table", self._catalog.table(self._in_table, KEPT_BYTES if kept else None))

    def _tell_cells(self) -> None:
        self.cells_due = False
        self._told_cells_of = self.session.run_ids
        self.set_trait("cells", origins(self.session.store, self._told_cells_of))

    def still(self) -> Still | None:
        """The picture as it is now, small enough to stay in a notebook; None while there is nothing to draw."""
        with self._lock:
            picture, hidden = self.session.picture, self.hidden_runs
            return make_still(picture, x_axis=self.x_axis, hidden=hidden, colors=self.run_colors)

    def _repr_mimebundle_(self, **options: Any) -> Any:
        if self.on_show is not None:
            self.on_show(self)
        return super()._repr_mimebundle_(**options)

    def forget(self, run_id: str) -> None:
        """Shows a run no longer, from the next tick on: it was deleted. Waits for no lock, so that boards may tell each other."""
        self._gone.append(run_id)
        self._due = 0.0
        self._catalog.hurry()
        self.on_wake()

    @property
    def awake(self) -> bool:
        """Whether there may be news: a run goes on, or somebody looks at all of the project's runs."""
        return self.session.running or self.session.follow or self._in_table is None

    @property
    def _in_table(self) -> list[str] | None:
        return None if self.panel or self.group_by else self.session.run_ids

    def _wake(self) -> None:
        self._due = 0.0
        self.cells_due = True
        self._catalog.hurry()
        self.session.recheck()
        self.on_wake()

    @traitlets.observe("panel", "group_by")
    def _open(self, _: Any) -> None:
        if self._in_table is None:
            self._wake()

    @traitlets.observe("selected_runs")
    def _select(self, change: Any) -> None:
        """Runs that were selected are drawn, and those that are no longer are not, except the board's own."""
        chosen = set(change["new"])
        for run_id in self._selected - chosen:
            self.session.remove_run(run_id)
        added = [run_id for run_id in change["new"] if run_id not in self.session.run_ids]
        for run_id in added:
            self.session.add_run(run_id)
        self._selected = (self._selected & chosen) | set(added)
        self._wake()

    def _publish(self, keyframe: Any, delta: Any) -> None:
        if self._unseen_since is None:
            self._unseen_since = time.monotonic()
        self._untold = False
        with self.hold_sync():
            if keyframe is not None:
                self.keyframe = keyframe
            self.delta = delta
            self.open_runs = self.session.open_here()

    def _interval(self, now: float) -> float:
        if not self.session.running:
            return SILENT_SECONDS
        unseen = 0.0 if self._unseen_since is None else now - self._unseen_since
        if unseen < PATIENCE_SECONDS:
            return ACKNOWLEDGED_SECONDS
        return UNACKNOWLEDGED_SECONDS if unseen < SILENT_AFTER else SILENT_SECONDS

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
            if question["ask"] == "delete" and "error" not in answer:
                self.forget(question["run"])
            if question["ask"] in ACTIONS:
                self._wake()

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
