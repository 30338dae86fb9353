"""Images that are compressed after `log` returned: at each moment a whole file, at the end only the compressed one."""

from __future__ import annotations

import contextlib
import multiprocessing
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import trackbook as tb
from processes import own_process
from trackbook import user_warnings
from trackbook.api.process import Process
from trackbook.journal.journal import FileJournal
from trackbook.journal.reader import calls_of_all
from trackbook.media.files import MediaFiles
from trackbook.media.index import parsed
from trackbook.media.uncompressed import MARK
from trackbook.store.paths import files_folder, journal_folder
from trackbook.tracking import pending_media
from trackbook.tracking.pending_media import PendingMedia
from trackbook.tracking.run import writer_of
from tracker_scripts import hearing


@pytest.fixture(autouse=True)
def process(monkeypatch: pytest.MonkeyPatch) -> Iterator[Process]:
    monkeypatch.setattr(user_warnings, "_said", set())
    with own_process(monkeypatch) as made:
        yield made


@pytest.fixture
def waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the thread from compressing."""
    monkeypatch.setattr(PendingMedia, "tick", lambda _, __: 10.0)


def pixels(seed: int = 0) -> Any:
    return np.random.default_rng(seed).integers(0, 9, (64, 64, 3), np.uint8)


def media_files(folder: Path) -> MediaFiles:
    return MediaFiles(folder / files_folder("p"))


def sizes(folder: Path) -> list[int]:
    return sorted(path.stat().st_size for path in media_files(folder).folder.glob("??/*"))


def noted(folder: Path) -> list[tuple[str, bool]]:
    """Return the files that the journals name, and whether they are said to be uncompressed."""
    rows = [row for line in calls_of_all(folder / journal_folder("p")) for row in parsed(line)]
    return [(row.file or "", MARK in row.described) for row in rows]


def check(run: tb.Run, folder: Path, seeds: range) -> None:
    """Check that the images of a run are what was logged, compressed, and the only files."""
    found = run.media("a")
    assert [each.step for each in found] == list(seeds)
    for each, seed in zip(found, seeds, strict=True):
        assert np.array_equal(np.asarray(each.read()), pixels(seed))
        assert each.about == {"width": 64, "height": 64}
        assert each.path is not None
        assert each.size == each.path.stat().st_size < pixels().nbytes
    assert sizes(folder) == sorted({each.path: each.size for each in found}.values())


def test_image_is_whole_at_each_moment(store_dir: Path, waiting: None) -> None:
    run = tb.init("p")
    for seed in range(3):
        run.log({"a": tb.Image(pixels(seed)), "loss": 1})
    assert min(sizes(store_dir)) > pixels().nbytes
    assert [marked for _, marked in noted(store_dir)] == [True] * 3
    assert all(media_files(store_dir).is_whole(name) for name, _ in noted(store_dir))
    check(run, store_dir, range(3))
    assert [marked for _, marked in noted(store_dir)] == [True] * 3 + [False] * 3
    run.finish()
    check(tb.get_run(run.id, "p"), store_dir, range(3))


def test_thread_compresses_while_the_program_goes_on(store_dir: Path) -> None:
    run = tb.init("p")
    run.log({"a": tb.Image(pixels())})
    until = time.monotonic() + 20
    while sizes(store_dir)[-1] > pixels().nbytes or len(sizes(store_dir)) > 1:
        assert time.monotonic() < until
        time.sleep(0.02)
    check(run, store_dir, range(1))
    run.finish()
    assert not [each for each in threading.enumerate() if each.name == "trackbook-images"]


def test_beyond_a_bound_log_compresses(store_dir: Path, waiting: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pending_media, "MOST_BYTES", 2 * pixels().nbytes)
    run = tb.init("p")
    for seed in range(4):
        run.log({"a": tb.Image(pixels(seed))})
    assert [marked for _, marked in noted(store_dir)] == [True, False, False, False]
    check(run, store_dir, range(4))
    run.log({"a": tb.Image(pixels(4))})
    assert noted(store_dir)[-1][1]
    run.finish()


def test_same_image_twice_in_a_call_and_in_two_runs(store_dir: Path, waiting: None) -> None:
    image = tb.Image(pixels())
    with tb.init("p", id="one") as run:
        run.log({"a": [image, image], "b": image})
    with tb.init("p", id="two") as run:
        run.log({"a": image})
    assert len(sizes(store_dir)) == 1
    assert [len(tb.get_run(name, "p").media()) for name in ("one", "two")] == [3, 1]


def test_image_of_a_taken_step_leaves_no_file(store_dir: Path, waiting: None) -> None:
    run = tb.init("p")
    run.log({"a": tb.Image(pixels(0))}, step=0)
    run.log({"a": tb.Image(pixels(0))}, step=1)
    with hearing() as heard:
        run.log({"a": tb.Image(pixels(5))}, step=0)
        writer_of(run).say()
    assert "logged twice at one step" in heard[0]
    assert len(sizes(store_dir)) == 2
    run.finish()


def test_image_of_a_run_that_ends_meanwhile_leaves_no_file(
    store_dir: Path, waiting: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = tb.init("p")
    write = MediaFiles.write

    def end(self: MediaFiles, file: Any) -> None:
        write(self, file)
        run.finish()

    monkeypatch.setattr(MediaFiles, "write", end)
    with contextlib.suppress(RuntimeError):
        run.log({"a": tb.Image(pixels())})
    assert sizes(store_dir) == []


@pytest.mark.parametrize("error", [OSError("No space left on device"), KeyboardInterrupt()], ids=repr)
def test_images_of_a_call_that_fails_leave_no_file(
    error: BaseException, store_dir: Path, waiting: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = tb.init("p")
    written = []
    write = MediaFiles.write

    def fail(self: MediaFiles, file: Any) -> None:
        if written:
            raise error
        write(self, file)
        written.append(file)

    with monkeypatch.context() as patch:
        patch.setattr(MediaFiles, "write", fail)
        with contextlib.suppress(KeyboardInterrupt), warnings.catch_warnings(action="ignore"):
            run.log({"a": [tb.Image(pixels(0)), tb.Image(pixels(1))]})
    assert (len(written), sizes(store_dir)) == (1, [])
    run.finish()


@pytest.mark.parametrize(("failing", "error"), [("write", OSError), ("path", OSError), ("write", KeyError)])
def test_image_that_cannot_be_compressed_stays_as_it_is(
    failing: str, error: type[Exception], store_dir: Path, waiting: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = tb.init("p")
    run.log({"a": tb.Image(pixels())})

    def fail(*_: Any) -> None:
        raise error("No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(MediaFiles, failing, fail)
        run.to_parquet(store_dir / "x.parquet")
    (found,) = run.media()
    assert np.array_equal(np.asarray(found.read()), pixels())
    assert (found.about, sizes(store_dir)) == ({"width": 64, "height": 64}, [found.size])
    run.finish()


def test_interrupted_compression_is_done_again(store_dir: Path, waiting: None, monkeypatch: pytest.MonkeyPatch) -> None:
    run = tb.init("p")
    for seed in range(3):
        run.log({"a": tb.Image(pixels(seed))})
    written = []
    write = MediaFiles.write

    def interrupt(self: MediaFiles, file: Any) -> None:
        write(self, file)
        written.append(file)
        if len(written) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(MediaFiles, "write", interrupt)
    with pytest.raises(KeyboardInterrupt):
        run.media()
    check(run, store_dir, range(3))
    run.finish()


@pytest.mark.parametrize("moment", ["compressed", "written", "noted", "taken"])
def test_signal_handler_reads_the_run_while_its_images_are_compressed(
    moment: str, store_dir: Path, waiting: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = tb.init("p")
    for seed in range(3):
        run.log({"a": tb.Image(pixels(seed))})
    handled = []

    def handling(function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*given: Any, **named: Any) -> Any:
            found = function(*given, **named)
            if not handled:
                handled.append(function)
                run.media()
            return found

        return call

    owner, name = {
        "compressed": (pending_media, "compressed"),
        "written": (MediaFiles, "write"),
        "noted": (FileJournal, "note"),
        "taken": (PendingMedia, "ready"),
    }[moment]
    monkeypatch.setattr(owner, name, handling(getattr(owner, name)))
    check(run, store_dir, range(3))
    assert handled
    for seed in range(3, 5):
        run.log({"a": tb.Image(pixels(seed))})
    check(run, store_dir, range(5))
    run.finish()
    check(tb.get_run(run.id, "p"), store_dir, range(5))


def test_system_that_refuses_a_thread(store_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = tb.init("p")
    start = threading.Thread.start

    def refuse(thread: threading.Thread) -> None:
        if thread.name == "trackbook-images":
            raise RuntimeError("can't start new thread")
        start(thread)

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        run.log({"a": tb.Image(pixels(0))})
        check(run, store_dir, range(1))
        run.log({"a": tb.Image(pixels(1))})
        writer_of(run).hand_over(compress=False)
    until = time.monotonic() + 20
    while sizes(store_dir)[-1] > pixels().nbytes:
        assert time.monotonic() < until
        time.sleep(0.02)
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        run.log({"a": tb.Image(pixels(2))})
        run.finish()
    check(tb.get_run(run.id, "p"), store_dir, range(3))


ENDING = """
import atexit, numpy as np, trackbook as tb
run = tb.init("p", id="r")
def log():
    run.log({"a": tb.Image(np.random.default_rng(0).integers(0, 9, (64, 64, 3), np.uint8))})
