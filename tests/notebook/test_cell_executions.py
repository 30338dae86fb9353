from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import pytest

import trackbook as tb
from shells import Shell
from trackbook import TrackbookWarning
from trackbook.api.boards import is_cell
from trackbook.notebook import host
from trackbook.tracking.run import writer_of

INIT = "import trackbook as tb\nrun = tb.init(project='p')\n"


def test_failing_cell_fails_the_runs_it_opened(shell: Shell) -> None:
    shell.run(INIT + "tb.init(project='p', reinit='create_new')\nrun.log({'x': 1})\n1 / 0")
    assert shell.states() == ["failed", "failed"]
    assert tb.get_run().record.error == "ZeroDivisionError: division by zero"


def test_interrupted_cell_interrupts_its_runs(shell: Shell) -> None:
    shell.run(INIT + "raise KeyboardInterrupt")
    shell.run("%%track x", "x = 1\nraise KeyboardInterrupt")
    assert tb.runs("p")["state"].to_list() == ["interrupted"]
    assert shell.states() == ["interrupted"]


def test_a_cancelled_cell_is_interrupted(shell: Shell) -> None:
    shell.run(INIT)
    run = tb.get_run()
    shell.process.cells._on_begin(type("Info", (), {"raw_cell": "await x"}))
    shell.process.cells.note_run(writer_of(run))
    shell.process.cells._on_end(None)
    assert run.state == "interrupted"


def test_cell_that_exits_with_0_finishes_its_run(shell: Shell) -> None:
    with pytest.warns(UserWarning, match="To exit"):
        shell.run(INIT + "raise SystemExit(0)")
    assert shell.states() == ["finished"]


def test_cell_that_ends_well_leaves_its_run_open(shell: Shell) -> None:
    shell.run(INIT)
    assert shell.states() == ["running"]


def test_failing_cell_leaves_runs_of_other_cells_alone(shell: Shell) -> None:
    shell.run(INIT)
    shell.run("1 / 0")
    assert shell.states() == ["running"]


def test_run_that_ended_before_the_error_keeps_its_state(shell: Shell) -> None:
    shell.run(INIT + "tb.finish()\n1 / 0")
    assert shell.states() == ["finished"]


