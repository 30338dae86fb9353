"""The board as a Jupyter widget over a publisher. The only importer of anywidget."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import anywidget
import traitlets
from ipywidgets import widget_serialization

from ..charts.snapshot import Snapshot
from ..metrics import AXES
from ..notebook import host
from ..text import did_you_mean, either
from ..user_warnings import warn
from .built_files import built_file
from .chart_access import ChartAccess
from .frame_source import FrameSource
from .front_end import SharedFrontEnd, shared_front_end
from .kept_views import KeptView
from .publisher import Publisher
from .run_actions import Actions
from .text_board import text_board
from .view_state import TRAITS, View

if TYPE_CHECKING:
    import altair as alt

_FROM_FRONT_END = TRAITS | {"seen"}
_PUBLIC = TRAITS | set("chart charts close layout metrics observe project save to_altair unobserve view".split())


class Board(View, anywidget.AnyWidget):
    """Live charts of runs of one project.

    The traits of `View` are the view settings, and can be read and set. ``board["train/loss"]`` is the chart of a metric
    as an Altair chart, ``"train/loss" in board`` tests whether there is one, ``for metric in board`` iterates over the metrics.
    """

    _esm = traitlets.Unicode().tag(sync=True)
    front_end = traitlets.Instance(SharedFrontEnd, allow_none=True).tag(sync=True, **widget_serialization)
    keyframe = traitlets.Dict().tag(sync=True, echo_update=False)
    delta = traitlets.Dict().tag(sync=True, echo_update=False)
    beat = traitlets.Int(0, help="counts up while a run logs nothing, as a sign that the kernel is alive").tag(
        sync=True, echo_update=False
    )
    table = traitlets.Dict().tag(sync=True, echo_update=False)
    cells = traitlets.Dict().tag(sync=True, echo_update=False)
    alerts = traitlets.List(traitlets.Any(), help="the newest alerts of the runs").tag(sync=True, echo_update=False)
    media = traitlets.Dict(help="kind, number of steps and last step of each name of media").tag(
        sync=True, echo_update=False
    )
    open_runs = traitlets.List(traitlets.Unicode(), help="ids of runs that this kernel writes, and can stop")
    open_runs.tag(sync=True, echo_update=False)
    idle_since = traitlets.Float(None, allow_none=True, help="seconds UTC; None while a cell of this kernel runs")
    idle_since.tag(sync=True, echo_update=False)
    synced = traitlets.Dict(
        default_value=None, allow_none=True, help="how far the upload of this kernel's runs is; None without one"
    )
    synced.tag(sync=True, echo_update=False)
    still = traitlets.Int(0, help="number of the newest snapshot of the board").tag(sync=True, echo_update=False)
    # a list, not a dict by name, because a chart may have any name, even `__proto__`
    user_charts = traitlets.List(traitlets.Dict()).tag(sync=True, echo_update=False)
    seen = traitlets.Int(0).tag(sync=True, echo_update=False)

    _made = False
    _kept_view: KeptView | None = None
    _is_view_unsaved = False

    def __init__(self, project: str, source: FrameSource, actions: Actions | None = None) -> None:
        self.project = project
        self.on_show: Callable[[Board], None] | None = None
        self.is_displayed = False
        self.cell_id: str | None = None  # of the cell that displayed it last, where the host tells it
        self.publisher = Publisher(source, self.set_trait, message=self.hold_sync, actions=actions)
        self.charts = ChartAccess(self.publisher, self, project)
        shared = shared_front_end() if host.current().shares_models else None
        esm = built_file("trackbook.js" if shared is None else "loader.js")
        super().__init__(_esm=esm, front_end=shared, **self.publisher.opening())
        self.on_msg(self._answer)
        _answer_while_busy(self.comm)
        self._made = True

    @property
    def source(self) -> FrameSource:
        return self.publisher.source

    def __setattr__(self, name: str, value: Any) -> None:
        """Raise ``AttributeError`` for a name that a board does not have, such as a misspelt trait."""
        if self._made and not name.startswith("_") and not hasattr(self, name):
            raise AttributeError(f"a board has no {name!r}; {did_you_mean(name, TRAITS, 'see dir(board)')}")
        super().__setattr__(name, value)
        if self._made and name == "x_axis" and value not in (*AXES, *self.metrics):
            meant = did_you_mean(value, [*AXES, *self.metrics], f"choose {either(AXES)}, or a metric")
            warn(f"no run of this board has logged {value!r}; charts are drawn over it once one does; {meant}")

    def __dir__(self) -> list[str]:
        return sorted(_PUBLIC)

    def __repr__(self) -> str:
        return f"<trackbook board of {self.project!r}: {', '.join(self.source.run_names) or 'no runs yet'}>"

    # --- its charts in Python

    @property
    def metrics(self) -> list[str]:
        """The metrics of the board's runs, in order of first appearance, without system metrics."""
        return self.charts.metrics

    def __contains__(self, name: object) -> bool:
        return name in self.charts

    def __iter__(self) -> Iterator[str]:
        return iter(self.charts)

    def __getitem__(self, name: str) -> alt.Chart | alt.LayerChart:
        return self.charts[name]

    def chart(
        self, name: str, chart: alt.TopLevelMixin | None = None, metrics: str | Iterable[str] | None = None
    ) -> None:
        self.charts.put(name, chart, metrics)

    def to_altair(self) -> alt.VConcatChart:
        return self.charts.to_altair()

    def save(self, path: str | os.PathLike[str]) -> None:
        self.charts.save(path)

    __getitem__.__doc__ = ChartAccess.__getitem__.__doc__
    chart.__doc__ = ChartAccess.put.__doc__
    to_altair.__doc__ = ChartAccess.to_altair.__doc__
    save.__doc__ = ChartAccess.save.__doc__

    # --- called by the process

    def keep_view(self, kept: KeptView) -> None:
        """Begin with a kept view, and keep it as it changes."""
        with self.hold_sync():
            for name, value in kept.load().items():
                self.set_trait(name, value)
        self._kept_view = kept
        self.observe(self._note_view, names=sorted(TRAITS))

    def _note_view(self, _: Any) -> None:
        self._is_view_unsaved = True
        self.publisher.on_wake()  # settings may change many times a second: the pump saves them

    def tick(self, now: float) -> float:
        if self._is_view_unsaved and self._kept_view is not None:
            self._is_view_unsaved = False
            self._kept_view.save(self.view())
        return self.publisher.tick(now)

    def settle(self, *, kept: bool = False) -> None:
        self.publisher.settle(kept=kept)

    def add_run(self, run_id: str) -> None:
        self.publisher.add_run(run_id)

    def forget(self, run_id: str) -> None:
        self.publisher.forget(run_id)

    @property
    def awake(self) -> bool:
        return self.publisher.awake

    @property
    def snapshot_state(self) -> object:
        """Everything that the snapshot depends on: while it is equal, the snapshot is the same."""
        with self.publisher.lock:
            self.publisher.pull()
            runs = [{**run, "rate": None} for run in self.source.picture.runs.values()]
            settings = {name: getattr(self, name) for name in TRAITS}
            return repr((self.source.logged, runs, settings, self.user_charts, self.media))

    def snapshot(self, *, own: bool = True) -> Snapshot | None:
        """Return the charts as they are now, small enough for a notebook; None when nothing is drawn."""
        return self.charts.snapshot(own=own)

    def _repr_mimebundle_(self, **options: Any) -> Any:
        self.is_displayed, self.cell_id = True, host.current().cell_id()
        if self.on_show is not None:
            self.on_show(self)
        found = super()._repr_mimebundle_(**options)
        data, *_ = found if isinstance(found, tuple) else (found,)
        if data is not None:
            # a notebook is saved with it, in which the states and steps of this moment would soon be untrue
            is_kept = host.current().is_notebook
            data["text/plain"] = f"trackbook board of {self.project!r}" if is_kept else self._text()
        return found

    def _text(self) -> str:
        with self.publisher.lock:
            self.publisher.pull()
            return text_board(self.project, self.source)

    # --- messages of the front end

    @traitlets.observe("panel", "group_by", "color_by")
    def _note_panel(self, _: Any) -> None:
        self.publisher.show_all_runs(bool(self.panel or self.group_by or self.color_by))

    @traitlets.observe("selected_runs")
    def _note_selection(self, change: Any) -> None:
        self.publisher.select(change["new"])

    @traitlets.observe("drawn_runs")
    def _note_drawn_runs(self, change: Any) -> None:
        self.publisher.draw(change["new"])

    @traitlets.observe("baseline")
    def _note_baseline(self, change: Any) -> None:
        self.publisher.compare_with(change["new"])

    @traitlets.observe("seen")
    def _note_seen(self, _: Any) -> None:
        self.publisher.acknowledge()

    def _answer(self, _: Any, question: Any, buffers: Any) -> None:
        """Answer a custom message of the front end, if it is a question."""
        if not isinstance(question, dict) or "ask" not in question:
            return
        with self.publisher.lock:
            answer, data = self.publisher.answer(question)
            self.send({**answer, "answers": question.get("id")}, data)

    # Under subshells changes by the front end arrive on another thread than the pump's and the user's, and ipywidgets keeps
    # held and unechoed traits in plain attributes. So every method that uses them takes one lock.

    def get_state(self, key: Any = None, drop_defaults: bool = False) -> dict[str, Any]:
        """Return the widget's state. The whole state (for a page reload, a late view, a saved notebook) has a fresh delta.

        A keyframe must not be sent here: a page that waits for this answer would take that update for the whole state, and break.
        """
        with self.publisher.lock:
            state: dict[str, Any] = super().get_state(key, drop_defaults)
            if key is None and self.comm is not None:
                state["delta"] = self.publisher.delta()
            return state

    def set_state(self, sync_data: dict[str, Any]) -> None:
        """Apply a change by the front end, which may set the view settings, but not the picture."""
        with self.publisher.lock:
            super().set_state({name: value for name, value in sync_data.items() if name in _FROM_FRONT_END})

    def notify_change(self, change: Any) -> None:
        with self.publisher.lock:
            super().notify_change(change)

    def send_state(self, key: Any = None) -> None:
        with self.publisher.lock:
            super().send_state(key)

    @contextmanager
    def hold_sync(self) -> Iterator[None]:
        with self.publisher.lock, super().hold_sync():
            yield

    @contextmanager
    def hold_trait_notifications(self) -> Iterator[None]:
        with self.publisher.lock, super().hold_trait_notifications():
            yield


def _answer_while_busy(comm: Any) -> None:
    """Let messages of the front end be handled while a cell runs on ipykernel 7.4.

    ipykernel passes the messages of a comm to the shell that last published on it, mostly the main shell, which is busy.
    Other versions have no such method, and need nothing.
    """
    if hasattr(comm, "_reply_subshell_for"):
        comm._reply_subshell_for = lambda _, default: default  # noqa: SLF001
