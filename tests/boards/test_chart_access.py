"""`board["..."]`, `board.chart`, `board.to_altair` and `board.save`."""

from __future__ import annotations

import json
import math
import random
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import altair as alt
import PIL.Image
import pytest
import vl_convert

import trackbook as tb
from trackbook.boards import chart_access
from trackbook.boards.widget import Board
from trackbook.charts.altair import MIME, DrawnLayers
from trackbook.charts.theme import theme
from trackbook.switch_interval import QUICK

POINTS = alt.Chart(alt.NamedData("points"))
SCATTER = POINTS.mark_point().encode(x="step:Q", y="value:Q")
ODD = "__proto__/\"'<b>{{datum.value}}"


@pytest.fixture
def board() -> Iterator[Board]:
    """A board of two ended runs and an open one."""
    for name in ("a", "b", "c"):
        run = tb.init("p", name, reinit="create_new")
        for step in range(5):
            run.log({"train/loss": 5.0 - step, "val/loss": math.nan if step == 2 else 4.0 + step, "lr": 0.1})
        if name != "c":
            run.finish()
    yield tb.board("p")
    run.finish()


def marks(chart: Any) -> list[str]:
    spec = chart.to_dict()
    return [layer["mark"]["type"] for layer in spec.get("layer", [spec])]


def values(chart: Any) -> list[Any]:
    spec = chart.to_dict()
    return spec["datasets"][spec["data"]["name"]]  # type: ignore[no-any-return]


# --- a metric's chart


def test_metric_is_an_altair_chart_with_its_data(board: Board) -> None:
    chart = board["train/loss"]
    assert isinstance(chart, alt.LayerChart)
    assert isinstance(board["lr"], alt.Chart)
    lines = [row for row in values(chart) if row["mark"] == "line"]
    assert [row["value"] for row in lines if row["run"] == "a"] == [5, 4, 3, 2, 1]
    assert {row["metric"] for row in values(chart)} == {"train/loss"}


def test_chart_has_the_newest_points(board: Board) -> None:
    run = tb.init("p", "d", reinit="create_new")
    board.source.add_run(run.id)
    run.log({"train/loss": 42})
    assert 42 in {row["value"] for row in values(board["train/loss"])}
    run.finish()


def test_chart_can_be_changed_and_combined(board: Board) -> None:
    wide = board["train/loss"].properties(width=900).interactive()
    assert wide.to_dict()["width"] == 900
    rule = alt.Chart(alt.InlineData(values=[{"y": 2}])).mark_rule().encode(y="y:Q")
    assert len((board["lr"] + rule).to_dict()["layer"]) == 2
    assert len((board["train/loss"] + rule).to_dict()["layer"]) == 3
    assert board["train/loss"].interactive().to_dict()["params"]
    assert len((board["train/loss"] | board["val/loss"]).to_dict()["hconcat"]) == 2


def test_smoothing_draws_a_smooth_line_over_a_faint_one(board: Board) -> None:
    assert marks(board["train/loss"]) == ["line", "point"]
    board.smoothing = 2
    board.best_marks = False
    chart = board["train/loss"]
    assert isinstance(chart, alt.LayerChart)
    assert [layer["encoding"]["y"]["field"] for layer in chart.to_dict()["layer"]] == ["value", "smooth"]


def test_hidden_runs_are_left_out(board: Board) -> None:
    board.hidden_runs = [tb.get_run("b", project="p").id]
    assert {row["run"] for row in values(board["train/loss"])} == {"a", "c"}


def test_values_that_are_not_finite_are_marks_and_null(board: Board) -> None:
    chart = board["val/loss"]
    assert marks(chart) == ["line", "point", "point"]
    assert [row["value"] for row in values(chart) if row["mark"] == "NaN"] == [None] * 3
    assert "NaN" not in json.dumps(chart.to_dict()["datasets"]).replace('"mark": "NaN"', "")


def test_chart_uses_the_boards_x_axis(board: Board) -> None:
    board.x_axis = "relative"
    x = board["train/loss"].to_dict()["encoding"]["x"]
    assert (x["type"], x["scale"]["type"]) == ("temporal", "utc")


