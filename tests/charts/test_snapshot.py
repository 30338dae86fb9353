from __future__ import annotations

import dataclasses
import json
import math
import re
from typing import Any

import numpy as np
import pytest
import vl_convert

from trackbook.charts import snapshot
from trackbook.charts.board_design import ALONE, CONFIG, literal
from trackbook.charts.plot import DrawSettings
from trackbook.charts.snapshot import Chart, Snapshot, grouped, make_snapshot
from trackbook.charts.theme import config, theme
from trackbook.charts.thinning import corners, rounded, thinned
from trackbook.frames.picture import Picture

HOSTILE = "\"'</script>{{datum.x}}${1}__proto__\n,\u2028\u2029"


def run(key: int, **more: Any) -> Any:
    header = {
        "key": key,
        "place": key,
        "id": f"id{key}",
        "name": f"run-{key}",
        "group": None,
        "state": "finished",
        "started": 100.0,
    }
    rest = {
        "ended": 165.0,
        "done": 10,
        "total": None,
        "rate": None,
        "faded": False,
        "error": None,
        "defined": [],
        "goals": [],
    }
    return header | rest | more


def picture(metrics: dict[str, list[float]], runs: int = 1, **more: Any) -> Picture:
    made = Picture("p")
    for key in range(runs):
        made.put_run(run(key, **more))
        for metric, values in metrics.items():
            steps = np.arange(len(values))
            made.add_points(f"id{key}", metric, steps, 100.0 + steps, np.array(values, float))
    return made


def drawn(
    made: Picture, look: DrawSettings | None = None, charts: list[Chart] | None = None, **settings: Any
) -> Snapshot:
    look = look or DrawSettings(clip_outliers="never")
    saved = make_snapshot(made, dataclasses.replace(look, **settings), charts)
    assert saved is not None
    return saved


@pytest.mark.parametrize(("count", "most"), [(1, 2), (3, 3), (4, 2), (7, 3)])
def test_columns_are_as_many_as_fit_into_the_window(count: int, most: int) -> None:
    saved = drawn(picture({f"m{i}": [1.0, 2.0, 3.0] for i in range(count)}))
    signal = vl_convert.vegalite_to_vega(saved.spec)["layout"]["columns"]["signal"]
    js = {"floor": math.floor, "clamp": lambda value, low, high: min(high, max(low, value))}
    test, fit, otherwise = re.fullmatch(r"(.*) \? (.*) : (.*)", signal).groups()  # type: ignore[union-attr]

    def columns(window: float) -> int:
        names = {**js, "windowSize": lambda: [window]}
        found: int = eval(fit if eval(test, names) else otherwise, names)
        return found

    assert [columns(window) for window in (300, 700, 950, 1280, 2000)] == [1, 1, min(2, most), most, most]
    # the window is the frame's in other hosts; a picture has none
    assert columns(float("nan")) == most
    wide = re.search(r'width="(\d+)', vl_convert.vegalite_to_svg(saved.spec))
    assert wide
    assert int(wide[1]) > min(count, most) * snapshot.WIDTH


def rows(saved: Snapshot) -> list[tuple[float, ...]]:
    """Return chart, run, x and y of each point."""
    head, *lines = saved.spec["data"]["values"].split("\n")
    assert head == "m,r,x,value"
    return [tuple(float(cell) for cell in line.split(",")) for line in lines]


def names(saved: Snapshot) -> list[str]:
    return [run["run"] for run in saved.spec["transform"][0]["from"]["data"]["values"]]


def legend_of(saved: Snapshot) -> Any:
    """Return the encoding that has the legend of all charts, of which one chart has it."""
    layers = [layer for chart in saved.spec["concat"] for layer in chart.get("layer", [])]
    (color,) = [color for layer in layers if (color := layer["encoding"].get("color", {})).get("legend")]
    return color


def noisy(n: int) -> list[float]:
    return np.random.default_rng(0).normal(0, 1, n).tolist()


def labels(saved: Snapshot) -> list[str]:
    svg = vl_convert.vegalite_to_svg(saved.spec)
    return re.findall(r">([-\d.]+)</text>", svg)


# --- what is in it ----------------------------------------------------------------------------------------------------


