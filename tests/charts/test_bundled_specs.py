from __future__ import annotations

import json
import re
import subprocess
import sys
from typing import Any

import altair as alt
import pytest
import vl_convert

from trackbook.charts import bundled_specs, metric_spec, theme

FIELDS = {
    "run",
    "step",
    "time",
    "value",
    "smooth",
    "x",
    "mark",
    "part",
    "color",
    "dash",
    "text",
    "low",
    "high",
    "y",
    "drawn",
    "axis",
    "index",
    "at",
}


def everything_under(node: Any, key: str) -> list[Any]:
    if isinstance(node, list):
        return [found for item in node for found in everything_under(item, key)]
    if isinstance(node, dict):
        own = [node[key]] if key in node else []
        return own + [found for item in node.values() for found in everything_under(item, key)]
    return []


CHARTS = {
    **{name: spec for name, spec in bundled_specs.specs().items() if name not in ("line", "config")},
    **{f"line-{axis}": metric_spec.line(axis) for axis in ("step", "relative", "time", "metric")},
    "line-log": metric_spec.line("step", x_log=True, y_log=True),
}


@pytest.mark.parametrize("name", sorted(bundled_specs.specs()))
def test_the_committed_specs_are_up_to_date(name: str) -> None:
    committed = json.loads((theme.FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    assert committed == bundled_specs.specs()[name], (
        "run `python -m trackbook.charts.bundled_specs` and commit what it writes"
    )


def test_every_committed_file_is_generated() -> None:
    assert {path.stem for path in theme.FOLDER.glob("*.json")} - {"theme"} == set(bundled_specs.specs())


@pytest.mark.parametrize("name", sorted(CHARTS))
def test_a_spec_reads_only_the_named_dataset_and_its_fixed_fields(name: str) -> None:
    spec = CHARTS[name]
    assert spec["data"] == {"name": "points", "format": {"parse": None}}  # parsed, Vega would copy every row
    assert everything_under(spec, "url") == []
    assert [values for values in everything_under(spec, "values") if "expr" not in values] == []  # those of an axis
    assert set(everything_under(spec, "field")) <= FIELDS


@pytest.mark.parametrize("name", sorted(CHARTS))
def test_a_spec_is_valid_for_altair(name: str) -> None:
    chart = alt.Chart.from_dict(CHARTS[name])  # raises where the schema does not allow it
    again = chart.to_dict()
    assert {key: again[key] for key in CHARTS[name]} == CHARTS[name]


@pytest.mark.parametrize("name", ["light", "dark"])
def test_the_configuration_is_valid_for_altair(name: theme.Theme) -> None:
    alt.Config.from_dict(theme.config(name)).to_dict()


def test_the_axes_of_the_live_chart_are_those_of_line() -> None:
    committed = bundled_specs.specs()["line"]
    for axis in ("step", "relative", "time", "metric"):
        assert {"x": committed["x"][axis], "y": committed["y"]["linear"]}.items() <= metric_spec.line(axis)[
            "encoding"
        ].items()
    log = metric_spec.line("metric", x_log=True, y_log=True)["encoding"]
    assert (committed["x"]["metric-log"], committed["y"]["log"]) == (log["x"], log["y"])


@pytest.mark.parametrize(
    ("low", "high", "shown"),
    [
        (1e6 - 0.001, 1e6 + 0.001, ["-0.001", "-0.0005", "1,000,000", "+0.0005", "+0.001"]),
        (1e6 + 0.003, 1e6 + 0.005, ["-0.001", "-0.0005", "1,000,000.004", "+0.0005", "+0.001"]),
        (1e6, 1e6 + 0.009, ["-0.004", "-0.002", "1,000,000.004", "+0.002", "+0.004"]),
        (1e9 + 0.0001, 1e9 + 0.0009, ["-0.0004", "-0.0002", "1,000,000,000.0006", "+0.0002"]),
        (-1e9 - 0.0009, -1e9 - 0.0001, ["-0.0004", "-0.0002", "-1,000,000,000.0004", "+0.0002"]),
        (1e12 + 0.01, 1e12 + 0.09, ["-0.04", "-0.02", "1,000,000,000,000.06"]),
    ],
)
@pytest.mark.parametrize("log", [False, True])
def test_ticks_with_many_digits_in_common_show_their_distance(
    low: float, high: float, shown: list[str], *, log: bool
) -> None:
    if low > 0 or not log:
        assert [text for text in y_labels(low, high, log=log) if text in shown] == shown


def test_ticks_with_few_digits_in_common_are_labelled_in_full() -> None:
    shown = ["0.996M", "0.998M", "1M", "1.002M"]
    assert [text for text in y_labels(995_000, 1_003_000) if text in shown] == shown


def y_labels(low: float, high: float, *, log: bool = False) -> list[str]:
    """Return the texts of the live chart of a line from `low` to `high`."""
    rows = [{"x": x, "smooth": y, "mark": "line", "run": "a"} for x, y in enumerate((low, high))]
    spec = metric_spec.line("step", {"values": rows}, y_log=log) | {"width": 300, "height": 150}
    spec["params"] = [param | ({"value": log} if param["name"] == "y_log" else {}) for param in spec["params"]]
    svg = vl_convert.vegalite_to_svg(spec)
    return [text.replace("\N{MINUS SIGN}", "-") for text in re.findall(r">([^<>]+)</text>", svg)]


@pytest.mark.parametrize(
    ("first", "last", "shown"),
    [
        (42.700, 42.730, [":42.700", ":42.710", ":42.720", ":42.730"]),
        (42.100, 42.900, [":42.200", ":42.400", ":42.600", ":42.800"]),
        (42.1, 46, [":43", ":44", ":45", ":46"]),
        (31, 50, [":31", ":32"]),
    ],
)
def test_clock_times_within_a_minute_begin_with_a_whole_time(first: float, last: float, shown: list[str]) -> None:
    rows = [{"x": 1764521400e3 + 1e3 * at, "smooth": 1, "mark": "line", "run": "a"} for at in (first, last)]
    svg = vl_convert.vegalite_to_svg(metric_spec.line("time", {"values": rows}) | {"width": 300, "height": 150})
    whole, *later = re.findall(r">([^<>]*:[^<>]*)</text>", svg)
    assert re.fullmatch(r"[01]\d:[0-5]\d" + re.escape(shown[0]), whole)
    assert later[: len(shown) - 1] == shown[1:]


def marks(**options: Any) -> list[str]:
    """The marks of the layers of a chart that is not live."""
    spec = metric_spec.line(colors={"a": "#123456"}, layers=["line"], options=options)
    return [layer["mark"]["type"] for layer in spec["layer"]]


def test_marks_on_points_are_a_layer_of_their_own() -> None:
    assert marks() == ["line"]
    assert marks(marks=True) == ["line", "circle"]
    live = metric_spec.line()
    assert {"name": "marks", "value": False} in live["params"]
    assert [{"filter": "marks && datum.mark == 'line'"}] in [layer["transform"] for layer in live["layer"]]


def test_charts_are_made_without_altair() -> None:
    code = "import sys, trackbook.charts.snapshot, trackbook.charts.bundled_specs as s; s.specs(); assert 'altair' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_write_makes_one_readable_file_each(tmp_path: Any) -> None:
    bundled_specs.write(tmp_path)
    assert {path.stem for path in tmp_path.iterdir()} == set(bundled_specs.specs())
    assert all(path.read_text(encoding="utf-8").endswith("}\n") for path in tmp_path.iterdir())


def test_axes_of_parallel_coordinates_are_in_order_and_their_names_fit() -> None:
    axes = ["config.lr", "config.trainer.output_dir", *(f"config.key{n}" for n in range(4)), "summary.loss"]
    rows = [
        {"run": "a", "color": "red", "drawn": True, "axis": axis, "index": index, "at": 0.5, "mark": "line"}
        for index, axis in enumerate(axes)
    ]
    spec = bundled_specs.parallel() | {"width": 560, "height": 100}
    spec["data"] = {"values": rows[::-1]}
    texts = re.findall(r"<text[^>]*>([^<]+)</text>", vl_convert.vegalite_to_svg(spec))
    assert texts == ["lr", "…output_dir", "key0", "key1", "key2", "key3", "loss"]
