"""The routes of a server: the page, its files, the list of projects, and the WebSocket of a board."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import json
import time
from collections.abc import Callable
from functools import cache, partial
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from ..boards import drawn_runs
from ..boards.built_files import built_file
from ..boards.run_actions import Actions, NoActions, RunActions
from ..text import did_you_mean
from .access import Access, Grant, Guard
from .channels import Channel, Channels, Viewer, Watched
from .wire import answer_part, trait_part

if TYPE_CHECKING:
    from starlette.requests import Request

    from ..pump import Pump
    from ..store.project_list import ProjectEntry
    from ..tracking.project import Project

MOST_VIEWERS: Final = 500
MOST_RUNS: Final = 1000  # that a page may ask for by name
QUESTIONS_A_SECOND: Final = 50.0
BURST: Final = 200
_LISTED: Final = ("name", "runs", "running", "active", "problem")  # of a project; its path is nobody's business
READ_ONLY: Final = (  # `js/src/hosts/remote-model.ts` says it, too
    "this page only shows runs: start 'trackbook show' with --write, or open 'trackbook serve' by a token made with "
    "--write, to change them"
)

UNKNOWN, BUSY, MALFORMED = 4404, 4429, 4400  # codes of closed WebSockets
_START: Final = 'import { openSite } from "./trackbook.js";\nopenSite(document.querySelector("#app"));\n'
_PAGE: Final = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Trackbook</title>
<link rel="icon" href="data:,">
<style>
:root { color-scheme: light dark; }
:root[data-theme="light"] { color-scheme: light; }
:root[data-theme="dark"] { color-scheme: dark; }
</style>
</head>
<body><main id="app"></main><script type="module" src="static/start.js"></script></body>
</html>
"""


class Site:
    """The site of a server, which shows the projects of one folder."""

    def __init__(
        self,
        access: Access,
        pump: Pump,
        entries: Callable[[], list[ProjectEntry]],
        open_project: Callable[[str], Project],
        *,
        takes_uploads: bool = False,
    ) -> None:
        """`entries` lists the projects, and `open_project` returns one of them by its name.

        With `takes_uploads` it also takes the runs of other machines, and tells Prometheus about it.
        """
        self.access = access
        self.channels = Channels(pump)
        self._entries = entries
        self._open = open_project
        self._viewers = 0
        self._takes_uploads = takes_uploads

    def app(self, cookie: str) -> Guard:
        """Return the ASGI application. `cookie` is the name of its cookie."""
        routes: list[BaseRoute] = [
            Route("/", self._page),
            Route("/static/{name}", self._file),
            Route("/api/projects", self._projects),
            WebSocketRoute("/ws", self._watch),
        ]
        if self._takes_uploads:
            routes += self._routes_of_uploads()
        return Guard(Starlette(routes=routes), self.access, cookie)

    def _routes_of_uploads(self) -> list[Route]:
        from .measures import Measures
        from .uploads import Uploads

        measures = Measures(lambda: self._viewers)
        uploads = Uploads(self._open, lambda: [entry.name for entry in self._entries()], measures)

        async def counts(request: Request) -> Response:
            """Tell counts of all projects to those who may see all projects."""
            grant: Grant = request.scope["grant"]
            return measures.answer() if grant.project is None else PlainTextResponse("this token is for a project", 403)

        return [*uploads.routes(), Route("/metrics", counts)]

    async def _page(self, _: Request) -> Response:
        return Response(_PAGE, media_type="text/html", headers={"cache-control": "no-store"})

    async def _file(self, request: Request) -> Response:
        name = request.path_params["name"]
        if name not in _FILES:
            return PlainTextResponse("Not Found", 404)
        content = await run_in_threadpool(_file, name)
        headers = {"cache-control": "no-cache", "etag": content.tag, "vary": "accept-encoding"}
        if request.headers.get("if-none-match") == content.tag:
            return Response(status_code=304, headers=headers)
        if "gzip" in request.headers.get("accept-encoding", ""):
            return Response(
                content.packed, media_type="text/javascript", headers={**headers, "content-encoding": "gzip"}
            )
        return Response(content.plain, media_type="text/javascript", headers=headers)

    async def _projects(self, request: Request) -> Response:
        grant: Grant = request.scope["grant"]
        entries = await run_in_threadpool(self._entries)
        seen = [
            {name: getattr(entry, name) for name in _LISTED} for entry in entries if grant.project in (None, entry.name)
        ]
        return JSONResponse({"projects": seen, "now": time.time()}, headers={"cache-control": "no-store"})

    # --- a board

    async def _watch(self, socket: WebSocket) -> None:
        await socket.accept()
        if self._viewers >= MOST_VIEWERS:
            await _refuse(socket, BUSY, f"{MOST_VIEWERS} pages are open already")
            return
        self._viewers += 1
        try:
            await self._serve(socket)
        finally:
            self._viewers -= 1

    async def _serve(self, socket: WebSocket) -> None:
        grant: Grant = socket.scope["grant"]
        try:
            project, watched = await run_in_threadpool(
                self._find, grant, socket.query_params.get("project"), socket.query_params.get("runs")
            )
        except (ValueError, OSError) as error:
            await _refuse(socket, UNKNOWN, str(error))
            return
        connection = _Connection(socket, self.channels, project, watched, grant)
        await connection.serve()

    def _find(self, grant: Grant, name: str | None, runs: str | None) -> tuple[Project, Watched]:
        names = [entry.name for entry in self._entries() if grant.project in (None, entry.name)]
        if name is None or name not in names:
            raise ValueError(f"there is no project {name!r} here; {did_you_mean(name or '', names, 'see the list')}")
        project = self._open(name)
        project.refresh()  # the page begins with all that was logged here
        chosen = [run for run in (runs or "").split(",") if run][:MOST_RUNS]
        return project, Watched(name, tuple(project.find(run).id for run in chosen) if chosen else None)