def test_a_short_run_keeps_every_point() -> None:
    saved = drawn(picture({"train/loss": [3.0, 2.0, 1.5]}))
    assert rows(saved) == [(0, 0, 0, 3), (0, 0, 1, 2), (0, 0, 2, 1.5)]
    assert [chart["title"] for chart in saved.spec["concat"]] == [{"text": "train", "subtitle": "loss", "fontSize": 13}]


def test_a_few_hundred_steps_of_a_small_board_keep_every_point() -> None:
    values = noisy(500)
    saved = drawn(picture({f"m{m}": values for m in range(3)}, runs=3))
    assert len(rows(saved)) == 9 * 500


@pytest.mark.parametrize(("value", "label"), [(0.5, "0.50"), (0.0, "0"), (250.0, "250")])
def test_a_constant_is_labelled_with_its_value(value: float, label: str) -> None:
    saved = drawn(picture({"loss": [value] * 3}))
    low, high = saved.spec["concat"][0]["encoding"]["y"]["scale"]["domain"]
    assert low < value < high
    assert label in labels(saved)


@pytest.mark.parametrize(("steps", "shown"), [(2, ["0", "1"]), (3, ["0", "1", "2"]), (5, ["0", "1", "2", "3", "4"])])
def test_few_steps_have_whole_ticks(steps: int, shown: list[str]) -> None:
    assert labels(drawn(picture({"loss": [0.5] * steps})))[:steps] == shown


@pytest.mark.parametrize(
    ("values", "shown"),
    [
        ([995_000, 1_003_000], ["0.996M", "0.998M", "1M", "1.002M"]),
        ([12_000, 48_000], ["20k", "30k", "40k"]),
        ([0.5, 1.5], ["0.6", "0.8", "1.0", "1.2", "1.4"]),
        ([1e-6, 5e-6], ["1e-6", "2e-6", "3e-6", "4e-6", "5e-6"]),
    ],
)
def test_ticks_of_one_axis_have_one_unit(values: list[float], shown: list[str]) -> None:
    svg = vl_convert.vegalite_to_svg(drawn(picture({"loss": values})).spec)
    texts = re.findall(r">([^<>]+)</text>", svg)
    assert [text for text in texts if text in shown] == shown


def test_a_picture_without_points_has_no_snapshot() -> None:
    assert make_snapshot(picture({})) is None


def test_x_axis_metrics_are_not_charts() -> None:
    saved = drawn(picture({"epoch": [0, 1], "loss": [1, 2], "other": [1, 2]}, defined=[["loss", "epoch"]]))
    assert [chart["title"]["text"] for chart in saved.spec["concat"]] == ["loss", "other"]


def test_charts_are_sorted_by_group_default_first() -> None:
    assert grouped(["a/x", "b/x", "loss", "a/y"]) == ["loss", "a/x", "a/y", "b/x"]


def test_hidden_runs_are_left_out() -> None:
    assert names(drawn(picture({"loss": [1, 2]}, runs=3), hidden=frozenset(["id1"]))) == ["run-0", "run-2"]


def test_runs_of_the_same_name_show_their_ids() -> None:
    assert names(drawn(picture({"loss": [1, 2]}, runs=2, name="same"))) == ["same (id0)", "same (id1)"]


def test_colors_are_the_palette_or_the_users() -> None:
    saved = drawn(picture({"loss": [1, 2]}, runs=2), colors={"id1": "#123456"})
    expected = [theme()["light"]["line"][0], "#123456"]
    lines = {line["r"]: line["color"] for line in saved.spec["transform"][0]["from"]["data"]["values"]}
    assert [lines[0], lines[1]] == expected
    assert legend_of(saved)["scale"] == {"domain": ["run-0", "run-1"], "range": expected}


@pytest.mark.parametrize(
    ("x_axis", "places"), [("step", [0, 1]), ("relative", [0, 1000]), ("time", [100_000, 101_000])]
)
def test_the_x_axis_is_that_of_the_board(x_axis: str, places: list[int]) -> None:
    assert [row[2] for row in rows(drawn(picture({"loss": [1, 2]}), x_axis=x_axis))] == places


