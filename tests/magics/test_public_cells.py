"""Cells in the styles of public notebooks: ``%%track`` alone draws what their authors look at, and changes nothing else."""

from __future__ import annotations

import re
from typing import Any

import pytest

import trackbook as tb
from public_cells import CELLS, LIBRARIES, Cell
from shells import Shell


class Executed:
    """A notebook after its cells: the output of the last one, its result and the notebook's variables."""

    def __init__(self, shell: Shell, cell: Cell, head: str = "") -> None:
        shell.ip.reset(new_session=False)
        for source in (LIBRARIES, cell.setup):
            assert shell.run(source).success
        shell._capsys.readouterr()
        self.result = shell.run(*([head] if head else []), cell.source)
        said = shell._capsys.readouterr()
        self.output = "\n".join(line for line in said.out.splitlines() if not line.startswith("%%track"))
        self.namespace = shell.ip.user_ns
        self.values = {name: repr(value) for name, value in self.namespace.items() if _is_plain(value)}

    def curve(self, wanted: str) -> list[float]:
        if wanted.startswith("re:"):
            return [float(found) for found in re.findall(wanted.removeprefix("re:"), self.output)]
        return [float(value) for value in eval(wanted, self.namespace)]


def _is_plain(value: Any) -> bool:
    return isinstance(value, (int, float, str, list, dict)) and "0x" not in repr(value)[:10_000]


@pytest.mark.parametrize("name", CELLS)
def test_track_alone_draws_what_the_author_looks_at(shell: Shell, name: str) -> None:
    cell = CELLS[name]
    executed = Executed(shell, cell, "%%track")
    assert executed.result.success
    points = shell.points()
    metrics = {metric: values for metric, values in points.items() if metric not in axes()}
    for metric, wanted in cell.curves.items():
        assert metrics.get(metric) == pytest.approx(executed.curve(wanted), abs=1e-6), (metric, metrics)
    assert len(metrics) <= 2 * len(cell.curves), list(metrics)


def axes() -> set[str]:
    return set(tb.get_run().record.defined.values())


@pytest.mark.parametrize("name", CELLS)
def test_tracked_cell_does_what_the_plain_one_does(shell: Shell, name: str) -> None:
    plain, tracked = Executed(shell, CELLS[name]), Executed(shell, CELLS[name], "%%track")
    assert plain.output == tracked.output
    hidden = {"In", "Out", "start_time", "ms_per_batch"}
    ours = {key: value for key, value in tracked.values.items() if key not in hidden and not key.startswith("_")}
    assert ours == {key: value for key, value in plain.values.items() if key not in hidden and not key.startswith("_")}
    assert repr(plain.result.result) == repr(tracked.result.result)


def test_values_of_epochs_line_up_with_batches(shell: Shell) -> None:
    cell = CELLS["functions of other cells"]
    Executed(shell, cell, "%%track")
    history = tb.get_run().history()
    by_metric = {name: part["step"].to_list() for (name,), part in history.group_by("metric", maintain_order=True)}
    assert by_metric["train_one_epoch/loss"] == list(range(12))
    assert by_metric["val_loss"] == by_metric["epoch"] == [3, 7, 11]
    assert tb.get_run().record.defined == {"train_loss": "epoch", "val_loss": "epoch", "val_acc": "epoch"}
    assert tb.get_run().history("epoch")["value"].to_list() == [0, 1, 2]


def test_values_that_come_now_and_then_keep_the_steps_of_their_loop(shell: Shell) -> None:
    Executed(shell, CELLS["plain loop"], "%%track")
    assert tb.get_run().history("running_loss")["step"].to_list() == [1, 3, 5, 7]