class _Connection:
    """The connection to one page: outgoing values, and incoming messages."""

    def __init__(self, socket: WebSocket, channels: Channels, project: Project, watched: Watched, grant: Grant) -> None:
        self._socket = socket
        self._channels = channels
        self._project = project
        self._watched = watched
        self._grant = grant
        self._viewer = Viewer()
        self._channel: Channel | None = None
        self._sending = asyncio.Lock()
        self._loop = asyncio.get_running_loop()
        self._allowance = float(BURST)
        self._counted = time.monotonic()

    async def serve(self) -> None:
        sender = asyncio.create_task(self._send_news())
        try:
            await self._send(trait_part("may_write", self._grant.may_write))
            await self._join(self._watched)
            while True:
                text = await self._socket.receive_text()
                await self._wait_for_allowance()
                await self._hear(text)
        except WebSocketDisconnect:
            pass
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            await _refuse(self._socket, MALFORMED, str(error))
        finally:
            sender.cancel()
            self._leave()

    async def _join(self, watched: Watched) -> None:
        self._leave()
        make = partial(Channel, self._loop, self._project, watched, self._actions)
        self._watched = watched
        self._channel = await run_in_threadpool(self._channels.join, watched, self._viewer, make)

    def _leave(self) -> None:
        if self._channel is not None:
            self._channels.leave(self._channel, self._viewer, self._loop)
            self._channel = None

    @property
    def _actions(self) -> Actions:
        return RunActions(self._project) if self._grant.may_write else NoActions(READ_ONLY)

    async def _hear(self, text: str) -> None:
        """Handle a message of the page: traits that it has set, or a question."""
        said = json.loads(text)
        if not isinstance(said, dict):
            raise TypeError("a message is an object")
        channel = self._channel
        if channel is None:
            return
        if "ask" in said:
            answer, buffers = await run_in_threadpool(channel.answer, said)
            await self._send(answer_part({**answer, "answers": said.get("id")}, buffers))
        elif isinstance(said.get("set"), dict):
            await self._take(said["set"], channel)
        else:
            raise ValueError("a message asks or sets something")

    async def _take(self, traits: dict[str, Any], channel: Channel) -> None:
        if "seen" in traits:
            channel.publisher.acknowledge()
        runs = traits.get("selected_runs", self._watched.selected)
        drawn = traits.get("drawn_runs", self._watched.drawn)
        baseline = traits.get("baseline", self._watched.baseline)
        if not (isinstance(runs, (list, tuple)) and isinstance(drawn, str) and isinstance(baseline, str)):
            raise TypeError("selected_runs is a list, drawn_runs and baseline are texts")
        drawn_runs.parse(drawn)
        selected = tuple(run for run in runs if isinstance(run, str))[:MOST_RUNS]
        wanted = self._watched._replace(selected=selected, drawn=drawn, baseline=baseline)
        if wanted != self._watched:
            await self._join(wanted)

    async def _wait_for_allowance(self) -> None:
        """Delay the messages of a page that sends too many."""
        now = time.monotonic()
        self._allowance = min(float(BURST), self._allowance + (now - self._counted) * QUESTIONS_A_SECOND) - 1
        self._counted = now
        if self._allowance < 0:
            await asyncio.sleep(-self._allowance / QUESTIONS_A_SECOND)

    async def _send_news(self) -> None:
        try:
            while True:
                await self._send(await self._viewer.take())
        except (WebSocketDisconnect, RuntimeError):  # the page is gone
            await _close(self._socket)

    async def _send(self, data: bytes) -> None:
        async with self._sending:
            await self._socket.send_bytes(data)


async def _refuse(socket: WebSocket, code: int, reason: str) -> None:
    """Send the reason of a refusal, and close the connection."""
    try:
        await socket.send_bytes(trait_part("refused", {"code": code, "reason": reason}))
        await socket.close(code)
    except (RuntimeError, WebSocketDisconnect):  # it is closed already
        return


async def _close(socket: WebSocket) -> None:
    try:
        await socket.close()
    except (RuntimeError, WebSocketDisconnect):  # likewise
        return


class _File(NamedTuple):
    plain: bytes
    packed: bytes
    tag: str


_FILES: Final[dict[str, Callable[[], str]]] = {
    "trackbook.js": partial(built_file, "trackbook.js"),
    "media.js": partial(built_file, "media.js"),
    "start.js": lambda: _START,
}


@cache
def _file(name: str) -> _File:
    plain = _FILES[name]().encode()
    return _File(plain, gzip.compress(plain), f'"{hashlib.sha256(plain).hexdigest()[:32]}"')
