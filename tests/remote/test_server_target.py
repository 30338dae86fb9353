"""The target `trackbook serve`: the contract, tokens and their scopes, and what its answers mean."""

from __future__ import annotations

import email.utils
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from remote.target_contract import RUN, Stored, TargetContract, batch, points, rows
from servers import Served
from trackbook.remote import http_client, wire
from trackbook.remote.server_target import ServerTarget
from trackbook.remote.target import TargetBusy, TargetError, open_target
from trackbook.server.tokens import TokenFile
from trackbook.types import Cursor

ANY = "project=digits"
REQUESTS: list[tuple[str, str]] = [
    ("POST", "api/uploads/batch"),
    ("GET", f"api/uploads/cursors?{ANY}&source=s"),
    ("POST", "api/uploads/delete"),
    ("POST", "api/uploads/missing"),
    ("PUT", f"api/uploads/file?{ANY}&name={64 * '0'}.png"),
]
READS = [("GET", f"api/runs/news?{ANY}"), ("GET", f"api/runs/points?{ANY}&run=r1&generation=0&ordinal=0")]


class TestServerTarget(TargetContract):
    def open(self, place: Served, source: str = "source") -> ServerTarget:
        token = TokenFile(place.folder).create(project="digits", may_write=True)
        return ServerTarget(place.address, project="digits", source=source, token=token)

    def stored(self, place: Served, run_id: str) -> Stored | None:
        store = place.projects["digits"].store
        found = store.run(run_id)
        if found is None:
            return None
        return Stored(found, rows(store.read(run_id)), {row[0]: row for row in store.captured(run_id, "console")})

    @pytest.fixture
    def place(self, served: Served) -> Served:
        return served


# --- who is let in


def body(path: str, project: str = "digits") -> bytes:
    if path.endswith("batch"):
        return wire.pack_batch(batch(0, 3), project, "s")
    return json.dumps({"project": project, "run": "r1", "names": [f"{64 * '0'}.png"]}).encode()


def ask(served: Served, request: tuple[str, str], token: str | None, project: str = "digits") -> httpx.Response:
    method, path = request
    headers = {} if token is None else {"authorization": f"Bearer {token}"}
    content = body(path, project) if method == "POST" else b"x" if method == "PUT" else None
    return httpx.request(
        method, served.address + path.replace(ANY, f"project={project}"), content=content, headers=headers
    )


@pytest.mark.parametrize("request_", REQUESTS + READS, ids=lambda request: request[1].partition("?")[0])
def test_without_a_token_nothing_is_taken_or_told(served: Served, request_: tuple[str, str]) -> None:
    assert ask(served, request_, None).status_code == 401
    assert served.projects["digits"].store.runs() == []


@pytest.mark.parametrize("request_", REQUESTS + READS, ids=lambda request: request[1].partition("?")[0])
def test_a_wrong_token_is_refused(served: Served, tokens: TokenFile, request_: tuple[str, str]) -> None:
    right = tokens.create(may_write=True)
    for wrong in ("x", right[:-1], right + "x", right.swapcase(), f"tbk_{right[4:12]}_{32 * 'A'}"):
        assert ask(served, request_, wrong).status_code == 401


@pytest.mark.parametrize("request_", REQUESTS, ids=lambda request: request[1].partition("?")[0])
def test_a_token_that_only_reads_writes_nothing(served: Served, tokens: TokenFile, request_: tuple[str, str]) -> None:
    assert ask(served, request_, tokens.create(project="digits")).status_code == 403
    assert ask(served, request_, served.access.token).status_code == 403  # of the pages
    assert served.projects["digits"].store.runs() == []


@pytest.mark.parametrize("request_", REQUESTS + READS, ids=lambda request: request[1].partition("?")[0])
def test_a_token_of_another_project_is_refused(served: Served, tokens: TokenFile, request_: tuple[str, str]) -> None:
    """The answer is the same whether the project exists or not."""
    theirs = tokens.create(project="speech", may_write=True)
    found = [ask(served, request_, theirs, project) for project in ("digits", "no such project")]
    assert [answer.status_code for answer in found] == [403, 403]
    assert found[0].text == found[1].text
    assert served.projects["digits"].store.runs() == []
    assert "no such project" not in served.projects


