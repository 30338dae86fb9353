"""Uploads as users see them: `init(sync=...)`, `finish(wait=...)`, `sync`, `run.sync_state`, and what is said."""

from __future__ import annotations

import contextlib
import importlib
import os
import random
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

import trackbook as tb
from command_lines import CommandLine, record
from remote.target_contract import rows
from servers import Served
from trackbook.api.process import process
from trackbook.api.uploads import Uploads
from trackbook.remote.uploader import Uploader
from trackbook.server.tokens import TokenFile
from trackbook.store.content_files import ContentFiles
from trackbook.store.media_files import names_of_run
from trackbook.store.paths import files_folder
from trackbook.store.upload_ledger import UploadLedger
from trackbook.tracking.run import writer_of
from trackbook.types import CAPTURED
from tracker_scripts import hearing

SECONDS = 60.0


@pytest.fixture
def where(served: Served, tokens: TokenFile, monkeypatch: pytest.MonkeyPatch) -> str:
    """The address of a server to which this process has a token."""
    monkeypatch.setenv("TRACKBOOK_TOKEN", tokens.create(project="digits", may_write=True))
    return served.address


def there(served: Served, run: tb.Run) -> list[tuple[str, int, float, float]]:
    return rows(served.projects["digits"].store.read(run.id))


def here(run: tb.Run) -> list[tuple[str, int, float, float]]:
    return rows(writer_of(run).store.read(run.id))


def test_a_run_is_uploaded_while_it_runs_and_at_its_end(
    served: Served, where: str, capsys: pytest.CaptureFixture[str]
) -> None:
    run = tb.init("digits", config={"lr": 0.1}, sync=where, capture=False)
    run.log({"loss": 0.5})
    run.finish(wait=SECONDS)
    assert there(served, run) == here(run) != []
    assert served.projects["digits"].store.run(run.id) == run.record
    state = run.sync_state
    assert state is not None
    assert (state.target, state.state, state.left, state.problem) == (where.rstrip("/"), "synced", 0, None)
    said = capsys.readouterr().err
    sent = f"runs of 'digits' are uploaded to {where.rstrip('/')}: metrics, config, media; not console, cells, environment, code"
    assert said.splitlines() == [f"Trackbook: {sent}", f"Trackbook: run {run.name!r} is at {where.rstrip('/')}"]


@pytest.mark.parametrize("to", ["server", "lake"])
def test_random_numbers_of_the_program_are_its_own(where: str, tmp_path: Path, to: str) -> None:
    before, arrays = random.getstate(), np.random.get_state()[1].tolist()  # noqa: NPY002  # the numbers of old programs
    with tb.init("digits", sync=where if to == "server" else tmp_path / "lake") as run:
        run.log({"loss": 0.5, "image": tb.Image(np.zeros((4, 4, 3), "uint8"))})
    run.finish(wait=SECONDS)
    assert run.sync_state is not None
    assert run.sync_state.state == "synced"
    assert random.getstate() == before
    assert np.random.get_state()[1].tolist() == arrays  # noqa: NPY002