WHEN
"""


@pytest.mark.parametrize("when", ["log()", "atexit.register(log)"])
def test_program_that_ends_while_images_wait(when: str, store_dir: Path) -> None:
    command = [sys.executable, "-X", "dev", "-W", "error", "-c", ENDING.replace("WHEN", when)]
    program = subprocess.run(command, check=False, capture_output=True, text=True)
    assert (program.returncode, "Error" in program.stderr) == (0, False), program.stderr
    run = tb.get_run("r", "p")
    assert run.state == "finished"
    check(run, store_dir, range(1))


@pytest.mark.parametrize(("owner", "name"), [(FileJournal, "note"), (MediaFiles, "discard")], ids=["note", "discard"])
def test_interrupt_leaves_no_file_that_nothing_names(
    owner: type, name: str, store_dir: Path, waiting: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = tb.init("p")
    run.log({"a": tb.Image(pixels(0))})
    function = getattr(owner, name)

    def interrupt(*given: Any) -> None:
        if name == "note":
            function(*given)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(owner, name, interrupt)
        with pytest.raises(KeyboardInterrupt):
            run.log({"a": tb.Image(pixels(1))}) if name == "note" else run.media()
    check(run, store_dir, range(2 if name == "note" else 1))
    run.finish()


def test_deletion_of_another_run_keeps_a_pending_image(store_dir: Path, waiting: None) -> None:
    with tb.init("p", id="one") as run:
        run.log({"a": tb.Image(pixels())})
    other = tb.init("p", id="two")
    other.log({"a": tb.Image(pixels())})
    program = "import trackbook as tb; tb.delete_run('one', 'p', force=True)"
    subprocess.run([sys.executable, "-c", program], check=True)
    check(other, store_dir, range(1))
    other.finish()


KILLED = """
import os, numpy as np, trackbook as tb
from trackbook.tracking.pending_media import PendingMedia
from trackbook.tracking.run import writer_of
from trackbook.media.files import MediaFiles
PendingMedia.tick = lambda *_: 10.0
run = tb.init("p", id="r")
for seed in range(3):
    run.log({"a": tb.Image(np.random.default_rng(seed).integers(0, 9, (64, 64, 3), np.uint8))})