def test_a_metric_of_any_name_can_be_the_x_axis(capfd: pytest.CaptureFixture[str]) -> None:
    made = picture({HOSTILE: [1, 2], "loss": [3, 4]}, x_axes={"loss": HOSTILE})
    vl_convert.vegalite_to_svg(drawn(made, x_axis=HOSTILE, charts=[Chart("loss", ["loss"])]).spec)
    assert "Expression parse error" not in "".join(capfd.readouterr())


@pytest.mark.parametrize("x_axis", ["step", "relative", "time"])
def test_labels_are_short(x_axis: str) -> None:
    saved = drawn(picture({"tokens": [0, 5e8, 2e9], "lr": [0, 1e-5, 2e-5], "one": [1]}), x_axis=x_axis)
    svg = vl_convert.vegalite_to_svg(saved.spec)
    assert ">2G<" in svg
    assert ">2e-5<" in svg


def test_a_metric_can_be_the_x_axis() -> None:
    made = picture({"loss": [3, 2, 1], "epoch": [0.5, 1, 1.5]})
    saved = drawn(made, x_axis="epoch", charts=[Chart("loss", ["loss"])])
    assert rows(saved) == [(0, 0, 0.5, 3), (0, 0, 1, 2), (0, 0, 1.5, 1)]
    x = chart_of(saved)["encoding"]["x"]
    assert (x["title"], x["type"]) == ("epoch", "quantitative")
    assert ">1.5<" in vl_convert.vegalite_to_svg(saved.spec)


def test_non_finite_values_are_marks() -> None:
    saved = drawn(picture({"loss": [1.0, math.nan, math.inf, -math.inf, 2.0, 3.0]}))
    assert [str(row[3]) for row in rows(saved)] == ["1.0", "nan", "inf", "-inf", "2.0", "3.0"]
    types = [layer["mark"]["type"] for layer in saved.spec["concat"][0]["layer"]]
    assert [kind for kind in types if kind != "text"] == ["line", "circle", "point", "point"]
    svg = vl_convert.vegalite_to_svg(saved.spec)
    marks = re.findall(r'aria-label="step: (\d); color[^"]*"[^>]*?transform="translate\([\d.]+,(\d+)\)"', svg)
    assert marks == [("1", str(snapshot.HEIGHT)), ("2", "0"), ("3", str(snapshot.HEIGHT))]


def test_non_finite_values_break_the_line() -> None:
    svg = vl_convert.vegalite_to_svg(drawn(picture({"loss": [1, 2, math.nan, 3, math.nan, 4, 5]})).spec)
    paths = re.findall(r'aria-roledescription="line mark" d="([^"]+)"', svg)
    assert [re.sub(r"[^ML]", "", path) for path in paths] == ["ML", "ML"]
    assert len(re.findall(r'aria-roledescription="circle"', svg)) == 1


def test_single_values_are_bars_and_a_single_point_among_lines_is_a_dot() -> None:
    single = picture({"final": [0.5], "loss": [1, 2]}, runs=2)
    bars, lines = drawn(single).spec["concat"]
    assert bars["layer"][0]["mark"]["type"] == "bar"
    single.put_run(run(2))
    single.add_points("id2", "loss", np.array([7]), np.array([1.0]), np.array([3.0]))
    dotted = drawn(single).spec["concat"][1]["layer"]
    assert [layer["mark"]["type"] for layer in lines["layer"] if layer["mark"]["type"] != "text"] == ["line", "point"]
    assert [layer["mark"]["type"] for layer in dotted if layer["mark"]["type"] != "text"] == ["line", "circle", "point"]


def test_names_are_data_and_titles_never_expressions() -> None:
    saved = drawn(picture({HOSTILE: [1, 2]}, runs=2, name=HOSTILE))
    spec = json.loads(json.dumps(saved.spec))
    shown = re.sub("[\n\u2028\u2029]", " ", HOSTILE)
    assert "/".join([(title := spec["concat"][0].pop("title"))["text"], title["subtitle"]]) == shown
    assert [run.pop("run") for run in spec["transform"][0]["from"]["data"]["values"]] == names(saved)
    (legend,) = [layer for layer in spec["concat"][0]["layer"] if layer["encoding"].get("color", {}).get("legend")]
    assert [row["run"] for row in legend["data"].pop("values")] == names(saved)
    assert legend["encoding"]["color"].pop("scale")["domain"] == names(saved)
    assert "__proto__" not in json.dumps(spec)
    vl_convert.vegalite_to_svg(saved.spec)


