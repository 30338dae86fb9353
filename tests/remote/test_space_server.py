"""What runs in a Space: its own command with its own secrets, started and ended as the Hub does."""

from __future__ import annotations

import ast
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

import trackbook as tb
from remote.fake_hub import FakeHub
from remote.target_contract import RUN, batch
from trackbook.remote import space_files
from trackbook.remote.hub import Hub
from trackbook.remote.space_target import SpaceTarget
from trackbook.remote.spaces import ready_space

NAME = "ada/runs"
SECONDS = 60.0  # that a test waits for what must come

pytestmark = pytest.mark.slow


class Container:
    """A run of the command in the Dockerfile of the Space, in a new and empty folder."""

    def __init__(self, hub: FakeHub, folder: Path) -> None:
        space = hub.space(NAME)
        words: list[str] = ast.literal_eval(space.files["Dockerfile"].decode().partition("\nCMD ")[2])
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        given = {"--dir": str(folder), "--host": "127.0.0.1", "--port": str(port)}
        for option, value in given.items():
            words[words.index(option) + 1] = value
        assert words[0] == "trackbook"
        self.hub = hub
        self.address = f"http://127.0.0.1:{port}"
        self.said: list[str] = []
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("TRACKBOOK_", "HF_"))}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "trackbook", *words[1:]],
            env=inherited | {"HF_ENDPOINT": hub.address, "HF_HUB_DISABLE_XET": "1"} | space.secrets | space.variables,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._reader = threading.Thread(target=self._read)
        self._reader.start()
        space.host = self.address

    def _read(self) -> None:
        assert self.process.stderr is not None
        self.said.extend(self.process.stderr)

    def wait(self) -> None:
        """Wait until it answers."""
        until = time.monotonic() + SECONDS
        while time.monotonic() < until and self.process.poll() is None:
            try:
                if httpx.get(f"{self.address}/healthz").text == "ok\n":
                    return
            except httpx.TransportError:
                time.sleep(0.1)
        pytest.fail("".join(self.said))

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """End it, and return its exit code."""
        self.process.send_signal(number)
        code = self.process.wait(SECONDS)
        self._reader.join()
        assert self.process.stderr is not None
        self.process.stderr.close()
        return code


@pytest.fixture
def running(hub_server: FakeHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Container]:
    monkeypatch.setattr(space_files, "is_from_source", lambda: False)
    ready_space(Hub(), NAME)
    made = Container(hub_server, tmp_path / "first")
    try:
        made.wait()
        yield made
    finally:
        if made.process.poll() is None:
            made.end(signal.SIGKILL)


def test_space_takes_runs_shows_them_and_keeps_them_when_it_ends(
    running: Container, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = SpaceTarget(f"hf://{NAME}", project="digits", source="s")
    target.put(batch(0, 3))
    target.close()
    listed = httpx.get(f"{running.address}/api/projects").json()["projects"]
    assert [(project["name"], project["runs"]) for project in listed] == [("digits", 1)]
    assert running.end() == 0, running.said
    assert running.said[-1] == "Trackbook: saved in the dataset ada/runs-data\n"
    assert list(running.hub.dataset("ada/runs-data").files) == [".gitattributes", "data/digits.trackbook.db"]

    again = Container(running.hub, tmp_path / "second")
    again.wait()
    target = SpaceTarget(f"hf://{NAME}", project="digits", source="s")
    assert target.cursors()[RUN.id].ordinal == 3
    target.put(batch(3, 5))
    target.close()
    assert again.end() == 0, again.said
    assert again.said[0] == "Trackbook: restored 1 files from the dataset ada/runs-data\n"
    assert tb.freeze(NAME, "digits").endswith(f"{NAME}-static")
    monkeypatch.setenv("TRACKBOOK_DIR", str(tmp_path / "second"))
    assert tb.get_run(RUN.id, "digits").history()["value"].to_list() == [0, 1, 2, 3, 4]


def test_space_that_is_killed_is_sent_again_what_it_lost(running: Container, tmp_path: Path) -> None:
    target = SpaceTarget(f"hf://{NAME}", project="digits", source="s")
    target.put(batch(0, 3))
    running.end(signal.SIGKILL)
    again = Container(running.hub, tmp_path / "second")
    again.wait()
    target.close()
    target = SpaceTarget(f"hf://{NAME}", project="digits", source="s")
    kept = target.put(batch(3, 5))  # it has nothing, so it takes nothing that goes on
    assert kept.ordinal == 0
    target.put(batch(0, 3))
    assert target.put(batch(3, 5)).ordinal == 5
    target.close()
    assert again.end() == 0


def test_everybody_reads_and_only_a_known_token_writes(running: Container) -> None:
    assert httpx.get(running.address, headers={"host": "ada-runs.hf.space"}).status_code == 200
    policy = httpx.get(running.address).headers["content-security-policy"]
    assert policy.endswith("frame-ancestors 'self' *")
    for headers in ({}, {"authorization": "Bearer wrong"}, {"authorization": "Bearer hf_writer"}):
        asked = {"json": {"project": "digits", "run": "r1"}, "headers": headers}
        assert httpx.post(f"{running.address}/api/uploads/delete", **asked).status_code == 403


def test_space_whose_token_expired_says_so_and_ends(
    hub_server: FakeHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(space_files, "is_from_source", lambda: False)
    ready_space(Hub(), NAME)
    hub_server.space(NAME).secrets["HF_TOKEN"] = "hf_expired"
    made = Container(hub_server, tmp_path / "first")
    assert made.process.wait(SECONDS) not in (0, None)
    made.end()
    assert "the Hugging Face token is not valid, or no longer" in "".join(made.said)


def test_space_waits_for_its_data_rather_than_begin_without(
    hub_server: FakeHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(space_files, "is_from_source", lambda: False)
    ready_space(Hub(), NAME)
    hub_server.fail("GET /api/datasets/.*", 500, times=1000)
    made = Container(hub_server, tmp_path / "first")
    until = time.monotonic() + SECONDS
    while not any("waiting for the dataset" in line for line in made.said) and time.monotonic() < until:
        time.sleep(0.1)
    assert made.end() == 0
    assert "waiting for the dataset ada/runs-data: cannot" in "".join(made.said)
    assert "serving" not in "".join(made.said)