def test_failing_script_fails_the_runs_it_opened(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(INIT + "1 / 0")
    shell.run("%run script.py")
    assert shell.states() == ["failed"]


def test_error_of_an_earlier_cell_does_not_count(shell: Shell) -> None:
    shell.run("1 / 0")
    shell.run("%pwd\n" + INIT)
    assert shell.states() == ["running"]


def test_error_shown_by_something_else_does_not_count(shell: Shell) -> None:
    shell.run(INIT + "try: 1 / 0\nexcept ZeroDivisionError: get_ipython().showtraceback()")
    assert shell.states() == ["running"]


def test_failing_hook_is_switched_off_and_cells_run(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: Any) -> None:
        raise OSError("no")

    monkeypatch.setattr(shell.process.cells._after, "_callback", fail)
    with pytest.warns(TrackbookWarning, match="no longer marks runs of cells that fail, because that failed: OSError"):
        assert shell.run("1").success
    assert shell.run("1").success
    assert shell.process.cells._after._called not in shell.ip.events.callbacks["post_run_cell"]


# --- training in another cell than `init` --------------------------------------------------------------------------------


def test_failing_cell_fails_the_runs_it_logged_to(shell: Shell) -> None:
    shell.run(INIT + "other = tb.init(project='p', reinit='create_new')")
    shell.run("run.log({'x': 1})\nraise ValueError('no')")
    assert shell.states() == ["failed", "running"]
    run = shell.ip.user_ns["run"]
    assert (run.record.error, run.record.ended is None) == ("ValueError: no (In [2])", False)


def test_run_of_an_interrupted_cell_runs_again_when_logged_to(shell: Shell) -> None:
    shell.run(INIT)
    shell.run("tb.log({'x': 1})\nraise KeyboardInterrupt")
    assert shell.states() == ["interrupted"]
    shell.run("pass")
    assert shell.states() == ["interrupted"]
    shell.run("tb.log({'x': 2})")
    run = tb.get_run()
    assert (run.state, run.record.ended, run.record.error) == ("running", None, None)
    assert shell.points() == {"x": [1, 2]}
    shell.run("tb.log({'x': 3})\n1 / 0")
    assert run.record.error == "ZeroDivisionError: division by zero (In [5])"


def test_finish_leaves_the_state_of_a_failed_cell(shell: Shell) -> None:
    shell.run(INIT)
    shell.run("tb.log({'x': 1})\n1 / 0")
    shell.run("tb.finish()")
    assert shell.states() == ["failed"]


def test_finish_with_a_state_has_that_state(shell: Shell) -> None:
    shell.run(INIT)
    shell.run("tb.log({'x': 1})\nraise KeyboardInterrupt")
    shell.run("tb.finish('finished')")
    assert shell.states() == ["finished"]
    assert tb.get_run().record.error is None


def test_failed_run_can_be_deleted_while_it_could_go_on(shell: Shell) -> None:
    shell.run(INIT)
    shell.run("tb.log({'x': 1})\n1 / 0")
    shell.run("tb.delete_run(run.id, force=True)")
    assert shell.states() == []
    assert not shell.run("run.log({'x': 2})").success


def test_run_whose_cell_runs_when_the_kernel_ends_is_interrupted(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(type(shell.process), "_ends_by_its_main_program", False)
    shell.run(INIT + "idle = tb.init(project='p', reinit='create_new')")
    shell.ip.user_ns["end"] = shell.process.close
    shell.run("run.log({'x': 1})\nend()")
    states = {record.id: (record.state, record.error) for record in shell.process.project("p").runs()}
    ids = [shell.ip.user_ns[name].id for name in ("run", "idle")]
    assert [states[run] for run in ids] == [
        ("interrupted", "the kernel ended while In [2] ran"),
        ("finished", None),
    ]


# --- what says nothing ------------------------------------------------------------------------------------------------


def test_cell_run_again_says_nothing_of_the_run_it_ends(shell: Shell, recwarn: pytest.WarningsRecorder) -> None:
    for _ in range(2):
        shell.run(INIT)
    assert shell.states() == ["finished", "running"]
    assert [str(warning.message) for warning in recwarn] == []
    with pytest.warns(TrackbookWarning, match="still open and is finished now"):
        shell.run(INIT + "# another cell")


def test_init_over_a_failed_run_says_nothing(shell: Shell, recwarn: pytest.WarningsRecorder) -> None:
    shell.run(INIT)
    shell.run("tb.log({'x': 1})\n1 / 0")
    shell.run(INIT + "# another cell")
    assert shell.states() == ["failed", "running"]
    assert [str(warning.message) for warning in recwarn] == []


def test_run_as_result_is_shown_except_beside_its_board(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    class Kernel(host.Host):
        shell = object()

        def cell(self) -> str:
            return str(number)

    number = 1
    monkeypatch.setattr(host, "current", Kernel)
    run = tb.init("p", display=False)
    writer_of(run).is_shown_here = partial(is_cell, "1")
    formatted = shell.ip.display_formatter.format
    assert formatted(run) == ({}, {})
    number = 2
    assert "trackbook run" in formatted(run)[0]["text/plain"]


# --- a run over the one of the time before ----------------------------------------------------------------------------


def execute(shell: Shell, source: str, runs: int = 1, project: str = "p") -> list[tuple[str, str | None]]:
    """Execute a cell; return the ids of its runs, and the predecessor of each."""
    found: list[tuple[str, str | None]] = []

    def opened() -> None:
        for _ in range(runs):
            run = tb.init(project=project, reinit="create_new")
            found.append((run.id, shell.process.cells.predecessor(writer_of(run))))
            run.finish()

    shell.ip.user_ns["opened"] = opened
    shell.run(source)
    return found


def test_cell_run_again_draws_over_its_earlier_run(shell: Shell) -> None:
    ((first, nothing),) = execute(shell, "opened()")
    ((second, over_first),) = execute(shell, "opened()")
    ((_, over_second),) = execute(shell, "opened()")
    assert (nothing, over_first, over_second) == (None, first, second)


def test_each_run_of_a_sweep_draws_over_its_own(shell: Shell) -> None:
    before = [run for run, _ in execute(shell, "opened()", runs=2)]
    assert [over for _, over in execute(shell, "opened()", runs=3)] == [*before, None]


def test_other_cell_has_no_predecessor(shell: Shell) -> None:
    execute(shell, "opened()")
    assert execute(shell, "opened() ")[0][1] is None


def test_other_project_has_no_predecessor(shell: Shell) -> None:
    execute(shell, "opened()")
    assert execute(shell, "opened()", project="q")[0][1] is None


def test_cell_is_recognised_by_its_id(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    request: dict[str, Any] = {"metadata": {"cellId": "a1"}, "header": {}, "content": {}}
    monkeypatch.setattr(host.Host, "cell_id", lambda _: request["metadata"]["cellId"])
    ((first, _),) = execute(shell, "opened()")
    ((second, over),) = execute(shell, "opened()  # edited")
    assert over == first
    request["metadata"] = {"cellId": "b2"}
    assert execute(shell, "opened()")[0][1] is None
    request["metadata"] = {"cellId": "a1"}
    assert execute(shell, "opened()")[0][1] == second


def test_execution_without_a_run_changes_nothing(shell: Shell) -> None:
    ((first, _),) = execute(shell, "opened()")
    execute(shell, "opened()", runs=0)
    assert execute(shell, "opened()")[0][1] == first


def test_resumed_run_does_not_draw_over_itself(shell: Shell) -> None:
    source = (
        "import trackbook as tb\nrun = tb.init(project='p', id='same', resume='allow')\nover = found(run)\nrun.finish()"
    )
    shell.ip.user_ns["found"] = lambda run: shell.process.cells.predecessor(writer_of(run))
    shell.run(source)
    shell.run(source)
    assert shell.ip.user_ns["over"] is None


def test_running_cell_is_followed_from_the_middle(shell: Shell) -> None:
    shell.process.cells._executions.clear()  # as when `init` loads the magics in the middle of a cell
    run = tb.init(project="p")
    shell.process.cells._on_end(type("Result", (), {"error_before_exec": None, "error_in_exec": ValueError("no")}))
    assert run.state == "failed"
