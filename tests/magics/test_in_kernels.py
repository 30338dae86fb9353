"""The magics in real kernels, executed as nbclient does it."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

import trackbook as tb
from kernels import client_of, environment_of

if TYPE_CHECKING:
    from nbclient import NotebookClient

pytestmark = [pytest.mark.notebook, pytest.mark.timeout(300)]

LOOP = """import numpy as np
rng = np.random.default_rng(0)
weights = rng.normal(size=4)
for epoch in range(5):
    for batch in range(4):
        gradient = rng.normal(size=4)
        weights -= 0.1 * gradient
        loss = float(np.square(weights).sum()){log}
    val_acc = np.tanh(loss){log_val}
loss"""
PLAIN = LOOP.format(log="", log_val="")
COPY = LOOP.format(log="\n        tb.log({'loss': loss})", log_val="\n    tb.log({'val/acc': val_acc})")
CELLS = {
    "before": "import trackbook as tb\nprint(get_ipython().find_line_magic('track'))",
    "copy": f"tb.init(project='p', name='copy')\n{COPY}\ntb.finish()",
    "tracked": f"%%track --project p --name tracked loss val_acc -> val/acc\n{PLAIN}",
    "fails": "%%track --project p --name fails loss\nfor i in range(3):\n    loss = i\n    assert i < 2, 'too large'",
    "fails too": "tb.init(project='p', name='fails too')\ntb.log({'loss': 1})\n1 / 0",
    "interrupted": "import os, signal\ntb.init(project='p', name='interrupted')\nos.kill(os.getpid(), signal.SIGINT)\nfor i in range(10**9): pass",
    "awaits": "%%track --project p --name awaits loss\nimport asyncio\nfor i in range(3):\n    loss = await asyncio.sleep(0.01, i)",
    "interrupted while it awaits": "%%track --project p --name waits loss\nimport threading\nthreading.Timer(0.1, os.kill, (os.getpid(), signal.SIGINT)).start()\nloss = 1\nawait asyncio.sleep(2)",
    "first": "%%track --project again loss\nloss = 1",
    "again": "%%track --project again loss\nloss = 1",
    "after": "%track status",
    "cells": "run = tb.init(project='cells', capture=['cells'])\nrun.log({'loss': 1});",
    "more cells": "for i in range(3): run.log({'loss': i, 'acc': i})\nrun.name",
    "awaits in a cell": "import asyncio\nawait asyncio.sleep(0.01)\nrun.log({'loss': 1})",
    "fails in a cell": "1 / 0",
    "is interrupted in a cell": "os.kill(os.getpid(), signal.SIGINT)\nfor i in range(10**9): pass",
    "no Python": "x = = 1",
    "captured": "%%capture\nprint('hidden')\n_ = run.log({'acc': 1})",
    "exported": "run.finish()\ntb.export('cells', 'cells.parquet')\n%track show cells.parquet",
    "dies": "tb.init(project='p', name='dies').log({'loss': 1})\nos._exit(1)",
}


@pytest.fixture(scope="module")
def executed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, NotebookClient]:
    """Execute the notebook; return the folder of its runs and the client."""
    folder = tmp_path_factory.mktemp("kernel")
    client = client_of(CELLS, folder)
    with pytest.raises(Exception, match="Kernel died"):  # the last cell
        client.execute(env=environment_of(folder))
    return folder, client


@pytest.fixture
def runs(executed: tuple[Path, NotebookClient], monkeypatch: pytest.MonkeyPatch) -> pl.DataFrame:
    monkeypatch.setenv("TRACKBOOK_DIR", str(executed[0]))
    return tb.runs("p")


def outputs(executed: tuple[Path, NotebookClient], name: str) -> list[Any]:
    return next(cell.outputs for cell in executed[1].nb.cells if cell.id == name.replace(" ", "-"))


def test_importing_registers_nothing_and_the_first_init_everything(executed: tuple[Path, NotebookClient]) -> None:
    assert outputs(executed, "before")[0]["text"] == "None\n"
    assert "run " in outputs(executed, "after")[0]["text"]


def test_points_equal_those_of_an_explicit_copy(executed: tuple[Path, NotebookClient], runs: pl.DataFrame) -> None:
    tracked, copy = (tb.get_run(name, "p").history().drop("time") for name in ("tracked", "copy"))
    assert tracked.height == 25
    assert tracked.equals(copy)


def test_a_tracked_cell_has_a_board_and_its_own_result(executed: tuple[Path, NotebookClient]) -> None:
    kinds = [set(output.get("data", ())) for output in outputs(executed, "tracked")]
    assert any("application/vnd.jupyter.widget-view+json" in kind for kind in kinds)
    (result,) = [output for output in outputs(executed, "tracked") if output.output_type == "execute_result"]
    assert float(result["data"]["text/plain"]) > 0


@pytest.mark.parametrize(
    ("name", "state"),
    [
        ("copy", "finished"),
        ("tracked", "finished"),
        ("awaits", "finished"),
        ("fails", "failed"),
        ("fails too", "failed"),
        ("interrupted", "interrupted"),
        ("waits", "interrupted"),
        ("dies", "lost"),
    ],
)
def test_a_run_ends_as_its_cell_does(runs: pl.DataFrame, name: str, state: str) -> None:
    assert runs.filter(name=name)["state"].to_list() == [state]


def test_a_failed_run_says_why(runs: pl.DataFrame) -> None:
    assert tb.get_run("fails", "p").record.error == "AssertionError: too large"


def test_repeated_cell_shows_its_earlier_run_in_grey(executed: tuple[Path, NotebookClient]) -> None:
    def shown(name: str) -> list[tuple[str, bool]]:
        model = outputs(executed, name)[0]["data"]["application/vnd.jupyter.widget-view+json"]["model_id"]
        runs = executed[1].widget_state[model]["keyframe"]["header"]["runs"]
        return [(run["id"], run["faded"]) for run in runs]

    ((first, faded),) = shown("first")
    assert not faded
    (second, _), before = shown("again")
    assert before == (first, True)
    assert second != first


def test_cells_are_recorded_as_they_were_executed(
    executed: tuple[Path, NotebookClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRACKBOOK_DIR", str(executed[0]))
    run = tb.get_run(project="cells")
    table = run.cells()
    names = [name for name in CELLS if CELLS[name] in table["source"].to_list()]
    assert names[0] == "cells"
    assert names[-1] == "exported"
    assert table["source"].to_list() == [CELLS[name] for name in names]
    assert table["count"].to_list() == [list(CELLS).index(name) + 1 for name in names]
    assert table.select("state", "points").rows() == [
        ("ok", 1),
        ("ok", 6),
        ("ok", 1),
        ("error", 0),
        ("interrupted", 0),
        ("error", 0),
        ("ok", 1),
        ("ok", 0),
    ]
    assert table["output"][1] == repr(run.name)
    assert "ZeroDivisionError: division by zero" in table["error"][3]
    assert table["error"][5].endswith("SyntaxError: invalid syntax")
    spans = table.select("started", "ended").rows()
    assert all(start <= end for start, end in spans)
    assert all(one[1] <= other[0] for one, other in itertools.pairwise(spans))


def test_exported_board_names_the_cells_of_points(executed: tuple[Path, NotebookClient]) -> None:
    view = "application/vnd.jupyter.widget-view+json"
    (model,) = [data[view]["model_id"] for output in outputs(executed, "exported") if view in (data := output["data"])]
    (told,) = executed[1].widget_state[model]["cells"].values()
    first = list(CELLS).index("cells") + 1
    assert [count for count, *_ in told] == [first, first + 1, first + 2, first + 6, first + 7]  # the last one ran yet