def test_the_variable_says_where_by_default(served: Served, where: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRACKBOOK_SYNC", where)
    with tb.init("digits") as run:
        run.log({"loss": 0.5})
    run.finish(wait=SECONDS)
    assert writer_of(run).upload is not None
    writer_of(run).upload.wait(SECONDS, lambda _: None)
    assert there(served, run) == here(run)


def test_a_run_that_is_not_uploaded_has_no_state() -> None:
    run = tb.init("digits")
    run.finish(wait=True)
    assert run.sync_state is None


def test_a_missing_token_is_one_warning_with_the_remedy(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TRACKBOOK_TOKEN", raising=False)
    run = tb.init("digits", sync=served.address)
    with pytest.warns(
        tb.TrackbookWarning, match=r"needs a token; set TRACKBOOK_TOKEN to a token .* Nothing is lost"
    ) as told:
        run.finish(wait=SECONDS)
    assert len(told) == 1
    assert run.sync_state is not None
    assert run.sync_state.state == "refused"


def test_clocks_that_differ_are_one_warning(served: Served, where: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trackbook.remote.http_client.SKEW_SECONDS", -1.0)
    with hearing() as heard:
        run = tb.init("digits", sync=where)
        run.log({"loss": 0.5})
        run.finish(wait=SECONDS)
    (sentence,) = heard
    assert sentence.startswith("the clocks of this machine and of http://127.0.0.1")
    assert there(served, run) == here(run)


def test_masks_and_images_of_tables_go_along(served: Served, where: str) -> None:
    run = tb.init("digits", sync=where)
    image = np.full((80, 80), 7, np.uint8)
    run.log(
        {
            "a": tb.Image(image, masks={"m": {"mask_data": image}}),
            "b": tb.Table(columns=["c"], data=[[tb.Image(image + 1)]]),
        }
    )
    run.finish(wait=SECONDS)
    names = names_of_run(served.projects["digits"].store, run.id)
    assert len(names) == 4
    assert {path.name for path in (served.folder / files_folder("digits")).glob("??/*")} == names


def test_media_go_along(served: Served, where: str) -> None:
    run = tb.init("digits", sync=where)
    run.log({"sample": tb.Image(np.zeros((4, 4, 3), np.uint8), caption="black")})
    run.finish(wait=SECONDS)
    store = served.projects["digits"].store
    (row,) = store.captured(run.id, "media")
    assert row == writer_of(run).store.captured(run.id, "media")[0]
    name = row[[*CAPTURED["media"]].index("file")]
    assert ContentFiles(served.folder / files_folder("digits")).is_whole(name)


def test_an_address_that_is_none_is_a_warning_and_the_run_is_recorded() -> None:
    with hearing() as heard:
        run = tb.init("digits", sync="ftp://host")
        run.log({"loss": 0.5})
        run.finish(wait=SECONDS)
    (sentence,) = heard
    assert sentence.startswith("cannot upload to ftp://host: give https://HOST, s3://")
    assert len(run.history()) == 1


def test_finish_says_what_is_left(capsys: pytest.CaptureFixture[str]) -> None:
    with hearing():  # whether there are enough attempts for a warning is a matter of speed
        run = tb.init("digits", sync="http://127.0.0.1:9")
        run.log({"loss": 0.5})
        run.finish(wait=0.2)
    assert f"1 point of run {run.name!r} is not at http://127.0.0.1:9 yet" in capsys.readouterr().err.splitlines()[-1]
    assert run.sync_state is not None
    assert run.sync_state.state in ("waiting", "uploading")


def test_what_is_left_is_said_once(capsys: pytest.CaptureFixture[str]) -> None:
    with hearing():  # whether there are enough attempts for a warning is a matter of speed
        run = tb.init("digits", sync="http://127.0.0.1:9")
        run.log({"loss": 0.5})
        run.finish(wait=0.2)
    process().uploads.close()
    assert capsys.readouterr().err.count("is not at http://127.0.0.1:9 yet") == 1


@pytest.mark.parametrize("wait", ["soon", -1, float("nan")])
def test_another_wait_is_an_error(wait: object) -> None:
    run = tb.init("digits")
    with pytest.raises((TypeError, ValueError), match="wait"):
        run.finish(wait=wait)  # type: ignore[arg-type]


def test_what_an_upload_cannot_include_is_an_error() -> None:
    with pytest.raises(ValueError, match="what an upload can include is console, cells, environment, code"):
        tb.init("digits", include="secrets")


def test_sync_uploads_all_runs_and_only_what_is_missing(
    served: Served, where: str, capsys: pytest.CaptureFixture[str]
) -> None:
    runs = []
    for name in ("one", "two"):
        with tb.init("digits", name) as run:
            run.log({"loss": 0.5})
        runs.append(run)
    assert tb.sync("digits", to=where) == where.rstrip("/")
    for run in runs:
        assert there(served, run) == here(run)
    capsys.readouterr()
    tb.sync("digits")  # where it was last
    assert "brought up to date" in capsys.readouterr().err


def test_sync_without_a_destination_says_how() -> None:
    tb.init("digits").finish()
    with pytest.raises(ValueError, match="was not uploaded before: say where"):
        tb.sync("digits")


def test_an_address_that_was_refused_at_first_is_not_noted(
    served: Served, where: str, trackbook_command: CommandLine
) -> None:
    with tb.init("digits") as run:
        run.log({"loss": 0.5})
    with pytest.raises(PermissionError, match="takes no uploads"):
        tb.sync("digits", to=f"{where}/shared")
    assert tb.sync("digits", to=where) == where.rstrip("/")
    answer = trackbook_command("sync")
    assert (answer.code, answer.err) == (0, "nothing is left to upload\n")


def test_a_destination_that_refuses_keeps_no_other_from_its_runs(
    served: Served, where: str, trackbook_command: CommandLine
) -> None:
    run = tb.init("digits")
    run.log({"loss": 0.5})
    run.finish()
    ledger = UploadLedger(writer_of(run).store.path, "digits")
    for target in (where, f"{where}/shared"):  # the last is tried first
        ledger.follow([run.id], target, ())
    ledger.close()
    answer = trackbook_command("sync")
    assert (answer.code, "takes no uploads" in answer.err) == (5, True)
    assert there(served, run) == here(run) != []


def test_sync_says_at_once_that_a_server_is_away(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("trackbook.remote.uploader.PATIENCE_SECONDS", 2.0)
    tb.init("digits").finish()
    with pytest.raises(OSError, match="cannot be reached or is busy"):
        tb.sync("digits", to="http://127.0.0.1:9")
    assert "Connection refused); it is tried again for a minute" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("where", "package", "extra"), [("http://127.0.0.1:9", "tenacity", "remote"), ("team", "deltalake", "lake")]
)
def test_sync_without_its_packages_says_what_to_install(
    where: str, package: str, extra: str, trackbook_command: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    record("digits")
    for name in [name for name in sys.modules if name.startswith(("trackbook.remote.", package))]:
        if name not in ("trackbook.remote.target", "trackbook.remote.wire"):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, package, None)
    answer = trackbook_command("sync", "digits", "--to", where)
    assert (answer.code, answer.out) == (2, "")
    assert f'needs {package}, which is not installed: pip install "trackbook[{extra}]"' in answer.err
    assert "Traceback" not in answer.err


def test_a_host_without_a_scheme_becomes_no_folder(
    trackbook_command: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with hearing() as heard:
        run = record("digits", sync="tracking.example")
        run.finish(wait=SECONDS)
    (sentence,) = heard
    assert "give https://tracking.example for a server, ./tracking.example for a folder" in sentence
    answer = trackbook_command("sync", "digits", "--to", "127.0.0.1:8931")
    assert (answer.code, "give https://127.0.0.1:8931 for a server" in answer.err) == (2, True)
    assert trackbook_command("sync").err == "nothing is left to upload\n"
    assert not (tmp_path / "tracking.example").exists()


def test_sync_that_is_refused_says_what_to_do(
    served: Served, tokens: TokenFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRACKBOOK_TOKEN", tokens.create(project="digits"))
    tb.init("digits").finish()
    with pytest.raises(PermissionError, match=r"may only read.*set TRACKBOOK_TOKEN"):
        tb.sync("digits", to=served.address)


PROGRAM = """
import sys, trackbook as tb
run = tb.init("digits", "{name}", sync={where!r}, display=False)
run.log({{"loss": 0.5}})
{last}
"""


def run_program(where: str, name: str, last: str = "run.finish()") -> str:
    """Run a program to its end, and return what it said."""
    code = PROGRAM.format(name=name, where=where, last=last)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=SECONDS)
    return done.stderr


@pytest.mark.slow
def test_the_end_of_a_program_sends_the_rest(served: Served, where: str) -> None:
    run_program(where, "short")
    (found,) = served.projects["digits"].store.runs()
    assert (found.name, found.state) == ("short", "finished")


@pytest.mark.slow
def test_the_next_init_sends_what_a_killed_process_left(served: Served, where: str) -> None:
    served.server.stop()
    run_program(where, "killed", "import os, signal; os.kill(os.getpid(), signal.SIGKILL)")
    again = Served(served.folder, served.access, takes_uploads=True, port=served.server.port)
    with contextlib.closing(again):
        run_program(where, "later", "run.finish(wait=30)")
        names = {run.name: run.state for run in again.projects["digits"].store.runs()}
    assert names == {"later": "finished", "killed": "lost"}


@pytest.mark.slow
def test_a_program_without_its_server_says_what_is_left(served: Served, where: str) -> None:
    served.server.stop()
    said = run_program(where, "alone")
    assert "of run" in said
    assert "`trackbook sync` sends the rest" in said


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="the writers are forked")
def test_trials_lose_and_double_nothing() -> None:
    """`make test-uploads` does 200."""
    words = [sys.executable, str(Path(__file__).with_name("trials.py")), "2"]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=100)
    assert done.stdout.endswith("2 trials: 0 points lost, 0 doubled, in order\n"), done.stdout + done.stderr


def test_what_begins_to_upload_at_the_same_moment_has_one_uploader(monkeypatch: pytest.MonkeyPatch) -> None:
    """The pump resumes what earlier processes left while a run is opened. The end of the process stops the uploaders that it knows."""
    both = threading.Barrier(2)
    made = []

    class Slow(Uploader):
        def __init__(self, where: str, token: str | None = None) -> None:
            with contextlib.suppress(threading.BrokenBarrierError):  # where the other thread waits, as it should
                both.wait(0.2)
            made.append(self)
            super().__init__(where, token)

    monkeypatch.setattr(importlib.import_module("trackbook.remote.uploader"), "Uploader", Slow)
    uploads = Uploads()
    threads = [threading.Thread(target=uploads._uploader, args=("https://host",)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 1