def test_chart_uses_the_boards_scales(board: Board) -> None:
    board.y_scale = board.x_scale = "log"
    encoding = board["train/loss"].to_dict()["encoding"]
    assert (encoding["x"]["scale"]["type"], encoding["y"]["scale"]["type"]) == ("log", "log")


def test_single_values_are_bars() -> None:
    for value in (0.5, 0.75):
        run = tb.init("p", f"run {value}")
        run.log({"f1": value})
        run.finish()
    chart = tb.board("p")["f1"]
    assert marks(chart) == ["bar", "text"]
    assert chart.to_dict()["encoding"]["y"]["sort"] == {"field": "value", "op": "max", "order": "descending"}
    assert [row["run"] for row in values(chart)] == ["run 0.75", "run 0.5"]


def test_large_values_are_labelled_alike_alone_and_in_a_board() -> None:
    run = tb.init("p")
    for step, tokens in enumerate([0, 5e8, 2e9]):
        run.log({"tokens": tokens, "step": step})
    run.finish()
    board = tb.board("p")
    for chart, half in (
        (board["tokens"], "0.5G"),
        (board.to_altair(), "0.5G"),
        (board["tokens"] | board["step"], "500M"),
    ):
        svg = vl_convert.vegalite_to_svg(chart.to_dict())
        assert re.findall(r">([\d.]+[MG])<", svg) == [half, "1G", "1.5G", "2G"]


def test_chart_has_the_boards_look_and_its_own_config(board: Board) -> None:
    assert board["train/loss"].to_dict()["config"]["view"]["stroke"] is None
    config = board["train/loss"].configure_view(stroke="red").to_dict()["config"]
    assert (config["view"]["stroke"], config["axisX"]["grid"]) == ("red", False)
    assert "config" not in board.to_altair().to_dict()["vconcat"][0]["concat"][0]


def test_chart_is_displayed_without_a_network(board: Board) -> None:
    bundle = board["lr"]._repr_mimebundle_()
    assert bundle[MIME]["mark"]["type"] == "line"
    assert bundle["image/png"][1:4] == b"PNG"
    assert "text/html" not in bundle


def test_renderer_of_the_user_is_kept(board: Board) -> None:
    with alt.renderers.enable("json"):
        shown = board["train/loss"]._repr_mimebundle_()
    assert "application/json" in shown[0]


def test_chart_has_lines_ranges_and_the_best_value_as_on_the_board(board: Board) -> None:
    board.reference_lines, board.y_ranges = {"train/*": [2.5]}, {"train/loss": [0, None]}
    chart = board["train/loss"]
    assert marks(chart) == ["rule", "line", "point"]
    assert [row["value"] for row in values(chart) if row["mark"] == "reference"] == [2.5]
    assert [(row["run"], row["value"]) for row in values(chart) if row["mark"] == "best"] == [("a", 1)]
    assert chart.to_dict()["encoding"]["y"]["scale"]["domain"] == [0, 5]
    board.best_marks = False
    assert marks(board["train/loss"]) == ["rule", "line"]
    (rows,) = [
        rows for rows in board.to_altair().to_dict()["datasets"].values() if rows[0].get("metric") == "train/loss"
    ]
    assert [row["value"] for row in rows if row["mark"] == "reference"] == [2.5]


