from __future__ import annotations

import hashlib
import itertools
import os
import threading
import time
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interruptions import Interruption
from trackbook.store.content_files import ContentFiles, StoredFile
from trackbook.store.paths import files_folder, project_file


def files_of(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


@pytest.fixture
def files(tmp_path: Path) -> ContentFiles:
    return ContentFiles(tmp_path / "p.files")


def make_old(files: ContentFiles, name: str) -> None:
    long_ago = time.time() - 10_000
    os.utime(files.path(name), (long_ago, long_ago))


def test_file_is_named_by_its_content(files: ContentFiles) -> None:
    digest = hashlib.sha256(b"abc").hexdigest()
    assert files.put(b"abc", ".PNG") == (f"{digest}.png", 3)
    assert files_of(files.folder) == [f"{digest[:2]}/{digest}.png"]
    assert files.read(f"{digest}.png") == b"abc"
    assert files.read(f"{digest}.png", 1, 1) == b"b"


def test_same_content_is_one_file(files: ContentFiles, tmp_path: Path) -> None:
    (tmp_path / "weights").write_bytes(b"abc")
    added = [files.put(b"abc"), files.put(memoryview(b"abc")), files.add(tmp_path / "weights", durable=True)]
    assert set(added) == {StoredFile(hashlib.sha256(b"abc").hexdigest(), 3)}
    assert len(files_of(files.folder)) == 1


def test_large_file_is_added_whole(files: ContentFiles, tmp_path: Path) -> None:
    content = os.urandom(3_000_001)
    (tmp_path / "large.bin").write_bytes(content)
    name, size = files.add(tmp_path / "large.bin", ".bin")
    assert (size, files.read(name)) == (3_000_001, content)
    assert files.is_whole(name)


@pytest.mark.parametrize("suffix", ["", "png", "./x", ".a/b", "..", ". ", ".tar.gz", "." + "x" * 17, ".é"])
def test_odd_suffix_is_left_out(files: ContentFiles, suffix: str) -> None:
    assert files.put(b"abc", suffix).name == hashlib.sha256(b"abc").hexdigest()


@given(st.text())
def test_name_of_no_file_of_the_store_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="does not name a file"):
        ContentFiles(Path("x")).path(name)


@pytest.mark.parametrize("name", ["../" + "a" * 64, "a" * 64 + "/../x", "a" * 64 + ".p/g", "A" * 64, "a" * 64 + "\n"])
def test_path_out_of_the_folder_is_refused(files: ContentFiles, name: str) -> None:
    with pytest.raises(ValueError, match="does not name a file"):
        files.read(name)


def test_file_that_was_cut_short_is_written_again(files: ContentFiles) -> None:
    name = files.put(b"abc").name
    files.path(name).write_bytes(b"")
    assert not files.is_whole(name)
    files.put(b"abc")
    assert files.is_whole(name)


def test_changed_file_is_not_whole(files: ContentFiles) -> None:
    name = files.put(b"abc").name
    files.path(name).write_bytes(b"abd")
    assert not files.is_whole(name)
    assert not files.is_whole("0" * 64)


def test_refused_write_leaves_nothing(files: ContentFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("trackbook.filesystem.write_all", full)
    with pytest.raises(OSError, match="No space"):
        files.put(b"abc")
    assert files_of(files.folder) == []


def test_threads_that_add_the_same_have_one_file(files: ContentFiles) -> None:
    start = threading.Barrier(8)
    found: list[StoredFile] = []

    def add() -> None:
        start.wait()
        found.append(files.put(b"abc" * 100_000))

    threads = [threading.Thread(target=add) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(found)) == 1
    assert len(found) == 8
    assert files_of(files.folder) == [f"{found[0].name[:2]}/{found[0].name}"]


def test_only_unused_old_files_are_removed(files: ContentFiles) -> None:
    used, unused, fresh, other = (files.put(data).name for data in (b"used", b"unused", b"fresh", b"other"))
    for name in (used, unused, other):
        make_old(files, name)
    assert files.remove_unused([used, unused, fresh, "0" * 64], {used}) == 1
    assert [files.has(name) for name in (used, unused, fresh, other)] == [True, False, True, True]


def test_file_that_is_added_again_is_not_removed(files: ContentFiles) -> None:
    name = files.put(b"abc").name
    make_old(files, name)
    files.put(b"abc")
    assert files.remove_unused([name], ()) == 0
    assert files.remove_unused([name], (), spare=0.0) == 1


def test_remains_of_killed_processes_are_removed(files: ContentFiles) -> None:
    files.put(b"abc")
    (files.folder / ".new-0").write_bytes(b"a")
    (files.folder / ".new-1").write_bytes(b"a")
    os.utime(files.folder / ".new-0", (0, 0))
    files.remove_unused([], ())
    assert [path.name for path in files.folder.glob(".new-*")] == [".new-1"]


def test_folder_is_beside_the_project_file() -> None:
    assert files_folder("digits") == "digits.files"
    assert files_folder("My Digits") == project_file("My Digits").replace(".trackbook.db", ".files")


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="only Linux lists open files")
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_interrupt_leaves_neither_a_part_nor_an_open_file(files: ContentFiles, tmp_path: Path) -> None:
    (tmp_path / "weights").write_bytes(b"weights")
    files.put(b"")
    before = len([*Path("/proc/self/fd").iterdir()])
    for number in itertools.count():
        interruption = Interruption(number)
        call = partial(files.put, b"%d" % number) if number % 2 else partial(files.add, tmp_path / "weights")
        interruption.during(call)
        if not interruption.happened:
            break
        if interruption.is_possible:
            assert not [*files.folder.glob(".new-*")], interruption.where
            assert len([*Path("/proc/self/fd").iterdir()]) == before, interruption.where
        files.remove_unused([hashlib.sha256(b"weights").hexdigest()], (), spare=0)
    assert number > 100
