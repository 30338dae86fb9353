"""Answers about media: which there are, their rows at a step, their files in parts, thumbnails, and rows of tables."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

from ..media.files import MediaFiles
from ..media.index import Row
from ..media.thumbnails import thumbnail
from ..store.base import Store
from .built_files import built_file
from .media_index import MediaIndex
from .questions import Answer, AnswerTable, Question
from .viewers import viewer

MOST_STEPS: Final = 10_000  # of a run in an answer
MOST_RUNS: Final = 200
MOST_HISTOGRAMS: Final = 500
MOST_WINDOW_STEPS: Final = 500  # of a question
MOST_ITEMS: Final = 10_000  # of an answer
MOST_THUMBNAILS: Final = 64  # of a question
THUMBNAIL_SECONDS: Final = 0.1
PART_BYTES: Final = 4_000_000
_ASSETS: Final = frozenset(("media.js",))
_MIMES: Final = {
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".gif": "image/gif",
    ".webp": "image/webp",
    ".bmp": "image/bmp",
    ".svg": "image/svg+xml",
    ".json": "application/json",
    ".html": "text/html",
    ".md": "text/markdown",
    ".txt": "text/plain",
    ".wav": "audio/wav",
    ".mp4": "video/mp4",
    ".webm": "video/webm",
}


def answers(store: Store, index: MediaIndex) -> AnswerTable:
    """Return the questions about media, by what their ``ask`` says."""
    return {
        "media": partial(steps, index),
        "media_at": partial(media_at, index),
        "media_window": partial(media_window, index),
        "histograms": partial(histograms, index),
        "media_file": partial(media_file, store),
        "thumbnails": partial(thumbnails, store),
        "table_rows": partial(table_rows, store),
        "asset": asset,
    }


def steps(index: MediaIndex, question: Question) -> Answer:
    """Return the ``steps`` of ``metric`` in each of ``runs``; of more than `MOST_STEPS` evenly some, and then ``thinned``."""
    metric = _text(question, "metric")
    found = {run: index.steps(run, metric) for run in _runs(question)}
    thinned = any(len(each) > MOST_STEPS for each in found.values())
    return {"steps": {run: evenly(each, MOST_STEPS) for run, each in found.items()}, "thinned": thinned}, []


def media_at(index: MediaIndex, question: Question) -> Answer:
    """Return the ``items`` of ``metric`` in each of ``runs``, at the largest step up to ``step``."""
    metric, step = _text(question, "metric"), _number(question, "step")
    return {"items": [item(run, row) for run in _runs(question) for row in index.rows(run, metric, step)]}, []


def media_window(index: MediaIndex, question: Question) -> Answer:
    """Return the ``items`` of ``metric`` in each of ``runs`` at some ``steps``, and whether there are ``more`` than `MOST_ITEMS`."""
    metric, steps = _text(question, "metric"), question.get("steps")
    if not isinstance(steps, list) or not all(isinstance(step, int) for step in steps):
        raise ValueError(f"steps is a list of whole numbers, not {steps!r}")
    found = [item(run, row) for run in _runs(question) for row in index.rows_of(run, metric, steps[:MOST_WINDOW_STEPS])]
    return {"items": found[:MOST_ITEMS], "more": len(found) > MOST_ITEMS}, []


def item(run: str, row: Row) -> dict[str, Any]:
    """Return a row as the front end gets it."""
    names = ("step", "item", "kind", "file", "size", "mime", "caption")
    return {"run": run, **{name: getattr(row, name) for name in names}, "about": row.described}


def histograms(index: MediaIndex, question: Question) -> Answer:
    """Return the histograms of ``metric`` in ``run`` over its ``steps``; of many, evenly some."""
    run, metric = _text(question, "run"), _text(question, "metric")
    most = min(_number(question, "most", 200), MOST_HISTOGRAMS)
    chosen = evenly(index.steps(run, metric), max(1, most))
    rows = [index.rows(run, metric, step)[0] for step in chosen]
    items = [{name: row.described.get(name) for name in ("edges", "counts")} for row in rows]
    return {"steps": chosen, "items": items}, []


def media_file(store: Store, question: Question) -> Answer:
    """Return the ``size`` and ``mime`` of a file, and of its bytes at most `PART_BYTES`, those from ``from`` on."""
    name = _text(question, "file")
    path = _existing(store, name)
    start = max(0, _number(question, "from", 0))
    with path.open("rb") as file:
        file.seek(start)
        data = file.read(PART_BYTES)
    return {"size": path.stat().st_size, "mime": mime(path)}, [data]


def thumbnails(store: Store, question: Question) -> Answer:
    """Return the ``mimes`` and small pictures of the first of some ``files``; null and nothing for those without a picture.

    New pictures are made for `THUMBNAIL_SECONDS` at most, because the board waits: the front end asks again for the others.
    """
    names = question.get("files")
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise ValueError(f"files is a list of names, not {names!r}")
    kept, end = files(store), time.monotonic() + THUMBNAIL_SECONDS
    mimes: list[str | None] = []
    pictures: list[bytes] = []
    for name in names[:MOST_THUMBNAILS]:
        try:
            store.bring_file(name)
            kind, data = thumbnail(kept, name)
        except (OSError, ValueError):  # the question for the file itself says why
            kind, data = None, b""
        mimes.append(kind)
        pictures.append(data)
        if time.monotonic() > end:
            break
    return {"mimes": mimes}, pictures


def table_rows(store: Store, question: Question) -> Answer:
    """Return ``columns``, ``rows`` and the ``total`` of rows of a table, sorted and filtered, from ``from`` on."""
    from ..media.table_rows import MOST_ROWS, rows

    sort, text = question.get("sort"), question.get("filter")
    found = rows(
        _existing(store, _text(question, "file")),
        sort=None if sort is None else str(sort),
        descending=bool(question.get("descending")),
        text="" if text is None else str(text),
        first=_number(question, "from", 0),
        count=_number(question, "count", MOST_ROWS),
    )
    return found, []


def asset(question: Question) -> Answer:
    """Return a module of the front end that is loaded when it is first needed."""
    name = _text(question, "name")
    code = (built_file(name) if name in _ASSETS else viewer(name)).encode()
    return {"mime": "text/javascript", "version": hashlib.sha256(code).hexdigest()[:16]}, [code]


def files(store: Store) -> MediaFiles:
    """Return the files of a store. Raises ``ValueError`` when it keeps none."""
    if store.files_folder is None:
        raise ValueError("these runs have no media files")
    return MediaFiles(store.files_folder)


def _existing(store: Store, name: str) -> Path:
    kept = files(store)
    store.bring_file(name)
    return kept.existing(name)


def mime(path: Path) -> str:
    return _MIMES.get(path.suffix, "application/octet-stream")


def evenly(values: Sequence[int], most: int) -> list[int]:
    """Return at most `most` of the values, the first and the last among them."""
    if len(values) <= most:
        return list(values)
    if most == 1:
        return [values[-1]]
    return [values[place * (len(values) - 1) // (most - 1)] for place in range(most)]


def _runs(question: Mapping[str, Any]) -> list[str]:
    runs = question.get("runs")
    if not isinstance(runs, list) or not all(isinstance(run, str) for run in runs):
        raise ValueError(f"runs is a list of ids, not {runs!r}")
    return runs[:MOST_RUNS]


def _text(question: Mapping[str, Any], name: str) -> str:
    text = question.get(name)
    if not isinstance(text, str):
        raise ValueError(f"{name} is a text, not {text!r}")  # noqa: TRY004  # from the front end
    return text


def _number(question: Mapping[str, Any], name: str, default: int | None = None) -> int:
    number = question.get(name, default)
    if isinstance(number, bool) or not isinstance(number, int):
        raise ValueError(f"{name} is a whole number, not {number!r}")  # noqa: TRY004  # from the front end
    return number
