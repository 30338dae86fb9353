from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest

from golden.make import Kernel
from golden.make_rows import CASES, FOLDER, contents, membership
from trackbook.charts.plot import DrawSettings, plot_of
from trackbook.charts.run_styles import style_runs
from trackbook.charts.theme import theme
from trackbook.charts.x_axis import axes_only, join_of
from trackbook.frames.buckets import Buckets
from wire import assert_same


def kept(name: str) -> Any:
    return json.loads((FOLDER / f"{name}.json").read_text())


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
def test_rows_equal_the_golden_rows(case: Any) -> None:
    made = json.loads(json.dumps(contents(case)))
    assert made["keyframe"] == kept(case.__name__)["keyframe"]
    assert_same(made["views"], kept(case.__name__)["views"])


def test_every_golden_file_has_a_case() -> None:
    assert {path.stem for path in FOLDER.glob("*.json")} == {case.__name__ for case in CASES} | {"members"}
    assert json.loads(json.dumps(membership())) == kept("members")


def over(defined: list[list[str]], look: DrawSettings | None = None) -> tuple[str, list[tuple[float, float]]]:
    """Return the x axis and the (x, value) pairs of `loss`, with an `epoch` logged every third step."""
    kernel = Kernel()
    kernel.run(0, "first", defined=defined)
    kernel.points(0, "loss", range(6), range(6))
    kernel.points(0, "epoch", [1, 4], [10, 20])
    plot = plot_of(kernel.picture, "loss", look or DrawSettings())
    return plot.x_axis, [(row["x"], row["value"]) for row in plot.rows]


def test_x_of_a_metric_axis_is_its_last_value() -> None:
    assert over([], DrawSettings(x_axis="epoch")) == ("epoch", [(10, 1), (10, 2), (10, 3), (20, 4), (20, 5)])


def test_the_defined_axis_holds_unless_the_board_sets_another() -> None:
    assert over([["lo*", "epoch"]])[0] == "epoch"
    assert over([["lo*", "epoch"]], DrawSettings(x_axis="relative"))[0] == "relative"


def test_over_a_missing_metric_nothing_is_drawn() -> None:
    assert over([["*", "nowhere"]]) == ("nowhere", [])


def test_x_is_interpolated_between_buckets() -> None:
    kernel = Kernel()
    kernel.run(0, "long")
    kernel.points(0, "epoch", range(4000), [step / 8 for step in range(4000)])
    series = kernel.picture.series[0, 0]
    assert series.width > 1
    at = join_of(series)
    assert [at(step) for step in (0, 1001.5, 3999)] == [0, 1001.5 / 8, 3999 / 8]
    assert np.isnan(at(-1))


def test_a_run_has_its_chosen_color() -> None:
    kernel = Kernel()
    kernel.run(0, "first")
    kernel.points(0, "loss", range(3), [1, 2, 3])
    plot = plot_of(kernel.picture, "loss", DrawSettings(colors={"run0": "#123456"}))
    assert {row["color"] for row in plot.rows} == {"#123456"}


def test_colors_repeat_with_another_dash() -> None:
    kernel = Kernel()
    for key in (0, 10):
        kernel.run(key, str(key))
    first, eleventh = style_runs(kernel.picture.runs.values(), DrawSettings()).values()
    assert first.color == eleventh.color == theme()["light"]["line"][0]
    assert first.dash != eleventh.dash


def test_of_many_runs_the_few_that_are_drawn_have_dashes() -> None:
    kernel = Kernel()
    for key in range(22):
        kernel.run(key, str(key))
    hidden = frozenset(f"run{key}" for key in range(22) if key not in (3, 13))
    styles = style_runs(kernel.picture.runs.values(), DrawSettings(hidden=hidden))
    assert [styles[key].dash for key in (3, 13)] == theme()["dashes"][:2]
    assert not any(style.dash for style in style_runs(kernel.picture.runs.values(), DrawSettings()).values())


def drawn(values: list[float], **look: Any) -> Any:
    kernel = Kernel()
    kernel.run(0, "first")
    kernel.points(0, "loss", range(len(values)), values)
    return plot_of(kernel.picture, "loss", DrawSettings(**look))


def test_values_without_a_logarithm_are_marks() -> None:
    plot = drawn([1, 2, 0, -2, 9, 10, np.nan], y_log=True)
    assert [row["mark"] for row in plot.rows] == ["line", "line", "below", "below", "line", "line", "NaN"]
    assert plot.window == pytest.approx((10**-0.05, 10**1.05))


