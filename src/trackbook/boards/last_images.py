"""The last images of a board, small, for the snapshot that a saved notebook shows."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Final

from ..charts.snapshot_images import MOST_IN_A_BOX, ImageBox
from ..media.files import MediaFiles
from ..media.index import Row
from ..media.thumbnails import small_jpeg, thumbnail
from ..store.base import Store
from .media_index import MediaIndex

MOST_BOXES: Final = 6
MOST_BYTES: Final = 24_000  # of all data URLs
SIDE: Final = 112  # pixels
_KINDS: Final = ("image", "video")


def last_images(store: Store, index: MediaIndex, runs: Sequence[str]) -> list[ImageBox]:
    """Return boxes with the newest images of each name in the newest of `runs` that has them, within `MOST_BYTES`.

    Each name gets its first image before any gets its second. What cannot be drawn is left out.
    """
    if store.files_folder is None:
        return []
    files = MediaFiles(store.files_folder)
    newest = {name: rows for name in _names(index, runs)[:MOST_BOXES] if (rows := _newest(index, runs, name))}
    urls: dict[str, list[str]] = {name: [] for name in newest}
    left = MOST_BYTES
    for place in range(MOST_IN_A_BOX):
        for name, rows in newest.items():
            url = _url(files, rows[place].file) if place < len(rows) else None
            if url is not None and len(url) <= left:
                left -= len(url)
                urls[name].append(url)
    return [ImageBox(name, _about(newest[name], len(found)), found) for name, found in urls.items() if found]


def _names(index: MediaIndex, runs: Sequence[str]) -> list[str]:
    metrics = index.summary(runs)["metrics"]
    return [name for name, about in metrics.items() if about["kind"] in _KINDS]


def _newest(index: MediaIndex, runs: Sequence[str], name: str) -> list[Row]:
    for run in reversed(runs):
        steps = index.steps(run, name)
        if steps:
            return [row for row in index.rows(run, name, steps[-1]) if row.kind in _KINDS]
    return []


def _about(rows: Sequence[Row], shown: int) -> str:
    of = f" · {shown} of {len(rows)}" if shown < len(rows) else ""
    return f"step {rows[0].step:,}{of}"


def _url(files: MediaFiles, name: str | None) -> str | None:
    """Return a small JPEG as a data URL; None for what has no picture."""
    try:
        data = small_jpeg(thumbnail(files, name or "")[1], SIDE)
    except (OSError, ValueError):
        return None
    return f"data:image/jpeg;base64,{base64.b64encode(data).decode()}"
