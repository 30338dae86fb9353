from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.notebook, pytest.mark.timeout(300)]

NOTEBOOKS = Path(__file__).parent.parent / "notebooks"


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `make demo` leaves."""
    folder = tmp_path_factory.mktemp("demo")
    environment = os.environ | {"TRACKBOOK_DIR": str(folder / "store"), "IPYTHONDIR": str(folder / "ipython")}
    command = [sys.executable, NOTEBOOKS / "demo.py", folder]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return folder


def test_the_quickstart_leaves_one_parquet_file_a_run_with_every_point(demo: Path) -> None:
    import polars as pl

    files = sorted(demo.glob("*.parquet"))
    assert len(files) == 3
    for file in files:
        counts = dict(pl.read_parquet(file).group_by("metric").len().iter_rows())
        batches = dict.fromkeys(("train/loss", "train/accuracy", "train/lr"), 50 * 42)
        assert counts == batches | {"val/loss": 50, "val/accuracy": 50}


def test_the_quickstart_learns(demo: Path) -> None:
    import polars as pl

    best = max(
        pl.read_parquet(file).filter(metric="val/accuracy")["value"].max() for file in demo.glob("digits-*.parquet")
    )
    assert best > 0.95


def test_the_executed_quickstart_holds_one_board_and_no_error(demo: Path) -> None:
    import nbformat

    notebook = nbformat.read(demo / "quickstart.ipynb", as_version=4)
    outputs = {cell.id: cell.outputs for cell in notebook.cells if cell.cell_type == "code"}
    assert not [
        output
        for cell in outputs.values()
        for output in cell
        if output.output_type in ("error", "stream") and output.get("name") != "stdout"
    ]
    widgets = [output for output in outputs["sweep"] if "application/vnd.jupyter.widget-view+json" in output.data]
    assert len(widgets) == 1


def test_committed_notebooks_carry_no_outputs() -> None:
    import nbformat

    for path in NOTEBOOKS.glob("*.ipynb"):
        cells = [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]
        assert not any(cell.outputs or cell.execution_count for cell in cells), path.name
