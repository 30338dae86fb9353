"""The details of a run in JupyterLab: console, code and environment, even while the cell is busy."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

from browser.lab import Board, Lab

LINES = 25_000

RUN = """
import json, time
import trackbook as tb
from trackbook.tracking.run import writer_of

run = tb.init(project="details", name="told", config={"lr": 3e-4, "model": {"name": "resnet18", "width": 64}})
for step in range(20):
    run.log({"train/loss": 1 / (step + 1)})
KINDS = [
    ("stdout", "epoch {0:>5}  loss {1:.4f}  val/accuracy {2:.4f}"),
    ("log", "INFO trainer: checkpoint-{0} written to runs/digits/checkpoint-{0}.safetensors"),
    ("stderr", "UserWarning: <b>lr_scheduler.step()</b> was called before optimizer.step(), in step {0}"),
    ("stdout", "  gradient norm {1:.3e}, learning rate 3e-4"),
]
lines = []
for i in range(COUNT):
    stream, text = ("cut", "12,345 lines left out") if i == 5000 else KINDS[i % 4]
    lines.append((i, stream, text.format(i, 2.3 / (1 + i / 900), 1 - 1 / (2 + i / 400)), 1.79e9 + i / 50, 0))
writer_of(run).store.put_captured(run.id, "console", lines)
source = '''for epoch in range(100):
    loss = train(model, batches, lr=3e-4)
    if epoch % 10 == 0:
        tb.log({"train/loss": loss, "val/accuracy": evaluate(model)})
'''
traceback = 'Traceback (most recent call last):\\n  Cell In[6], line 1\\nNameError: name "path" is not defined'
writer_of(run).store.put_captured(run.id, "cells", [
    (0, "a", 3, "import trackbook as tb", 1.79e9, 1.79e9 + 0.02, "ok", None, None, "[]", 0, None),
    (1, "b", 5, source, 1.79e9, 1.79e9 + 93, "ok", None, "0.9812", '["train/loss"]', 20, "edited since"),
    (2, "c", 6, "model.save(path)", 1.79e9, 1.79e9 + 0.3, "error", traceback, None, "[]", 0, None),
])
environment = {
    "os": {"name": "Linux", "version": "6.1.0-18-amd64", "hostname": "node-17"},
    "cpu": {"model": "AMD EPYC 7763 64-Core Processor", "physical": 64, "logical": 128},
    "memory": {"total_gb": 503.2},
    "gpus": [{"name": "NVIDIA A100-SXM4-80GB", "memory_gb": 80.0, "driver": "550.54"}],
    "python": {"version": "3.12.4", "executable": "/home/ada/venvs/digits/bin/python"},
    "packages": {f"package-{i}": f"1.{i}.0" for i in range(120)} | {"numpy": "2.1.0"},
    "git": {"branch": "main", "commit": "9f2d1c07c1", "dirty": True, "diff": "-LR = 1e-3\\n+LR = 3e-4"},
    "notebook": {"name": "digits.ipynb"},
}
writer_of(run).store.put_captured(run.id, "facts", [
    ("environment", json.dumps(environment)),
])
tb.finish()
""".replace("COUNT", str(LINES))

BUSY = """
run = tb.init(project="details", name="busy")
run.log({"loss": 1.0})
board = tb.board()
end = time.monotonic() + 60
line = 0
while time.monotonic() < end and board.smoothing != 7:
    writer_of(run).store.put_captured(run.id, "console", [(line, "stdout", f"busy line {line}", time.time(), None)])
    line += 1
    end_of_work = time.monotonic() + 0.1
    while time.monotonic() < end_of_work:
        pass
