"""Cells in the styles of public notebooks, with the libraries themselves: ``%%track`` alone draws what their authors look at."""

from __future__ import annotations

import pytest

import library_cells
import public_cells
from shells import Shell
from tracked_cells import check_curves, check_unchanged

CELLS = {name: (cell, library_cells.TORCH) for name, cell in public_cells.CELLS.items()}
CELLS |= {name: (cell, "") for name, cell in library_cells.CELLS.items()}


@pytest.mark.parametrize("name", CELLS)
def test_track_alone_draws_what_the_author_looks_at(shell: Shell, name: str) -> None:
    check_curves(shell, *CELLS[name])


@pytest.mark.parametrize("name", CELLS)
def test_tracked_cell_does_what_the_plain_one_does(shell: Shell, name: str) -> None:
    check_unchanged(shell, *CELLS[name])
