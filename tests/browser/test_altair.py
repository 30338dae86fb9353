"""Charts of the user's own on a live board, and a board's charts as Altair charts."""

from __future__ import annotations

import html
import re
from pathlib import Path

from PIL import Image, ImageChops

from browser.lab import OUTPUT, Lab

LIVE = """
import itertools, math, pathlib, time
import altair as alt
import trackbook as tb

run = tb.init(project="own")
board = tb.board()
points = alt.Chart(alt.NamedData("points"))
by_run = alt.Color("color:N", scale=None)
board.chart("val/loss", points.mark_area(opacity=0.4).encode(x="x:Q", y="smooth:Q", color=by_run))
board.chart("val/both", points.mark_point().encode(x="step:Q", y="value:Q", color="metric:N"))
board.chart("__proto__/<b>side by side</b>", points.mark_bar().encode(alt.X("value:Q", bin=True), y="count()")
    | points.mark_line().encode(x="step:Q", y="value:Q", color="metric:N"), metrics="*")
board.chart("val/broken", points.mark_point().encode(x="nowhere:Q").transform_calculate(nowhere="no_such_function(1)"))
board.chart("val/image", points.mark_image().transform_calculate(u="'http://elsewhere.invalid/x.png'").encode(url="u:N"))
for i in itertools.count():
    if pathlib.Path("seen").exists():
        break
    run.log({"val/loss": math.exp(-i / 60) + 0.1, "val/acc": 1 - math.exp(-i / 60), "lr": 0.1})
    time.sleep(0.02)
run.finish()
"""


def test_users_charts_draw_live_and_a_broken_one_says_why(lab: Lab) -> None:
    (lab.server.root / "seen").unlink(missing_ok=True)
    asked: list[str] = []
    lab.page.on("request", lambda request: asked.append(request.url))
    lab.write_and_open("own", LIVE, "board.chart('val/both', None)\nboard.chart('val/loss', None)")
    lab.run(0)
    board = lab.board()
    both = {"val/loss", "val/acc"}
    board.wait_for_rows("val/both", 40)
    before = board.look(chart="val/both")
    board.wait_for_rows("val/both", len(board.rows("val/both")) + 80)
    assert lab.is_busy(0)
    assert ImageChops.difference(before, board.look(chart="val/both")).getbbox()
    assert board.groups() == {
        "": ["lr"],
        "val": ["val/loss", "val/acc", "val/both", "val/broken", "val/image"],
        "__proto__": ["__proto__/<b>side by side</b>"],
    }
    metrics = "(chart) => [...new Set(chart.view.data('points').map((row) => row.metric))]"
    assert set(board.chart("val/both").evaluate(metrics)) == both
    assert board.chart("val/loss").evaluate(metrics) == ["val/loss"]
    assert set(board.chart("__proto__/<b>side by side</b>").evaluate(metrics)) == {*both, "lr"}
    board.chart("val/broken").locator(".tb-error", has_text="could not be drawn").wait_for()
    board.chart("val/image").locator(".tb-error", has_text="a board loads no external resources").wait_for()
    assert not [url for url in asked if "elsewhere" in url]
    assert lab.is_busy(0)
    (lab.server.root / "seen").touch()
    lab.wait_until_done(0)
    for theme in ("light", "dark"):
        lab.set_theme(theme)
        lab.wait_for_quiet()
        board.look(f"own-{theme}")
    lab.set_size(700)
    lab.wait_for_quiet()
    board.look("own-700")
    lab.set_size(1280, 1600)
    view = board.chart("val/acc").evaluate_handle("(chart) => chart.view")
    lab.run_to_end(1)
    board.page.wait_for_function(
        "([board]) => ![...board.querySelectorAll('.tb-chart')].some((it) => it.dataset.metric === 'val/both')",
        arg=[board.root.element_handle()],
    )
    board.page.wait_for_function(
        "(chart) => chart.view?.data('points').every((row) => row.metric === undefined)",
        arg=board.chart("val/loss").element_handle(),
    )
    assert board.chart("val/acc").evaluate("(chart, view) => chart.view === view", view)  # nobody else was made anew
    lab.forgive("val/broken")
    lab.forgive("val/image")


KEPT = """
import altair as alt
import trackbook as tb

run = tb.init(project="kept charts")
run.log({"a": 1})
run.log({"a": 2})
board = tb.board()
board.chart("own", alt.Chart(alt.NamedData("points")).mark_point().encode(x="step:Q", y="value:Q"))
run.finish()
"""
READ = """
import trackbook as tb

for lr in (0.1, 0.3):
    run = tb.init(project="read", name=f"lr={lr}")
    for i in range(50):
        run.log({"train/loss": lr / (i + 1)})
    run.finish()
tb.board("read")["train/loss"]
"""


def test_users_chart_survives_a_reload(lab: Lab) -> None:
    lab.write_and_open("kept-charts", KEPT, READ)
    lab.run_to_end(0)
    lab.board().wait_for_rows("own", 2)
    lab.run_to_end(1)
    chart = lab.cell(1).locator(".jp-RenderedVegaCommon5, .vega-embed").filter(visible=True).first
    chart.locator("canvas, svg").first.wait_for()
    chart.screenshot(path=OUTPUT / "displayed.png")
    lab.save()
    lab.reload()
    assert lab.board().wait_for_rows("own", 2).steps("own") == [0, 1]


def test_users_chart_has_a_full_screen_and_is_saved_with_its_name(lab: Lab) -> None:
    lab.write_and_open("own-menu", KEPT.replace('"own"', '"val/constructor"').replace("kept charts", "own menu"))
    lab.run_to_end(0)
    board = lab.board().wait_for_rows("val/constructor", 2)
    chart = board.chart("val/constructor")

    def choose(entry: str) -> None:
        chart.hover()
        chart.locator(".tb-more").click()
        chart.get_by_role("menu").get_by_text(entry, exact=True).click()

    def save(entry: str) -> Path:
        with lab.page.expect_download() as download:
            choose(entry)
        assert download.value.suggested_filename.startswith("val-constructor.")
        return Path(download.value.path())

    texts = [html.unescape(text) for text in re.findall(r">([^<>]+)</text>", save("Save as SVG").read_text())]
    assert "val/constructor" in texts
    assert {"step", "value"} <= set(texts)
    picture = Image.open(save("Save as PNG"))
    picture.save(OUTPUT / "saved-own-chart.png")
    assert picture.width > 2 * 500
    assert len(picture.convert("RGB").getcolors(1 << 20) or []) > 10
    choose("Full screen")
    dialog = board.root.locator("dialog[open]")
    dialog.locator("canvas").wait_for()
    lab.wait_for_quiet()
    lab.page.screenshot(path=OUTPUT / "own-full-screen.png")
    prefix = dialog.locator(".tb-metric").evaluate("(title) => getComputedStyle(title, '::before').content")
    assert prefix.strip('"') + dialog.locator(".tb-metric").inner_text() == "val/constructor"
    assert dialog.locator("canvas").bounding_box()["width"] > 600  # type: ignore[index]
    lab.page.keyboard.press("Escape")
    dialog.wait_for(state="hidden")
    chart.locator("canvas").wait_for()
