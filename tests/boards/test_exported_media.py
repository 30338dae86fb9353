"""The media that an exported page holds."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import trackbook as tb
from processes import own_process
from trackbook.api.process import Process
from trackbook.boards import exported_media, exported_page
from trackbook.boards.exported_media import ExportedMedia
from trackbook.media.thumbnails import LARGEST
from trackbook.tracking.run import Run, writer_of


@pytest.fixture(autouse=True)
def process(monkeypatch: pytest.MonkeyPatch) -> Iterator[Process]:
    with own_process(monkeypatch) as made:
        yield made


def blocks_of(*runs: Run) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Return what a page notes of its media, and the content of its blocks."""
    for run in runs:
        writer_of(run).hand_over()
    media = ExportedMedia(writer_of(runs[0]).store, [run.id for run in runs])
    contents: dict[str, Any] = {}
    blocks: dict[str, bytes] = {}

    def block(name: str, data: bytes) -> str:
        blocks[name] = data
        return "x" * len(data)

    made = list(media.blocks(block, contents)) if media else []
    assert len(made) == 1 + len(contents["thumbnails"]) + len(contents["files"])
    return contents, blocks


def image(shade: int, side: int = 300) -> tb.Image:
    return tb.Image(np.full((side, side), shade, np.uint8))


def test_page_holds_index_thumbnails_and_files() -> None:
    run = tb.init("p")
    run.log({"a": [image(1), image(2)], "text": tb.Text("hello")})
    contents, blocks = blocks_of(run)
    rows = {(row[0], row[3]): row for row in json.loads(blocks[contents["rows"]])}
    metric, run_id, step, _, kind, file, size, mime, caption, about = rows["a", 1]
    assert (metric, run_id, step, kind, mime, caption) == ("a", run.id, 0, "image", "image/png", None)
    assert about == {"width": 300, "height": 300}
    assert len(blocks[contents["files"][file]]) == size
    assert blocks[contents["files"][rows["text", 0][5]]] == b"hello"
    assert set(contents["thumbnails"]) == {rows["a", 0][5], rows["a", 1][5]}
    assert set(contents["files"]) == {row[5] for row in rows.values()}


def test_newest_media_of_each_name_come_first_into_the_room(monkeypatch: pytest.MonkeyPatch) -> None:
    run = tb.init("p")
    for step in range(10):
        run.log({"a": tb.Text(f"a{step}" * 100), "b": tb.Text(f"b{step}" * 100)})
    monkeypatch.setattr(exported_media, "FILES_BYTES", 900)  # of 200 bytes each
    contents, blocks = blocks_of(run)
    kept = {blocks[place][:2] for place in contents["files"].values()}
    assert kept == {b"a9", b"b9", b"a8", b"b8"}
    assert len(json.loads(blocks[contents["rows"]])) == 20


def test_no_thumbnail_is_made_for_which_there_may_be_no_room(monkeypatch: pytest.MonkeyPatch) -> None:
    run = tb.init("p")
    for step in range(9):
        run.log({"a": image(step)})
    made: list[str] = []
    thumbnail = exported_media.thumbnail

    def noting(files: Any, name: str) -> tuple[str, bytes]:
        made.append(name)
        return thumbnail(files, name)

    monkeypatch.setattr(exported_media, "thumbnail", noting)
    monkeypatch.setattr(exported_media, "THUMBNAILS_BYTES", 2 * LARGEST + 1)
    contents, _ = blocks_of(run)
    assert len(made) == len(contents["thumbnails"]) == 1


def test_masks_and_images_in_tables_are_files_of_the_page() -> None:
    run = tb.init("p")
    masks = {"truth": {"mask_data": np.ones((4, 4), np.uint8), "class_labels": {1: "road"}}}
    run.log({"a": tb.Image(np.zeros((4, 4), np.uint8), masks=masks)})
    run.log({"t": tb.Table(columns=["image"], data=[[image(3)]])})
    contents, blocks = blocks_of(run)
    by_metric = {row[0]: row for row in json.loads(blocks[contents["rows"]])}
    mask = by_metric["a"][9]["masks"]["truth"]["file"]
    assert {mask, by_metric["a"][5], by_metric["t"][5]} < set(contents["files"])
    assert len(contents["files"]) == 4


def test_page_without_media_has_neither_its_module_nor_its_trait(tmp_path: Path) -> None:
    run = tb.init("p")
    run.log({"loss": 1})
    run.finish()
    tb.export_html(tmp_path / "plain.html", "p")
    assert "trackbookMedia" not in module_of(tmp_path / "plain.html")
    with tb.init("q") as other:
        other.log({"a": image(1)})
    tb.export_html(tmp_path / "media.html", "q")
    text = (tmp_path / "media.html").read_text("utf-8")
    assert "trackbookMedia" in module_of(tmp_path / "media.html")
    assert "media-src data: blob:" in text
    place = text.split('id="trackbook-media">')[1].split("<")[0]
    assert json.loads(gzip.decompress(base64.b64decode(place)))[0][0] == "a"


def module_of(path: Path) -> str:
    """Return the first script of a page that is no block of data."""
    return path.read_text("utf-8").split("<script type=module>")[1].split("</script>")[0]


@pytest.fixture(autouse=True)
def built(monkeypatch: pytest.MonkeyPatch) -> None:
    built = {"media.js": "globalThis.trackbookMedia = 1", "trackbook.js": "// board"}
    monkeypatch.setattr(exported_page, "built_file", built.__getitem__)
