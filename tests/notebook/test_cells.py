from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import trackbook as tb
from shells import Shell
from trackbook import TrackbookWarning
from trackbook.notebook import host
from trackbook.tracking.run import writer_of

INIT = "import trackbook as tb\nrun = tb.init(project='p')\n"


def test_a_cell_that_raises_marks_the_runs_it_opened_failed(shell: Shell) -> None:
    shell.run(INIT + "tb.init(project='p', reinit='create_new')\nrun.log({'x': 1})\n1 / 0")
    assert shell.states() == ["failed", "failed"]
    assert tb.get_run().record.error == "ZeroDivisionError: division by zero"


def test_an_interrupted_cell_marks_them_interrupted(shell: Shell) -> None:
    shell.run(INIT + "raise KeyboardInterrupt")
    shell.run("%%track x", "x = 1\nraise KeyboardInterrupt")
    assert tb.runs("p")["state"].to_list() == ["interrupted"]
    assert shell.states() == ["interrupted"]


def test_a_cancelled_cell_is_interrupted(shell: Shell) -> None:
    shell.run(INIT)
    run = tb.get_run()
    shell.process.cells._begun(type("Info", (), {"raw_cell": "await x"}))
    shell.process.cells.opened(writer_of(run), None)
    shell.process.cells._ended(None)
    assert run.state == "interrupted"


def test_a_cell_that_exits_well_finished(shell: Shell) -> None:
    with pytest.warns(UserWarning, match="To exit"):
        shell.run(INIT + "raise SystemExit(0)")
    assert shell.states() == ["finished"]


def test_a_cell_that_ends_well_leaves_its_run_open(shell: Shell) -> None:
    shell.run(INIT)
    assert shell.states() == ["running"]


def test_a_cell_that_raises_leaves_runs_of_other_cells_alone(shell: Shell) -> None:
    shell.run(INIT)
    shell.run("1 / 0")
    assert shell.states() == ["running"]


def test_a_run_that_ended_before_the_error_stays_as_it_is(shell: Shell) -> None:
    shell.run(INIT + "tb.finish()\n1 / 0")
    assert shell.states() == ["finished"]


def test_a_script_that_raises_marks_the_runs_it_opened_failed(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(INIT + "1 / 0")
    shell.run("%run script.py")
    assert shell.states() == ["failed"]


def test_an_error_of_an_earlier_cell_is_not_this_ones(shell: Shell) -> None:
    shell.run("1 / 0")
    shell.run("%pwd\n" + INIT)
    assert shell.states() == ["running"]


def test_an_error_that_something_else_showed_is_not_the_cells(shell: Shell) -> None:
    shell.run(INIT + "try: 1 / 0\nexcept ZeroDivisionError: get_ipython().showtraceback()")
    assert shell.states() == ["running"]


def test_a_hook_that_fails_is_said_and_switched_off_and_cells_go_on(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: Any) -> None:
        raise OSError("no")

    monkeypatch.setattr(shell.process.cells._after, "_callback", fail)
    with pytest.warns(TrackbookWarning, match="no longer marks runs of cells that fail, because that failed: OSError"):
        assert shell.run("1").success
    assert shell.run("1").success
    assert shell.process.cells._after._called not in shell.ip.events.callbacks["post_run_cell"]


# --- a run over the one of the time before ----------------------------------------------------------------------------


def execute(shell: Shell, source: str, runs: int = 1, project: str = "p") -> list[tuple[str, str | None]]:
    """What a cell opened, by id, and what each of them lies over."""
    found: list[tuple[str, str | None]] = []

    def opened() -> None:
        for _ in range(runs):
            run = tb.init(project=project, reinit="create_new")
            found.append((run.id, shell.process.cells.predecessor(writer_of(run))))
            run.finish()

    shell.ip.user_ns["opened"] = opened
    shell.run(source)
    return found


def test_a_cell_executed_again_lies_over_the_run_it_opened_before(shell: Shell) -> None:
    ((first, nothing),) = execute(shell, "opened()")
    ((second, over_first),) = execute(shell, "opened()")
    ((_, over_second),) = execute(shell, "opened()")
    assert (nothing, over_first, over_second) == (None, first, second)


def test_each_run_of_a_sweep_lies_over_its_own(shell: Shell) -> None:
    before = [run for run, _ in execute(shell, "opened()", runs=2)]
    assert [over for _, over in execute(shell, "opened()", runs=3)] == [*before, None]


def test_another_cell_lies_over_nothing(shell: Shell) -> None:
    execute(shell, "opened()")
    assert execute(shell, "opened() ")[0][1] is None


def test_another_project_lies_over_nothing(shell: Shell) -> None:
    execute(shell, "opened()")
    assert execute(shell, "opened()", project="q")[0][1] is None


def test_a_cell_is_known_by_its_id_where_the_host_tells_it(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    request: dict[str, Any] = {"metadata": {"cellId": "a1"}, "header": {}, "content": {}}
    monkeypatch.setattr(host.Host, "cell_id", lambda _: request["metadata"]["cellId"])
    ((first, _),) = execute(shell, "opened()")
    ((second, over),) = execute(shell, "opened()  # edited")
    assert over == first
    request["metadata"] = {"cellId": "b2"}
    assert execute(shell, "opened()")[0][1] is None
    request["metadata"] = {"cellId": "a1"}
    assert execute(shell, "opened()")[0][1] == second


def test_an_execution_that_opens_nothing_changes_nothing(shell: Shell) -> None:
    ((first, _),) = execute(shell, "opened()")
    execute(shell, "opened()", runs=0)
    assert execute(shell, "opened()")[0][1] == first


def test_a_resumed_run_does_not_lie_over_itself(shell: Shell) -> None:
    source = (
        "import trackbook as tb\nrun = tb.init(project='p', id='same', resume='allow')\nover = found(run)\nrun.finish()"
    )
    shell.ip.user_ns["found"] = lambda run: shell.process.cells.predecessor(writer_of(run))
    shell.run(source)
    shell.run(source)
    assert shell.ip.user_ns["over"] is None


def test_the_cell_that_was_running_when_following_began_is_followed(shell: Shell) -> None:
    shell.process.cells._executions.clear()  # as when `init` loads the magics in the middle of a cell
    run = tb.init(project="p")
    shell.process.cells._ended(type("Result", (), {"error_before_exec": None, "error_in_exec": ValueError("no")}))
    assert run.state == "failed"