print("printed", line)
tb.finish()
"""


@pytest.fixture(scope="module")
def lab(lab_of_module: Lab) -> Lab:
    lab = lab_of_module
    lab.write_and_open("details", RUN, BUSY)
    lab.run_to_end(0)
    return lab


def open_details(board: Board) -> None:
    board.root.locator(".tb-runs-button").click()
    board.root.locator(".tb-runs-rows > .tb-runs-row").first.wait_for()
    board.root.locator(".tb-runs").focus()
    for key in ("Home", "Enter"):
        board.page.keyboard.press(key)


@pytest.fixture(scope="module")
def opened(lab: Lab) -> Board:
    board = lab.board(0).wait()
    open_details(board)
    return board


def choose(board: Board, tab: str) -> Any:
    board.root.get_by_role("tab", name=tab).click()
    return board.root.get_by_role("tabpanel", name=tab)


VISIBLE = """(console) => {
    const { top, bottom } = console.getBoundingClientRect();
    return [...console.querySelectorAll(".tb-line")].filter((line) => {
        const box = line.getBoundingClientRect();
        return box.top >= top - 1 && box.bottom <= bottom + 1;
    }).map((line) => line.lastElementChild.textContent);
}"""


def in_view(board: Board) -> list[str]:
    """Return the visible lines, from top to bottom. After a scroll they are drawn in the next frame."""
    console = board.root.locator(".tb-console").element_handle()
    board.page.wait_for_function(f"(console) => ({VISIBLE})(console).length > 0", arg=console)
    texts: list[str] = console.evaluate(VISIBLE)
    return texts


def wait_for_line(board: Board, text: str) -> None:
    board.root.locator(".tb-line", has_text=text).first.wait_for()


def test_tabs_are_chosen_by_keys_the_notebook_does_not_get(lab: Lab, opened: Board) -> None:
    cells = lab.page.locator(".jp-NotebookPanel .jp-CodeCell").count()
    choose(opened, "Overview")
    for key in ("ArrowRight", "ArrowRight", "ArrowRight", "a", "d", "d"):
        opened.page.keyboard.press(key)
    opened.root.get_by_role("tabpanel", name="Environment").get_by_text("node-17").wait_for()
    assert opened.page.evaluate("document.activeElement.textContent") == "Environment"
    assert lab.page.locator(".jp-NotebookPanel .jp-CodeCell").count() == cells


def test_a_name_that_is_emptied_is_that_of_the_run_again(lab: Lab, opened: Board) -> None:
    choose(opened, "Overview")
    name = opened.root.get_by_label("Name", exact=True)
    status = opened.root.locator(".tb-panel-status")
    for key in ("Enter", "Tab"):
        name.fill(" ")
        lab.page.keyboard.press(key)
        expect(name).to_have_value("told")
        expect(status).to_have_text("Could not rename “told”: a run needs a name")


def test_console_of_25000_lines_opens_at_its_end_and_scrolls(opened: Board) -> None:
    choose(opened, "Console")
    wait_for_line(opened, "  gradient norm")
    assert f"step {LINES - 2}" in in_view(opened)[-2]
    assert opened.root.locator(".tb-line").count() < 60
    scroller = opened.root.locator(".tb-console")
    before = scroller.evaluate("(it) => it.scrollHeight")
    scroller.evaluate("(it) => { it.scrollTop = 0; }")
    opened.page.wait_for_function("([it, before]) => it.scrollHeight > before", arg=[scroller.element_handle(), before])
    assert f"epoch {LINES - 1000:>5}" in in_view(opened)[0], "what one reads stays where it is"


def test_search_covers_the_whole_console(opened: Board) -> None:
    panel = choose(opened, "Console")
    search = panel.get_by_label("Search the console")
    search.fill("CHECKPOINT-12")
    panel.get_by_text("278 of 278", exact=True).wait_for()
    wait_for_line(opened, "checkpoint-12")
    search.fill("checkpoint-145 ")
    panel.get_by_text("1 of 1", exact=True).wait_for()
    wait_for_line(opened, "checkpoint-145 ")
    current = opened.root.locator(".tb-line[aria-current]")
    assert current.locator("mark").inner_text() == "checkpoint-145 "
    assert any("checkpoint-145 " in line for line in in_view(opened))
    search.fill("left out")
    panel.get_by_text("1 of 1", exact=True).wait_for()
    opened.root.locator(".tb-line[data-stream=cut][aria-current]").wait_for()
    search.fill("nowhere to be found")
    panel.get_by_text("no match").wait_for()
    search.fill("")
    panel.get_by_label("To the end").click()
    opened.page.wait_for_function("(board) => !board.querySelector('mark')", arg=opened.root.element_handle())


def test_details_in_full_screen_keep_their_place(opened: Board) -> None:
    choose(opened, "Console")
    opened.root.locator(".tb-console").evaluate("(it) => { it.scrollTop = 6000; }")
    wait_for_line(opened, "epoch")
    first = in_view(opened)[0]
    opened.root.get_by_label("Full screen").click()
    opened.root.locator("dialog[open] .tb-console").wait_for()
    opened.page.wait_for_function("() => document.querySelectorAll('dialog[open] .tb-line').length > 40")
    assert in_view(opened)[0] == first
    choose(opened, "Overview")
    tops = [opened.root.get_by_label(name, exact=True).bounding_box()["y"] for name in ("Name", "Tags")]  # type: ignore[index]
    assert tops[1] - tops[0] < 60, "they stand together at the top"
    choose(opened, "Console")
    opened.page.keyboard.press("Escape")
    opened.root.locator("dialog[open]").wait_for(state="detached")
    assert opened.root.locator(".tb-run-details").is_visible(), "Escape left the dialog, not the details"


def test_tabs_show_code_and_environment(opened: Board) -> None:
    code = choose(opened, "Code")
    code.get_by_text("for epoch in range(100)").wait_for()
    assert code.locator(".tb-cell").count() == 3
    assert code.locator(".tb-cell-head").all_inner_texts()[1].split("\n") == ["In [5]", "edited since", "1:33"]
    assert code.locator(".tb-code.tb-minor").all_inner_texts() == ["0.9812"]
    assert "NameError" in code.locator(".tb-code.tb-danger").inner_text()
    environment = choose(opened, "Environment")
    environment.get_by_text("packages 121").click()
    environment.get_by_label("Search packages").fill("nump")
    assert environment.locator("details[open] [role=term]").all_inner_texts() == ["numpy"]


LOOKS = """(board) => {
    const small = [];
    for (const one of board.querySelectorAll(".tb-run-details [role=tabpanel]:not([hidden]) :is(input, button, span)")) {
        const box = one.getBoundingClientRect();
        const edge = one.closest(".tb-scroll, .tb-console") ? null : board.getBoundingClientRect();
        if (edge && box.width && (box.right > edge.right + 1 || box.left < edge.left - 1)) small.push(one.className);
    }
    return [board.scrollWidth - board.clientWidth, small];
}"""


def test_details_fit_at_any_width_in_both_themes(lab: Lab, opened: Board) -> None:
    for theme in ("light", "dark"):
        lab.set_theme(theme)
        for width in (1280, 500):
            lab.set_size(width, 1800)
            for tab in ("Overview", "Console", "Code", "Environment"):
                panel = choose(opened, tab)
                if tab == "Console":
                    panel.get_by_label("Search the console").fill(f"trainer: checkpoint-{width}")
                    panel.locator(".tb-line[aria-current]", has_text=f"checkpoint-{width}").wait_for()
                lab.wait_for_quiet()
                opened.root.locator(".tb-side").screenshot(path=picture(f"details-{tab.lower()}-{width}-{theme}"))
                wider, outside = opened.root.evaluate(LOOKS)
                assert (wider <= 0, outside) == (True, []), f"{tab} at {width}"
                assert opened.faint() == [], f"{tab} at {width}, {theme}"
    lab.set_size(1280, 1600)


def picture(name: str) -> str:
    from browser.lab import OUTPUT

    return str(OUTPUT / f"{name}.png")


def test_the_console_is_followed_while_the_cell_is_busy(lab: Lab) -> None:
    lab.run(1)
    board = lab.board(1).wait_for_rows("loss", 1)
    open_details(board)
    choose(board, "Console")
    wait_for_line(board, "busy line 3")
    assert lab.is_busy(1)
    last = in_view(board)[-1]
    board.page.wait_for_function(
        "([board, last]) => [...board.querySelectorAll('.tb-line')].at(-1).lastElementChild.textContent !== last",
        arg=[board.root.element_handle(), last],
    )
    assert lab.is_busy(1)
    board.smooth(7)
    lab.wait_until_done(1)
    printed = int(lab.cell(1).locator(".jp-OutputArea-output pre").last.inner_text().split()[-1])
    wait_for_line(board, f"busy line {printed - 1}")
