"""A project of 1,000 runs x 50 metrics in JupyterLab: the time until board and runs panel are shown, and scrolling.

Times are milliseconds.
"""

from __future__ import annotations

import random
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from trackbook.store.base import POINTS
from trackbook.store.paths import project_file
from trackbook.store.sqlite import SqliteStore
from trackbook.types import RunRecord

if TYPE_CHECKING:
    from playwright.sync_api import Locator

    from browser.lab import Lab as Notebook

PROJECT = "many"
DRAWN = 10  # the newest runs, which the board draws unasked: these have long series
OPEN = f"board = tb.board({PROJECT!r}); board.panel = 'runs'; board"

# Milliseconds from now until there are rows in the panel, and charts in view are drawn.
UNTIL_DRAWN = """() => new Promise((resolve) => {
    const begin = performance.now();
    const look = () => {
        const cell = document.querySelectorAll(".jp-NotebookPanel .jp-CodeCell")[1];
        const rows = cell.querySelectorAll(".tb-runs-rows > .tb-runs-row").length;
        const drawn = cell.querySelectorAll(".tb-chart[data-drawn]").length;
        rows >= 10 && drawn >= 2 ? resolve(performance.now() - begin) : requestAnimationFrame(look);
    };
    look();
})"""

# Frame intervals while the list is scrolled by about a screenful a frame.
SCROLL = """(list) => new Promise((resolve) => {
    const gaps = [];
    let last = performance.now();
    const step = (now) => {
        gaps.push(now - last);
        last = now;
        list.scrollTop += 437;
        gaps.length < 61 ? requestAnimationFrame(step) : resolve(gaps.slice(1).sort((a, b) => a - b));
    };
    requestAnimationFrame(step);
})"""

# Milliseconds of script and layout that typing a letter, a click and so on take.
ACT = """(element, act) => {
    const begin = performance.now();
    if (act === "click") element.click();
    else {
        element.value = act;
        element.dispatchEvent(new Event("input", { bubbles: true }));
    }
    document.body.getBoundingClientRect();
    return performance.now() - begin;
}"""


# Milliseconds from an act until the browser has drawn what `done` finds in the board.
UNTIL = """(root, [act, place, done, text]) => new Promise((resolve) => {
    const begin = performance.now();
    const rows = () => root.querySelectorAll(".tb-runs-rows > .tb-runs-row");
    const first = rows()[0]?.dataset.run;
    const isDone = {
        open: () => rows().length >= 10,
        all: () => Number(root.querySelector("[aria-rowcount]")?.getAttribute("aria-rowcount")) > Number(text),
        sorted: () => rows().length >= 10 && rows()[0].dataset.run !== first,
        found: () => rows().length > 0 && [...rows()].every((row) => row.textContent.includes(text)),
    }[done];
    const element = root.querySelectorAll(act)[place];
    if (done === "found") {
        element.value = text;
        element.dispatchEvent(new Event("input", { bubbles: true }));
    } else if (done !== "all") element.click();
    const look = () => isDone() ? requestAnimationFrame(() => resolve(performance.now() - begin)) : setTimeout(look);
    look();
})"""


def fill(folder: Path, runs: int, metrics: int) -> None:
    """Write the project: short series, and longer ones in the newest runs."""
    chance = random.Random(7)  # noqa: S311  # made-up figures
    folder.mkdir(parents=True, exist_ok=True)
    store = SqliteStore(folder / project_file(PROJECT), PROJECT)
    names = [f"group {number % 5}/metric {number}" for number in range(metrics)]
    for number in range(runs):
        length = 500 if number >= runs - DRAWN else 2
        started = 1.7e9 + 60 * number
        config = {
            "lr": 10 ** -chance.uniform(1, 4),
            "optimizer": {"name": chance.choice(["adam", "sgd"])},
            "seed": number,
        }
        run = RunRecord(
            f"run{number:05}", f"brisk-otter-{number}", started, "finished", config=config, ended=started + 50
        )
        columns = {
            "metric": [name for name in names for _ in range(length)],
            "step": list(range(length)) * metrics,
            "value": [chance.random() for _ in range(length * metrics)],
            "time": [started + step for step in range(length)] * metrics,
        }
        store.put_run(run)
        store.append(run.id, pl.DataFrame(columns, schema=POINTS))
        if number % 50 == 49:
            store.flush()
    store.close()


def measure(lab: Notebook) -> dict[str, Any]:
    lab.write_and_open("panel", "import trackbook as tb", OPEN)
    lab.run_to_end(0)
    lab.page.evaluate("() => window.scrollTo(0, 0)")
    lab.run(1)
    found: dict[str, Any] = {"first_paint": lab.page.evaluate(UNTIL_DRAWN)}
    lab.wait_until_done(1)
    board = lab.board(1).root
    button, rows = board.locator(".tb-runs-button"), board.locator(".tb-runs-rows > .tb-runs-row")
    lab.wait_for_quiet()
    found["rows_in_page"] = rows.count()
    gaps = board.locator(".tb-runs-scroll").evaluate(SCROLL)
    found["scroll_frame_p50"], found["scroll_frame_p95"] = gaps[len(gaps) // 2], gaps[int(len(gaps) * 0.95)]
    found["sort"] = act(board.locator(".tb-runs-sort").nth(2), "click")
    found["search"] = act(board.locator(".tb-panel input[type=search]").first, "otter-1")
    found["search_nothing"] = act(board.locator(".tb-panel input[type=search]").first, "")
    found["close"] = act(button, "click")
    found["open_again"] = act(button, "click")
    return found


def measure_many(lab: Notebook, runs: int) -> dict[str, Any]:
    """Milliseconds until charts are drawn, and until the runs panel is opened, sorted and searched, with its drawing.

    An opened panel has the newest runs at once; ``all`` is the time until the kernel has sent the others as well.
    """
    lab.write_and_open("many", "import trackbook as tb", f"board = tb.board({PROJECT!r}); board")
    lab.run_to_end(0)
    lab.page.evaluate("() => window.scrollTo(0, 0)")
    lab.run(1)
    found: dict[str, Any] = {"first_paint": lab.page.evaluate(UNTIL_DRAWN.replace("rows >= 10 &&", ""))}
    lab.wait_until_done(1)
    board = lab.board(1).root
    for name, element, place, done, text in (
        ("open", ".tb-runs-button", 0, "open", ""),
        ("all", ".tb-runs-button", 0, "all", str(runs)),
        ("sort", ".tb-runs-sort", 2, "sorted", ""),
        ("search", ".tb-panel input[type=search]", 0, "found", "otter-77"),
    ):
        if name != "all":  # which goes on from the opening
            lab.wait_for_quiet()
        found[name] = board.evaluate(UNTIL, [element, place, done, text])
    return found


def act(element: Locator, what: str) -> float:
    cost: float = element.evaluate(ACT, what)
    element.page.evaluate("() => new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)))")
    return cost
