"""Media in exports: their files go into a folder beside the Parquet, and come back from there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import trackbook as tb
from command_lines import CommandLine
from processes import own_process
from trackbook.api.process import Process


@pytest.fixture(autouse=True)
def process(monkeypatch: pytest.MonkeyPatch) -> Iterator[Process]:
    with own_process(monkeypatch) as made:
        yield made


@pytest.fixture
def run() -> tb.Run:
    with tb.init("p") as run:
        run.log({"loss": 1, "a": tb.Image([[1]], caption="x", masks={"m": {"mask_data": [[3]]}})})
        run.log({"t": tb.Table(columns=["x"], data=[[tb.Image([[2]])]]), "h": tb.Histogram([1, 2])})
    return run


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("??/*"))


@pytest.mark.parametrize("name", ["out", "out/", "one.parquet"])
def test_media_come_back_from_an_export(name: str, run: tb.Run, tmp_path: Path, store_dir: Path) -> None:
    target = tmp_path / name
    tb.export("p", f"{tmp_path}/{name}", media=True)
    there = files(store_dir / "p.files")
    assert files(target.with_name(target.name + ".media")) == there
    assert len(there) == 4
    (back,) = tb.import_parquet(f"{tmp_path}/{name}", project="q")
    assert files(store_dir / "q.files") == there
    assert [(each.metric, each.step, each.caption, each.about) for each in back.media()] == [
        (each.metric, each.step, each.caption, each.about) for each in run.media()
    ]
    assert np.asarray(back.media("a")[0].read()).tolist() == [[1]]
    assert tb.get_run(run.id, "q").history().equals(run.history())


def test_dataset_with_media_is_read_as_points(run: tb.Run, tmp_path: Path) -> None:
    tb.export("p", tmp_path / "out", media=True)
    assert pl.scan_parquet(tmp_path / "out").collect().height == 1


def test_export_without_media_has_no_files(run: tb.Run, tmp_path: Path) -> None:
    tb.export("p", tmp_path / "out")
    assert not (tmp_path / "out.media").exists()
    (back,) = tb.import_parquet(tmp_path / "out", project="q")
    assert [each.tolist() for each in back.media("h")[0].read()] == [each.tolist() for each in run.media("h")[0].read()]
    with pytest.raises(FileNotFoundError, match="left out of an export"):
        back.media("a")[0].read()


def test_import_that_was_interrupted_is_completed(run: tb.Run, tmp_path: Path, store_dir: Path) -> None:
    tb.export("p", tmp_path / "out", media=True)
    tb.import_parquet(tmp_path / "out", project="q")
    for path in (store_dir / "q.files").glob("??/*.png"):
        path.unlink()
    tb.import_parquet(tmp_path / "out", project="q")
    assert files(store_dir / "q.files") == files(store_dir / "p.files")


def test_missing_file_is_said_and_the_rest_exported(run: tb.Run, tmp_path: Path) -> None:
    path = run.media("a")[0].path
    assert path is not None
    path.unlink()
    with pytest.warns(tb.TrackbookWarning, match="1 of 4 media files are not there"):
        tb.export("p", tmp_path / "out", media=True)
    assert len(files(tmp_path / "out.media")) == 3


def test_damaged_file_is_not_imported(run: tb.Run, tmp_path: Path) -> None:
    tb.export("p", tmp_path / "out", media=True)
    next((tmp_path / "out.media").glob("??/*.png")).write_bytes(b"other")
    with pytest.raises(OSError, match="its content is not what its name says"):
        tb.import_parquet(tmp_path / "out", project="q")


@pytest.mark.parametrize("format_", ["csv", "jsonl", "arrow"])
def test_other_formats_take_no_media(format_: str, run: tb.Run, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="beside Parquet"):
        tb.export("p", tmp_path / "x", format=format_, media=True)
    assert not list(tmp_path.glob("x*"))


def test_command_exports_media(
    run: tb.Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trackbook_command: CommandLine
) -> None:
    monkeypatch.chdir(tmp_path)
    assert trackbook_command("export", "p", "--media").code == 0
    assert len(files(tmp_path / "p.media")) == 4
    refused = trackbook_command("export", "p", "p.csv", "--media")
    assert refused.code == 2
    assert "--media goes with Parquet" in refused.err


def test_board_of_an_export_shows_its_media(run: tb.Run, tmp_path: Path) -> None:
    tb.export("p", tmp_path / "out", media=True)
    board = tb.board(tmp_path / "out")
    assert board.media["metrics"]["a"] == {"kind": "image", "count": 1}
    question = {"ask": "media_at", "metric": "a", "runs": [run.id], "step": 0}
    (item,) = board.publisher.answer(question)[0]["items"]
    answer, (data,) = board.publisher.answer({"ask": "media_file", "file": item["file"]})
    assert (answer["mime"], data[:4]) == ("image/png", b"\x89PNG")