def test_a_metric_named_like_a_property_of_objects_is_drawn(
    capfd: pytest.CaptureFixture[str],
) -> None:
    saved = drawn(picture({name: [1, 2] for name in ("constructor", "toString", "valueOf", "__proto__")}))
    vl_convert.vegalite_to_svg(saved.spec)
    assert "Operator not defined" not in "".join(capfd.readouterr())


def test_the_text_says_how_the_runs_ended() -> None:
    assert (
        "run-0 · failed · 1:05 · 10 steps" in drawn(picture({"loss": [1]}, state="failed", error="ValueError: no")).text
    )
    mixed = picture({"loss": [1]}, runs=2)
    mixed.put_run(run(1, state="failed", error="ValueError: no"))
    assert drawn(mixed).spec["title"]["subtitle"] == ["2 runs: 1 finished, 1 failed", "run-1: ValueError: no"]


def test_the_text_says_as_of_when_a_run_was_running() -> None:
    """A notebook that was saved in mid-run is opened later, when that is over."""
    for runs in (1, 2):
        saved = drawn(picture({"loss": [1]}, runs=runs, state="running", ended=None))
        (line,) = saved.spec["title"]["subtitle"]
        assert re.search(r"running.* · as of \d{4}-\d\d-\d\d \d\d:\d\d$", line)
        assert line in saved.text
    assert "as of" not in drawn(picture({"loss": [1]})).text


# --- how large it is --------------------------------------------------------------------------------------------------


def test_a_snapshot_stays_small() -> None:
    for runs, metrics, points in ((3, 12, 30_000), (40, 30, 300), (1, 100, 3_000)):
        saved = drawn(picture({f"g{m % 3}/m{m}": noisy(points) for m in range(metrics)}, runs))
        assert len(json.dumps(saved.spec)) <= snapshot.MOST_BYTES


def test_long_names_of_metrics_are_cut_in_the_middle() -> None:
    saved = drawn(picture({"x" * 2_500 + str(m): noisy(500) for m in range(24)}))
    assert len(json.dumps(saved.spec)) <= snapshot.MOST_BYTES
    titles = [chart["title"]["text"] for chart in saved.spec["concat"]]
    assert len(set(titles)) == len(titles) == 24
    assert max(map(len, titles)) == snapshot.LONGEST_TITLE


def test_long_names_of_runs_cost_points() -> None:
    metrics = {f"m{m}": noisy(500) for m in range(24)}
    short, saved = drawn(picture(metrics)), drawn(picture(metrics, name="x" * 5_000))
    assert len(json.dumps(saved.spec)) <= snapshot.MOST_BYTES
    assert len(saved.spec["concat"]) == 24
    assert len(rows(saved)) < 0.9 * len(rows(short))


# --- as on the board --------------------------------------------------------------------------------------------------


def chart_of(saved: Snapshot, number: int = 0) -> Any:
    return saved.spec["concat"][number]


def test_groups_stand_above_their_first_charts() -> None:
    saved = drawn(picture({name: [1, 2] for name in ("loss", "train/a", "train/b", "val/a")}))
    titles = [(chart["title"]["text"], chart["title"]["subtitle"]) for chart in saved.spec["concat"]]
    assert titles == [("\u200b", "loss"), ("train", "a"), ("\u200b", "b"), ("val", "a")]


def test_titles_of_a_row_stand_on_one_line_and_labels_apart_from_lines() -> None:
    saved = drawn(picture({"train/loss": [0.5, 123_456], "train/acc": [0, 1], "val/loss": [1e-5, 2e-5]}))
    svg = vl_convert.vegalite_to_svg(saved.spec)
    groups = re.findall(r'mark-group role-title"><g transform="translate\(0,([-\d.]+)\)"', svg)
    lines = re.findall(r'translate\(-40,(\d+)\)" font-family="sans-serif" font-size="12px"', svg)
    assert (len(lines), len(set(lines)), len(set(groups[-3:]))) == (3, 1, 1)
    assert saved.spec["bounds"] == "flush"
    assert saved.spec["config"]["axis"]["labelPadding"] == 6


