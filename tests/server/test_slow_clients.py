"""Clients that take their time are cut off, and others are answered meanwhile."""

from __future__ import annotations

import http.client
import json
import select
import socket
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest

from servers import SECONDS, Served
from trackbook.server import protocols, running
from trackbook.server.access import Access

UPGRADE = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
LONG_TEXT = b"\x81\xfe\xff\xff" + 4 * b"m"  # the head of a masked text message of 65,535 bytes
MALFORMED = b"\x81\x82" + bytes(4) + b"[]"  # a message that is no object
PONG = b"\x8a\x80" + 4 * b"m"  # masked and empty
SHORT = 0.3  # seconds that a client has


@pytest.fixture
def quick_pings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PING_SECONDS", "PONG_SECONDS"):
        monkeypatch.setattr(running, name, SHORT)


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    for name in ("REQUEST_SECONDS", "READING_SECONDS"):
        monkeypatch.setattr(protocols, name, SHORT)
    served = Served(tmp_path, Access())
    served.run("digits", "r1").log({"loss": 1.0})
    yield served
    served.close()


def request(served: Served, first: str, more: str = "") -> bytes:
    return f"{first} HTTP/1.1\r\nHost: {served.host}\r\nCookie: {served.cookie}\r\n{more}\r\n".encode()


def connected(served: Served, sent: bytes = b"") -> socket.socket:
    """A client that has sent something, and does not read much at once."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.settimeout(SECONDS)
    client.connect(("127.0.0.1", served.server.port))
    client.sendall(sent)
    return client


def is_cut_off(served: Served, client: socket.socket, sent: bytes = b"a", *, reads: bool = True) -> bool:
    """Whether the server ends the connection of a client that sends a little now and then."""
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        answer = served.client.get("/api/projects", headers={"Connection": "close"})
        assert answer.status_code == 200, "others are answered"
        try:
            client.send(sent)
            if select.select([client] if reads else [], [], [], 0.02)[0] and not client.recv(1 << 16):
                return True
        except ConnectionError:
            return True
    return False


def test_head_of_a_request_comes_in_time(served: Served) -> None:
    with closing(connected(served, f"GET / HTTP/1.1\r\nHost: {served.host}\r\nX: ".encode())) as client:
        assert is_cut_off(served, client)


def test_head_of_a_later_request_comes_in_time(served: Served) -> None:
    with closing(connected(served, request(served, "GET /api/projects"))) as client:
        assert client.recv(1 << 16).startswith(b"HTTP/1.1 200")
        client.sendall(b"GET / HTTP/1.1\r\nX: ")
        assert is_cut_off(served, client)


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_body_that_nobody_reads_comes_in_time(served: Served, method: str) -> None:
    head = request(served, f"{method} /api/projects", "Content-Length: 1000000\r\n")
    with closing(connected(served, head)) as client:
        assert is_cut_off(served, client)


@pytest.mark.usefixtures("quick_pings")
def test_message_to_a_board_comes_in_time(served: Served) -> None:
    with closing(connected(served, request(served, "GET /ws?project=digits", UPGRADE))) as client:
        assert client.recv(1 << 16).startswith(b"HTTP/1.1 101")
        client.sendall(LONG_TEXT)
        assert is_cut_off(served, client)


def test_answers_are_read_in_time(served: Served) -> None:
    with closing(connected(served, 20 * request(served, "GET /static/trackbook.js"))) as client:
        assert is_cut_off(served, client, reads=False)


def test_news_of_a_board_are_read_in_time(served: Served) -> None:
    lines = [(i, "stdout", 1000 * "x", 1.0, None) for i in range(1000)]
    served.projects["digits"].store.put_captured("r1", "console", lines)
    question = b'{"ask": "console", "run": "r1", "id": 1}'
    message = b"\x81" + bytes([0x80 | len(question)]) + bytes(4) + question
    with closing(connected(served, request(served, "GET /ws?project=digits", UPGRADE))) as client:
        assert client.recv(1 << 16).startswith(b"HTTP/1.1 101")
        client.sendall(20 * message)
        assert is_cut_off(served, client, PONG, reads=False)


def test_board_that_is_watched_stays_connected(served: Served) -> None:
    with closing(connected(served, request(served, "GET /ws?project=digits", UPGRADE))) as client:
        client.settimeout(SHORT)
        deadline = time.monotonic() + 4 * SHORT
        while time.monotonic() < deadline:
            with suppress(TimeoutError):
                assert client.recv(1 << 16), "the server ended the connection"
        client.settimeout(SECONDS)
        client.sendall(MALFORMED)
        answer = b""
        while b"refused" not in answer:
            answer = client.recv(1 << 16)
            assert answer, "the server ended the connection"


def test_who_is_quick_enough_keeps_the_connection(served: Served) -> None:
    with closing(http.client.HTTPConnection("127.0.0.1", served.server.port)) as client:
        client.connect()
        first, deadline = client.sock, time.monotonic() + 3 * SHORT
        while time.monotonic() < deadline:
            client.request("GET", "/api/projects", headers={"Cookie": served.cookie})
            assert json.load(client.getresponse())["projects"]
        assert client.sock is first
