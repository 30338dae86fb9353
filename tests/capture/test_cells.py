from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

import trackbook as tb
from shells import Shell
from trackbook import TrackbookWarning
from trackbook.capture.cells import CellRow, plain, script
from trackbook.data.dataframes import CELLS
from trackbook.notebook import host
from trackbook.store.documents import document
from trackbook.tracking.project import Project
from trackbook.tracking.run import writer_of
from trackbook.types import CAPTURED

INIT = "import trackbook as tb\nrun = tb.init(project='p', capture=['cells'])"


def cells(run: str | None = None, *columns: str) -> list[tuple[Any, ...]]:
    return tb.get_run(run).cells().select(columns).rows()


def dirty(run: str | None = None) -> list[str | None]:
    return tb.get_run(run).cells()["dirty"].to_list()


def notebook() -> dict[str, Any]:
    run = tb.get_run()
    return document(writer_of(run).store, run.id, "notebook") or {}


@pytest.fixture
def execute(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Run a cell with an id, as JupyterLab sends it."""

    def run(cell: str, source: str) -> None:
        with monkeypatch.context() as patch:
            patch.setattr(host.Host, "cell_id", lambda _: cell)
            shell.run(source)

    return run


def test_the_columns_are_those_of_the_table() -> None:
    assert tuple(field.name for field in dataclasses.fields(CellRow)) == tuple(CAPTURED["cells"])
    assert tuple(CELLS) == tuple(CAPTURED["cells"])


def test_cells_are_recorded_while_the_run_is_open(shell: Shell) -> None:
    shell.run("before = 1")
    shell.run(f"{INIT}\n_ = run.log({{'loss': 1}})")
    shell.run("for i in range(3): run.log({'loss': i, 'acc': i})\n'done'")
    shell.run("run.finish()")
    shell.run("after = 1")
    assert cells(None, "number", "count", "cell", "state", "output", "metrics", "points") == [
        (0, 2, None, "ok", None, ["loss"], 1),
        (1, 3, None, "ok", "'done'", ["loss", "acc"], 6),
        (2, 4, None, "ok", None, [], 0),
    ]
    (first, *_, last) = cells(None, "source", "error", "dirty")
    assert first == (f"{INIT}\n_ = run.log({{'loss': 1}})", None, None)
    assert last == ("run.finish()", None, None)


def test_times_are_utc_and_in_order(shell: Shell) -> None:
    shell.run(INIT)
    shell.run("run.log({'loss': 1})")
    table = tb.get_run().cells()
    first, second = table.select("started", "ended").rows()
    assert str(table.schema["started"]) == "Datetime(time_unit='us', time_zone='UTC')"
    (point,) = tb.get_run().history()["time"]
    assert first[0] <= first[1] <= second[0] <= second[1]
    assert second[0].timestamp() <= point <= second[1].timestamp()


def test_running_cell_survives_a_killed_kernel(shell: Shell) -> None:
    shell.run(INIT)
    shell.run("run.log({'x': 1})\nrunning = run.cells().rows(named=True)[1]")
    running = shell.ip.user_ns["running"]
    assert (running["state"], running["ended"], running["points"]) == ("running", None, 0)


def test_traceback_starts_at_the_cell(shell: Shell) -> None:
    shell.run(INIT)
    shell.run("def f(): return 1 / 0", "f()")
    shell.run("run.log({'x': 1})\nraise ValueError('\\x1b[31mred\\x1b[0m')")
    ((_, _), (state, error), (_, red)) = cells(None, "state", "error")
    assert state == "error"
    assert error.startswith("Traceback (most recent call last):")
    assert "IPython/core" not in error
    assert "return 1 / 0" in error
    assert error.endswith("ZeroDivisionError: division by zero")
    assert red.endswith("ValueError: red")


def test_failing_first_cell_is_complete(shell: Shell) -> None:
    shell.run(f"{INIT}\nrun.log({{'x': 1}})\n1 / 0")
    assert cells(None, "state", "points") == [("error", 1)]
    assert tb.get_run().state == "failed"


def test_an_interrupted_cell_is_interrupted(shell: Shell) -> None:
    shell.run(INIT)
    shell.run("raise KeyboardInterrupt")
    assert cells(None, "state")[1] == ("interrupted",)


def test_cell_with_a_syntax_error_is_recorded(shell: Shell) -> None:
    shell.run(INIT)
    shell.run("x = = 1")
    state, error, source = cells(None, "state", "error", "source")[1]
    assert (state, source) == ("error", "x = = 1")
    assert "x = = 1" in error
    assert error.endswith("SyntaxError: invalid syntax")
    assert "compilerop" not in error


def test_tracked_cell_is_recorded_as_written(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRACKBOOK_CAPTURE", "cells")
    source = "%%track --project p loss\nfor i in range(3):\n    loss = i"
    shell.run(source)
    assert tb.get_run().state == "finished"
    assert cells(None, "source", "state", "metrics", "points") == [(source, "ok", ["loss"], 3)]


def test_cells_inside_a_cell_are_part_of_it(shell: Shell) -> None:
    shell.run(f"%%capture out\n{INIT}\nrun.log({{'x': 1}})")
    shell.run("%%capture\nrun.log({'x': 2})\n1 / 0")
    shell.run("get_ipython().run_cell('1 + 1')\nrun.log({'x': 3})")
    assert cells(None, "count", "state", "points") == [(1, "ok", 1), (2, "error", 1), (3, "ok", 1)]


def test_two_open_runs_each_record_the_cells_with_their_own_points(shell: Shell) -> None:
    shell.run(INIT)
    shell.run("two = tb.init(project='p', name='two', reinit='create_new', capture=['cells'])")
    shell.run("run.log({'x': 1})\ntwo.log({'y': 1, 'z': 2})")
    shell.run("two.finish()")
    shell.run("run.finish()")
    first = shell.ip.user_ns["run"].id
    assert cells(first, "number", "count", "points") == [(0, 1, 0), (1, 2, 0), (2, 3, 1), (3, 4, 0), (4, 5, 0)]
    assert cells("two", "number", "count", "points") == [(0, 2, 0), (1, 3, 2), (2, 4, 0)]


def test_resumed_run_continues_its_cells(shell: Shell) -> None:
    shell.run(f"{INIT}\nrun.log({{'x': 1}})\nrun.finish()")
    shell.run("run = tb.init(project='p', id=run.id, resume='must', capture=['cells'])\nrun.log({'x': 2, 'y': 1})")
    assert cells(None, "number", "metrics", "points") == [(0, ["x"], 1), (1, ["x", "y"], 2)]


def test_points_of_a_thread_between_cells_belong_to_no_cell(shell: Shell) -> None:
    shell.run(INIT)
    run = shell.ip.user_ns["run"]
    thread = threading.Thread(target=run.log, args=({"x": 1},))
    thread.start()
    thread.join()
    shell.run("run.log({'y': 1})")
    assert cells(None, "metrics", "points") == [([], 0), (["y"], 1)]


def test_points_of_a_cell_exclude_discarded_ones(shell: Shell) -> None:
    shell.run(f"{INIT}\nrun.log({{'x': 1}}, step=9)")
    with pytest.warns(TrackbookWarning, match="logged twice"):
        shell.run(
            "run.log({'x': 1}, step=3)\nrun.log({'x': 2}, step=9)\nfrom trackbook.tracking.run import writer_of\nwriter_of(run).hand_over()\nrun.log({'y': 2})"
        )
    assert cells(None, "metrics", "points")[1] == (["x", "y"], 2)


def test_without_save_code_there_is_no_source(shell: Shell) -> None:
    shell.run("import trackbook as tb\ntb.init(project='p', capture=['cells'], save_code=False)")
    shell.run("tb.log({'x': 1})")
    assert cells(None, "source", "points") == [(None, 0), (None, 1)]


@pytest.mark.parametrize(
    ("code", "error"),
    [("assert 2 < 1, 'too many'", "AssertionError: too many"), ("2 <", "SyntaxError: invalid syntax")],
)
def test_without_save_code_an_error_quotes_no_source(shell: Shell, code: str, error: str) -> None:
    shell.run("import trackbook as tb\ntb.init(project='p', capture=['cells'], save_code=False)")
    shell.run(code)
    assert cells(None, "state", "error")[1] == ("error", error)


def test_without_the_capture_there_are_no_cells(shell: Shell) -> None:
    shell.run("import trackbook as tb\nrun = tb.init(project='p', capture=['console'])")
    assert tb.get_run().cells().height == 0
    assert tb.get_run().cells().columns == list(CAPTURED["cells"])


def test_secrets_in_cells_are_masked(shell: Shell) -> None:
    shell.run(INIT)
    shell.run("password = 'hunter2'\n'password=' + password")
    shell.run("raise ValueError('password=' + password)")
    assert "hunter2" not in str(writer_of(shell.ip.user_ns["run"]).store.captured(tb.get_run().id, "cells"))
    assert cells(None, "output")[1] == ("'password=[redacted]'",)


def test_escape_sequences_are_removed() -> None:
    assert plain("\x1b[31mred\x1b[0m") == "red"


def test_lone_surrogate_in_an_error_is_escaped(shell: Shell) -> None:
    shell.run(INIT)
    shell.run("raise ValueError('\\ud800')")
    run = tb.get_run()
    assert writer_of(run).store.flush()
    assert "\\ud800" in run.cells()["error"][1]


def test_failing_capture_is_switched_off(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    shell.run(INIT)

    def fails(*_: Any) -> None:
        raise OSError("no such device")

    monkeypatch.setattr(writer_of(shell.ip.user_ns["run"]).store, "put_captured", fails)
    with pytest.warns(TrackbookWarning, match=r"no longer records cells.*no such device"):
        shell.run("a = 1")
    shell.run("b = 2")  # a second warning would be an error
    shell.run("1 / 0")
    assert shell.ip.user_ns["b"] == 2
    assert shell.process.cell_capture.number(writer_of(shell.ip.user_ns["run"])) is None


def test_number_of_the_running_execution(shell: Shell) -> None:
    shell.run(INIT)
    shell.ip.user_ns["number"] = lambda run: shell.process.cell_capture.number(writer_of(run))
    shell.run("seen = number(run)")
    assert shell.ip.user_ns["seen"] == 1
    assert shell.process.cell_capture.number(writer_of(shell.ip.user_ns["run"])) is None


def test_run_deleted_by_its_last_cell_leaves_no_rows(shell: Shell) -> None:
    shell.run(
        f"{INIT}\nfrom trackbook.tracking.run import writer_of\nstore = writer_of(run).store\nrun.finish()\ntb.delete_run(run, force=True)"
    )
    assert shell.ip.user_ns["store"].captured(shell.ip.user_ns["run"].id, "cells") == []


def test_ended_cells_are_in_the_file(shell: Shell) -> None:
    shell.run(f"{INIT}\nrun.finish()\n1 / 0")
    store = Project("p", writer_of(shell.ip.user_ns["run"]).store.path.parent).store
    (row,) = store.captured(shell.ip.user_ns["run"].id, "cells")
    assert row[list(CAPTURED["cells"]).index("state")] == "error"


# --- dirty notebooks -------------------------------------------------------------------------------------------------


def test_cells_executed_in_order_are_clean(execute: Any) -> None:
    for cell, source in {"a": INIT, "b": "x = 1", "c": "x = 1"}.items():
        execute(cell, source)
    assert dirty() == [None, None, None]
    assert tb.get_run().cells()["cell"].to_list() == ["a", "b", "c"]
    assert notebook()["dirty"] == []


def test_reexecuted_cell_with_new_source_was_edited(execute: Any) -> None:
    execute("a", INIT)
    execute("b", "x = 1")
    execute("b", "x = 2")
    assert dirty() == [None, "edited since", None]
    assert notebook()["dirty"] == ["In [2] was edited since"]


def test_cell_executed_after_later_ones_is_out_of_order(execute: Any) -> None:
    execute("b", "x = 1")
    execute("a", INIT)
    execute("b", "x = 1")
    execute("b", "x = 1")
    assert dirty() == [None, "out of order", "run again"]
    assert notebook()["dirty"] == ["In [3] ran out of order", "In [4] ran again"]


def test_a_cell_that_opens_a_run_each_time_is_clean(execute: Any) -> None:
    execute("a", INIT + "\nrun.finish()")
    execute("a", INIT + "\nrun.finish()  # edited")
    assert dirty() == [None]


def test_resumed_run_knows_its_earlier_cells(execute: Any) -> None:
    execute("a", INIT)
    execute("b", "x = 1\nrun.finish()")
    execute("c", "run = tb.init(project='p', id=run.id, resume='must', capture=['cells'])")
    execute("b", "x = 2\nrun.finish()")
    assert dirty() == [None, "edited since", None, "out of order"]
    assert notebook()["dirty"] == ["In [2] was edited since", "In [4] ran out of order"]


def test_status_lists_dirty_cells(execute: Any, shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host.Host, "path", lambda _: "work/train.ipynb")
    execute("a", INIT)
    execute("b", "x = 1")
    execute("b", "x = 2")
    said = shell.said("%track status")
    assert "notebook: work/train.ipynb\n" in said
    assert "dirty: In [2] was edited since\n" in said


# --- scripts ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("save_code", [True, False])
def test_script_has_no_cells_but_its_code(tmp_path: Path, save_code: bool) -> None:
    program = tmp_path / "train.py"
    program.write_text(f"""
import json, trackbook as tb
from trackbook.tracking.run import writer_of
run = tb.init("p", capture="cells", save_code={save_code}, dir={str(tmp_path)!r})
run.log({{"loss": 1}})
run.finish()
print(json.dumps([run.cells().height, run.code, writer_of(run).store.captured(run.id, "facts")]))
""")
    done = subprocess.run([sys.executable, str(program)], capture_output=True, text=True, check=True)
    height, code, facts = json.loads(done.stdout)
    assert (height, code) == (0, program.read_text() if save_code else None)
    assert [(name, json.loads(fact)) for name, fact in facts] == (
        [("code", {"path": str(program), "source": program.read_text()})] if save_code else []
    )


def test_interactive_program_has_no_code(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(sys.modules["__main__"], "__file__", raising=False)
    assert script() is None
