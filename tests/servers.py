"""A server with two projects, and its clients."""

from __future__ import annotations

import asyncio
import contextlib
import json
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import websockets

from trackbook.pump import Pump
from trackbook.server.access import Access
from trackbook.server.running import Server
from trackbook.server.site import Site
from trackbook.store.project_list import ProjectList
from trackbook.tracking.project import Project
from trackbook.tracking.run import Run
from trackbook.tracking.run_options import RunOptions
from trackbook.types import RunRecord

SECONDS = 30.0  # that a test waits for what must come


class Served:
    """A running server, the projects that it shows, and a client that has its cookie."""

    def __init__(self, folder: Path, access: Access, *, takes_uploads: bool = False, port: int = 0) -> None:
        self.folder = folder
        self.pump = Pump()
        self.projects = {name: Project(name, folder) for name in ("digits", "speech")}
        self.access = access
        site = Site(access, self.pump, ProjectList(folder).entries, self.project, takes_uploads=takes_uploads)
        self.server = Server(site, "127.0.0.1", port)
        self.server.start()
        self.address = self.server.address()
        self.host = f"127.0.0.1:{self.server.port}"
        self.client = httpx.Client(base_url=self.address)
        self.client.get(self.server.address_with_token())

    def project(self, name: str) -> Project:
        return self.projects.setdefault(name, Project(name, self.folder))

    @property
    def cookie(self) -> str:
        return "; ".join(f"{name}={value}" for name, value in self.client.cookies.items())

    def run(self, project: str, name: str, **fields: Any) -> Run:
        run = self.projects[project].open_run(RunOptions(RunRecord(name, name, 1.0, **fields), by_id=True))
        self.pump.add(self.projects[project])
        return run

    def socket(self, query: str, **headers: str) -> websockets.connect:
        named = {"cookie": self.cookie, "origin": self.address.rstrip("/")} | headers
        return websockets.connect(
            f"ws://{self.host}/ws?{query}", additional_headers=[(name, value) for name, value in named.items() if value]
        )

    def close(self) -> None:
        self.client.close()
        self.server.stop()
        for project in self.projects.values():
            for writer in list(project.open_runs):
                writer.end("finished")
            self.pump.remove(project)
            project.store.close()


def parts(message: bytes) -> Iterator[tuple[dict[str, Any], list[bytes]]]:
    """Return the JSON and buffers of each part of a message."""
    at = 0
    while at < len(message):
        text, data = struct.unpack_from("<II", message, at)
        at += 8
        head = json.loads(message[at : at + text])
        at += text
        start, buffers = at, []
        for _, size in head["buffers"]:
            buffers.append(message[start : start + size])
            start += -(-size // 8) * 8
        assert start == at + data
        yield head, buffers
        at += data


async def heard(socket: Any, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """Return the next part that is `wanted`."""
    async with asyncio.timeout(SECONDS):
        while True:
            for head, _ in parts(await socket.recv()):
                if wanted(head):
                    return head


async def trait(socket: Any, name: str) -> Any:
    """Return the next value of a trait."""
    return (await heard(socket, lambda head: head.get("trait") == name))["value"]


async def ask(socket: Any, **question: Any) -> dict[str, Any]:
    """Return the answer to a question."""
    await socket.send(json.dumps({"id": 7, **question}))
    found: dict[str, Any] = (await heard(socket, lambda head: head.get("answer", {}).get("answers") == 7))["answer"]
    return found


async def closed(socket: Any) -> int | None:
    """Return the code with which the server closes the connection."""
    async with asyncio.timeout(SECONDS):
        with contextlib.suppress(websockets.exceptions.ConnectionClosed):
            while True:
                await socket.recv()
    code: int | None = socket.protocol.close_code  # websockets 14 has no `close_code` of the connection itself
    return code
