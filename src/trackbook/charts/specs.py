"""The board's own charts, as Altair charts of a named dataset.

The live path never imports this module (Altair takes seconds to import in a JupyterLab environment): the front end
bundles the JSON in ``vega_lite/``, which ``python -m trackbook.charts.specs`` writes anew.

A chart reads the dataset ``points``, whose field names are fixed. Metric and run names are values in it, never field
names or expressions, so that no name can break a chart or inject one:

=========  ============================================================================================
``run``    the run's label, unique on its board
``metric`` the metric's name; only in charts of a user's own, which may draw several
``step``   the step
``time``   seconds since 1970, UTC
``value``  the value as logged; NaN and the infinities stay what they are
``smooth`` the smoothed value; equal to ``value`` where smoothing is off
``x``      the place on the x axis: the step, milliseconds since the run's start or since 1970, or a metric's value
``mark``   ``line``, ``dot`` (a run's only point), ``NaN``, ``Infinity``, ``-Infinity``, or ``below`` (not above zero,
           where the axis is logarithmic)
``color``  the run's colour
``dash``   the run's dash pattern
``text``   the value as the board prints it
``low``    the lower edge of what is drawn around the mean of a group of runs
``high``   the upper edge
``y``      in a scatter: the place on the y axis
``drawn``  in comparisons: whether the board draws the run
``axis``   in parallel coordinates: what an axis shows
``index``  the axis, counted from 0
``at``     the place on that axis, from 0 to 1
=========  ============================================================================================
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final, Literal

import altair as alt

XAxis = Literal["step", "relative", "time", "metric"]
Layers = alt.LayerChart | alt.FacetChart  # what Altair's annotations promise of `alt.layer`

# Without a parse: Vega would else copy every row to make numbers of what are numbers, and remember each copy for ever.
_POINTS: Final = alt.NamedData("points", format=alt.DataFormat(parse=None))  # type: ignore[no-untyped-call]
SPECS: Final = Path(__file__).parent / "vega_lite"


def value_label(axis: Literal["x", "y"]) -> str:
    """Return the expression of a tick's label: 1.234567M, 1e-5; in between, d3 knows how many digits ticks need.

    All labels of a linear axis are written in one way, that of the largest; on a logarithmic axis (which leaves labels
    out, as empty ones, but for less than a decade that would be nearly all) each is written in its own.
    """
    low, high = f"domain('{axis}')[0]", f"domain('{axis}')[1]"
    linear = f"max(abs({low}), abs({high}))"
    size = f"({axis}_log ? abs(datum.value) : {linear})"
    return (
        f"datum.label == '' && {high} > 10 * {low} ? '' : datum.value == 0 ? '0'"
        f" : {size} < 1e-3 || {size} >= 1e15 ? replace(format(datum.value, '.4~e'), 'e+', 'e')"
        f" : {size} >= 1e4 ? format(datum.value, '.12~s')"
        f" : {axis}_log ? format(datum.value, '~g') : datum.label"
    )


STEP_LABEL: Final = "format(datum.value, '.12~s')"
# A duration is a time of 1970: 0:05, 0:05.250, 1:30, 2h, 2h30, 3d.
DURATION_LABEL: Final = (
    "datum.value < 36e5 ? floor(datum.value / 6e4) + ':' + utcFormat(datum.value, datum.value % 1e3 ? '%S.%L' : '%S')"
    " : datum.value < 1728e5 ? floor(datum.value / 36e5) + 'h' + (datum.value % 36e5 ? utcFormat(datum.value, '%M') : '')"
    " : format(datum.value / 864e5, '.3~r') + 'd'"
)


def line(x_axis: XAxis = "step") -> Layers:
    """Draw one metric over ``x``: a line a run, a dot for a lonely point, marks on the frame for what is not finite."""
    zoomed = alt.expr("x_window != null || y_window != null")  # else half of a line along the frame would be cut off
    base = alt.Chart(_POINTS).encode(
        x=_x(x_axis),
        color=alt.Color("color:N", scale=None, legend=None),
        detail="run:N",
    )
    stroke = base.mark_line(clip=zoomed, strokeWidth=1.5, strokeJoin="round").encode(
        strokeDash=alt.StrokeDash("dash:N", scale=None, legend=None)
    )
    raw = stroke.transform_filter("smoothing > 0 && datum.mark == 'line'").encode(
        y=_y("value"), opacity=alt.value(0.25)
    )
    smooth = stroke.transform_filter("datum.mark == 'line'").encode(y=_y("smooth"))
    dots = (
        base.mark_circle(clip=zoomed, size=40, opacity=1).transform_filter("datum.mark == 'dot'").encode(y=_y("value"))
    )
    return alt.layer(_band(base, zoomed), raw, smooth, dots, _not_finite(base)).add_params(
        alt.param("smoothing", value=0),
        alt.param("x_window", value=None),  # what is zoomed to; null shows everything
        alt.param("y_window", value=None),
        alt.param("x_log", value=False),  # set where the front end makes an axis logarithmic
        alt.param("y_log", value=False),
    )


def _band(base: alt.Chart, zoomed: Any) -> alt.Chart:
    """Draw what is around the mean of a group of runs."""
    band: alt.Chart = (
        base.mark_area(clip=zoomed, opacity=0.18)
        .transform_filter("isValid(datum.low) && isValid(datum.high)")
        .encode(y=_y("low"), y2="high:Q")
    )
    return band


def bar() -> Layers:
    """Draw a metric of which every run has one value: a bar a run, with the value beside it."""
    largest_first = alt.EncodingSortField("value", op="max", order="descending")
    y = alt.Y("run:N", title=None, sort=largest_first, axis=alt.Axis(labelLimit=120, grid=False))
    x = alt.X(
        "value:Q",
        title=None,
        axis=None,
        scale=alt.Scale(zero=True, nice=False, rangeMax=alt.ExprRef("width - 60")),  # leaves room for the numbers
    )
    base = alt.Chart(_POINTS).encode(y=y)
    bars = base.mark_bar(height=alt.RelativeBandSize(0.6)).encode(
        x=x, color=alt.Color("color:N", scale=None, legend=None)
    )
    text = base.mark_text(align="right").encode(x=alt.value("width"), text="text:N")
    return alt.layer(bars, text)


def scatter() -> Layers:
    """Draw a dot a run at ``x`` and ``y``: numbers, logarithms (``x_log``), or places in a list of names (``x_names``)."""
    dots = (
        alt.Chart(_POINTS)
        .mark_circle(clip=False)
        .encode(
            x=alt.X("x:Q", title=None, scale=_COMPARED, axis=_compared_axis("x")),
            y=alt.Y("y:Q", title=None, scale=_COMPARED, axis=_compared_axis("y")),
            color=alt.Color("color:N", scale=None, legend=None),
            size=alt.condition("datum.drawn", alt.value(70), alt.value(36)),
            opacity=alt.condition("datum.drawn", alt.value(1), alt.value(0.6)),
        )
    )
    return alt.layer(dots).add_params(
        *(alt.param(f"{axis}_{what}", value=None) for axis in ("x", "y") for what in ("names", "log"))
    )


def parallel() -> Layers:
    """Draw a line a run through its places ``at`` (0 to 1) on each ``axis``, with the axes' ticks as texts."""
    x = alt.X(
        "axis:N",
        title=None,
        sort=None,
        scale=alt.Scale(type="point", padding=0.35),
        axis=alt.Axis(
            orient="top",
            domain=False,
            ticks=False,
            labelAngle=0,
            labelLimit=110,
            labelOverlap=False,
            labelFlush=False,
            labelPadding=12,
            labelExpr="slice(datum.label, indexof(datum.label, '.') + 1)",  # config.lr
        ),
    )
    y = alt.Y("at:Q", title=None, axis=None, scale=alt.Scale(domain=[0, 1]))
    base = alt.Chart(_POINTS).encode(x=x)
    rules = base.mark_rule(strokeWidth=1, opacity=0.5, color="#8b93a1").transform_aggregate(groupby=["axis"])
    lines = (
        base.mark_line(strokeWidth=1.5, strokeJoin="round")
        .transform_filter("datum.mark == 'line'")
        .encode(
            y=y,
            detail="run:N",
            color=alt.Color("color:N", scale=None, legend=None),
            order="index:Q",
            opacity=alt.condition("datum.drawn", alt.value(1), alt.value(0.3)),
        )
    )
    ticks = base.transform_filter("datum.mark == 'tick'").encode(y=y, text="text:N")
    beside: dict[str, Any] = {"align": "left", "baseline": "middle", "dx": 5, "fontSize": 11}
    halo = ticks.mark_text(stroke=alt.expr("ground"), strokeWidth=4, **beside)
    texts = ticks.mark_text(**beside)
    return alt.layer(rules, lines, halo, texts).add_params(alt.param("ground", value="white"))


