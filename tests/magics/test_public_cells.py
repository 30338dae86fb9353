"""Cells in the styles of public notebooks: ``%%track`` alone draws what their authors look at, and changes nothing else."""

from __future__ import annotations

import pytest

import trackbook as tb
from public_cells import CELLS
from shells import Shell
from tracked_cells import Executed, check_curves, check_unchanged


@pytest.mark.parametrize("name", CELLS)
def test_track_alone_draws_what_the_author_looks_at(shell: Shell, name: str) -> None:
    check_curves(shell, CELLS[name])


@pytest.mark.parametrize("name", CELLS)
def test_tracked_cell_does_what_the_plain_one_does(shell: Shell, name: str) -> None:
    check_unchanged(shell, CELLS[name])


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
