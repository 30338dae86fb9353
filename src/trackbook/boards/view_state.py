"""How one looks at a board: the traits that Python and the front end both read and set."""

from __future__ import annotations

import re
from typing import Any

import traitlets

from ..metrics import SYSTEM

SYSTEM_GROUP = SYSTEM.rstrip("/")
SMALLEST_CHART, LARGEST_CHART = 80, 800

_COLOR = re.compile(r"#[0-9a-fA-F]{6}")


class View(traitlets.HasTraits):
    """The state of a board's view. A value out of range is a ``TraitError`` that names the range."""

    smoothing = traitlets.Int(0, min=0, max=20, help="0 to 20: the half-width of the window")
    smoothing.tag(sync=True, echo_update=False)  # set while a hand moves
    smoothing_kind = traitlets.Enum(["mean", "exponential"], "mean", help="a centred mean, or an exponential one")
    smoothing_kind.tag(sync=True)
    x_axis = traitlets.Unicode("step", help="'step', 'relative', 'time', or a metric").tag(sync=True)
    x_scale = traitlets.Enum(["linear", "log"], "linear").tag(sync=True)
    y_scale = traitlets.Enum(["linear", "log"], "linear").tag(sync=True)
    clip_outliers = traitlets.Bool(False, help="the y axis passes over the most extreme values").tag(sync=True)
    link_x = traitlets.Bool(True, help="zooming along x zooms all charts").tag(sync=True)

    metric_filter = traitlets.Unicode("", help="text or a regular expression")
    metric_filter.tag(sync=True, echo_update=False)
    columns = traitlets.Int(0, min=0, max=6, help="charts side by side; 0: as many as fit").tag(sync=True)
    chart_height = traitlets.Int(0, help="pixels, 80 to 800; 0: by the width").tag(sync=True)
    collapsed = traitlets.List(traitlets.Unicode(), [SYSTEM_GROUP], help="groups; '@system' has the system metrics")
    collapsed.tag(sync=True)
    group_order = traitlets.List(traitlets.Unicode(), help="groups, first to last; others follow").tag(sync=True)

    hidden_runs = traitlets.List(traitlets.Unicode(), help="ids").tag(sync=True)
    selected_runs = traitlets.List(traitlets.Unicode(), help="ids of runs to show beside those of the board")
    selected_runs.tag(sync=True)
    run_colors = traitlets.Dict(key_trait=traitlets.Unicode(), value_trait=traitlets.Unicode(), help="'#rrggbb' by id")
    run_colors.tag(sync=True)
    group_by = traitlets.Unicode("", help="'', 'group', or 'config.KEY': runs drawn as one").tag(sync=True)
    band = traitlets.Enum(["minmax", "std", "none"], "minmax", help="what is drawn around a group's mean").tag(
        sync=True
    )

    panel = traitlets.Enum(["", "runs", "compare"], "", help="what is open beside the charts").tag(sync=True)
    run_filter = traitlets.Unicode("", help="text or a regular expression").tag(sync=True, echo_update=False)
    run_sort = traitlets.Unicode("", help="a column of the runs panel; '-' before it: the largest first").tag(sync=True)
    run_columns = traitlets.List(traitlets.Unicode(), help="columns of the runs panel; []: the usual ones")
    run_columns.tag(sync=True)

    @traitlets.validate("x_axis")
    def _check_x_axis(self, proposal: Any) -> str:
        name: str = proposal["value"]
        if not name:
            raise traitlets.TraitError("x_axis is 'step', 'relative', 'time' or the name of a metric, not ''")
        return name

    @traitlets.validate("chart_height")
    def _check_chart_height(self, proposal: Any) -> int:
        height: int = proposal["value"]
        if height and not SMALLEST_CHART <= height <= LARGEST_CHART:
            raise traitlets.TraitError(f"chart_height is {SMALLEST_CHART} to {LARGEST_CHART} pixels or 0, not {height}")
        return height

    @traitlets.validate("run_colors")
    def _check_run_colors(self, proposal: Any) -> dict[str, str]:
        colors: dict[str, str] = proposal["value"]
        for run, color in colors.items():
            if not _COLOR.fullmatch(color):
                raise traitlets.TraitError(f"run_colors[{run!r}] is a color like '#2347d9', not {color!r}")
        return colors


TRAITS = frozenset(View.class_trait_names(sync=True))  # what a front end may set
