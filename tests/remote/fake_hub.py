"""A small Hugging Face Hub: repositories, secrets, variables and states of Spaces, and faults on demand.

It answers the requests that `huggingface_hub` makes, as the Hub does. It builds and runs no Space: a test starts the entry point
itself, and says by `Repository.host` and `Repository.stage` where it answers and what the Hub would say of it.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import threading
from collections import deque
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from trackbook.server.running import listen

LARGE = 10_000  # bytes; larger files, and binary ones, go the way of Git LFS


class User(NamedTuple):
    name: str
    role: str = "write"  # of the token
    orgs: tuple[str, ...] = ()


class Fault(NamedTuple):
    """An answer instead of the Hub's own, to the next request whose method and path match."""

    pattern: str
    status: int
    headers: dict[str, str]
    message: str


@dataclass
class Repository:
    """A Space or a dataset."""

    id: str
    private: bool = False
    sdk: str | None = None
    files: dict[str, bytes] = field(default_factory=lambda: {".gitattributes": b"*.bin filter=lfs\n"})
    commits: list[str] = field(default_factory=list)
    secrets: dict[str, str] = field(default_factory=dict)
    variables: dict[str, str] = field(default_factory=dict)
    volumes: list[dict[str, Any]] = field(default_factory=list)
    stage: str = "NO_APP_FILE"
    host: str | None = None
    restarts: int = 0

    @property
    def sha(self) -> str:
        """The hash of the newest commit."""
        return hashlib.sha1(repr((self.id, len(self.commits), sorted(self.files.items()))).encode()).hexdigest()