def test_snapshots_and_altair_charts_have_the_configuration_of_the_board() -> None:
    live = config("light")
    for made in (ALONE, CONFIG):
        own = {name: made[name] | {"titleColor": None} for name in ("axis", "axisX", "axisY", "text", "view")}
        for name, rules in live.items():
            assert own[name].items() >= rules.items(), name
    assert drawn(picture({"loss": [1, 2]})).spec["config"] is CONFIG


def test_latest_values_are_above_the_chart_in_the_runs_colors() -> None:
    saved = drawn(picture({"loss": [3, 0.25]}, runs=4), colors={"id3": "#123456"})
    texts = [layer for layer in chart_of(saved)["layer"] if layer["mark"]["type"] == "text"]
    assert [layer["mark"]["text"] for layer in texts] == ["0.25"] * 3
    assert texts[0]["encoding"]["color"] == {"value": "#123456"}  # the newest run is outermost
    assert labels(saved).count("0.25") == 3


@pytest.mark.parametrize(("value", "text"), [(math.nan, "NaN"), (math.inf, "∞"), (-math.inf, "-∞")])
def test_latest_value_that_is_not_finite_is_said(value: float, text: str) -> None:
    saved = drawn(picture({"loss": [3, value]}))
    (shown,) = [layer["mark"]["text"] for layer in chart_of(saved)["layer"] if "text" in layer["mark"]]
    assert shown == text


def test_outliers_are_left_out_of_the_axis_as_on_the_board() -> None:
    made = picture({"loss": [800.0, 700.0, *np.linspace(3, 1, 300)]})
    whole, clipped = (drawn(made, look=DrawSettings(clip_outliers=clip)) for clip in ("never", "auto"))
    assert "domain" not in chart_of(whole)["encoding"]["y"]["scale"]
    low, high = chart_of(clipped)["encoding"]["y"]["scale"]["domain"]
    assert (0 < low < 1, 3 < high < 5) == (True, True)
    assert all(layer["mark"]["clip"] for layer in chart_of(clipped)["layer"] if layer["mark"]["type"] == "line")


def test_scale_and_smoothing_are_those_of_the_board() -> None:
    made = picture({"loss": [0.0, 1.0, 10.0, *noisy(200)]})
    saved = drawn(made, look=DrawSettings(y_log=True, smoothing=4))
    assert chart_of(saved)["encoding"]["y"]["scale"]["type"] == "log"
    head, first, *_ = saved.spec["data"]["values"].split("\n")
    assert (head, first.count(",")) == ("m,r,x,value,smooth", 4)
    lines = [layer for layer in chart_of(saved)["layer"] if layer["mark"]["type"] == "line"]
    assert [layer["encoding"]["y"]["field"] for layer in lines] == ["value", "smooth"]
    svg = vl_convert.vegalite_to_svg(saved.spec)
    assert 'aria-roledescription="point"' in svg  # values without a logarithm are marks


def test_lines_ranges_and_best_values_are_those_of_the_board() -> None:
    made = picture({"train/loss": [3, 1, 2], "lr": [1, 2, 3]}, runs=2)
    look = DrawSettings(reference_lines={"train/*": [0.5]}, y_ranges={"lr": [0, None]}, best_marks=True)
    saved = drawn(made, look)
    lr, loss = saved.spec["concat"]
    assert lr["encoding"]["y"]["scale"]["domain"] == [0, 3]
    (line,) = [layer for layer in loss["layer"] if layer["mark"]["type"] == "rule"]
    assert [row["value"] for row in line["data"]["values"]] == [0.5]
    (best,) = [layer for layer in loss["layer"] if layer["mark"].get("strokeWidth") == 1.5 and "data" in layer]
    assert [(row["run"], row["x"], row["value"]) for row in best["data"]["values"]] == [("run-0", 1, 1)]
    svg = vl_convert.vegalite_to_svg(saved.spec)
    assert 'aria-roledescription="rule mark"' in svg
    assert not [layer for layer in lr["layer"] if "data" in layer and layer["mark"]["type"] == "rule"]