_COMPARED: Final = alt.Scale(zero=False, nice=True, padding=6)


def _compared_axis(axis: Literal["x", "y"]) -> alt.Axis:
    names, log = f"{axis}_names", f"{axis}_log"
    return alt.Axis(
        grid=True,
        tickCount=4,
        labelLimit=100,
        labelOverlap=True,
        tickMinStep=alt.ExprRef(f"{names} || {log} ? 1 : 0"),
        labelExpr=f"{names} ? ({names}[datum.value] || '') : {log} ? format(pow(10, datum.value), '.3~g') : {value_label(axis)}",
    )


def specs() -> dict[str, dict[str, Any]]:
    """Return the Vega-Lite specification of every chart the front end bundles, by name."""
    charts = {
        "line-step": line("step"),
        "line-relative": line("relative"),
        "line-time": line("time"),
        "line-metric": line("metric"),
        "bar": bar(),
        "scatter": scatter(),
        "parallel": parallel(),
    }
    return {name: _plain(chart) for name, chart in charts.items()}


def write(folder: Path = SPECS) -> None:
    folder.mkdir(exist_ok=True)
    for name, spec in specs().items():
        text = json.dumps(spec, indent=2, sort_keys=True, ensure_ascii=False)
        (folder / f"{name}.json").write_text(text + "\n", encoding="utf-8")