class FakeHub:
    """The Hub, at `address`."""

    def __init__(self) -> None:
        self.users = {"hf_writer": User("ada"), "hf_reader": User("ada", "read"), "hf_team": User("bob", orgs=("lab",))}
        self.repos: dict[tuple[str, str], Repository] = {}
        self.requests: list[str] = []
        self.faults: deque[Fault] = deque()
        self.needs_subscription = False  # for Spaces that run something
        self.stage_of_new = "RUNNING"  # of a Space once it has files
        self.host_of_new: str | None = None
        self._large: dict[str, bytes] = {}
        self._socket = listen("127.0.0.1", 0)
        self.address = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self._server = uvicorn.Server(
            uvicorn.Config(self._app(), log_config=None, lifespan="off", access_log=False, ws="none")
        )
        self._thread = threading.Thread(target=self._server.run, args=([self._socket],), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._server.should_exit = self._server.force_exit = True
        self._thread.join(20)
        self._socket.close()

    def space(self, name: str) -> Repository:
        return self.repos["space", name]

    def dataset(self, name: str) -> Repository:
        return self.repos["dataset", name]

    def fail(self, pattern: str, status: int, message: str = "", times: int = 1, **headers: str) -> None:
        """Answer the next requests that match, such as ``"POST .*commit"``, with an error."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.faults.extend([Fault(pattern, status, named, message)] * times)

    def asked(self, pattern: str) -> int:
        """Return how many requests matched."""
        return sum(bool(re.fullmatch(pattern, request)) for request in self.requests)

    # --- the routes

    def _app(self) -> Any:
        repo = "/api/{kind:str}/{user}/{name}"
        routes = [
            Route("/api/whoami-v2", self._whoami),
            Route("/api/validate-yaml", self._valid, methods=["POST"]),
            Route("/api/repos/create", self._create, methods=["POST"]),
            Route(repo, self._info),
            Route(repo + "/revision/{revision}", self._info),
            Route(repo + "/tree/{revision}", self._tree),
            Route(repo + "/preupload/{revision}", self._preupload, methods=["POST"]),
            Route(repo + "/commit/{revision}", self._commit, methods=["POST"]),
            Route(repo + "/super-squash/{revision}", self._squash, methods=["POST"]),
            Route(repo + "/secrets", self._secrets, methods=["POST"]),
            Route(repo + "/variables", self._variables, methods=["GET", "POST"]),
            Route(repo + "/volumes", self._volumes, methods=["PUT"]),
            Route(repo + "/runtime", self._runtime),
            Route(repo + "/restart", self._restart, methods=["POST"]),
            Route("/{kind}/{user}/{name}.git/info/lfs/objects/batch", self._batch, methods=["POST"]),
            Route("/large/{oid}", self._large_file, methods=["PUT"]),
            Route("/{kind}/{user}/{name}/resolve/{revision}/{path:path}", self._file, methods=["GET", "HEAD"]),
        ]
        inner = Starlette(routes=routes, exception_handlers={_Refusal: lambda _, refusal: refusal.answer()})  # type: ignore[dict-item]

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            said = f"{scope['method']} {scope['path']}"
            self.requests.append(said)
            for fault in self.faults:
                if re.fullmatch(fault.pattern, said):
                    self.faults.remove(fault)
                    await JSONResponse({"error": fault.message}, fault.status, fault.headers)(scope, receive, send)
                    return
            await inner(scope, receive, send)

        return app

    def _user(self, request: Request) -> User:
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        if token not in self.users:
            raise _Refusal(401, "Invalid credentials in Authorization header")
        return self.users[token]

    def _repo(self, request: Request, *, writes: bool = False) -> Repository:
        name = f"{request.path_params['user']}/{request.path_params['name']}"
        found = self.repos.get((request.path_params["kind"].rstrip("s"), name))
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        if found is None or (found.private and token not in self.users):
            raise _Refusal(404, "Repository not found", {"X-Error-Code": "RepoNotFound"})
        if writes:
            self._may_write(self._user(request), name.partition("/")[0])
        return found

    @staticmethod
    def _may_write(user: User, owner: str) -> None:
        if user.role != "write" or owner not in (user.name, *user.orgs):
            raise _Refusal(403, f"You don't have the rights to write under the namespace {owner!r}")

    async def _whoami(self, request: Request) -> Response:
        user = self._user(request)
        orgs = [{"name": name} for name in user.orgs]
        auth = {"type": "access_token", "accessToken": {"role": user.role}}
        return JSONResponse({"type": "user", "name": user.name, "orgs": orgs, "auth": auth})

    async def _valid(self, request: Request) -> Response:
        content = (await request.json())["content"]
        if not content.startswith("---\n"):
            return JSONResponse({"errors": [{"message": "no metadata"}]}, 400)
        return JSONResponse({"errors": [], "warnings": []})

    async def _create(self, request: Request) -> Response:
        said, user = await request.json(), self._user(request)
        owner, kind = said.get("organization") or user.name, said.get("type", "model")
        self._may_write(user, owner)
        key = kind, f"{owner}/{said['name']}"
        address = f"{self.address}/{kind}s/{key[1]}"
        if key in self.repos:
            return JSONResponse({"error": "You already created this repo", "url": address}, 409)
        if kind == "space" and said["sdk"] != "static" and self.needs_subscription:
            raise _Refusal(402, "A subscription is needed to create a Space that runs on free hardware")
        made = Repository(key[1], private=said.get("visibility") == "private" or said.get("private") is True)
        made.sdk = said.get("sdk")
        made.host = self.host_of_new
        made.secrets = {item["key"]: item["value"] for item in said.get("secrets", ())}
        made.variables = {item["key"]: item["value"] for item in said.get("variables", ())}
        made.volumes = said.get("volumes", [])
        self.repos[key] = made
        return JSONResponse({"url": address, "name": key[1], "id": key[1]})

    async def _info(self, request: Request) -> Response:
        repo = self._repo(request)
        said: dict[str, Any] = {"id": repo.id, "sha": repo.sha, "private": repo.private, "tags": []}
        said["siblings"] = [{"rfilename": name} for name in sorted(repo.files)]
        if request.path_params["kind"] == "spaces":
            said |= {"sdk": repo.sdk, "host": repo.host, "runtime": _runtime(repo)}
        return JSONResponse(said)

    async def _tree(self, request: Request) -> Response:
        files = self._repo(request).files
        return JSONResponse(
            [
                {"type": "file", "path": path, "size": len(data), "oid": hashlib.sha1(data).hexdigest()}
                for path, data in files.items()
            ]
        )

    async def _preupload(self, request: Request) -> Response:
        self._repo(request, writes=True)
        modes = []
        for file in (await request.json())["files"]:
            is_large = file["size"] > LARGE or b"\0" in base64.b64decode(file["sample"])
            modes.append({"path": file["path"], "uploadMode": "lfs" if is_large else "regular", "shouldIgnore": False})
        return JSONResponse({"files": modes})

    async def _batch(self, request: Request) -> Response:
        self._repo(request, writes=True)
        objects = [
            {**each, "authenticated": True, "actions": {"upload": {"href": f"{self.address}/large/{each['oid']}"}}}
            for each in (await request.json())["objects"]
        ]
        return JSONResponse({"transfer": "basic", "objects": objects})

    async def _large_file(self, request: Request) -> Response:
        data = await request.body()
        oid = hashlib.sha256(data).hexdigest()
        if oid != request.path_params["oid"]:
            raise _Refusal(400, "the content is not what its name says")
        self._large[oid] = data
        return Response()

    async def _commit(self, request: Request) -> Response:
        repo = self._repo(request, writes=True)
        files, message = dict(repo.files), ""
        for line in (await request.body()).splitlines():
            said = json.loads(line)
            value = said["value"]
            if said["key"] == "header":
                message = value["summary"]
            elif said["key"] == "file":
                files[value["path"]] = base64.b64decode(value["content"])
            elif said["key"] == "lfsFile":
                files[value["path"]] = self._large[value["oid"]]
            elif said["key"] == "deletedFile":
                del files[value["path"]]
            else:
                files = {path: data for path, data in files.items() if not path.startswith(value["path"])}
        repo.files = files
        repo.commits.append(message)
        if repo.sdk is not None:
            repo.stage = "RUNNING" if repo.sdk == "static" else self.stage_of_new
        address = f"{self.address}/{request.path_params['kind']}/{repo.id}"
        return JSONResponse({"commitUrl": f"{address}/commit/{repo.sha}", "commitOid": repo.sha})

    async def _squash(self, request: Request) -> Response:
        repo = self._repo(request, writes=True)
        repo.commits = [(await request.json())["message"]]
        return Response()

    async def _secrets(self, request: Request) -> Response:
        repo, said = self._repo(request, writes=True), await request.json()
        repo.secrets[said["key"]] = said["value"]
        repo.restarts += 1
        return Response()

    async def _variables(self, request: Request) -> Response:
        repo = self._repo(request, writes=True)
        if request.method == "POST":
            said = await request.json()
            repo.variables[said["key"]] = said["value"]
            repo.restarts += 1
        return JSONResponse({key: {"value": value} for key, value in repo.variables.items()})

    async def _volumes(self, request: Request) -> Response:
        self._repo(request, writes=True).volumes = (await request.json())["volumes"]
        return Response()

    async def _runtime(self, request: Request) -> Response:
        return JSONResponse(_runtime(self._repo(request)))

    async def _restart(self, request: Request) -> Response:
        repo = self._repo(request, writes=True)
        repo.restarts += 1
        repo.stage = "RUNNING"
        return JSONResponse(_runtime(repo))

    async def _file(self, request: Request) -> Response:
        repo = self._repo(request)
        data = repo.files.get(request.path_params["path"])
        if data is None:
            raise _Refusal(404, "Entry not found", {"X-Error-Code": "EntryNotFound"})
        headers = {"X-Repo-Commit": repo.sha, "ETag": f'"{hashlib.sha1(data).hexdigest()}"'}
        return Response(data, headers=headers, media_type="application/octet-stream")


class _Refusal(Exception):  # noqa: N818  # an answer
    def __init__(self, status: int, message: str, headers: dict[str, str] | None = None) -> None:
        self.status, self.message, self.headers = status, message, headers or {}

    def answer(self) -> Response:
        return JSONResponse({"error": self.message}, self.status, {"X-Error-Message": self.message, **self.headers})


def _runtime(repo: Repository) -> dict[str, Any]:
    hardware = {"current": None if repo.sdk == "static" else "cpu-basic", "requested": None}
    return {"stage": repo.stage, "hardware": hardware, "volumes": repo.volumes, "gcTimeout": None}
