"""Figures that only Trackbook has: reopening a long run, and exporting it."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any


def reopen(contestant: Any, folder: Path) -> dict[str, float]:
    """From the project's name to the first frame a board would send; the imports, which come before, apart."""
    begin = time.perf_counter()
    from trackbook import _api, _project  # noqa: F401
    from trackbook._session import Session

    imported = time.perf_counter()
    project = contestant.project(folder)
    (run,) = project.store.runs()
    session = Session(project.name, project.store)
    session.add_run(run.id)
    session.pull()
    keyframe, _ = session.keyframe()
    end = time.perf_counter()
    return {"seconds": end - imported, "import_s": imported - begin, "keyframe_bytes": len(keyframe["data"])}


def export(contestant: Any, folder: Path, rounds: int) -> dict[str, float]:
    """`run.to_parquet` and a bare `write_parquet` of the frame it wrote, in turn."""
    import statistics

    import polars as pl

    import trackbook

    contestant.project(folder)
    if not hasattr(trackbook, "get_run") or not hasattr(trackbook.Run, "to_parquet"):
        raise NotImplementedError("run.to_parquet is not built yet")
    run = trackbook.get_run(project="bench")
    exported, bare = folder.parent / "exported.parquet", folder.parent / "bare.parquet"
    ours, plain = [], []
    run.to_parquet(exported)  # the first reads the file into the machine's memory
    frame = pl.read_parquet(exported)
    for _ in range(rounds):
        begin = time.perf_counter()
        run.to_parquet(exported)
        middle = time.perf_counter()
        frame.write_parquet(bare)
        ours.append(middle - begin)
        plain.append(time.perf_counter() - middle)
    a, b = statistics.median(ours), statistics.median(plain)
    return {
        "seconds": a,
        "bare_s": b,
        "ratio": a / b,
        "points": len(frame),
        "bytes_per_point": exported.stat().st_size / len(frame),
    }