def test_rows_are_not_read_against_the_schema(board: Board, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[dict[str, Any]] = []
    from_dict = DrawnLayers.from_dict

    def reading(spec: dict[str, Any]) -> Any:
        read.append(spec)
        return from_dict(spec)

    monkeypatch.setattr(DrawnLayers, "from_dict", reading)
    assert all(board.to_altair().to_dict()["datasets"].values())
    assert [spec["data"] for spec in read] == [{"values": []}] * len(board.metrics)


def test_legend_has_the_latest_values(board: Board) -> None:
    svg = vl_convert.vegalite_to_svg(board["val/loss"].to_dict())
    assert re.findall(r">([abc] +\d)</text>", svg) == ["a  8", "b  8", "c  8"]
    board.hidden_runs = tb.runs("p")["id"].to_list()[:2]
    assert ">8</text>" in vl_convert.vegalite_to_svg(board["val/loss"].to_dict())


def test_of_many_lines_most_are_faint_as_on_the_board() -> None:
    for number in range(25):
        with tb.init("p", f"run {number:02}") as run:
            run.log({"acc": 9 - abs(number - 4)})
            run.log({"acc": 0})
    board = tb.board("p")
    board.drawn_runs = "all"
    rows = values(board["acc"])
    strong = {row["run"] for row in rows if not row.get("faint")}
    assert strong == {"run 04", "run 24"}
    assert {len(row["color"]) for row in rows if row.get("faint")} == {9}
    for chart, lines in ((board["acc"], 23), (board.to_altair(), 23)):
        svg = vl_convert.vegalite_to_svg(chart.to_dict())
        assert svg.count('stroke-width="0.75"') == lines


@pytest.mark.parametrize("name", ["constructor", "__proto__", "toString", "valueOf", "hasOwnProperty"])
def test_names_of_properties_of_objects_are_drawn(name: str, capfd: pytest.CaptureFixture[str]) -> None:
    for run_name in (name, "other"):
        with tb.init("p", run_name, reinit="create_new") as run:
            for step in range(3):
                run.log({name: step, f"{name}/{name}": 3 - step, "loss": step})
            run.log({"single": 1.0})
    board = tb.board("p")
    board.chart("own", SCATTER.encode(color="run:N"), metrics="loss")
    board.chart("both", metrics=[name, f"{name}/{name}"])
    board.reference_lines = {"*": [1.5]}
    snapshot = board.snapshot()
    assert snapshot is not None
    charts = [board[one] for one in ("loss", "single", "own", "both")] + [board.to_altair()]
    board.x_axis = name
    charts.append(board["loss"])
    for spec in [snapshot.spec, *(chart.to_dict() for chart in charts)]:
        assert f">{name}" in vl_convert.vegalite_to_svg(spec)
    said = "".join(capfd.readouterr())
    assert "Operator not defined" not in said
    assert "rror" not in said


# --- names


def test_unknown_metric_is_a_key_error_naming_the_nearest(board: Board) -> None:
    with pytest.raises(KeyError, match=r"no metric 'trian/loss' on this board; did you mean 'train/loss'\?"):
        board["trian/loss"]
    with pytest.raises(KeyError, match="it has 'train/loss', 'val/loss', 'lr'"):
        board["zzzzzz"]


def test_a_board_knows_its_metrics(board: Board) -> None:
    assert board.metrics == list(board) == ["train/loss", "val/loss", "lr"]
    assert "lr" in board
    assert "nope" not in board
    assert bool(tb.board("p"))


# --- the whole board


def test_system_metrics_are_found_by_name_only() -> None:
    run = tb.init("q", capture=["system"])
    run.log({"loss": 1.0})
    while run.system().is_empty():
        time.sleep(0.001)
    board = tb.board("q")
    assert board.metrics == list(board) == ["loss"]
    assert "@system/memory GB" in board
    spec = board["@system/memory GB"].to_dict()
    assert {row["metric"] for rows in spec["datasets"].values() for row in rows} == {"@system/memory GB"}
    assert [row["title"]["text"] for row in board.to_altair().to_dict()["vconcat"]] == ["metrics"]
    with pytest.raises(KeyError, match=r"it has 'loss'\W*$"):
        board["zzzzzz"]
    run.finish()


def test_the_board_is_one_chart_with_a_row_for_each_group(board: Board) -> None:
    board.columns = 2
    chart = board.to_altair()
    assert isinstance(chart, alt.VConcatChart)
    spec = chart.to_dict()
    assert [row["title"]["text"] for row in spec["vconcat"]] == ["metrics", "train", "val"]
    assert {row["columns"] for row in spec["vconcat"]} == {2}
    assert spec["vconcat"][1]["concat"][0]["title"]["text"] == "loss"


def test_groups_go_in_the_boards_order(board: Board) -> None:
    board.group_order = ["val", "gone", "train"]
    assert [row["title"]["text"] for row in board.to_altair().to_dict()["vconcat"]] == ["val", "train", "metrics"]


def test_board_includes_the_users_charts(board: Board) -> None:
    board.chart("val/own", SCATTER)
    board.chart("lr", SCATTER)
    metrics, _, val = board.to_altair().to_dict()["vconcat"]
    assert [chart["title"]["text"] for chart in val["concat"]] == ["loss", "own"]
    assert metrics["concat"][0]["mark"]["type"] == "point"


def test_empty_board_is_an_error_with_the_remedy() -> None:
    with tb.init("p"), pytest.raises(ValueError, match="no charts yet: log something"):
        tb.board("p").to_altair()


@pytest.mark.parametrize("ending", ["json", "svg", "png", "html"])
def test_a_board_is_saved(board: Board, tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"board.{ending}"
    board.save(path)
    begins = {"json": b"{", "svg": b"<svg", "png": b"\x89PNG", "html": b"<!DOCTYPE html>"}[ending]
    content = path.read_bytes().strip()
    assert content.startswith(begins)
    assert b"cdn.jsdelivr" not in content or ending == "json"


def test_picture_has_two_pixels_for_each_of_the_page(board: Board, tmp_path: Path) -> None:
    for suffix in ("png", "svg"):
        board.save(tmp_path / f"board.{suffix}")
    width = re.search(rb'<svg [^>]*width="([\d.]+)"', (tmp_path / "board.svg").read_bytes())
    assert width is not None
    with PIL.Image.open(tmp_path / "board.png") as picture:
        assert picture.width == pytest.approx(2 * float(width[1]), abs=2)


def test_unknown_suffix_is_a_value_error_naming_the_known(board: Board, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"ends in \.html, \.json, \.png, \.svg or \.pdf"):
        board.save(tmp_path / "board.docx")


def test_saving_without_vl_convert_names_the_package(
    board: Board, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "vl_convert", None)
    with pytest.raises(ImportError, match="pip install vl-convert-python"):
        board.save(tmp_path / "board.png")
    board.save(tmp_path / "board.json")
    assert set(board["lr"]._repr_mimebundle_()) == {MIME, "text/plain"}


# --- charts of the user's own


def test_users_chart_is_sent_to_the_front_end(board: Board) -> None:
    board.chart("val/own", SCATTER, metrics=["val/*"])
    (told,) = board.get_state("user_charts")["user_charts"]
    assert (told["name"], told["metrics"]) == ("val/own", ["val/*"])
    assert told["spec"]["data"] == {"name": "points"}
    assert not {"$schema", "usermeta"} & told["spec"].keys()
    assert "user_charts" in board.get_state()


def test_the_front_end_cannot_set_the_charts(board: Board) -> None:
    board.set_state({"user_charts": [{"name": "evil", "spec": {}, "metrics": []}], "smoothing": 3})
    assert (board.user_charts, board.smoothing) == ([], 3)


def test_users_chart_is_replaced_in_place_and_removed(board: Board) -> None:
    board.chart("one", SCATTER)
    board.chart("two", SCATTER)
    board.chart("one", POINTS.mark_bar().encode(x="value:Q"))
    assert [(chart["name"], chart["spec"]["mark"]["type"]) for chart in board.user_charts] == [
        ("one", "bar"),
        ("two", "point"),
    ]
    board.chart("one", None)
    assert [chart["name"] for chart in board.user_charts] == ["two"]
    with pytest.raises(KeyError, match="no chart of yours called 'one'"):
        board.chart("one", None)


def test_users_chart_is_read_with_its_rows(board: Board) -> None:
    board.chart("val/own", SCATTER, metrics="*/loss")
    chart = board["val/own"]
    assert {row["metric"] for row in values(chart)} == {"train/loss", "val/loss"}
    assert marks(chart) == ["point"]


def test_one_metric_or_several_may_be_named(board: Board) -> None:
    board.chart("a", SCATTER, metrics="lr")
    board.chart("b", SCATTER, metrics=("lr", "val/*"))
    assert [chart["metrics"] for chart in board.user_charts] == [["lr"], ["lr", "val/*"]]


@pytest.mark.parametrize(
    "chart",
    [
        SCATTER + POINTS.mark_line().encode(x="step:Q", y="smooth:Q"),
        SCATTER | SCATTER,
        SCATTER & SCATTER,
        SCATTER.facet("run:N"),
        SCATTER.repeat(row=["value", "smooth"]),
        alt.Chart().mark_point().encode(x="step:Q"),
        alt.Chart(alt.InlineData(values=[{"x": 1}])).mark_point().encode(x="x:Q"),
    ],
)
def test_every_kind_of_altair_chart_is_accepted(board: Board, chart: Any) -> None:
    board.chart("own", chart)
    json.dumps(board.user_charts, allow_nan=False)
    board["own"].to_dict()


def test_chart_without_data_draws_the_points(board: Board) -> None:
    board.chart("own", alt.Chart().mark_point().encode(x="step:Q"))
    assert board.user_charts[0]["spec"]["data"] == {"name": "points"}


def test_users_chart_by_run_has_the_boards_colors_and_is_not_stacked(board: Board) -> None:
    """The example of the documentation."""
    area = POINTS.mark_area(opacity=0.4).encode(x="x:Q", y="value:Q", color="run:N")
    board.chart("val/area", area, metrics="val/loss")
    spec = board["val/area"].to_dict()
    assert spec["encoding"]["y"]["stack"] is None
    colors = {row["run"]: row["color"] for row in values(board["val/loss"])}
    assert spec["encoding"]["color"]["scale"] == {"domain": [*colors], "range": [*colors.values()]}
    assert len(set(colors.values())) == 3
    stacked = area.encode(
        y=alt.Y("value:Q", stack="normalize"), color=alt.Color("run:N", scale=alt.Scale(scheme="dark2"))
    )
    board.chart("val/area", stacked, metrics="val/loss")
    spec = board["val/area"].to_dict()["encoding"]
    assert (spec["y"]["stack"], spec["color"]["scale"]) == ("normalize", {"scheme": "dark2"})


def test_rows_of_a_users_chart_have_group_and_config() -> None:
    run = tb.init("p", "grouped", group="g", config={"lr": 0.1, "net": {"width": 64}})
    run.log({"loss": 1.0})
    run.finish()
    board = tb.board("p")
    board.chart("by rate", POINTS.mark_point().encode(x="config.lr:Q", y="value:Q", color="group:N"), metrics="loss")
    assert [(row["group"], row["config"]) for row in values(board["by rate"])] == [
        ("g", {"lr": 0.1, "net": {"width": 64}})
    ]


def test_runs_are_colored_by_a_column_unless_by_hand() -> None:
    for number, optimizer in enumerate(["sgd", "adam", "sgd"]):
        with tb.init("p", f"run {number}", config={"optimizer": optimizer}) as run:
            run.log({"loss": 1.0}, step=0)
            run.log({"loss": 2.0}, step=1)
    board = tb.board("p")
    board.color_by = "config.optimizer"
    line = theme()["light"]["line"]

    def colors() -> dict[str, str]:
        return {row["run"]: row["color"] for row in values(board["loss"])}

    assert colors() == {"run 0": line[1], "run 1": line[0], "run 2": line[1]}
    board.run_colors = {run.id: "#123456"}
    assert colors()["run 2"] == "#123456"
    board.color_by, board.run_colors = "", {}
    assert colors() == {f"run {number}": line[number] for number in range(3)}


def test_default_size_is_dropped_and_the_users_config_kept(board: Board) -> None:
    board.chart("own", SCATTER.configure_view(fill="white").configure_axis(grid=False))
    assert board["own"].to_dict()["config"]["axis"] == {"grid": False}
    board.to_altair().to_dict()
    assert board.user_charts[0]["spec"]["config"] == {"view": {"fill": "white"}, "axis": {"grid": False}}


def test_names_are_data(board: Board) -> None:
    board.chart(ODD, SCATTER, metrics=ODD)
    assert board.user_charts[0]["name"] == ODD
    assert ODD in board
    assert board[ODD].to_dict()["title"]["text"] == ODD
    with pytest.raises(TypeError, match="metric name"):
        board.chart(3, SCATTER)  # type: ignore[arg-type]


@pytest.mark.parametrize("chart", [3, {"mark": "point"}, "point", alt.Chart])
def test_anything_but_a_chart_is_a_type_error(board: Board, chart: Any) -> None:
    with pytest.raises(TypeError, match=r"chart 'own' is \w+, not an Altair chart such as alt.Chart\(alt.NamedData"):
        board.chart("own", chart)
    assert board.user_charts == []


@pytest.mark.parametrize(
    ("chart", "said"),
    [
        (POINTS.mark_point().encode(x="step"), "cannot be drawn: .*type"),
        (POINTS.mark_point().encode(x=alt.X("step:Q", axis="tall")), "cannot be drawn: .*tall"),
        (alt.Chart("https://example.com/x.csv").mark_point().encode(x="a:Q"), "loads data from a URL"),
        (
            SCATTER.transform_lookup("run", alt.LookupData(alt.UrlData("x.csv"), "run", ["a"])),
            "loads data from a URL",
        ),
        (
            alt.Chart(alt.InlineData(values=[{"x": i, "y": "y" * 50} for i in range(2000)]))
            .mark_point()
            .encode(x="x:Q"),
            r"carries \d+ KB of data of its own, and a board takes 100 KB: .*NamedData",
        ),
    ],
)
def test_invalid_chart_is_a_value_error_at_the_call(board: Board, chart: Any, said: str) -> None:
    with pytest.raises(ValueError, match=f"(?s)chart 'own' {said}"):
        board.chart("own", chart)
    assert board.user_charts == []


def test_large_frame_is_refused(board: Board) -> None:
    import polars as pl

    with pytest.raises(ValueError, match="more than 5,000 rows"):
        board.chart("own", alt.Chart(pl.DataFrame({"x": range(6000)})).mark_point().encode(x="x:Q"))


def test_metrics_must_be_names(board: Board) -> None:
    with pytest.raises(ValueError, match="metrics is empty"):
        board.chart("own", SCATTER, metrics=[])
    with pytest.raises(TypeError, match="metric name"):
        board.chart("own", SCATTER, metrics=[3])  # type: ignore[list-item]


# --- the live path


def test_live_board_does_not_import_altair() -> None:
    program = """
import sys, trackbook as tb
run = tb.init("p", display=False)
run.log({"a": 1})
board = tb.board("p")
board.metrics, "a" in board, board.get_state(), board.tick(1.0), board.settle()
run.finish()
print("altair" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


# --- several metrics in one chart, and the arrangement of charts


def test_several_metrics_are_drawn_in_one_chart(board: Board) -> None:
    board.chart("loss", metrics=["train/loss", "val/loss"])
    assert board.combined == {"loss": ["train/loss", "val/loss"]}
    assert "loss" in board
    rows = values(board["loss"])
    assert {row["run"] for row in rows} == {f"{run} · {part}" for run in "abc" for part in ("train", "val")}
    assert {(row["run"][-5:], row["value"]) for row in rows if row["step"] == 0} == {("train", 5), ("· val", 4)}
    colors = {row["run"]: row["color"] for row in rows}
    assert colors["a · train"] == colors["a · val"] != colors["b · train"]
    board.chart("loss")
    assert board.combined == {}
    assert "loss" not in board


def test_a_lone_run_has_a_color_for_each_metric_of_a_combined_chart(board: Board) -> None:
    board.hidden_runs = tb.runs("p")["id"].to_list()[:2]
    board.combine_splits = True
    rows = values(board["loss"])
    assert {row["run"] for row in rows} == {"train", "val"}
    assert len({row["color"] for row in rows}) == 2


def test_a_combined_chart_replaces_one_of_the_user_and_the_other_way_round(board: Board) -> None:
    board.chart("loss", SCATTER, metrics="train/*")
    board.chart("loss", metrics="*/loss")
    assert (board.user_charts, board.combined) == ([], {"loss": ["*/loss"]})
    board.chart("loss", SCATTER, metrics="train/*")
    assert ([one["name"] for one in board.user_charts], board.combined) == (["loss"], {})


def test_an_invalid_chart_changes_nothing(board: Board) -> None:
    board.chart("loss", metrics="*/loss")
    with pytest.raises(TypeError, match="not an Altair chart"):
        board.chart("loss", {"mark": "line"})  # type: ignore[arg-type]
    assert board.combined == {"loss": ["*/loss"]}


def test_the_whole_board_has_the_charts_as_they_are_arranged(board: Board) -> None:
    board.pinned, board.chart_groups, board.chart_order = ["lr"], {"val/loss": "train"}, ["val/loss", "train/loss"]
    rows = board.to_altair().to_dict()["vconcat"]
    assert [row["title"]["text"] for row in rows] == ["pinned", "train"]
    assert [[chart["title"]["text"] for chart in row["concat"]] for row in rows] == [["lr"], ["loss", "loss"]]
    board.chart("loss", metrics=["train/loss", "val/loss"])
    rows = board.to_altair().to_dict()["vconcat"]
    titles = [[chart["title"]["text"] for chart in row["concat"]] for row in rows]
    assert titles == [["lr"], ["loss"]]


def test_snapshot_has_the_charts_as_they_are_arranged(board: Board) -> None:
    board.pinned, board.group_order = ["gone", "lr"], ["val"]
    board.chart("val/own", SCATTER, metrics="val/loss")

    def titles() -> list[tuple[str, str]]:
        saved = board.snapshot()
        assert saved is not None
        vl_convert.vegalite_to_svg(saved.spec)
        return [(chart["title"]["text"], chart["title"].get("subtitle", "")) for chart in saved.spec["concat"]]

    assert titles() == [("pinned", "lr"), ("val", "loss"), ("\u200b", "own"), ("train", "loss")]
    state = board.snapshot_state
    board.chart("loss", metrics=["train/loss", "val/loss"])
    board.chart("val/own")
    assert titles() == [("pinned", "lr"), ("\u200b", "loss")]
    assert board.snapshot_state != state
    state = board.snapshot_state
    board.chart("own", SCATTER)
    assert board.snapshot_state != state


def test_a_cell_that_computes_does_not_hold_up_the_board_while_its_snapshot_is_made(
    board: Board, monkeypatch: pytest.MonkeyPatch
) -> None:
    meanwhile: list[float] = []
    monkeypatch.setattr(chart_access, "make_snapshot", lambda *_: meanwhile.append(sys.getswitchinterval()))
    board.snapshot()
    assert 0 < max(meanwhile) < 1.1 * QUICK


def test_pinned_metric_that_no_longer_exists_changes_nothing(board: Board) -> None:
    usual = board.to_altair().to_dict()["vconcat"]
    board.pinned, board.combined = ["gone"], {"gone too": ["nobody/*"]}
    assert len(board.to_altair().to_dict()["vconcat"]) == len(usual) == 3
    assert "gone" not in board


def test_a_line_that_is_noise_is_smoothed_unless_that_is_turned_off() -> None:
    noise = random.Random(1)
    with tb.init("p", "noise") as run:
        for step in range(300):
            run.log({"noise": noise.random() + (20 if step == 150 else 0), "trend": step + noise.random()})
    board = tb.board("p")
    assert marks(board["noise"]) == ["line", "line", "text"]
    assert marks(board["trend"]) == ["line", "text"]
    layers = board["noise"].to_dict()
    assert layers["encoding"]["y"]["scale"]["domain"][1] < 3
    board.auto_smoothing = False
    assert marks(board["noise"]) == ["line", "text"]
