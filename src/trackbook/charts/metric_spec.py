"""The chart of one metric as a Vega-Lite specification: lines, or bars if each run has a single value.

`line` makes the chart that the front end bundles, the chart of ``board["train/loss"]``, and the charts of the saved picture.
Specifications are plain dicts, so that showing or saving a board does not import Altair (1.5 s); a test validates them
against Altair's schema.

A chart reads a dataset with fixed field names. Metric and run names are values in it, never field names or
expressions, so that a name can neither break a chart nor inject code:

=========  ===========================================================================================
``run``    label of the run, unique on its board
``metric`` name of the metric; only in users' own charts, which may draw several metrics
``step``   step
``time``   seconds since 1970, UTC
``value``  value as logged, NaN and infinities included
``smooth`` smoothed value; equal to ``value`` if smoothing is off
``x``      position on the x axis: a step, milliseconds since the run's start or since 1970, or a metric's value
``mark``   ``line``, ``dot`` (the only point of a run), ``NaN``, ``Infinity``, ``-Infinity``, or ``below`` (zero or
           negative on a logarithmic axis), ``reference`` (a horizontal line), ``best`` (the best value of the chart)
``part``   number of the section of finite values, from 0: a line has a gap between two sections
``color``  color of the run
``dash``   dash pattern of the run
``faint``  whether the line is one of many, drawn thin in a transparent color; missing in the others
``text``   value as the board prints it
``low``    lower edge of the band around the mean of a group of runs
``high``   upper edge of the band
``y``      in a scatter plot: position on the y axis
``drawn``  in comparisons: whether the board draws the run
``axis``   in parallel coordinates: the name of the axis
``index``  in parallel coordinates: number of the axis, from 0
``at``     in parallel coordinates: position on the axis, from 0 to 1
=========  ===========================================================================================
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final, Literal

Spec = dict[str, Any]
XAxis = Literal["step", "relative", "time", "metric"]
Layer = Literal["band", "reference", "raw", "line", "points", "dots", "best", "not finite"]

MOST_NAMED: Final = 30  # runs of a legend
# The look of the rows, in a chart beside others: `legend: None` of one layer would remove the legend of all.
ROW_COLOR: Final[Spec] = {"field": "color", "type": "nominal", "scale": None}
ROW_DASH: Final[Spec] = {"strokeDash": {"field": "dash", "type": "nominal", "scale": None}}
LAYERS: Final[tuple[Layer, ...]] = ("band", "reference", "raw", "line", "points", "dots", "best", "not finite")
OPTIONS: Final[dict[str, Any]] = {"smoothing": 0, "marks": False}
# Without parsing, for which Vega would copy every row, although all numbers are numbers, and keep the copies.
NAMED: Final[Spec] = {"name": "points", "format": {"parse": None}}

STEP_LABEL: Final = "format(datum.value, '.12~s')"
# Durations are formatted as times of 1970: 0:05, 0:05.250, 1:30, 2h, 2h30, 3d.
DURATION_LABEL: Final = (
    "datum.value < 36e5 ? floor(datum.value / 6e4) + ':' + utcFormat(datum.value, datum.value % 1e3 ? '%S.%L' : '%S')"
    " : datum.value < 1728e5 ? floor(datum.value / 36e5) + 'h' + (datum.value % 36e5 ? utcFormat(datum.value, '%M') : '')"
    " : format(datum.value / 864e5, '.3~r') + 'd'"
)


def clock_axis(scale: str) -> Spec:
    """Return the axis of clock times: Vega's own, with labels like 04:50, but on less than a minute the first label is a whole time.

    Vega has one tick, without its second, where all times are within a second.
    """
    span = f"(domain('{scale}')[1] - domain('{scale}')[0])"
    power = f"pow(10, floor(log({span}) / LN10))"
    step = f"max(1, {power} * ({span} / {power} < 2 ? 0.5 : {span} / {power} < 5 ? 1 : 2))"
    from_, to = f"ceil(domain('{scale}')[0] / {step}) * {step}", f"+domain('{scale}')[1] + 1e-3"
    later = "datum.value % 6e4 ? timeFormat(datum.value, datum.value % 1e3 ? ':%S.%L' : ':%S') : datum.label"
    first = "timeFormat(datum.value, datum.value % 1e3 ? '%I:%M:%S.%L' : '%I:%M:%S')"
    return {
        "labelExpr": f"{span} < 6e4 ? (datum.index > 0 ? {later} : {first}) : datum.label",
        "labelOverlap": "greedy",
        "labelSeparation": 8,
        "values": {"expr": f"{span} > 0 && {span} < 5e3 ? sequence({from_}, {to}, {step}) : null"},
    }


def whole_steps(scale: str) -> str:
    """Return the expression for the ticks of an axis with few steps, so that none is between steps; null for more steps."""
    low, high = f"domain('{scale}')[0]", f"domain('{scale}')[1]"
    return f"{high} - {low} < 5 ? sequence(ceil({low}), floor({high}) + 1) : null"


def value_label(scale: str, log: str, *, offsets: bool = True) -> str:
    """Return the expression for a tick's label: 1.234567M, 1e-5, and between these as many digits as d3 considers necessary.

    All labels of a linear axis have the form and the unit of the largest. If they had more than five digits in common, one tick is
    labelled in full, 1,000,000, and the others by their difference, +0.001. On a logarithmic axis each other label has its own form; Vega
    leaves most of them empty there, but needs all of them on less than a decade. `scale` is the name of the axis's scale, and `log`
    the expression for whether it is logarithmic. Without `offsets`, which take 2 KB, every tick is labelled in full.
    """
    low, high = f"domain('{scale}')[0]", f"domain('{scale}')[1]"
    largest = (
        f"max(abs(datum.value), -{low} || 0, {high} || 0)"  # in a user's chart of charts the scale has another name
    )
    thousands = f"min(4, floor(log({largest}) / LN10 / 3 + 1e-9))"
    unit = f"format(datum.value / pow(1000, {thousands}), '.12~r') + slice('kMGT', {thousands} - 1, {thousands})"
    whole = {
        "true": f"datum.label == '' && {high} > 10 * {low} ? '' : {_label('abs(datum.value)', SI, PLAIN)}",
        "false": _label(largest, unit, "datum.label"),
    }
    label = whole.get(log) or f"{log} ? ({whole['true']}) : {whole['false']}"
    if not offsets:
        return label
    span = f"({high} - {low})"
    exponent = f"floor(log({span}) / LN10)"
    power = f"pow(10, {exponent})"
    distance = f"({power} * ({span} / {power} < 5 ? 1 : 2))"  # at least one tick is a multiple of it
    base = f"(round(({low} + {high}) / 2 / {distance}) * {distance})"
    digits = f"min(17, floor(log({largest}) / LN10 + 1e-9) - {exponent} + 1)"  # all that a multiple of the distance has
    offset = (
        f"abs(datum.value - {base}) < {span} / 1e3 ? format({base}, ',.' + {digits} + '~r')"
        f" : format(datum.value - {base}, '+.3~g')"
    )
    return f"{span} < {largest} * 1e-5 ? ({offset}) : {label}"


SI: Final = "format(datum.value, '.12~s')"
PLAIN: Final = "format(datum.value, '~g')"


def _label(size: str, large: str, usual: str) -> str:
    return (
        f"datum.value == 0 ? '0' : {size} < 1e-3 || {size} >= 1e15 ? replace(format(datum.value, '.4~e'), 'e+', 'e')"
        f" : {size} >= 1e4 ? {large} : {usual}"
    )


def line(
    x_axis: XAxis = "step",
    data: Spec | None = NAMED,
    *,
    colors: Mapping[str, str] | None = None,
    dashes: Mapping[str, Sequence[int]] | None = None,
    by_row: bool = False,
    values: Sequence[str] = (),
    layers: Collection[Layer] = LAYERS,
    x_log: bool = False,
    y_log: bool = False,
    y_window: Sequence[float] | None = None,
    clipped: bool = False,
    options: Mapping[str, Any] = OPTIONS,
    scales: str = "",
    offsets: bool = False,
    has_faint: bool = False,
) -> Spec:
    """Return the chart of one metric over ``x``: a line for each run, a dot for a single point, marks for non-finite values.

    Parameters
    ----------
    x_axis
        The kind of ``x``.
    data
        Vega-Lite data; None inherits those of the enclosing chart.
    colors
        Colors by run, shown in a legend. None makes the live chart, whose rows have colors, and whose windows, scales and
        smoothing are parameters.
    dashes
        Dash patterns by run, with `colors`.
    by_row
        Whether color and dash pattern are those of the rows also in a chart with `colors`, which then has no legend: a chart of a
        board, whose `legend_layer` explains the colors of all.
    values
        Texts behind the names in the legend, in the order of `colors`.
    layers
        Layers to draw; those without rows can be left out.
    x_log, y_log
        Whether the axes are logarithmic; in the live chart this changes only the axes.
    y_window
        The range of the y axis; None follows the data. `clipped` means that rows may be outside of it.
    options
        The view settings that are parameters of the charts, with their defaults in `OPTIONS`. In the live chart they are
        Vega-Lite parameters.
    scales
        Prefix of the scales' names, for a chart inside another.
    offsets
        Whether ticks of values that share their first five digits are labelled by offsets; in the live chart always.
    has_faint
        Whether rows are of faint lines, which are thinner; in the live chart always.
    """
    live, options = colors is None, {**OPTIONS, **options}
    color, dash = (ROW_COLOR, ROW_DASH) if by_row else by_run(colors, dashes, values)
    zoomed = {"expr": "x_window != null || y_window != null"}  # else lines along the frame would be cut in half
    made = _layers(live, {"clip": zoomed if live else clipped}, dash, options, has_faint=live or has_faint)
    drawn = LAYERS if live else [*layers, *(["points"] if options["marks"] else [])]
    shared = {
        "x": x_encoding(x_axis, log=x_log, live=live, scales=scales),
        "y": y_encoding(log=y_log, window=y_window, clipped=clipped, live=live, scales=scales, offsets=offsets),
        "color": color,
        "detail": {"field": "run", "type": "nominal"},
    }
    spec: Spec = {} if data is None else {"data": data}
    spec |= {"encoding": shared, "layer": [made[name] for name in LAYERS if name in drawn]}
    params = [{"name": name, "value": value} for name, value in (OPTIONS | PARAMS).items()]
    return spec | ({"params": params} if live else {})


def _layers(live: bool, clip: Spec, dash: Spec, options: Mapping[str, Any], *, has_faint: bool) -> dict[Layer, Spec]:
    width: Any = {"expr": "datum.faint ? 0.75 : 1.5"} if has_faint else 1.5
    own_color = {} if live else {"color": ROW_COLOR}
    stroke = {"type": "line", "strokeWidth": width, "strokeJoin": "round", **clip}

    def lines(option: str = "") -> list[Spec]:
        return [{"filter": f"{option} && datum.mark == 'line'" if live and option else "datum.mark == 'line'"}]

    parts = {"detail": [{"field": name, "type": "nominal"} for name in ("run", "part")]}
    drawn = number("smooth" if live or options["smoothing"] else "value")
    return {
        "band": {
            "mark": {"type": "area", "opacity": 0.18, **clip},
            "transform": [{"filter": "isValid(datum.low) && isValid(datum.high)"}],
            "encoding": {"y": number("low"), "y2": {"field": "high"}},
        },
        "reference": {
            "mark": {"type": "rule", "strokeWidth": 1, "strokeDash": [4, 3], **clip},
            "transform": [{"filter": "datum.mark == 'reference'"}],
            "encoding": {"y": number("value"), "x": {"value": 0}, "x2": {"value": "width"}, **own_color},
        },
        "raw": {
            "mark": stroke,
            "transform": lines("smoothing > 0"),
            "encoding": {"y": number("value"), "opacity": {"value": 0.25}, **parts, **dash},
        },
        "line": {"mark": stroke, "transform": lines(), "encoding": {"y": drawn, **parts, **dash}},
        "points": {
            "mark": {"type": "circle", "size": 14, "opacity": 1, **clip},
            "transform": lines("marks"),
            "encoding": {"y": drawn},
        },
        "dots": {
            "mark": {"type": "circle", "size": 40, "opacity": 1, **clip},
            "transform": [{"filter": "datum.mark == 'dot'"}],
            "encoding": {"y": number("value")},
        },
        "best": {
            "mark": {"type": "point", "size": 55, "strokeWidth": 1.5, "opacity": 1, **clip},
            "transform": [{"filter": "datum.mark == 'best'"}],
            "encoding": {"y": number("value"), **own_color},
        },
        "not finite": _not_finite(),
    }


PARAMS: Final[dict[str, Any]] = {
    "x_window": None,  # the zoomed range; null shows everything
    "y_window": None,
    "x_log": False,
    "y_log": False,
}


def x_encoding(x_axis: XAxis, *, log: bool = False, live: bool = True, scales: str = "") -> Spec:
    """Return the x axis of `line`. A logarithmic axis shows plain numbers, because time scales have no logarithm."""
    window = {"domainRaw": {"expr": "x_window"}} if live else {}
    label = {
        "step": STEP_LABEL,
        "relative": DURATION_LABEL,
        "metric": value_label(f"{scales}x", "x_log" if live else str(log).lower(), offsets=live),
    }.get(x_axis)
    axis = clock_axis(f"{scales}x") if label is None else {"labelExpr": label}
    if log:
        axis |= LOG_TICKS
        scale: Spec = {"type": "log", "nice": False}
    elif x_axis in ("step", "metric"):
        axis |= {"values": {"expr": whole_steps(f"{scales}x")}} if x_axis == "step" else {}
        scale = {"zero": False, "nice": False}
    else:
        scale = {"nice": False} | ({"type": "utc"} if x_axis == "relative" else {})
    kind = "quantitative" if log or x_axis in ("step", "metric") else "temporal"
    return {"field": "x", "type": kind, "title": None, "scale": scale | window, "axis": axis}


def y_encoding(
    *,
    log: bool = False,
    window: Sequence[float] | None = None,
    clipped: bool = False,
    live: bool = True,
    scales: str = "",
    offsets: bool = False,
) -> Spec:
    """Return the y axis of `line`; its layers add the field."""
    scale: Spec = {"type": "log", "nice": False} if log else {"zero": False, "nice": window is None or not clipped}
    if live:
        scale["domainRaw"] = {"expr": "y_window"}
    elif window is not None:
        scale["domain"] = list(window)
    axis = {
        "tickCount": 4,
        "labelExpr": value_label(f"{scales}y", "y_log" if live else str(log).lower(), offsets=live or offsets),
        "minExtent": 34,
    }
    return {"title": None, "scale": scale, "axis": axis | (LOG_TICKS if log else {})}


LOG_TICKS: Final[Spec] = {"tickCount": 4, "labelOverlap": "greedy"}


def number(field: str) -> Spec:
    return {"field": field, "type": "quantitative"}


def by_run(
    colors: Mapping[str, str] | None, dashes: Mapping[str, Sequence[int]] | None, values: Sequence[str] = ()
) -> tuple[Spec, Spec]:
    """Return the encodings of color and dash pattern: from the rows, or by run, with a legend for several runs.

    The legend has the last `MOST_NAMED` runs, with their `values`.
    """
    if colors is None:
        own = {"type": "nominal", "scale": None, "legend": None}
        return {"field": "color", **own}, {"strokeDash": {"field": "dash", **own}}
    symbols = {"symbolType": "stroke", "symbolStrokeWidth": 2, "symbolOpacity": 1}
    runs = list(colors)
    legend: Spec = {"title": None, **symbols}
    if len(runs) > MOST_NAMED:
        legend["values"] = runs[-MOST_NAMED:]
    if values:  # numbers: a name would not belong into an expression
        legend["labelExpr"] = f"datum.label + '  ' + {json.dumps(list(values[-MOST_NAMED:]))}[datum.index]"
    # no `sort`: a list of names would become an expression that holds them, and the domain has their order
    of_run = {"field": "run", "type": "nominal", "sort": None, "legend": legend if len(runs) > 1 else None}
    color = {**of_run, "scale": {"domain": runs, "range": list(colors.values())}}
    if not dashes or not any(dashes.values()):
        return color, {}
    ranges = [list(dashes[run]) or [1, 0] for run in runs]
    return color, {"strokeDash": {**of_run, "scale": {"domain": runs, "range": ranges}}}


def legend_layer(colors: Mapping[str, str]) -> Spec:
    """Return a layer without marks, whose legend explains the colors of runs on a board."""
    color = by_run(colors, None)[0]
    nowhere = {"x": {"value": 0}, "y": {"value": 0}}
    rows = [{"run": run} for run in colors]
    return {"data": {"values": rows}, "mark": {"type": "point", "opacity": 0}, "encoding": {**nowhere, "color": color}}


def _not_finite() -> Spec:
    """Mark NaN, -inf and values without a logarithm on the lower edge of the frame, +inf on the upper edge."""
    is_nan, is_infinity = "datum.mark == 'NaN'", "datum.mark == 'Infinity'"
    shape = f"{is_nan} ? 'diamond' : {is_infinity} ? 'triangle-up' : 'triangle-down'"
    return {
        "mark": {"type": "point", "size": 42, "strokeWidth": 1.25, "opacity": 1, "shape": {"expr": shape}},
        "transform": [{"filter": f"{is_nan} || {is_infinity} || datum.mark == '-Infinity' || datum.mark == 'below'"}],
        "encoding": {
            "y": {"value": {"expr": f"{is_infinity} ? 0 : item.mark.group.height"}}
        },  # `height` is not an inner chart's,
    }


def bar(
    data: Spec | None = NAMED,
    *,
    colors: Mapping[str, str] | None = None,
    width: int | None = None,
    by_row: bool = False,
) -> Spec:
    """Return the chart of a metric with a single value for each run: a bar with its value, the largest first.

    `colors` and `by_row` are as in `line`. `width` is the width of the chart in pixels; None fits it to the page.
    """
    live = colors is None
    color = ROW_COLOR if by_row else by_run(colors, None)[0]
    largest_first = {"field": "value", "op": "max", "order": "descending"}
    end: Any = {"expr": "width - 60"} if width is None else width - 60  # leaves room for the values
    y = {
        "field": "run",
        "type": "nominal",
        "title": None,
        "sort": largest_first,
        "axis": {"labelLimit": 120, "grid": False},
    }
    x = {
        "field": "value",
        "type": "quantitative",
        "title": None,
        "axis": None,
        "scale": {"zero": True, "nice": False, "rangeMax": end},
    }
    text = (
        {"field": "text", "type": "nominal"} if live else {"field": "value", "type": "quantitative", "format": ".4~g"}
    )
    spec: Spec = {} if data is None else {"data": data}
    return spec | {
        "encoding": {"y": y},
        "layer": [
            {"mark": {"type": "bar", "height": {"band": 0.6}}, "encoding": {"x": x, "color": color}},
            {
                "mark": {"type": "text", "align": "right"},
                "encoding": {"x": {"value": "width" if width is None else width}, "text": text},
            },
        ],
    }
