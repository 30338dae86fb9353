"""Execute the quickstart notebook as a user would, and leave what it made in `demo/`: `make demo`."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbconvert import HTMLExporter

NOTEBOOK = Path(__file__).with_name("quickstart.ipynb")


def execute(notebook: nbformat.NotebookNode, folder: Path) -> None:
    """Run all cells with `folder` as the working directory, telling how far it is."""
    code = [index for index, cell in enumerate(notebook.cells) if cell.cell_type == "code"]
    started = time.monotonic()

    def tell(cell: nbformat.NotebookNode, cell_index: int) -> None:
        if cell_index in code:
            seconds = time.monotonic() - started
            print(f"  cell {code.index(cell_index) + 1} of {len(code)}  {seconds:4.0f} s  {title(cell)}", flush=True)

    client = NotebookClient(
        notebook,
        timeout=600,
        kernel_name="python3",
        resources={"metadata": {"path": str(folder)}},
        on_cell_start=tell,
        extra_arguments=["--IPKernelApp.log_level=40"],  # at 30 it warns of unencrypted loopback, at every start
    )
    client.execute()


def title(cell: nbformat.NotebookNode) -> str:
    return next((line for line in cell.source.splitlines() if line.strip()), "")[:60]


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    print(f"executing {NOTEBOOK.name} ...", flush=True)
    execute(notebook, folder)
    executed = folder / NOTEBOOK.name
    nbformat.write(notebook, executed)
    page, _ = HTMLExporter().from_notebook_node(notebook)
    executed.with_suffix(".html").write_text(page, encoding="utf-8")
    print("done:")
    for path in (executed, executed.with_suffix(".html"), *sorted(folder.glob("*.parquet"))):
        print(f"  {path}  {path.stat().st_size / 1000:,.0f} KB")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "demo"))