@pytest.mark.parametrize("request_", REQUESTS + READS, ids=lambda request: request[1].partition("?")[0])
def test_a_revoked_token_is_refused_at_once(served: Served, tokens: TokenFile, request_: tuple[str, str]) -> None:
    token = tokens.create(project="digits", may_write=True)
    assert ask(served, REQUESTS[0], token).status_code == 200
    assert tokens.revoke(tokens.tokens()[-1].id)
    assert ask(served, request_, token).status_code == 401


def test_a_token_opens_the_pages_of_its_project_only(served: Served, tokens: TokenFile) -> None:
    served.run("speech", "secret-run")
    served.projects["digits"].store.put_run(RUN)
    served.projects["digits"].store.flush()
    page = httpx.Client(base_url=served.address)
    assert page.get("/", params={"token": tokens.create(project="digits")}, follow_redirects=True).status_code == 200
    assert [each["name"] for each in page.get("/api/projects").json()["projects"]] == ["digits"]
    tokens.revoke(tokens.tokens()[0].id)
    assert page.get("/api/projects").status_code == 401
    page.close()


def test_a_token_is_answered_under_any_name_of_the_server(served: Served, tokens: TokenFile) -> None:
    headers = {"host": "tracking.example", "authorization": f"Bearer {tokens.create(may_write=True)}"}
    answer = httpx.get(f"{served.address}api/uploads/cursors?{ANY}&source=s", headers=headers)
    assert answer.json() == {"cursors": {}}


def test_a_server_of_boards_takes_no_uploads(tmp_path: Path, tokens: TokenFile) -> None:
    from trackbook.server.access import Access

    boards = Served(tmp_path / "boards", Access(may_write=True, tokens=tokens))
    assert ask(boards, REQUESTS[0], tokens.create(may_write=True)).status_code == 404
    boards.close()


# --- what is sent


def test_new_projects_are_made(served: Served, tokens: TokenFile) -> None:
    target = ServerTarget(served.address, project="a new/project ü", source="s", token=tokens.create(may_write=True))
    target.put(batch(0, 3))
    assert rows(served.projects["a new/project ü"].store.read("r1")) == rows(points("loss", 0, 3))
    target.close()


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data[:0],
        lambda data: data[:3],
        lambda data: data[:200],
        lambda data: data[:-40],
        lambda data: b"\xff\xff\xff\x7f" + data[4:],
        lambda data: data.replace(b'"rows":3', b'"rows":9'),
        lambda data: data.replace(b'"start":[0,0]', b'"start":[0,-1]'[:13]),
        lambda data: data.replace(b'"state":"running"', b'"state":"flying!"'),
        lambda data: data.replace(b'"run":', b'"ran":'),
    ],
)
def test_malformed_batches_change_nothing(served: Served, tokens: TokenFile, damage: Callable[[bytes], bytes]) -> None:
    headers = {"authorization": f"Bearer {tokens.create(may_write=True)}"}
    content = damage(wire.pack_batch(batch(0, 3), "digits", "s"))
    answer = httpx.post(f"{served.address}api/uploads/batch", content=content, headers=headers)
    assert (answer.status_code, answer.text.partition(":")[0]) == (400, "malformed")
    assert served.projects["digits"].store.runs() == []


@pytest.mark.parametrize(
    "more",
    [
        {"documents": {"console": [(0, ["x"], None, "now", 1)]}},
        {"documents": {"console": [(0, "stdout")]}},
        {"documents": {"facts": [("environment", "no json")]}},
        {"documents": {"news": [(0,)]}},
        {"dropped": {"console": ["0"]}},
        {"dropped": {"console": [2**63 - 1]}},
        {"dropped": {"facts": [0]}},
        {"dropped": {"facts": "environment"}},
    ],
)
def test_rows_that_no_table_can_hold_are_refused(served: Served, tokens: TokenFile, more: Any) -> None:
    target = ServerTarget(served.address, project="digits", source="s", token=tokens.create(may_write=True))
    with pytest.raises(TargetError, match="400 malformed"):
        target.put(batch(0, 3, **more))
    assert target.put(batch(0, 3)) == Cursor(0, 3)
    target.close()


