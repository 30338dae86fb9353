"""``serve``, ``token``, ``backup`` and ``sync``."""

from __future__ import annotations

import re
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

import trackbook as tb
from command_lines import CommandLine, record, valid
from trackbook.server.tokens import FILE, PREFIX, TokenFile
from trackbook.settings import data_dir
from trackbook.store.sqlite import SqliteStore


@contextmanager
def serving(*words: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A running server, and its address."""
    command = [sys.executable, "-m", "trackbook", "serve", *words]
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        try:
            line = process.stderr.readline()
            found = re.search(r"http://\S+", line)
            assert found, line + process.stderr.read()
            process.stderr.readline()
            yield process, found[0]
        finally:
            process.kill()


def test_a_server_takes_runs_and_ends_in_order(
    tmp_path: Path, trackbook_command: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = str(tmp_path / "team")
    token = trackbook_command("token", "create", "--write", "--project", "digits", "--dir", data).out.strip()
    monkeypatch.setenv("TRACKBOOK_TOKEN", token)
    with serving("--dir", data, "--port", "0") as (process, address):
        assert httpx.get(f"{address}healthz").text == "ok\n"
        run = record("digits", sync=address)
        run.finish(wait=30)
        assert trackbook_command("sync").code == 0
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=30)
        assert (process.returncode, out) == (0, "")
        assert "Traceback" not in err
        assert token not in err
    store = SqliteStore(tmp_path / "team" / "digits.trackbook.db", "digits")
    assert [each.name for each in store.runs()] == ["first"]
    assert len(store.read(run.id)) == 6
    store.close()


def test_a_server_does_not_take_another_port(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        command = [sys.executable, "-m", "trackbook", "serve", "--port", str(taken.getsockname()[1])]
        done = subprocess.run([*command, "--dir", str(tmp_path)], capture_output=True, text=True, check=False)
    assert done.returncode == 5
    assert "is taken: is a server running already?" in done.stderr


def test_tokens_are_made_listed_and_revoked(tmp_path: Path, trackbook_command: CommandLine) -> None:
    where = ("--dir", str(tmp_path))
    token = trackbook_command("token", "create", "--project", "digits", "--note", "ann", *where).out.strip()
    (row,) = valid("token list", trackbook_command("token", "list", "--json", *where).json)
    assert (row["project"], row["may_write"], row["note"]) == ("digits", False, "ann")
    assert re.search(r"ann", trackbook_command("token", "list", *where).out)
    assert TokenFile(tmp_path).find(token) is not None
    assert trackbook_command("token", "revoke", row["id"], *where).code == 0
    assert TokenFile(tmp_path).find(token) is None
    assert trackbook_command("token", "revoke", row["id"], *where).code == 3


def test_a_token_is_stored_as_a_hash_that_only_the_user_reads(tmp_path: Path) -> None:
    token = TokenFile(tmp_path).create(may_write=True)
    kept = (tmp_path / FILE).read_text()
    assert token.removeprefix(PREFIX).partition("_")[2] not in kept
    if sys.platform != "win32":
        assert stat.S_IMODE((tmp_path / FILE).stat().st_mode) == 0o600


def test_a_token_file_that_is_damaged_lets_nobody_in(tmp_path: Path) -> None:
    token = TokenFile(tmp_path).create()
    (tmp_path / FILE).write_text("[{")
    assert TokenFile(tmp_path).find(token) is None
    with pytest.raises(ValueError, match="Expecting"):
        TokenFile(tmp_path).tokens()


def test_a_backup_has_everything_while_a_run_is_written(tmp_path: Path, trackbook_command: CommandLine) -> None:
    record("digits")
    run = tb.init("speech")
    run.log({"loss": 0.5})
    home = data_dir()
    TokenFile(home).create()
    copies = tmp_path / "copies"
    for _ in range(2):
        assert trackbook_command("backup", str(copies)).out == f"2 projects copied to {copies}\n"
    store = SqliteStore(copies / "digits.trackbook.db", "digits")
    assert len(store.read(store.runs()[0].id)) == 6
    store.close()
    assert TokenFile(copies).tokens() == TokenFile(home).tokens()
    assert trackbook_command("backup", str(home)).code == 2
    run.finish()


def test_sync_says_when_there_is_nothing(trackbook_command: CommandLine) -> None:
    record("digits")
    answer = trackbook_command("sync")
    assert (answer.code, answer.err) == (0, "nothing is left to upload\n")
    assert trackbook_command("sync", "--to", "https://host").code == 2
    assert trackbook_command("sync", "no such project").code == 3


def test_no_tokens_are_said(trackbook_command: CommandLine) -> None:
    data_dir().mkdir()
    assert trackbook_command("token", "list").out == f"there are no tokens in {data_dir()}\n"
