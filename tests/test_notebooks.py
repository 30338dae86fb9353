from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.notebook, pytest.mark.timeout(300)]

NOTEBOOKS = Path(__file__).parent.parent / "notebooks"


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Run the demo notebooks as `make demo` does."""
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


def executed(name: str, folder: Path) -> Any:
    """Execute a notebook in `folder`, and return the outputs of each cell."""
    import nbformat
    from nbclient import NotebookClient

    notebook = nbformat.read(NOTEBOOKS / f"{name}.ipynb", as_version=4)
    client = NotebookClient(notebook, timeout=300, kernel_name="python3", allow_errors=True)
    client.resources = {"metadata": {"path": str(folder)}}
    client.execute(env=os.environ | {"TRACKBOOK_DIR": str(folder / "store"), "IPYTHONDIR": str(folder / "ipython")})
    return {cell.id: cell.outputs for cell in notebook.cells if cell.cell_type == "code"}


def complaints(outputs: Any) -> list[Any]:
    """Return errors and stderr outputs."""
    said = [out for cell in outputs.values() for out in cell]
    return [out for out in said if out.output_type == "error" or out.get("name") == "stderr"]


def results(outputs: Any, cell: str) -> str:
    """Return the text of a cell's outputs."""
    return "\n".join(out.data["text/plain"] for out in outputs[cell] if "data" in out)


def with_boards(outputs: Any) -> list[str]:
    view = "application/vnd.jupyter.widget-view+json"
    return [name for name, cell in outputs.items() if any(view in out.get("data", {}) for out in cell)]


@pytest.fixture(scope="module")
def track_magic(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any]:
    """Execute the track-magic notebook; return its folder and the outputs of its cells."""
    folder = tmp_path_factory.mktemp("track-magic")
    return folder, executed("track-magic", folder)


def test_only_the_expected_cell_fails_at_its_own_line(track_magic: tuple[Path, Any]) -> None:
    _, outputs = track_magic
    errors = {name: out for name, cell in outputs.items() for out in cell if out.output_type == "error"}
    assert list(errors) == ["fails"]
    assert errors["fails"]["ename"] == "ZeroDivisionError"
    assert "trackbook" not in "".join(errors["fails"]["traceback"])
    assert [out.output_type for out in complaints(outputs)] == ["error"]


def test_the_notebook_tracks_what_it_says(track_magic: tuple[Path, Any]) -> None:
    import polars as pl

    points = pl.read_parquet(track_magic[0] / "evens.parquet")
    counts = {(run, metric): count for run, metric, count in points.group_by("run", "metric").len().iter_rows()}
    assert counts == {
        ("plain", "loss"): 800,
        ("plain", "lr"): 800,
        ("plain", "val/accuracy"): 20,
        ("everything", "hinge"): 40,
        ("everything", "accuracy"): 40,
        ("newton", "fit/error"): 6,
        ("fails", "value"): 3,
        ("by-hand", "right"): 2,
    }


def test_tracked_cells_have_boards_and_their_own_results(track_magic: tuple[Path, Any]) -> None:
    _, outputs = track_magic
    assert with_boards(outputs) == ["track", "all", "functions", "fails", "watch", "show"]
    (accuracy,) = [out["data"]["text/plain"] for out in outputs["track"] if out.output_type == "execute_result"]
    assert "0.9034" in accuracy


def test_sweep_names_the_best_run_and_the_spread(tmp_path: Path) -> None:
    outputs = executed("sweep", tmp_path)
    assert complaints(outputs) == []
    assert with_boards(outputs) == ["sweep", "band"]
    assert results(outputs, "best").count("lr 1 seed") == 3
    assert "shape: (3, 4)" in results(outputs, "luck")
    assert "('best',)" in results(outputs, "tag")


def test_two_runs_are_compared_in_every_way(tmp_path: Path) -> None:
    outputs = executed("compare", tmp_path)
    assert complaints(outputs) == []
    assert with_boards(outputs) == ["plain", "momentum", "compare", "diff", "import"]
    table = next(out.data for out in outputs["diff"] if "text/html" in out.get("data", {}))
    assert ">momentum</td>" in table["text/html"]
    assert "  momentum" in table["text/plain"]
    assert results(outputs, "object") == "{'momentum': (absent, 0.9)}"
    assert "momentum" in results(outputs, "sql")
    assert results(outputs, "export").count("260") == 2


def test_committed_notebooks_carry_no_outputs() -> None:
    import nbformat

    for path in NOTEBOOKS.glob("*.ipynb"):
        cells = [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]
        assert not any(cell.outputs or cell.execution_count for cell in cells), path.name


def test_a_lake_is_read_by_several_engines(tmp_path: Path) -> None:
    pytest.importorskip("deltalake")
    outputs = executed("team-lake", tmp_path)
    assert [out for cell in outputs.values() for out in cell if out.output_type == "error"] == []
    assert "board" in with_boards(outputs)  # Daft may show one of its own
    assert "shape: (3, 5)" in results(outputs, "runs")
    for engine in ("sql", "polars", "duckdb"):
        assert "shape: (3, 3)" in results(outputs, engine)
    said = {name: "".join(out.get("text", "") for out in outputs[name]) for name in ("spark", "daft", "upkeep")}
    assert all("3 runs read by" in said[name] or "without" in said[name] for name in ("spark", "daft"))
    assert "points" in said["upkeep"]
