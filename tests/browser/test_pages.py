"""Exported pages: opened from disk, without a network, under their own policy."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

import trackbook as tb
from browser.lab import OUTPUT, PATIENCE, Board
from browser.pdf import print_board

STEPS = 3000


# What a script of the page may do; a call from outside may evaluate code at once, so it is tried a moment later.
TRIES = """() => new Promise((resolve) => setTimeout(() => {
    const script = document.createElement("script");
    script.textContent = "globalThis.injected = 1";
    document.body.append(script);
    try { resolve([Function("return 'ran'")(), typeof injected]); } catch (error) { resolve([error.name, typeof injected]); }
}))"""


def loss(step: int, run: int = 0) -> float:
    return 1 / (1 + step) + 0.01 * ((step * 7919 + run) % 13)


@pytest.fixture
def project() -> str:
    for n in range(3):
        with tb.init(project="pages", name=f"run {n}", config={"lr": 10.0**-n}, display=False) as run:
            for step in range(STEPS):
                run.log({"train_loss": loss(step, n), "val_loss": 2 * loss(step, n), "lr": 0.1})
    return "pages"


class Opened:
    """A page in a context of its own, with what its console said and what it asked for."""

    def __init__(self, context: BrowserContext) -> None:
        self.page = context.new_page()
        self.page.set_default_timeout(PATIENCE * 1000)
        self.said: list[str] = []
        self.asked: list[str] = []
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(f"uncaught: {error}"))
        self.page.on("request", lambda request: self.asked.append(request.url))

    def open(self, path: Path, search: str = "") -> Board:
        self.page.goto(path.as_uri() + search)
        return Board(self.page.locator(".tb-board")).wait()


@pytest.fixture
def opened(browser: Browser) -> Iterator[Opened]:
    context = browser.new_context(offline=True, viewport={"width": 1280, "height": 1200}, reduced_motion="reduce")
    yield Opened(context)
    context.close()


def wait_for_address(page: Page, search: str) -> None:
    page.wait_for_function("(search) => location.search === search", arg=search)


def test_a_page_opens_from_disk_without_a_network_and_without_eval(
    project: str, tmp_path: Path, opened: Opened
) -> None:
    path = tb.export_html(tmp_path / "page.html", project)
    board = opened.open(path)
    assert board.metrics() == ["train_loss", "val_loss", "lr"]
    assert board.runs() == ["run 0", "run 1", "run 2"]
    assert [url for url in opened.asked if not url.startswith(("data:", "blob:"))] == [path.as_uri()]
    assert opened.said == []
    board.look("page-light")
    assert opened.page.evaluate(TRIES) == ["EvalError", "undefined"]


def test_the_frame_of_the_documentation_shows_two_metrics_and_no_sidebar(
    project: str, tmp_path: Path, opened: Opened
) -> None:
    tb.export_html(tmp_path / "page.html", project)
    query = "project=pages&metrics=train_loss,val_loss&sidebar=hidden"
    (tmp_path / "site.html").write_text(
        f'<!doctype html><iframe src="page.html?{query}" style="width:1600px; height:500px; border:0;"></iframe>'
    )
    opened.page.goto((tmp_path / "site.html").as_uri())
    inside = opened.page.frame_locator("iframe").locator(".tb-board")
    expect(inside.locator(".tb-chart[data-drawn]")).to_have_count(2)
    assert Board(inside).metrics() == ["train_loss", "val_loss"]
    expect(inside.locator(".tb-side")).to_be_hidden()
    expect(inside.locator(".tb-runs-button")).to_be_hidden()
    expect(inside.locator(".tb-top")).to_be_visible()
    assert opened.said == []
    opened.page.set_viewport_size({"width": 1640, "height": 540})
    opened.page.screenshot(path=OUTPUT / "page-frame.png")


def test_the_address_follows_the_view_and_brings_it_back(project: str, tmp_path: Path, opened: Opened) -> None:
    path = tb.export_html(tmp_path / "page.html", project)
    board = opened.open(path, "?kept=1&smoothing=100&theme=dark")
    assert [text.count("- ") for text in opened.said] == [2], opened.said
    expect(board.root).to_have_attribute("data-theme", "dark")
    board.look("page-dark")
    board.smooth(4)
    board.root.locator(".tb-filter").first.fill("loss$")
    board.root.locator(".tb-run", has_text="run 1").click()
    board.root.locator(".tb-runs-button").click()
    hidden = tb.runs(project)["id"][1]
    search = f"?kept=1&smoothing=4&theme=dark&metric_filter=loss%24&hidden_runs={hidden}&panel=runs"
    wait_for_address(opened.page, search)
    opened.page.reload()
    board.wait()
    assert board.metrics() == ["train_loss", "val_loss"]
    assert {row["run"] for row in board.rows("train_loss")} == {"run 0", "run 2"}
    assert opened.page.evaluate("() => location.search") == search
    expect(board.root.locator(".tb-smoothing")).to_have_value("0.8")
    expect(board.root.locator(".tb-panel")).to_be_visible()


def test_a_zoomed_range_is_in_the_address(project: str, tmp_path: Path, opened: Opened) -> None:
    board = opened.open(tb.export_html(tmp_path / "page.html", project), "?xmin=100&xmax=200")
    steps = board.steps("train_loss")
    assert (max(step for step in steps if step < 100), min(step for step in steps if step > 200)) != (0, STEPS)
    extent = board.chart("train_loss").evaluate("(chart) => chart.view.scale('x').domain().map(Number)")
    assert extent == [100, 200]
    board.root.locator(".tb-unzoom").click()
    wait_for_address(opened.page, "")


def test_a_page_with_all_points_zooms_to_them_and_saves_them(project: str, tmp_path: Path, opened: Opened) -> None:
    path = tb.export_html(tmp_path / "page.html", project, runs=["run 1"], raw=True)
    board = opened.open(path, "?xmin=1500&xmax=1520&metrics=train_loss")
    board.wait_for_rows("train_loss", 21)
    opened.page.wait_for_function(
        "() => document.querySelector('.tb-chart').view.data('points').filter(({ step }) => step >= 1500 && step <= 1520)"
        ".length === 21"
    )
    inside = [(row["step"], row["value"]) for row in board.rows("train_loss") if 1500 <= row["step"] <= 1520]
    assert inside == [(step, loss(step, 1)) for step in range(1500, 1521)]
    board.root.locator(".tb-more").click()
    with opened.page.expect_download() as download:
        board.root.locator(".tb-chart-menu").get_by_text("Save as CSV").click()
    rows = list(csv.DictReader(download.value.path().read_text().splitlines()))
    assert [(int(row["step"]), float(row["value"])) for row in rows] == [(n, loss(n, 1)) for n in range(STEPS)]
    assert opened.said == []


def test_a_page_without_them_saves_what_is_drawn_and_says_so(project: str, tmp_path: Path, opened: Opened) -> None:
    board = opened.open(tb.export_html(tmp_path / "page.html", project), "?metrics=train_loss")
    board.root.locator(".tb-more").click()
    with opened.page.expect_download() as download:
        board.root.locator(".tb-chart-menu").get_by_text("Save as CSV").click()
    assert download.value.suggested_filename == "train_loss-as-drawn.csv"
    expect(board.root.locator(".tb-menu-status")).to_have_text(
        "This page has no other points than those drawn. Saved as drawn."
    )


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_printed_page_has_every_chart_whole_on_white(tmp_path: Path, browser: Browser, scheme: Any) -> None:
    charts = 30
    with tb.init(project="print", display=False) as run:
        for step in range(50):
            run.log({f"part {n % 4}/m{n}": loss(step, n) for n in range(charts)})
    path = tb.export_html(tmp_path / "page.html", "print")
    context = browser.new_context(offline=True, viewport={"width": 900, "height": 600}, color_scheme=scheme)
    page = context.new_page()
    page.goto(path.as_uri())
    Board(page.locator(".tb-board")).root.locator(".tb-chart[data-drawn]").first.wait_for()
    assert page.locator(".tb-chart[data-drawn]").count() < charts, "nothing is out of view"
    printed = print_board(page, f"page-{scheme}")
    assert len(printed.parts["plot"]) == charts
    assert printed.faults() == []
    assert printed.is_white
    context.close()
