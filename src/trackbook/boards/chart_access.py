"""A board's charts in Python: read as Altair charts, and joined by charts of the user's own."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

import traitlets

from ..charts import plot
from ..metrics import group_of, logged, members, short_name
from ..text import did_you_mean, listed
from ..tracking.values import check_name
from .session import Session
from .view_state import View

if TYPE_CHECKING:
    import altair as alt

BOARD_COLUMNS = 3  # where as many stand side by side as fit
CHART_COLUMNS = 300  # pixels of a chart's width; a notebook keeps at most four points of a series for each


class Charted(View):
    """What `Board` knows of its charts.

    ``board["train/loss"]`` is the chart of a metric as it is drawn now, ``"train/loss" in board`` says whether there is
    one, and ``for metric in board`` goes through them.
    """

    # A list, not a dict by name: a chart may be called anything, `__proto__` too.
    charts = traitlets.List(traitlets.Dict()).tag(sync=True, echo_update=False)

    project: str
    session: Session
    before_reading: Callable[[], None] | None = None  # has the store told what was logged a moment ago
    _lock: threading.RLock
    _untold: bool

    @property
    def metrics(self) -> list[str]:
        """The metrics of the board's runs, in order of first appearance, without system metrics."""
        self._pull()
        return list(logged(self.session.picture.metrics))

    def __contains__(self, name: object) -> bool:
        return name in self._known or any(chart["name"] == name for chart in self.charts)

    def __iter__(self) -> Iterator[str]:
        return iter(self.metrics)

    def __getitem__(self, name: str) -> alt.Chart | alt.LayerChart:
        """The chart of a metric as the board draws it now, with its data: an Altair chart to change, save or display.

        A chart of your own is had by its name, with the rows it draws, that of a system metric as ``"@system/cpu %"``. Raises ``KeyError`` for a name that the board has
        not, naming the nearest.
        """
        from ..charts import altair

        metrics = self._known
        with self._lock:
            own = self._own(name)
            if own is not None:
                return altair.user_chart(own["spec"], self._rows_of(own, metrics), name)  # type: ignore[no-any-return]
            if name not in metrics:
                raise KeyError(_unknown(name, self.metrics))
            return altair.chart_of(self._plot(name))

    def chart(self, name: str, chart: alt.TopLevelMixin | None, metrics: str | Iterable[str] | None = None) -> None:
        """Adds a live chart of your own to the board, or replaces one; None takes it away.

        Parameters
        ----------
        name
            What it is called. What stands before the first ``/`` is the group it appears in; the name of a metric: it
            replaces that metric's chart.
        chart
            An Altair chart of the named dataset ``points``, ``alt.Chart(alt.NamedData("points"))``, whose fields are
            ``run``, ``metric``, ``step``, ``time`` (seconds UTC), ``value``, ``smooth``, ``x`` (on the board's x axis)
            and ``color`` (the run's). It is drawn anew as points come in. Data of its own it may have up to 100 KB.
        metrics
            Names or globs (``"val/*"``) of the metrics whose rows it gets. By default the metric `name`, else all
            metrics of its group, else all.

        Raises
        ------
        TypeError
            For what is no Altair chart, or no name.
        ValueError
            For a chart that Altair finds wrong, that loads data from a URL, or that is too large.
        KeyError
            When there is no chart of this name to take away.
        """
        name = check_name(name)
        if chart is None:
            added = None
        else:
            from ..charts.altair import spec_of

            added = {"name": name, "spec": spec_of(name, chart), "metrics": _globs(metrics)}
        with self._lock:
            known = [one["name"] for one in self.charts]
            if added is None and name not in known:
                raise KeyError(f"the board has no chart of yours called {name!r}")
            at = known.index(name) if name in known else len(known)
            self.charts = [*self.charts[:at], *([added] if added else []), *self.charts[at + 1 :]]

    def to_altair(self) -> alt.VConcatChart:
        """The whole board as one Altair chart: a titled row for each group, in the board's columns, with the data."""
        from ..charts import altair

        metrics = self.metrics
        with self._lock:
            groups: dict[str, list[Any]] = {"": []}
            for name in dict.fromkeys([*metrics, *(chart["name"] for chart in self.charts)]):
                own = self._own(name)
                drawn = (
                    self._plot(name)
                    if own is None
                    else altair.user_chart(own["spec"], self._rows_of(own, metrics), short_name(name), nested=True)
                )
                groups.setdefault(group_of(name), []).append(drawn)
            order = [*(group for group in self.group_order if group in groups), *groups]
            shown = {group: groups[group] for group in dict.fromkeys(order) if groups[group]}
            if not shown:
                raise ValueError("the board has no charts yet: log something first")
            columns = self.columns or BOARD_COLUMNS
            return altair.board_of(shown, columns, self.project)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes the whole board as it is now: ``.html``, ``.json``, ``.png``, ``.svg`` or ``.pdf``, as `to_altair` has it.

        All but ``.json`` are made by vl-convert; ``ImportError`` says so when it is missing. ``ValueError`` for another
        ending.
        """
        from ..charts.altair import save

        save(self.to_altair(), os.fspath(path))

    @property
    def _known(self) -> list[str]:
        """All metrics of the board's runs."""
        self._pull()
        return list(self.session.picture.metrics)

    def _pull(self) -> None:
        """Takes in what was logged up to now; the front end is told of it at the next tick."""
        if self.before_reading is not None:
            self.before_reading()
        with self._lock:
            self._untold |= self.session.pull()

    def _own(self, name: str) -> Any:
        return next((chart for chart in self.charts if chart["name"] == name), None)

    def _look(self) -> plot.Look:
        return plot.Look(
            x_axis=self.x_axis,
            smoothing=self.smoothing,
            smoothing_kind=self.smoothing_kind,
            x_log=self.x_scale == "log",
            y_log=self.y_scale == "log",
            clip_outliers=self.clip_outliers,
            hidden=frozenset(self.hidden_runs),
            colors=self.run_colors,
            columns=CHART_COLUMNS,
        )

    def _plot(self, metric: str) -> plot.Plot:
        return plot.plot_of(self.session.picture, metric, self._look())

    def _rows_of(self, own: Any, metrics: list[str]) -> list[plot.Row]:
        return [row for name in members(own["name"], own["metrics"], metrics) for row in self._plot(name).rows]


def _globs(metrics: Any) -> list[str]:
    if metrics is None:
        return []
    given = [metrics] if isinstance(metrics, str) else list(metrics)
    if not given:
        raise ValueError("metrics is empty; name the metrics whose rows the chart gets, or leave it out")
    return [check_name(name) for name in given]


def _unknown(name: object, metrics: list[str]) -> str:
    known = listed(metrics) or "none yet"
    return f"no metric {name!r} on this board; {did_you_mean(name, metrics, f'it has {known}')}"
