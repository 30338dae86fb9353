"""A server's side of uploads keeps the contract of targets, over a store that may fail."""

from __future__ import annotations

from pathlib import Path

import pytest

from remote.target_contract import RUN, batch, points, rows
from trackbook.remote.receiving import Receiver
from trackbook.remote.target import NOTHING
from trackbook.store.sqlite import SqliteStore
from trackbook.tracking.liveness import life
from trackbook.types import Cursor


def receiving(folder: Path) -> tuple[SqliteStore, Receiver]:
    store = SqliteStore(folder / "digits.trackbook.db", "digits")
    return store, Receiver(store, folder / "digits.files")


def test_nothing_is_told_before_it_is_durable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store, receiver = receiving(tmp_path)
    with monkeypatch.context() as full:
        full.setattr(store, "flush", lambda: False)
        for call in (lambda: receiver.put(batch(0, 3), "s", "host"), lambda: receiver.cursors("s")):
            with pytest.raises(OSError, match="the store is busy"):
                call()
    assert receiver.put(batch(0, 3), "s", "host") == Cursor(0, 3)
    store.close()
    again, receiver = receiving(tmp_path)
    assert receiver.cursors("s") == {"r1": Cursor(0, 3)}
    assert rows(again.read("r1")) == rows(points("loss", 0, 3))
    again.close()


def test_points_and_cursor_are_lost_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that dies before the transaction has neither."""
    store, receiver = receiving(tmp_path)
    monkeypatch.setattr(store, "flush", lambda: False)
    with pytest.raises(OSError, match="busy"):
        receiver.put(batch(0, 3), "s", "host")
    again, receiver = receiving(tmp_path)
    assert receiver.cursors("s") == {}
    assert again.run("r1") is None
    again.close()


def test_ids_with_slashes_are_told_apart(tmp_path: Path) -> None:
    store, receiver = receiving(tmp_path)
    one, two = (RUN.__class__(id=name, name=name, started=1.0) for name in ("a", "a/b"))
    receiver.put(batch(0, 1, one), "s", "host")
    receiver.put(batch(0, 2, two), "s", "host")
    receiver.delete("a")
    assert receiver.cursors("s") == {"a/b": Cursor(0, 2)}
    store.close()


def test_a_run_that_is_uploaded_lives_as_long_as_something_comes(tmp_path: Path) -> None:
    store, receiver = receiving(tmp_path)
    receiver.put(batch(0, 1), "s", "gpu-7")
    assert life(store, tmp_path / "digits.journals", "r1") == "alive"
    (writer,) = store.writers().values()
    assert writer.host == "gpu-7"
    store.sign("r1", writer._replace(seen=1.0))
    store.flush()
    assert life(store, tmp_path / "digits.journals", "r1") == "unknown"
    store.close()


def test_a_file_is_what_its_name_says(tmp_path: Path) -> None:
    store, receiver = receiving(tmp_path)
    content = tmp_path / "content"
    content.write_bytes(b"x")
    with pytest.raises(ValueError, match="another one"):
        receiver.put_file(f"{64 * '0'}.png", content)
    for name in ("../../etc/passwd", "x.png", ""):
        with pytest.raises(ValueError, match="does not name a file"):
            receiver.put_file(name, content)
        with pytest.raises(ValueError, match="does not name a file"):
            receiver.missing_files([name])
    store.close()


def test_a_deleted_run_may_come_again(tmp_path: Path) -> None:
    store, receiver = receiving(tmp_path)
    receiver.put(batch(0, 3), "s", "host")
    store.delete("r1")  # on the server's page
    assert receiver.cursors("s") == {}
    assert receiver.put(batch(3, 5), "s", "host") == NOTHING
    assert receiver.put(batch(0, 5), "s", "host") == Cursor(0, 5)
    assert rows(store.read("r1")) == rows(points("loss", 0, 5))
    store.close()
