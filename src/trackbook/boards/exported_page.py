"""A board as a page of one file: its state, the details of its runs and, if wanted, all points.

``js/src/hosts/exported-page.ts`` draws it, and answers the questions of the front end from what is in it.
"""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from ..charts.html_page import as_data, data_block, document
from ..filesystem import replacing
from ..frames.protocol import Frame, Table
from ..store.base import Store
from ..types import RunRecord
from . import run_details
from .built_files import built_file
from .exported_media import ExportedMedia
from .frame_source import SHOWN_RUNS, FrameSource
from .runs_table import RunsTable

PICTURE_BYTES: Final = 4_000_000  # of the picture: 200 buckets each for 300 series
DETAILS_BYTES: Final = 4_000_000  # of consoles, code and environments, compressed
CONSOLE_LINES: Final = 5_000  # of a run, the newest
MOST_POINTS: Final = 10_000_000  # with `raw`: some 100 MB
POINTS_A_BLOCK: Final = 100_000  # zooming decodes whole blocks

_MICROSECONDS: Final = 1e6
_MAIN: Final = '<main id="trackbook-board"></main>\n<noscript>This page draws its charts with JavaScript.</noscript>\n'
_STYLE: Final = """
:root { color-scheme: light dark; }
:root[data-theme="light"] { color-scheme: light; }
:root[data-theme="dark"] { color-scheme: dark; }
body { margin: 8px 12px; font-family: system-ui, sans-serif; }
@media print { :root { color-scheme: light; } body { margin: 0; } }
"""


def write_page(
    path: Path,
    project: str,
    store: Store,
    runs: Sequence[RunRecord],
    *,
    shown: int = SHOWN_RUNS,
    raw: bool,
    details: bool,
) -> None:
    """Write a page of `runs`, oldest first, of which the newest `shown` are drawn until the reader chooses others.

    The file appears whole or not at all. Raises ``ValueError`` for more than `MOST_POINTS` points with `raw`, ``OSError``
    when the points cannot be read or the file cannot be written.
    """
    title = " · ".join([runs[0].name, project] if len(runs) == 1 else [project])
    with replacing(path, path) as temporary, temporary.open("w", encoding="utf-8", newline="\n") as file:
        media = ExportedMedia(store, [run.id for run in runs])
        parts = _body(project, store, runs, shown, media, raw=raw, details=details)
        scripts = [built_file(name) for name in (["media.js", "trackbook.js"] if media else ["trackbook.js"])]
        framed = list(media.viewers().values())
        file.writelines(document(title, _STYLE, parts, scripts, is_module=True, framed=framed))


def _body(
    project: str,
    store: Store,
    runs: Sequence[RunRecord],
    shown: int,
    media: ExportedMedia,
    *,
    raw: bool,
    details: bool,
) -> Iterator[str]:
    source = FrameSource(project, store)
    for run in runs:
        source.add_run(run.id)
    source.pull()
    keyframe, _ = source.keyframe(PICTURE_BYTES)
    ids = [run.id for run in runs]
    table = RunsTable(source.id, store).whole(ids)
    places: dict[str, str] = {}
    blocks: list[dict[str, Any]] = []
    yield _MAIN
    if details:
        yield from _details(store, ids, places)
    if raw:
        yield from _points(store, keyframe, blocks)
    kept: dict[str, Any] = {}
    if media:
        yield from media.blocks(_block, kept)
    state = {
        "state": {
            "keyframe": {"header": keyframe["header"]},
            "table": {"header": table["header"]},
            "cells": run_details.cell_spans(store, ids),
            "alerts": run_details.newest_alerts(store, ids) if details else [],
            "hidden_runs": ids[: max(0, len(ids) - shown)],
            **({"media": media.summary} if media else {}),
        },
        "buffers": [_buffer("keyframe", keyframe), _buffer("table", table)],
        "contents": {"details": places, "points": blocks if raw else None, **({"media": kept} if media else {})},
    }
    yield data_block("trackbook-state", "application/json", as_data(state))


def _buffer(trait: str, value: Frame | Table) -> dict[str, Any]:
    return {"path": [trait, "data"], "encoding": "base64", "data": base64.b64encode(value["data"]).decode()}


def _block(name: str, data: bytes) -> str:
    packed = gzip.compress(data, mtime=0)
    return data_block(name, "text/plain", base64.b64encode(packed).decode())


def _details(store: Store, runs: Sequence[str], places: dict[str, str]) -> Iterator[str]:
    """Yield the details of runs, of the newest first, until there is no more room. Note their places by run."""
    size = 0
    for number, run in enumerate(reversed(runs)):
        question = {"run": run}
        found = {
            "console": {"lines": run_details.newest_lines(store, run, CONSOLE_LINES)},
            "cells": run_details.cells(store, question)[0],
            "environment": run_details.environment(store, question)[0],
        }
        block = _block(name := f"trackbook-details-{number}", json.dumps(found).encode())
        size += len(block)
        if size > DETAILS_BYTES:
            return
        places[run] = name
        yield block


def _points(store: Store, keyframe: Frame, blocks: list[dict[str, Any]]) -> Iterator[str]:
    """Yield all points of the runs of a picture. Note the place of each block."""
    metrics = {name: number for number, name in enumerate(keyframe["header"]["metrics"])}
    count = 0
    for run in keyframe["header"]["runs"]:
        points = store.read(run["id"])
        count += points.height
        if count > MOST_POINTS:
            raise ValueError(
                f"these runs have more than {MOST_POINTS:,} points, too many for a page: choose some by runs=, or leave out raw=True"
            )
        for (metric,), series in points.partition_by("metric", as_dict=True, include_key=False).items():
            if str(metric) not in metrics:  # logged since the picture was made
                continue
            columns = [series.sort("step")[name].to_numpy() for name in ("step", "time", "value")]
            for start in range(0, series.height, POINTS_A_BLOCK):
                step, time, value = (column[start : start + POINTS_A_BLOCK] for column in columns)
                name = f"trackbook-points-{len(blocks)}"
                ends = {"first": int(step[0]), "last": int(step[-1]), "rows": len(step)}
                blocks.append({"element": name, "run": run["key"], "metric": metrics[str(metric)], **ends})
                yield _block(name, pack_points(step, time, value))


def pack_points(step: Any, time: Any, value: Any) -> bytes:
    """Return points sorted by step as `js/src/hosts/page-archive.ts` reads them.

    These are three columns of float64: steps and times, in µs, as differences, and values. Of all numbers the lowest bytes come
    first, then all second bytes, because like bytes compress well.
    """
    columns = [np.diff(step, prepend=0), np.diff(np.rint(time * _MICROSECONDS), prepend=0), value]
    numbers = np.concatenate([np.asarray(column, "<f8") for column in columns])
    return numbers.view(np.uint8).reshape(-1, 8).T.tobytes()