def _x(x_axis: XAxis) -> alt.X:
    window = alt.ExprRef("x_window")
    if x_axis == "step":
        return alt.X(
            "x:Q",
            title=None,
            scale=alt.Scale(zero=False, nice=False, domainRaw=window),
            axis=alt.Axis(tickMinStep=1, labelExpr=STEP_LABEL),
        )
    if x_axis == "metric":
        return alt.X(
            "x:Q",
            title=None,
            scale=alt.Scale(zero=False, nice=False, domainRaw=window),
            axis=alt.Axis(labelExpr=value_label("x")),
        )
    if x_axis == "relative":
        return alt.X(
            "x:T",
            title=None,
            scale=alt.Scale(type="utc", nice=False, domainRaw=window),
            axis=alt.Axis(labelExpr=DURATION_LABEL),
        )
    return alt.X("x:T", title=None, scale=alt.Scale(nice=False, domainRaw=window))


def _y(field: Literal["value", "smooth", "low"]) -> alt.Y:
    return alt.Y(
        f"{field}:Q",
        title=None,
        scale=alt.Scale(zero=False, nice=True, domainRaw=alt.ExprRef("y_window")),
        axis=alt.Axis(tickCount=4, labelExpr=value_label("y"), minExtent=34),
    )


def _not_finite(base: alt.Chart) -> alt.Chart:
    """Mark NaN, -inf and what a logarithm does not have on the lower edge of the frame, +inf on the upper."""
    is_nan, is_infinity = "datum.mark == 'NaN'", "datum.mark == 'Infinity'"
    marks: alt.Chart = (
        base.mark_point(
            size=42,
            strokeWidth=1.25,
            opacity=1,
            shape=alt.expr(f"{is_nan} ? 'diamond' : {is_infinity} ? 'triangle-up' : 'triangle-down'"),
        )
        .transform_filter(f"{is_nan} || {is_infinity} || datum.mark == '-Infinity' || datum.mark == 'below'")
        .encode(y=alt.value(alt.expr(f"{is_infinity} ? 0 : height")))
    )
    return marks


def _plain(chart: Layers) -> dict[str, Any]:
    """Drop what names Altair's version or is the front end's to decide (theme, size)."""
    spec: dict[str, Any] = chart.to_dict()
    return {key: value for key, value in spec.items() if key not in {"$schema", "config", "usermeta"}}


if __name__ == "__main__":
    write()
