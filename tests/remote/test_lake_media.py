"""Media on the boards of lakes: a thread reads which there are, and a file is brought when it is asked for."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("deltalake")

import trackbook as tb
from trackbook.remote import lake_follower, lake_target
from trackbook.remote.lake_files import LakeFiles
from trackbook.remote.lake_tables import Lake
from trackbook.store.content_files import ContentFiles


@pytest.fixture
def lake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(lake_follower, "LOOK_SECONDS", 0.05)
    with tb.init("digits", id="r1") as run:
        for step in range(2):
            run.log({"loss": 1.0, "sample": tb.Image(np.full((8, 8), 100 * step, np.uint8), caption=f"of {step}")})
        run.log({"rows": tb.Table(columns=["a"], data=[[1], [2]])})
    tb.sync("digits", to=tmp_path / "lake")
    return tmp_path / "lake"


def media_of(board: tb.Board) -> dict[str, Any]:
    """Return the board's trait ``media`` when the thread has read them."""
    until = time.monotonic() + 30
    while not (found := board.publisher._media_news(None)["metrics"]):
        assert time.monotonic() < until, "the board has no media"
        board.publisher.pull()
        time.sleep(0.02)
    return found


def ask(board: tb.Board, **question: Any) -> tuple[Any, list[bytes]]:
    return board.publisher.answer(question)


def test_a_board_of_a_lake_shows_its_media(lake: Path) -> None:
    board = tb.board(lake.as_uri())
    assert media_of(board) == {"sample": {"kind": "image", "count": 2}, "rows": {"kind": "table", "count": 1}}
    answer, _ = ask(board, ask="media_at", runs=["r1"], metric="sample", step=1)
    (item,) = answer["items"]
    assert (item["step"], item["caption"]) == (1, "of 1")
    about, (data,) = ask(board, ask="media_file", file=item["file"])
    assert about == {"size": len(data), "mime": "image/png"}
    assert data.startswith(b"\x89PNG")
    (rows,) = ask(board, ask="media_at", runs=["r1"], metric="rows", step=9)[0]["items"]
    assert ask(board, ask="table_rows", file=rows["file"])[0]["total"] == 2
    assert ask(board, ask="thumbnails", files=[item["file"]])[0]["mimes"] != [None]


def test_media_that_come_while_a_board_is_open_are_shown(lake: Path) -> None:
    board = tb.board(lake.as_uri())
    media_of(board)
    with tb.init("digits", id="r1", resume="must") as run:
        run.log({"later": tb.Text("words")})
    tb.sync("digits", to=lake)
    until = time.monotonic() + 30
    while "later" not in media_of(board):
        assert time.monotonic() < until, "the new text does not come"
        time.sleep(0.05)
        board.source.recheck()
        board.publisher._media.forget()


def test_files_of_several_parts_are_brought_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lake_target, "_PART_BYTES", 100)
    kept = ContentFiles(tmp_path / "kept")
    name = kept.put(bytes(range(250)) * 4, ".bin").name
    target = lake_target.LakeTarget(str(tmp_path / "lake"), project="digits", source="one")
    target.put_file(name, kept.path(name))
    files = LakeFiles(Lake(str(tmp_path / "lake")))
    files.bring(name)
    files.bring(name)
    assert (files.folder / name[:2] / name).read_bytes() == bytes(range(250)) * 4
    assert [path.name for path in files.folder.iterdir()] == [name[:2]]


def test_missing_damaged_and_misnamed_files_are_refused(tmp_path: Path) -> None:
    kept = ContentFiles(tmp_path / "kept")
    name, other = kept.put(b"content", ".txt").name, kept.put(b"other", ".txt").name
    target = lake_target.LakeTarget(str(tmp_path / "lake"), project="digits", source="one")
    target.put_file(name, kept.path(other))
    files = LakeFiles(Lake(str(tmp_path / "lake")))
    with pytest.raises(OSError, match="is damaged"):
        files.bring(name)
    with pytest.raises(FileNotFoundError, match="its upload has not ended"):
        files.bring("0" * 64 + ".png")
    with pytest.raises(ValueError, match="does not name a file"):
        files.bring("../../etc/passwd")