def test_rows_are_dropped_by_their_keys(served: Served, tokens: TokenFile) -> None:
    target = ServerTarget(served.address, project="digits", source="s", token=tokens.create(may_write=True))
    lines = [(line, "stdout", "x", 1.0, None) for line in range(3)]
    facts = [("code", "{}"), ("code\t", "{}"), ("environment", "{}")]
    target.put(batch(0, 3, documents={"console": lines, "facts": facts}))
    target.put(batch(3, 5, dropped={"console": [1], "facts": ["code"]}))
    store = served.projects["digits"].store
    assert store.captured("r1", "console") == [lines[0], lines[2]]
    assert store.captured("r1", "facts") == facts[1:]
    target.close()


def test_a_batch_that_is_too_large_is_refused(
    served: Served, tokens: TokenFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    from trackbook.server import uploads

    monkeypatch.setattr(uploads._body, "__defaults__", (1_000,))
    headers = {"authorization": f"Bearer {tokens.create(may_write=True)}"}
    answer = httpx.post(f"{served.address}api/uploads/batch", content=bytes(2_000), headers=headers)
    assert answer.status_code == 413


def test_a_full_disk_asks_to_come_again(served: Served, tokens: TokenFile, monkeypatch: pytest.MonkeyPatch) -> None:
    target = ServerTarget(served.address, project="digits", source="s", token=tokens.create(may_write=True))
    monkeypatch.setattr(served.projects["digits"].store, "flush", lambda: False)
    with pytest.raises(TargetBusy, match="503 the store is busy") as busy:
        target.put(batch(0, 3))
    assert busy.value.retry_after == 2.0
    monkeypatch.undo()
    assert target.put(batch(0, 3)) == Cursor(0, 3)
    target.close()


def test_a_client_of_another_version_is_told(served: Served, tokens: TokenFile) -> None:
    headers = {"authorization": f"Bearer {tokens.create(may_write=True)}", wire.HEADER: "2"}
    answer = httpx.get(f"{served.address}api/uploads/cursors?{ANY}&source=s", headers=headers)
    assert (answer.status_code, answer.headers[wire.HEADER]) == (426, "1")
    assert "upgrade the older side: pip install --upgrade trackbook" in answer.text


def test_health_is_told_to_everybody(served: Served) -> None:
    assert httpx.get(f"{served.address}healthz", headers={"host": "lb.internal"}).text == "ok\n"


def test_measures_count_the_work_without_names(served: Served, tokens: TokenFile) -> None:
    target = ServerTarget(served.address, project="digits", source="s", token=tokens.create(may_write=True))
    target.put(batch(0, 3))
    target.close()
    all_projects = {"authorization": f"Bearer {tokens.create()}"}
    found = httpx.get(f"{served.address}metrics", headers=all_projects).text
    assert "trackbook_upload_points_total 3.0" in found
    assert "digits" not in found
    one_project = {"authorization": f"Bearer {tokens.create(project='digits')}"}
    assert httpx.get(f"{served.address}metrics", headers=one_project).status_code == 403
    assert httpx.get(f"{served.address}metrics").status_code == 401


# --- what answers mean


class Scripted:
    """A server that gives one answer."""

    def __init__(self) -> None:
        script = self
        self.code, self.headers, self.content = 200, {wire.HEADER: "1"}, b'{"cursor": [0, 3]}'
        self.seen: list[tuple[str, dict[str, str]]] = []

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers.get("content-length", 0)))
                script.seen.append((self.path, dict(self.headers)))
                self.send_response(script.code)
                for name, value in script.headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(script.content)

            do_GET = do_POST  # noqa: N815

            def log_message(self, *_: Any) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()


@pytest.fixture
def scripted() -> Iterator[Scripted]:
    scripted = Scripted()
    yield scripted
    scripted.server.shutdown()
    scripted.server.server_close()


def target_of(scripted: Scripted, token: str | None = "tbk_secret") -> ServerTarget:
    return ServerTarget(scripted.address, project="digits", source="s", token=token)


