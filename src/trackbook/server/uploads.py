"""The routes of a server that other machines' runs are uploaded to, and read from. `remote.http_client` asks them."""

from __future__ import annotations

import asyncio
import json
import tempfile
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from ..remote import wire
from ..remote.receiving import Receiver
from ..remote.serving import project_news, run_news
from ..store.sqlite import SqliteStore
from ..tracking.logged_values import check_text
from .measures import Measures

if TYPE_CHECKING:
    from starlette.requests import Request

    from ..tracking.project import Project
    from .access import Grant

LARGEST_FILE: Final = 1 << 33  # bytes
MOST_AT_ONCE: Final = 8  # requests whose bodies are in memory; the others wait for their turn
RETRY_SECONDS: Final = 2  # after which a client comes again when the disk is busy

Answer = Callable[["Request"], Awaitable[Response]]


class Refused(Exception):  # noqa: N818  # an answer
    """A request is answered by an error."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code


class Uploads:
    """Takes uploads, and answers those who read. Each request names its project, and its grant must allow that."""

    def __init__(
        self, open_project: Callable[[str], Project], names: Callable[[], list[str]], measures: Measures
    ) -> None:
        """`open_project` returns a project, made if it does not exist; `names` lists those that exist."""
        self._open = open_project
        self._names = names
        self._measures = measures
        self._receivers: dict[str, Receiver] = {}
        self._readers: dict[str, SqliteStore] = {}
        self._lock = threading.Lock()
        self._turns: asyncio.Semaphore | None = None

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            Route("/api/uploads/batch", self._answering(self._batch), methods=["POST"]),
            Route("/api/uploads/cursors", self._answering(self._cursors)),
            Route("/api/uploads/delete", self._answering(self._delete), methods=["POST"]),
            Route("/api/uploads/missing", self._answering(self._missing), methods=["POST"]),
            Route("/api/uploads/file", self._answering(self._file), methods=["PUT"]),
            Route("/api/runs/news", self._answering(self._runs)),
            Route("/api/runs/points", self._answering(self._points)),
        ]

    def _answering(self, work: Answer) -> Answer:
        """Return an endpoint that turns errors into answers, and marks all of them as Trackbook's."""

        async def endpoint(request: Request) -> Response:
            try:
                _check_protocol(request)
                answer = await work(request)
            except Refused as refused:
                self._measures.refused.labels(str(refused.code)).inc()
                answer = PlainTextResponse(str(refused), refused.code)
            except (ValueError, KeyError, TypeError, RecursionError) as error:
                self._measures.refused.labels("400").inc()
                answer = PlainTextResponse(f"malformed: {error}", 400)
            except OSError as error:  # a full or busy disk
                self._measures.refused.labels("503").inc()
                answer = PlainTextResponse(str(error), 503, {"retry-after": str(RETRY_SECONDS)})
            answer.headers[wire.HEADER] = str(wire.PROTOCOL)
            answer.headers["cache-control"] = "no-store"
            return answer

        return endpoint

    async def _batch(self, request: Request) -> Response:
        _writing(request)
        async with self._turn():
            body = await _body(request)
            cursor, points = await run_in_threadpool(self._take, request, body)
        self._measures.batches.inc()
        self._measures.points.inc(points)
        self._measures.bytes.inc(len(body))
        return JSONResponse({"cursor": cursor})

    def _take(self, request: Request, body: bytes) -> tuple[Any, int]:
        project, source, batch = wire.unpack_batch(body)
        _writing(request, project)
        host = "another machine" if request.client is None else request.client.host
        return self._receiver(project).put(batch, source, host), len(batch.points)

    async def _cursors(self, request: Request) -> Response:
        project = _writing(request, request.query_params["project"])
        found = await run_in_threadpool(lambda: self._receiver(project).cursors(request.query_params["source"]))
        return JSONResponse({"cursors": found})

    async def _delete(self, request: Request) -> Response:
        said = await _said(request)
        project, run = _writing(request, said["project"]), check_text("run", said["run"])
        await run_in_threadpool(lambda: self._receiver(project).delete(run))
        return JSONResponse({"deleted": run})

    async def _missing(self, request: Request) -> Response:
        said = await _said(request)
        project, names = _writing(request, said["project"]), [str(name) for name in said["names"]]
        missing = await run_in_threadpool(lambda: self._receiver(project).missing_files(names))
        return JSONResponse({"missing": missing})

    async def _file(self, request: Request) -> Response:
        project, name = _writing(request, request.query_params["project"]), request.query_params["name"]
        receiver = await run_in_threadpool(self._receiver, project)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "file")
            size = await self._keep(request, path)
            await run_in_threadpool(receiver.put_file, name, path)
        self._measures.bytes.inc(size)
        return JSONResponse({"name": name})

    async def _keep(self, request: Request, path: Path) -> int:
        """Write a body into a file, and return its size."""
        size = 0
        with path.open("wb") as kept:
            async for block in request.stream():
                size += len(block)
                if size > LARGEST_FILE:
                    raise Refused(413, f"files of more than {LARGEST_FILE:,} bytes are not taken")
                await run_in_threadpool(kept.write, block)
        return size

    async def _runs(self, request: Request) -> Response:
        project = await run_in_threadpool(self._reading, request)
        since = request.query_params.get("since")
        news = await run_in_threadpool(lambda: project_news(self._reader(project), since))
        return JSONResponse(news)

    async def _points(self, request: Request) -> Response:
        query = request.query_params
        project, run = await run_in_threadpool(self._reading, request), query["run"]
        start = wire.cursor([int(query["generation"]), int(query["ordinal"])])
        content = await run_in_threadpool(lambda: run_news(self._reader(project), run, start))
        return Response(content, media_type=wire.MEDIA_TYPE)

    def _reading(self, request: Request) -> str:
        """Return the project of a request that may read it. Others learn not even whether it exists."""
        project = request.query_params["project"]
        grant: Grant = request.scope["grant"]
        if grant.project not in (None, project):
            raise Refused(403, "this token is for another project")
        if project not in self._names():
            raise Refused(404, f"there is no project {project!r} here")
        return project

    def _reader(self, name: str) -> SqliteStore:
        """Return the project's file as other processes see it: readers delay nobody who writes, and read bounded parts of a run."""
        with self._lock:
            if name not in self._readers:
                project = self._open(name)
                project.recover()
                self._readers[name] = SqliteStore(project.store.path, name)
            return self._readers[name]

    def _receiver(self, name: str) -> Receiver:
        with self._lock:
            if name not in self._receivers:
                project = self._open(check_text("project", name))
                self._receivers[name] = Receiver(project.store, project.paths.files)
            return self._receivers[name]

    def _turn(self) -> asyncio.Semaphore:
        if self._turns is None:
            self._turns = asyncio.Semaphore(MOST_AT_ONCE)
        return self._turns


def _check_protocol(request: Request) -> None:
    if request.headers.get(wire.HEADER, str(wire.PROTOCOL)) != str(wire.PROTOCOL):
        raise Refused(
            426, f"it knows protocol {wire.PROTOCOL}; upgrade the older side: pip install --upgrade trackbook"
        )


def _writing(request: Request, project: str | None = None) -> str:
    """Return the project of a request that may write it."""
    grant: Grant = request.scope["grant"]
    if not grant.may_write:
        raise Refused(403, "this token may only read")
    if project is not None and grant.project not in (None, project):
        raise Refused(403, "this token is for another project")
    return project or ""


async def _body(request: Request, most: int = wire.LARGEST_BODY) -> bytes:
    blocks, size = [], 0
    async for block in request.stream():
        size += len(block)
        if size > most:
            raise Refused(413, f"batches of more than {most:,} bytes are not taken")
        blocks.append(block)
    return b"".join(blocks)


async def _said(request: Request) -> dict[str, Any]:
    found = json.loads(await _body(request, 1 << 20))
    if not isinstance(found, dict):
        raise TypeError("the body is no JSON object")
    return found