writer = writer_of(run)
moment = MOMENT
if moment == "first file removed":
    discard = MediaFiles.discard
    MediaFiles.discard = lambda self, name: (discard(self, name), os._exit(1))
if moment == "not removed":
    MediaFiles.discard = lambda self, name: os._exit(1)
if moment != "logged":
    writer.hand_over()
if moment == "stored":
    writer.store.flush()
os._exit(1)
"""


@pytest.mark.parametrize(
    ("moment", "compressed", "left"),
    [("logged", 0, 3), ("not removed", 1, 4), ("first file removed", 1, 3), ("handed over", 3, 3), ("stored", 3, 3)],
)
def test_images_of_a_killed_process(moment: str, compressed: int, left: int, store_dir: Path) -> None:
    program = subprocess.run([sys.executable, "-c", KILLED.replace("MOMENT", repr(moment))], check=False)
    assert program.returncode == 1
    run = tb.get_run("r", "p")
    assert run.state == "lost"
    found = run.media("a")
    assert [each.step for each in found] == [0, 1, 2]
    for seed, each in enumerate(found):
        assert np.array_equal(np.asarray(each.read()), pixels(seed))
        assert each.about == {"width": 64, "height": 64}
    assert sum(each.size < pixels().nbytes for each in found) == compressed
    assert len(sizes(store_dir)) == left


def _log_image() -> None:
    tb.log({"a": tb.Image(pixels())})


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_forked_child_compresses_at_once(store_dir: Path, waiting: None) -> None:
    run = tb.init("p")
    child = multiprocessing.get_context("fork").Process(target=_log_image)
    child.start()
    child.join()
    assert child.exitcode == 0
    assert [marked for _, marked in noted(store_dir)] == [False]
    run.finish()
    check(tb.get_run(run.id, "p"), store_dir, range(1))
