"""Figures that only Trackbook has: reopening a long run, and exporting it."""

from __future__ import annotations

import os
import statistics
import time
from pathlib import Path
from typing import Any


def reopen(_: Any, folder: Path) -> dict[str, float]:
    """From the project's name to the first frame a board would send; the imports, which come before, apart."""
    os.environ["TRACKBOOK_DIR"] = str(folder)
    begin = time.perf_counter()
    from trackbook.api import projects
    from trackbook.boards.frame_source import FrameSource
    from trackbook.tracking import project as project_module  # noqa: F401  # what the first use of a project would import

    imported = time.perf_counter()
    project = projects.home("bench")
    (run,) = project.store.runs()
    source = FrameSource(project.name, project.store)
    source.add_run(run.id)
    source.pull()
    keyframe, _ = source.keyframe()
    end = time.perf_counter()
    return {"seconds": end - imported, "import_s": imported - begin, "keyframe_bytes": len(keyframe["data"])}


def export(contestant: Any, folder: Path, rounds: int) -> dict[str, float]:
    """`run.to_parquet` and a bare `write_parquet` of the frame it wrote, in turn, each to a file that is not there yet: a file
    that takes the place of another one is written out at once.
    """
    import polars as pl

    run = contestant.run(folder)
    if not hasattr(run, "to_parquet"):
        raise NotImplementedError("run.to_parquet is not built yet")
    exported, bare = folder.parent / "exported.parquet", folder.parent / "bare.parquet"
    ours, plain = [], []
    run.to_parquet(exported)  # once unmeasured, so that the machine has the file in its memory
    frame = pl.read_parquet(exported)
    for _ in range(rounds):
        exported.unlink()
        bare.unlink(missing_ok=True)
        begin = time.perf_counter()
        run.to_parquet(exported)
        middle = time.perf_counter()
        frame.write_parquet(bare)
        ours.append(middle - begin)
        plain.append(time.perf_counter() - middle)
    return {
        "seconds": statistics.median(ours),
        "bare_s": statistics.median(plain),
        "ratio": statistics.median(ours) / statistics.median(plain),
        "points": len(frame),
        "bytes_per_point": exported.stat().st_size / len(frame),
    }
