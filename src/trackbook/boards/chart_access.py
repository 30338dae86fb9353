"""The charts of a board in Python: as Altair charts, and with charts of the user's own."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from ..charts import plot
from ..charts.combined import chart_of, combine_metrics
from ..charts.run_styles import style_runs
from ..charts.snapshot import Chart, Snapshot, make_snapshot
from ..charts.x_axis import axes_only
from ..metrics import group_of, logged, members, short_name
from ..settings import user_path
from ..switch_interval import QUICK, switching
from ..text import did_you_mean, listed
from ..tracking.logged_values import check_name

if TYPE_CHECKING:
    import altair as alt

    from .publisher import Publisher
    from .view_state import View

BOARD_COLUMNS = 3  # columns of charts, when the board's setting is automatic
CHART_COLUMNS = 300  # pixels of a chart's width; each has at most four points of a series
PINNED = "@pinned"  # the group on top


class ChartAccess:
    """The charts of a board by name, drawn with the board's view settings.

    ``charts["train/loss"]`` is the chart of a metric as it is drawn now, ``"train/loss" in charts`` tests whether there is
    one, and ``for metric in charts`` iterates over the metrics.
    """

    def __init__(self, publisher: Publisher, view: View, project: str) -> None:
        self._publisher = publisher
        self._view = view
        self._project = project
        self._own: list[dict[str, Any]] = []  # the trait `user_charts`

    @property
    def metrics(self) -> list[str]:
        """The metrics of the board's runs, in order of first appearance, without system metrics."""
        self._publisher.pull()
        return list(logged(self._publisher.source.picture.metrics))

    def __contains__(self, name: object) -> bool:
        known = self._known
        return name in known or name in self._combined(known)[1] or self._find(name) is not None

    def __iter__(self) -> Iterator[str]:
        return iter(self.metrics)

    def __getitem__(self, name: str) -> alt.Chart | alt.LayerChart:
        """Return the chart of a metric as the board draws it now, with its data: an Altair chart to change, save or display.

        `name` is a metric, a system metric (``"@system/cpu %"``) or a chart of your own, which is returned with the rows it
        draws. Raises ``KeyError``, which suggests the nearest name, for a name that the board does not have.
        """
        from ..charts import altair

        metrics = self._known
        with self._publisher.lock:
            own = self._find(name)
            if own is not None:
                return altair.user_chart(own["spec"], self._rows_of(self._users(own, metrics)), name)  # type: ignore[no-any-return]
            members_of = self._combined(metrics)[1]
            if name not in metrics and name not in members_of:
                raise KeyError(_unknown(name, self.metrics))
            return altair.chart_of(self._plot(name, members_of.get(name)))

    def put(
        self, name: str, chart: alt.TopLevelMixin | None = None, metrics: str | Iterable[str] | None = None
    ) -> None:
        """Draw several metrics in one chart, or put a live chart of your own on the board.

        ``board.chart("loss", metrics=["train/loss", "val/loss"])`` draws the metrics in one chart, in place of their own.
        With neither a chart nor metrics the chart `name` is removed.

        Parameters
        ----------
        name
            Its title. The prefix before the first ``/`` is its group; the name of a metric replaces that metric's chart.
        chart
            An Altair chart of the named dataset ``points``, ``alt.Chart(alt.NamedData("points"))``, whose fields are
            ``run``, ``metric``, ``group``, ``config`` (``"config.lr"``), ``step``, ``time`` (seconds UTC), ``value``,
            ``smooth``, ``x`` (on the board's x axis) and ``color`` (the run's). Runs by color have those of the board, and are
            not stacked. It is redrawn as points come in, and may have up to 100 KB of data of its own.
            None with `metrics` is a chart as the board draws it.
        metrics
            Names or globs (``"val/*"``) of the metrics that it draws, or whose rows a chart of your own gets: by default the
            metric `name`, else all metrics of its group, else all metrics.

        Raises
        ------
        TypeError
            For anything but an Altair chart, or anything but a name.
        ValueError
            For a chart that Altair finds invalid, that loads data from a URL, or that is too large.
        KeyError
            For a chart to remove that the board does not have.
        """
        name = check_name(name)
        globs = _globs(metrics)
        added = None
        if chart is not None:
            from ..charts.altair import spec_of

            added = {"name": name, "spec": spec_of(name, chart), "metrics": globs}
        with self._publisher.lock:
            known = [one["name"] for one in self._own]
            combined = {other: own for other, own in self._view.combined.items() if other != name}
            if added is None and not globs and name not in {*known, *self._view.combined}:
                raise KeyError(f"the board has no chart of yours called {name!r}")
            at = known.index(name) if name in known else len(known)
            own = [*self._own[:at], *([added] if added else []), *self._own[at + 1 :]]
            if own != self._own:
                self._own = own
                self._publisher.publish("user_charts", own)
            self._view.set_trait("combined", {**combined, name: globs} if globs and added is None else combined)

    def to_altair(self) -> alt.VConcatChart:
        """Return the whole board as one Altair chart: a titled row for each group, in the board's columns, with the data."""
        from ..charts import altair

        with self._publisher.lock:
            metrics = self.metrics
            groups: dict[str, list[Any]] = {}
            for chart in self._arranged(metrics):
                drawn = (
                    self._plot(chart.name, chart.metrics)
                    if chart.spec is None
                    else altair.user_chart(chart.spec, self._rows_of(chart), short_name(chart.name), on_board=True)
                )
                groups.setdefault(chart.group, []).append(drawn)
            if not groups:
                raise ValueError("the board has no charts yet: log something first")
            return altair.board_of(groups, self._view.columns or BOARD_COLUMNS, self._project)

    def snapshot(self, *, own: bool = True) -> Snapshot | None:
        """Return the charts as they are now, small enough for a notebook; None when nothing is drawn.

        Without `own`, charts of the user's own are left out.
        """
        with switching.every(QUICK), self._publisher.lock:
            charts = [chart for chart in self._arranged(self.metrics) if own or chart.spec is None]
            images = self._publisher.last_images()
            return make_snapshot(self._publisher.source.picture, self.look(), charts, images)

    def _arranged(self, metrics: list[str]) -> list[Chart]:
        """Return the charts of the board in its order, by group."""
        axes = axes_only(self._publisher.source.picture)
        charted, members_of = self._combined([name for name in metrics if name not in axes])
        groups: dict[str, list[Chart]] = {"": []}
        for name in self._in_order(dict.fromkeys([*charted, *(chart["name"] for chart in self._own)])):
            own, group = self._find(name), self._group_of(name)
            chart = (
                Chart(name, members_of.get(name, [name]), group) if own is None else self._users(own, metrics, group)
            )
            groups.setdefault(group, []).append(chart)
        order = [PINNED, *(group for group in self._view.group_order if group in groups), *groups]
        return [chart for group in dict.fromkeys(order) for chart in groups.get(group, ())]

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write all charts of the board as they are now to `path`, a ``.html``, ``.json``, ``.png``, ``.svg`` or ``.pdf`` file.

        Raises ``ImportError`` when vl-convert is missing, which all but ``.json`` need, and ``ValueError`` for another
        ending.
        """
        from ..charts.altair import save

        save(self.to_altair(), user_path(path))

    def _combined(self, metrics: list[str]) -> tuple[list[str], dict[str, list[str]]]:
        """Return the names of the charts of these metrics, and the metrics of those that draw several."""
        return combine_metrics(metrics, self._view.combined, splits=self._view.combine_splits)

    def _in_order(self, names: Iterable[str]) -> list[str]:
        """Sort charts as the board does within its groups: those on top as they were pinned."""
        view = self._view
        place = {name: at for at, name in enumerate([*view.pinned, *view.chart_order])}
        return sorted(names, key=lambda name: place.get(name, len(place)))

    def _group_of(self, name: str) -> str:
        if name in self._view.pinned:
            return PINNED
        given: dict[str, str] = self._view.chart_groups
        return given.get(name, name.rpartition("/")[0] if self._view.prefixes == "last" else group_of(name))

    @property
    def _known(self) -> list[str]:
        """All metrics of the board's runs."""
        self._publisher.pull()
        return list(self._publisher.source.picture.metrics)

    def _find(self, name: object) -> Any:
        """Return the user's chart of this name, if there is one."""
        return next((chart for chart in self._own if chart["name"] == name), None)

    def look(self) -> plot.DrawSettings:
        """Return the settings of the view that decide what is drawn."""
        view = self._view
        return plot.DrawSettings(
            x_axis=view.x_axis,
            smoothing=view.smoothing,
            smoothing_kind=view.smoothing_kind,
            auto_smoothing=view.auto_smoothing,
            x_log=view.x_scale == "log",
            y_log=view.y_scale == "log",
            y_scales=view.y_scales,
            clip_outliers=view.clip_outliers,
            hidden=frozenset(view.hidden_runs),
            colors=self._publisher.colors(view),
            options=view.chart_options,
            y_ranges=view.y_ranges,
            reference_lines=view.reference_lines,
            best_marks=view.best_marks,
            columns=CHART_COLUMNS,
        )

    def _plot(self, name: str, metrics: Iterable[str] | None = None) -> plot.Plot:
        return chart_of(self._publisher.source.picture, name, list(metrics or [name]), self.look())

    def _users(self, own: Any, metrics: list[str], group: str = "") -> Chart:
        """Return a chart of the user's, with what is known of the runs."""
        source = self._publisher.source
        styles = style_runs(source.picture.runs.values(), self.look()).values()
        records = {style.label: source.store.run(style.run["id"]) for style in styles}
        about = {
            label: {"group": record.group, "config": record.config}
            for label, record in records.items()
            if record is not None
        }
        return Chart(own["name"], members(own["name"], own["metrics"], metrics), group, own["spec"], about)

    def _rows_of(self, chart: Chart) -> list[Any]:
        """Return the rows of a user's chart."""
        plots = [self._plot(name) for name in chart.metrics]
        return [{**row, **chart.about.get(row["run"], {})} for drawn in plots for row in drawn.lines]


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