@pytest.mark.parametrize(
    ("code", "headers", "kind", "said"),
    [
        (401, {}, TargetError, "does not know the token: it is wrong or revoked; set TRACKBOOK_TOKEN to a token that"),
        (403, {wire.HEADER: "1"}, TargetError, r"refuses the token for project 'digits' \(no\)"),
        (404, {}, TargetError, "takes no uploads.*trackbook serve"),
        (301, {"location": "https://elsewhere"}, TargetError, "takes no uploads"),
        (426, {wire.HEADER: "2"}, TargetError, "is of another version: no"),
        (400, {wire.HEADER: "1"}, TargetError, r"refuses what is sent \(400 no\)"),
        (413, {wire.HEADER: "1"}, TargetBusy, "413 no"),
        (429, {"retry-after": "7"}, TargetBusy, "429 Too Many Requests"),
        (500, {}, TargetBusy, "500 Internal Server Error"),
        (502, {}, TargetBusy, "502 Bad Gateway"),
        (503, {}, TargetBusy, "503 Service Unavailable"),
    ],
)
def test_an_answer_is_final_or_not(
    scripted: Scripted, code: int, headers: dict[str, str], kind: type[Exception], said: str
) -> None:
    scripted.code, scripted.headers, scripted.content = code, headers, b"no"
    target = target_of(scripted)
    with pytest.raises(kind, match=said) as refused:
        target.put(batch(0, 3))
    assert "tbk_secret" not in str(refused.value)
    assert isinstance(refused.value, TargetError) or refused.value.retry_after == (
        7.0 if code == 429 else 0.0 if code == 413 else None
    )
    target.close()


def test_without_a_token_the_remedy_is_to_make_one(scripted: Scripted) -> None:
    scripted.code = 401
    target = target_of(scripted, None)
    with pytest.raises(
        TargetError, match=r"needs a token; set TRACKBOOK_TOKEN .*token create --write --project digits"
    ):
        target.put(batch(0, 3))
    target.close()


@pytest.mark.parametrize(
    ("headers", "content"),
    [
        ({wire.HEADER: "1"}, b'{"cursor": [0,'),
        ({wire.HEADER: "1", "content-length": "1000"}, b'{"cursor": [0, 3]}'),
    ],
)
def test_an_answer_that_is_cut_short_is_asked_for_again(
    scripted: Scripted, headers: dict[str, str], content: bytes
) -> None:
    scripted.headers, scripted.content = headers, content
    target = target_of(scripted)
    with pytest.raises(ConnectionError):
        target.put(batch(0, 3))
    target.close()


def test_another_web_site_is_no_server(scripted: Scripted) -> None:
    scripted.headers, scripted.content = {}, b"<html>"
    target = target_of(scripted)
    with pytest.raises(TargetError, match="is no server of Trackbook"):
        target.put(batch(0, 3))
    target.close()


def test_nobody_there_is_an_oserror() -> None:
    target = ServerTarget("http://127.0.0.1:9", project="digits", source="s")
    with pytest.raises(ConnectionError):
        target.cursors()
    target.close()


def test_the_token_is_in_a_header_and_in_no_address(scripted: Scripted) -> None:
    target = target_of(scripted)
    target.put(batch(0, 3))
    ((path, headers),) = scripted.seen
    assert headers["authorization"] == "Bearer tbk_secret"
    assert "tbk_secret" not in path + target.name
    target.close()


def test_clocks_that_differ_are_said(scripted: Scripted, monkeypatch: pytest.MonkeyPatch) -> None:
    target = target_of(scripted)
    target.put(batch(0, 3))
    assert target.note is None
    monkeypatch.setattr(http_client, "SKEW_SECONDS", -1.0)
    target.put(batch(0, 3))
    assert target.note is not None
    assert "the clocks of this machine and of http://127.0.0.1" in target.note
    target.close()


def test_retry_after_may_be_a_date() -> None:
    soon = email.utils.format_datetime(email.utils.localtime().replace(microsecond=0))
    assert http_client._retry_after(soon) == pytest.approx(0.0, abs=5.0)
    assert (http_client._retry_after("soon"), http_client._retry_after(None)) == (None, None)


def test_addresses_lead_here() -> None:
    target = open_target("https://host/", project="digits", source="s", token="t")
    assert (type(target), target.name) == (ServerTarget, "https://host")
    target.close()
