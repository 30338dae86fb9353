"""The media of an exported page: their index, thumbnails and, as far as there is room, files. `js/src/media/page-answers.ts` reads them."""

from __future__ import annotations

import contextlib
import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

from ..media.files import MediaFiles
from ..media.index import Row
from ..media.thumbnails import LARGEST, thumbnail
from ..store.base import Store
from .media_answers import item
from .media_index import MediaIndex
from .viewers import VIEWERS, viewer

THUMBNAILS_BYTES: Final = 8_000_000  # of the page, as its text has them
FILES_BYTES: Final = 12_000_000
MOST_ROWS: Final = 20_000  # of the index, the newest of each name and run first
_PICTURED: Final = frozenset(("image", "video", "table"))

Block = Callable[[str, bytes], str]


class ExportedMedia:
    """The media of some runs, the newest of each name first."""

    def __init__(self, store: Store, runs: Sequence[str]) -> None:
        self._index = MediaIndex(store)
        self._files = None if store.files_folder is None else MediaFiles(store.files_folder)
        self.summary = self._index.news(None, runs, ())
        self._rows = self._newest_first(runs) if self._files and self.summary["metrics"] else []

    def __bool__(self) -> bool:
        return bool(self._rows)

    def _newest_first(self, runs: Sequence[str]) -> list[tuple[str, Row]]:
        found: list[tuple[int, str, Row]] = []
        for run in reversed(runs):
            for metric in self.summary["metrics"]:
                rows = self._index.rows_of(run, metric, self._index.steps(run, metric)[-MOST_ROWS:])
                places = {step: place for place, step in enumerate(sorted({row.step for row in rows}, reverse=True))}
                found += [(places[row.step], run, row) for row in rows]
        found.sort(key=lambda each: each[0])
        return [(run, row) for _, run, row in found[:MOST_ROWS]]

    def blocks(self, block: Block, contents: dict[str, Any]) -> Iterator[str]:
        """Yield the blocks of the page, and note in `contents` where each one is."""
        rows = [{"metric": row.metric, **item(run, row)} for run, row in self._rows]
        names = ("metric", "run", "step", "item", "kind", "file", "size", "mime", "caption", "about")
        index = [[row[name] for name in names] for row in rows]
        yield block("trackbook-media", json.dumps(index).encode())
        contents |= {"rows": "trackbook-media", "thumbnails": {}, "files": {}, "viewers": {}}
        for name, code in self.viewers().items():
            contents["viewers"][name] = element = f"trackbook-{name.removesuffix('.js')}"
            yield block(element, code.encode())
        yield from self._some("thumbnail", self._places(pictured=True), block, contents["thumbnails"])
        yield from self._some("file", self._places(pictured=False), block, contents["files"])

    def viewers(self) -> dict[str, str]:
        """Return the scripts of the viewers that draw some of these media, by name; without Plotly's where plotly is not installed."""
        found: dict[str, str] = {}
        for name in sorted({VIEWERS[row.kind] for _, row in self._rows if row.kind in VIEWERS}):
            with contextlib.suppress(ValueError):  # the page says that it does not have it
                found[name] = viewer(name)
        return found

    def _places(self, *, pictured: bool) -> Counter[str]:
        """Return the names of files, the newest first."""
        return Counter(name for _, row in self._rows if not pictured or row.kind in _PICTURED for name in row.files)

    def _some(self, kind: str, names: Counter[str], block: Block, places: dict[str, str]) -> Iterator[str]:
        """Yield the blocks of some thumbnails or files until there is no more room. Note their places by name."""
        room, content = {
            "thumbnail": (THUMBNAILS_BYTES, self._thumbnail),
            "file": (FILES_BYTES, self._content),
        }[kind]
        for name in names:
            data = content(name, room)
            if data is None:
                continue
            made = block(f"trackbook-{kind}-{len(places)}", data)
            if len(made) <= room:
                room -= len(made)
                places[name] = f"trackbook-{kind}-{len(places)}"
                yield made

    def _thumbnail(self, name: str, room: int) -> bytes | None:
        if room < 2 * LARGEST or self._files is None:  # to make one takes long, so none is made in vain
            return None
        try:
            return thumbnail(self._files, name)[1]
        except (OSError, ValueError):  # of a kind without pictures; the board shows the file itself
            return None

    def _content(self, name: str, room: int) -> bytes | None:
        if self._files is None:
            return None
        try:
            path = self._files.existing(name)
            return path.read_bytes() if path.stat().st_size <= room else None
        except (OSError, ValueError):  # deleted meanwhile: the page says that it does not have it
            return None
