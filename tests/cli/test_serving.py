from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from command_lines import CommandLine, record


@contextmanager
def showing(*words: str, lines: int = 1) -> Iterator[tuple[subprocess.Popen[str], list[str]]]:
    """The running command, and the first lines that it prints."""
    command = [sys.executable, "-m", "trackbook", "show", *words]
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        try:
            yield process, [process.stderr.readline() for _ in range(lines)]
        finally:
            process.kill()


def address(line: str) -> str:
    found = re.search(r"http://\S+", line)
    assert found, line
    return found[0]


def names(entrance: str) -> list[str]:
    with httpx.Client(follow_redirects=True) as client:
        client.get(entrance)
        found = client.get(entrance.partition("?")[0] + "api/projects").json()
    return [entry["name"] for entry in found["projects"]]


def test_show_serves_until_it_is_interrupted() -> None:
    record("digits")
    with showing("digits", "--port", "0") as (process, [line]):
        assert "project=digits" in line
        assert names(address(line)) == ["digits"]
        process.send_signal(signal.SIGINT)
        out, err = process.communicate()
        assert (process.returncode, out) == (130, "")
        assert "Traceback" not in err


def test_shared_address_shows_one_project() -> None:
    record("digits")
    record("speech")
    with showing("--project", "digits", "--port", "0", "--share-token", lines=2) as (_, [own, shared]):
        assert sorted(names(address(own))) == ["digits", "speech"]
        assert names(address(shared)) == ["digits"]


def test_next_free_port_is_taken_and_said() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = other.getsockname()[1]
        with showing("--port", str(taken), lines=2) as (_, [line, said]):
            assert str(taken) in said
            assert f":{taken}/" not in line
            assert names(address(line)) == []


def test_server_for_other_machines_says_so() -> None:
    with showing("--host", "0.0.0.0", "--port", "0", lines=2) as (_, [line, said]):
        assert "127.0.0.1" in line
        assert "Whoever reaches this machine" in said


def test_folder_is_chosen(tmp_path: Path) -> None:
    record("digits", dir=tmp_path / "other")
    with showing("--dir", str(tmp_path / "other"), "--port", "0") as (_, [line]):
        assert names(address(line)) == ["digits"]


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["digitz"], 3, "did you mean 'digits'"),
        (["digits", "--project", "speech"], 2, "two projects"),
        (["--share-token"], 2, "name it"),
        (["digits", "--host", "203.0.113.1"], 5, "cannot listen at '203.0.113.1'"),
        (["digits", "--port", "70000"], 2, "65535"),
    ],
)
def test_what_cannot_be_shown(trackbook_command: CommandLine, words: list[str], code: int, said: str) -> None:
    record("digits")
    answer = trackbook_command("show", *words)
    assert answer.code == code, answer
    assert said in answer.err


def test_missing_packages_are_named(trackbook_command: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("trackbook.server")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    answer = trackbook_command("show")
    assert answer.code == 2
    assert 'pip install "trackbook[server]"' in answer.err


def test_token_is_not_in_the_environment() -> None:
    with showing("--port", "0") as (process, [line]):
        token = address(line).partition("token=")[2]
        assert token
        if sys.platform == "linux":
            for file in ("environ", "cmdline"):
                assert token not in Path(f"/proc/{process.pid}/{file}").read_text()
        assert token not in str(os.environ)
