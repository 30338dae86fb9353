from __future__ import annotations

import threading
from pathlib import Path

import polars as pl
import pytest

import trackbook as tb
from trackbook.store.backup import copy_file


def test_copy_has_what_was_written_and_is_one_file(
    store_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with tb.init("digits", name="first", display=False) as run:
        run.log({"loss": 0.5})
    copy_file(store_dir / "digits.trackbook.db", tmp_path / "copies" / "digits.trackbook.db")
    assert [path.name for path in (tmp_path / "copies").iterdir()] == ["digits.trackbook.db"]
    monkeypatch.setenv("TRACKBOOK_DIR", str(tmp_path / "copies"))
    assert tb.get_run("first", "digits").history()["value"].to_list() == [0.5]


def test_copies_made_while_a_run_is_written_can_all_be_read(
    store_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = tb.init("digits", name="first", display=False)
    is_enough = threading.Event()

    def write() -> None:
        step = 0
        while not is_enough.is_set():
            run.log({"loss": step})
            step += 1

    writing = threading.Thread(target=write)
    writing.start()
    while not (store_dir / "digits.trackbook.db").exists():
        tb.runs("digits")
    for number in range(5):
        copy_file(store_dir / "digits.trackbook.db", tmp_path / str(number) / "digits.trackbook.db")
    is_enough.set()
    writing.join()
    run.finish()
    for number in range(5):
        monkeypatch.setenv("TRACKBOOK_DIR", str(tmp_path / str(number)))
        values = tb.get_run("first", "digits").history()["value"]
        assert values.equals(pl.Series("value", range(len(values)), pl.Float64))


def test_file_that_is_no_project_is_an_os_error_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "broken.trackbook.db").write_bytes(b"no database" * 1000)
    with pytest.raises(OSError, match=r"broken\.trackbook\.db cannot be copied to"):
        copy_file(tmp_path / "broken.trackbook.db", tmp_path / "copy" / "copy.db")
    assert list((tmp_path / "copy").iterdir()) == []