def test_charts_have_scales_of_their_own() -> None:
    made = picture({"train/loss": [3, 0, 2], "lr": [1, 0, 3]})

    def dots(**scales: Any) -> int:
        saved = drawn(made, DrawSettings(**scales))
        return vl_convert.vegalite_to_svg(saved.spec).count('aria-roledescription="circle"')

    assert dots() == 0
    assert dots(y_scales={"train/loss": "log"}) == 2  # on both sides of the 0, which has no logarithm
    assert dots(y_log=True) == 4
    assert dots(y_log=True, y_scales={"lr": "linear"}) == 2


def test_several_metrics_in_one_chart_are_told_apart_by_dashes() -> None:
    made = picture({"train/loss": [3, 1], "val/loss": [4, 2]}, runs=2)
    saved = drawn(made, charts=[Chart("loss", ["train/loss", "val/loss"])])
    assert names(saved) == ["run-0 · train", "run-0 · val", "run-1 · train", "run-1 · val"]
    assert chart_of(saved)["title"]["text"] == "loss"
    texts = [layer["mark"]["text"] for layer in chart_of(saved)["layer"] if layer["mark"]["type"] == "text"]
    assert texts == ["— train   - - val"]
    assert legend_of(saved)["scale"]["domain"] == ["run-0", "run-1"]
    svg = vl_convert.vegalite_to_svg(saved.spec)
    assert svg.count('stroke-dasharray="5,3"') == 2
    alone = drawn(
        picture({"train/loss": [3, 1], "val/loss": [4, 2]}), charts=[Chart("loss", ["train/loss", "val/loss"])]
    )
    assert legend_of(alone)["scale"]["domain"] == ["train", "val"]


def test_many_lines_are_faint_but_the_best_and_the_current() -> None:
    made = picture({"train/acc": [0, 1], "val/acc": [1, 2]}, runs=15)
    saved = drawn(made, charts=[Chart("acc", ["train/acc", "val/acc"])])
    styles = saved.spec["transform"][0]["from"]["data"]["values"]
    assert [style["run"] for style in styles if "faint" not in style] == ["run-0 · val", "run-14 · val"]
    svg = vl_convert.vegalite_to_svg(saved.spec)
    assert svg.count('stroke-width="0.75"') == 28
    assert all(color.startswith("#") and len(color) == 7 for color in legend_of(saved)["scale"]["range"])


USERS: Any = {
    "data": {"name": "points"},
    "mark": "point",
    "encoding": {
        "x": {"field": "x", "type": "quantitative"},
        "y": {"field": "value", "type": "quantitative"},
        "color": {"field": "run", "type": "nominal"},
    },
}


def test_charts_of_the_user_are_drawn_with_their_rows() -> None:
    made = picture({"loss": [3, 1, math.nan]}, runs=2)
    spec = {**USERS, "config": {"view": {"fill": "red"}}, "transform": [{"filter": "datum.config.lr > 0.1"}]}
    about = {"run-0": {"config": {"lr": 0.2}, "group": "g"}}
    saved = drawn(made, charts=[Chart("own/x", ["loss"], "own", spec, about), Chart("loss", ["loss"])])
    own = chart_of(saved)
    assert own["title"]["text"] == "own"
    assert "config" not in own
    first = {name: value for name, value in own["data"]["values"][0].items() if name != "mark"}
    assert first == {"run": "run-0", "value": 3, "x": 0, "color": "#2347d9", "config": {"lr": 0.2}}
    assert [row["value"] for row in own["data"]["values"]] == [3, 1, None, 3, 1, None]
    assert own["encoding"]["color"]["scale"]["domain"] == ["run-0", "run-1"]
    vl_convert.vegalite_to_svg(saved.spec)


def test_charts_of_the_user_with_much_data_are_left_out_and_named() -> None:
    heavy = {**USERS, "data": {"values": [{"x": x, "value": x, "run": "r" * 40} for x in range(1500)]}}
    saved = drawn(picture({"loss": [3, 1]}), charts=[Chart("heavy", ["loss"], "", heavy), Chart("loss", ["loss"])])
    assert len(json.dumps(saved.spec)) <= snapshot.MOST_BYTES
    assert len(saved.spec["concat"]) == 1
    assert "Not in this picture: 1 chart (heavy)" in saved.text