def sections(plot: Any) -> list[list[float]]:
    """Return the steps of each section that is drawn as a line or a dot."""
    found: dict[int, list[float]] = {}
    for row in plot.rows:
        if row["mark"] in ("line", "dot"):
            found.setdefault(row["part"], []).append(row["step"])
    return list(found.values())


def test_values_without_a_logarithm_end_a_line_as_nan_does() -> None:
    values = [1, 2, -1, -2, 3, 4, 0, 5, -1]
    plot = drawn(values, y_log=True)
    assert sections(plot) == [[0, 1], [4, 5], [7]] == sections(drawn([v if v > 0 else np.nan for v in values]))
    assert [row["step"] for row in plot.rows if row["mark"] == "dot"] == [7]


def test_a_smoothed_line_ends_where_it_has_no_logarithm() -> None:
    plot = drawn([9, 9, -1, 9, 9, -9, -9, -9, -9, 9, 9], y_log=True, smoothing=1)
    assert sections(plot) == [[0, 1, 3, 4], [9, 10]]


@pytest.mark.parametrize("most", [None, 100])
def test_a_line_passes_the_negative_values_of_a_pixel_that_has_positive_ones(most: int | None) -> None:
    kernel = Kernel()
    kernel.run(0, "first")
    kernel.points(0, "loss", range(3000), [math.sin(step / 300) + 0.3 * (-1) ** step for step in range(3000)])
    plot = plot_of(kernel.picture, "loss", DrawSettings(y_log=True, columns=60), most)
    (first, *_, last), *others = sections(plot)
    assert (first, 990 < last < 1060, len(others)) == (0, True, 1)
    assert 1780 < others[0][0] < 1900


def test_a_line_passes_the_negative_values_of_a_bucket_that_has_positive_ones() -> None:
    kernel = Kernel()
    kernel.picture.buckets = Buckets(15)
    kernel.run(0, "first")
    kernel.points(0, "loss", range(64), [-1 if step // 8 in (3, 4) or step % 8 > 1 else 1 for step in range(64)])
    assert kernel.picture.series[0, 0].width == 8
    plot = plot_of(kernel.picture, "loss", DrawSettings(y_log=True))
    assert [(steps[0], steps[-1]) for steps in sections(plot)] == [(0, 16), (40, 56)]


def test_step_0_is_dropped_on_a_logarithmic_axis() -> None:
    assert [row["x"] for row in drawn([1, 2, 3], x_log=True).rows] == [1, 2]
    assert len(drawn([1, 2, 3], x_log=True, x_axis="time").rows) == 3


def test_the_y_axis_leaves_outliers_out_on_request() -> None:
    values = [float(step % 10) for step in range(200)]
    values[77] = 1e6
    assert drawn(values, clip_outliers="never").window is None
    low, high = drawn(values, clip_outliers="always").window
    assert (low < 0, 9 < high < 20) == (True, True)
    assert drawn(values[:70], clip_outliers="always").window is None


def test_many_points_are_thinned_to_the_extremes_of_each_pixel() -> None:
    values = [0.0] * 400
    values[123], values[321], values[322] = 5.0, -5.0, np.nan
    rows = drawn(values, columns=10).rows
    assert len(rows) <= 42  # the last point begins a column
    assert {5.0, -5.0} <= {row["value"] for row in rows}
    assert [row["step"] for row in rows if row["mark"] == "NaN"] == [322]
    assert rows == sorted(rows, key=lambda row: row["x"])


def test_values_that_flatten_all_others_are_left_out_by_default() -> None:
    values = [800.0] * 4 + [3 * math.exp(-step / 60) + step % 7 / 70 for step in range(4, 400)]
    low, high = drawn(values).window
    assert (low < 0.1, 2 < high < 4) == (True, True)
    assert drawn(values, clip_outliers="never").window is None
    assert drawn(values[::-1]).window is None, "the latest value is never left out by itself"


def test_x_axis_metrics_are_not_charts() -> None:
    kernel = Kernel()
    kernel.run(0, "first", defined=[["val/*", "epoch"]])
    for metric in ("loss", "epoch", "val/acc"):
        kernel.points(0, metric, range(3), range(3))
    assert axes_only(kernel.picture) == {"epoch"}
