"""A board of a server's project: the same charts as there, live, and what is said when the server is away."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import trackbook as tb
from remote.target_contract import OTHER, RUN, batch, points, rows
from servers import Served
from trackbook.remote import mirror as mirror_module
from trackbook.remote import wire
from trackbook.remote.mirror import Mirror, ServerReader
from trackbook.remote.server_target import ServerTarget
from trackbook.remote.target import TargetError
from trackbook.server.tokens import TokenFile
from trackbook.types import Cursor

SECONDS = 30.0


@pytest.fixture
def target(served: Served, tokens: TokenFile, monkeypatch: pytest.MonkeyPatch) -> Iterator[ServerTarget]:
    """A writer of the server's project; this process may only read it."""
    monkeypatch.setattr(mirror_module, "QUIET_SECONDS", 0.05)
    monkeypatch.setattr(mirror_module, "LIVE_SECONDS", 0.05)
    monkeypatch.setenv("TRACKBOOK_TOKEN", tokens.create(project="digits"))
    target = ServerTarget(served.address, project="digits", source="s", token=tokens.create(may_write=True))
    yield target
    target.close()


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def stop(mirror: Mirror) -> None:
    mirror.stop()
    mirror.join(SECONDS)


def mirrored(served: Served, tokens: TokenFile) -> Mirror:
    mirror = Mirror(ServerReader(served.address, "digits", tokens.create(project="digits")))
    mirror.start(10)
    return mirror


def test_a_mirror_follows_its_project(served: Served, tokens: TokenFile, target: ServerTarget) -> None:
    target.put(batch(0, 3))
    mirror = mirrored(served, tokens)
    store = mirror.store
    assert store.run("r1") == RUN
    assert rows(store.read("r1")) == rows(points("loss", 0, 3))
    target.put(batch(3, 5))
    until(lambda: len(store.read("r1")) == 5)
    assert rows(store.read("r1")) == rows(points("loss", 0, 5))
    served.projects["digits"].store.cut("r1", 1)
    until(lambda: len(store.read("r1")) == 2)
    target.delete("r1")
    until(lambda: store.run("r1") is None)
    stop(mirror)


def test_points_of_runs_that_nobody_looks_at_are_not_read(
    served: Served, tokens: TokenFile, target: ServerTarget
) -> None:
    target.put(batch(0, 3))
    target.put(batch(0, 2, OTHER))
    mirror = Mirror(ServerReader(served.address, "digits", tokens.create()))
    mirror.start(1)
    assert (mirror.store.wanted, mirror.store.run("r1")) == ({"r2": Cursor(0, 2)}, RUN)
    until(lambda: len(mirror.store.read("r1")) == 3)
    stop(mirror)


def test_a_board_shows_what_the_server_has(served: Served, target: ServerTarget) -> None:
    target.put(batch(0, 3))
    board = tb.board(f"{served.address}digits")
    assert board.source.run_names == [RUN.name]
    assert board["loss"].to_dict()["datasets"]
    target.put(batch(3, 4))
    until(lambda: len(board.source.store.read("r1")) == 4)


def test_a_server_that_is_away_is_said_on_the_board(served: Served, tokens: TokenFile, target: ServerTarget) -> None:
    target.put(batch(0, 3))
    mirror = mirrored(served, tokens)
    served.server.stop()
    until(lambda: bool(mirror.store.notices))
    assert "cannot be reached or is busy" in mirror.store.notices[0]
    assert len(mirror.store.read("r1")) == 3
    stop(mirror)


def test_a_project_of_another_token_is_not_shown(
    served: Served, tokens: TokenFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRACKBOOK_TOKEN", tokens.create(project="speech"))
    with pytest.raises(PermissionError, match="refuses the token for project 'digits'"):
        tb.board(f"{served.address}digits")
    with pytest.raises(TargetError, match="404"):
        Mirror(ServerReader(served.address, "speech", tokens.create())).start(1)


@pytest.mark.parametrize(
    "damage",
    [
        {"since": None, "runs": [{"id": "r1"}]},
        {"runs": 1},
        {"writers": {"r1": "host"}},
        {"ids": 1},
    ],
)
def test_news_in_an_unknown_form_are_asked_for_again(damage: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    reader = ServerReader("https://host", "digits", None)
    whole = {"since": "5", "runs": [], "ids": None, "writers": {}}
    asked: list[dict[str, Any]] = []

    def answering(answer: dict[str, Any]) -> None:
        monkeypatch.setattr(reader._client, "get", lambda _, **query: asked.append(query) or answer)

    answering(whole | damage)
    with pytest.raises(TargetError, match="https://host answers in an unknown form"):
        reader.news()
    answering({})
    with pytest.raises(TargetError, match="unknown form"):
        reader.news()
    answering(whole)
    reader.news()
    reader.news()
    assert asked == [{}, {}, {}, {"since": "5"}]
    reader.close()


def test_points_in_an_unknown_form_are_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    reader = ServerReader("https://host", "digits", None)
    for head in ({}, {"end": 5}, {"end": [0, "x"]}):
        packed = wire.pack({"rows": 0, **head}, points("loss", 0, 0))
        monkeypatch.setattr(reader._client, "get_bytes", lambda *_, packed=packed, **__: packed)
        with pytest.raises(TargetError, match="unknown form"):
            reader.since("r1", Cursor())
    reader.close()


def test_a_server_that_cannot_be_reached_is_an_error() -> None:
    with pytest.raises(ConnectionError, match="cannot be reached"):
        tb.board("http://127.0.0.1:9/digits")