def test_charts_of_the_user_that_may_load_something_are_left_out() -> None:
    image = {**USERS, "mark": "image", "encoding": {**USERS["encoding"], "url": {"value": "http://x.invalid/x.png"}}}
    saved = drawn(picture({"loss": [3, 1]}), charts=[Chart("image", ["loss"], "", image), Chart("loss", ["loss"])])
    assert "x.invalid" not in json.dumps(saved.spec)
    assert "Not in this picture: 1 chart (image)" in saved.text


def test_values_that_share_their_digits_are_told_apart_by_offsets() -> None:
    saved = drawn(picture({"loss": [1e6, 1e6 + 0.002]}))
    svg = vl_convert.vegalite_to_svg(saved.spec)
    assert "+0.0005" in svg
    assert "1,000,000.001" in svg


def test_axes_have_names() -> None:
    assert chart_of(drawn(picture({"loss": [1, 2]})))["encoding"]["x"]["title"] == "step"
    relative = drawn(picture({"loss": [1, 2]}), x_axis="relative")
    assert chart_of(relative)["encoding"]["x"]["title"] == "time since the start"


def test_charts_and_runs_that_do_not_fit_are_named() -> None:
    saved = drawn(picture({f"m{m}": [1, 2] for m in range(30)}, runs=22))
    shown = len(saved.spec["concat"])
    said = f"Not in this picture: the 2 oldest runs and {30 - shown} charts (m{shown}, "
    assert said in saved.text
    assert said in saved.spec["title"]["subtitle"][-1]
    assert names(saved)[0] == "run-2"


def test_the_oldest_runs_are_left_out_whatever_the_order_in_which_they_were_added() -> None:
    made = picture({"loss": [1, 2]}, runs=22)
    for key in range(22):
        made.put_run(run(key, started=100.0 - key))
    shown = legend_of(drawn(made))["scale"]["domain"]
    assert (shown[0], shown[-1], len(shown)) == ("run-19", "run-0", 20)


def test_thinned_series_keep_ends_extremes_and_non_finite_values() -> None:
    values = np.array(noisy(5_000))
    values[[1234, 3210]] = 50.0, -50.0
    values[4000] = np.nan
    steps = np.arange(5_000)
    kept, times, thin = thinned((steps, steps / 2, values), 100)
    assert len(kept) <= 100
    assert {0, 1234, 3210, 4000, 4999} <= set(kept.tolist())
    np.testing.assert_array_equal(thin, values[kept])
    np.testing.assert_array_equal(times, kept / 2)


def test_a_bucketed_series_has_each_step_once() -> None:
    made = picture({"loss": noisy(30_000)})
    steps, _, values = corners(made.series[0, 0].rows)
    assert (np.diff(steps) > 0).all()
    np.testing.assert_array_equal(values, np.array(noisy(30_000))[steps])


@pytest.mark.parametrize(
    ("values", "texts"),
    [
        ([0.123456, 1.0], ["0.1235", "1"]),
        ([0.99912345, 0.99987654], ["0.9991235", "0.9998765"]),
        ([1e-12, 1.0], ["1e-12", "1"]),
        ([2.5, 2.5], ["2.5", "2.5"]),
        ([math.nan, math.inf], ["NaN", "Infinity"]),
        ([1e300, -1e300], ["1e+300", "-1e+300"]),
    ],
)
def test_values_keep_the_digits_that_are_visible(values: list[float], texts: list[str]) -> None:
    assert rounded(np.array(values)) == texts


def test_system_metrics_are_left_out() -> None:
    saved = drawn(picture({"@system/cpu %": [1.0, 2.0], "loss": [3.0, 2.0]}))
    assert "@system" not in json.dumps(saved.spec) + saved.text
    assert make_snapshot(picture({"@system/cpu %": [1.0, 2.0]})) is None


@pytest.mark.parametrize("name", ["constructor", "toString", "__proto__", "valueOf", "hasOwnProperty"])
def test_run_named_like_a_property_of_objects_is_drawn(name: str) -> None:
    saved = drawn(picture({"loss": [1.0, 2.0]}, name=name))
    saved.spec["title"]["text"] = literal(name)
    assert f">{name}" in vl_convert.vegalite_to_svg(saved.spec)
