from __future__ import annotations

import asyncio
import contextlib
import json
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.exceptions import InvalidStatus

from servers import Served, ask, closed, heard, parts, trait
from trackbook.boards import viewers
from trackbook.server import site
from trackbook.server.access import Access
from trackbook.store.paths import project_names
from trackbook.tracking.project import Project
from trackbook.tracking.run_options import RunOptions
from trackbook.types import RunRecord

ROUTES = ["/", "/static/start.js", "/static/trackbook.js", "/api/projects", "/nothing"]


# --- who is let in


@pytest.mark.parametrize("route", ROUTES)
def test_nothing_is_answered_without_the_token(served: Served, route: str) -> None:
    for headers in ({}, {"cookie": f"trackbook-{served.server.port}=x"}, {"authorization": "Bearer x"}):
        assert httpx.get(served.address + route[1:], headers=headers).status_code == 401
    assert httpx.get(served.address + route[1:] + "?token=wrong").status_code == 401


def test_token_in_the_address_becomes_a_cookie_and_disappears(served: Served) -> None:
    answer = httpx.get(served.server.address_with_token(project="digits", smoothing="3"))
    assert answer.status_code == 303
    assert answer.headers["location"] == "./?project=digits&smoothing=3"
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert served.access.token not in cookie


def test_page_that_asks_for_a_token_keeps_the_address_and_says_what_was_wrong(served: Served) -> None:
    asked = httpx.get(served.address, params={"project": "digits", "smoothing": '"><b>'})
    assert '<input type="hidden" name="project" value="digits">' in asked.text
    assert 'name="smoothing" value="&quot;&gt;&lt;b&gt;"' in asked.text
    assert "color-scheme: light dark" in asked.text
    assert "not known here" not in asked.text
    wrong = httpx.get(served.address, params={"project": "digits", "token": "wrong"})
    assert "This token is not known here" in wrong.text
    assert (wrong.status_code, 'value="wrong"' in wrong.text) == (401, False)


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example:80", "localhost@evil.example"])
def test_other_host_names_are_refused(served: Served, route: str, host: str) -> None:
    assert served.client.get(route, headers={"host": host}).status_code == 403


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_requests_of_other_sites_are_refused(served: Served, method: str) -> None:
    answer = served.client.request(method, "/api/projects", headers={"origin": "http://evil.example"})
    assert answer.status_code == 403
    assert served.client.request(method, "/api/projects").status_code == 405


@pytest.mark.parametrize(
    "headers",
    [{"cookie": ""}, {"origin": "http://evil.example"}, {"cookie": "trackbook-1=x"}],
)
def test_socket_is_refused_as_pages_are(served: Served, headers: dict[str, str]) -> None:
    async def connect() -> int:
        with pytest.raises(InvalidStatus) as refused:
            async with served.socket("project=digits", **headers):
                pass
        return refused.value.response.status_code

    assert asyncio.run(connect()) == (401 if "cookie" in headers else 403)


def test_socket_is_refused_under_another_host_name(served: Served) -> None:
    upgrade = {"upgrade": "websocket", "connection": "upgrade", "sec-websocket-version": "13", "host": "evil.example"}
    answer = served.client.get(
        "/ws?project=digits", headers={**upgrade, "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ=="}
    )
    assert answer.status_code == 403


@pytest.fixture
def public(tmp_path: Path) -> Iterator[Served]:
    """A server that everybody may read, whose owner may write."""
    served = Served(tmp_path, Access(is_public=True, may_write=True, embed_from=["*"]))
    yield served
    served.close()


@pytest.mark.parametrize("origin", ["", "https://ada-runs.hf.space", "http://evil.example"])
def test_public_server_is_read_under_any_name_and_from_any_site(public: Served, origin: str) -> None:
    public.run("digits", "r1").log({"loss": 0.5})
    headers = {"host": "ada-runs.hf.space", "origin": origin}
    assert httpx.get(public.address, headers=headers).status_code == 200

    async def look() -> tuple[Any, Any]:
        async with public.socket("project=digits", cookie="", origin=origin) as socket:
            return await trait(socket, "may_write"), await trait(socket, "keyframe")

    may_write, keyframe = asyncio.run(look())
    assert may_write is False
    assert [run["id"] for run in keyframe["header"]["runs"]] == ["r1"]


@pytest.mark.parametrize(("origin", "may_write"), [("own", True), ("http://evil.example", False)])
def test_cookie_of_a_public_servers_owner_writes_from_its_own_pages_alone(
    public: Served, origin: str, *, may_write: bool
) -> None:
    named = {} if origin == "own" else {"origin": origin}

    async def look() -> Any:
        async with public.socket("project=digits", **named) as socket:
            return await trait(socket, "may_write")

    public.run("digits", "r1")
    assert public.cookie
    assert asyncio.run(look()) is may_write


@pytest.mark.parametrize(
    "name",
    [
        "../pyproject.toml",
        "..%2f..%2fpyproject.toml",
        "%2e%2e/%2e%2e/etc/passwd",
        "/etc/passwd",
        "%2fetc%2fpasswd",
        "trackbook.js%00.txt",
        "x" * 4096,
        "..\\..\\win.ini",
        "fallback.js",
        "",
    ],
)
def test_only_the_files_of_the_page_are_served(served: Served, name: str) -> None:
    assert served.client.get(httpx.URL(f"{served.address}static/{name}")).status_code == 404


def test_headers_of_security_are_on_every_answer(served: Served) -> None:
    for answer in (served.client.get("/"), served.client.get("/nothing"), httpx.get(served.address)):
        policy = answer.headers["content-security-policy"]
        assert "unsafe-eval" not in policy
        (scripts,) = re.findall(r"script-src ([^;]*);", policy)
        assert scripts.split() == ["'self'", *viewers.sources()]
        assert all(re.fullmatch(r"'sha256-[\w+/]{43}='", source) for source in viewers.sources())
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["x-content-type-options"] == "nosniff"


def test_token_is_in_no_page_and_no_log(served: Served, capfd: pytest.CaptureFixture[str]) -> None:
    pages = [served.client.get(route) for route in ROUTES]
    assert not [page for page in pages if served.access.token in page.text + str(page.headers)]
    out, err = capfd.readouterr()
    assert served.access.token not in out + err


def test_page_of_a_share_token_sees_one_project(served: Served) -> None:
    for name in ("digits", "speech"):
        served.run(name, "r")
    with httpx.Client(base_url=served.address) as client:
        client.get(f"/?token={served.access.share('speech')}")
        assert [entry["name"] for entry in client.get("/api/projects").json()["projects"]] == ["speech"]
        cookie = "; ".join(f"{name}={value}" for name, value in client.cookies.items())

    async def refused() -> Any:
        async with served.socket("project=digits", cookie=cookie) as socket:
            return await trait(socket, "refused")

    assert asyncio.run(refused())["code"] == site.UNKNOWN


# --- what is served


def test_unchanged_file_is_not_sent_again(served: Served) -> None:
    first = served.client.get("/static/start.js")
    assert first.text.startswith("import { openSite }")
    again = served.client.get("/static/start.js", headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_projects_are_listed(served: Served) -> None:
    served.run("digits", "r1")
    (entry,) = served.client.get("/api/projects").json()["projects"]
    assert (entry["name"], entry["runs"], entry["running"]) == ("digits", 1, 1)


def test_viewer_gets_what_there_is_and_then_what_is_logged(served: Served) -> None:
    run = served.run("digits", "r1")
    run.log({"loss": 1.0})

    async def watch() -> None:
        async with served.socket("project=digits") as socket:
            assert await trait(socket, "may_write") is False
            keyframe = await trait(socket, "keyframe")
            assert [run["name"] for run in keyframe["header"]["runs"]] == ["r1"]
            assert keyframe["header"]["metrics"] == ["loss"]
            run.log({"acc": 0.5})
            await heard(
                socket, lambda head: head.get("trait") == "delta" and "acc" in head["value"]["header"]["metrics"]
            )

    asyncio.run(watch())


def test_viewer_gets_what_another_process_logs_before_it_is_in_the_file(served: Served) -> None:
    elsewhere = Project("digits", served.folder)  # which nothing makes write into the file
    run = elsewhere.open_run(RunOptions(RunRecord("r1", "r1", 1.0)))

    async def watch() -> None:
        async with served.socket("project=digits") as socket:
            await trait(socket, "keyframe")
            run.log({"acc": 0.5})
            await heard(
                socket, lambda head: head.get("trait") == "delta" and "acc" in head["value"]["header"]["metrics"]
            )

    asyncio.run(watch())
    with elsewhere.store.reopened() as file:
        assert file.summary("r1") == {}
    run.finish()
    elsewhere.store.close()


def test_second_viewer_gets_the_same_picture(served: Served) -> None:
    run = served.run("digits", "r1")
    run.log({"loss": 1.0})

    async def watch() -> None:
        async with served.socket("project=digits") as first:
            keyframe = await trait(first, "keyframe")
            run.log({"loss": 2.0})
            async with served.socket("project=digits") as second:
                again = await trait(second, "keyframe")
                assert again["header"]["session"] == keyframe["header"]["session"]
                run.log({"acc": 0.5})
                for socket in (first, second):
                    delta = await heard(
                        socket,
                        lambda head: head.get("trait") == "delta" and "acc" in head["value"]["header"]["metrics"],
                    )
                    assert delta["value"]["header"]["base"] == again["header"]["seq"]

    asyncio.run(watch())


def test_messages_are_not_compressed_for_each_viewer(served: Served) -> None:
    served.run("digits", "r1")

    async def offered() -> str | None:
        async with served.socket("project=digits") as socket:
            assert "permessage-deflate" in socket.request.headers["sec-websocket-extensions"]
            found: str | None = socket.response.headers.get("sec-websocket-extensions")
            return found

    assert asyncio.run(offered()) is None


def test_runs_are_chosen_by_id_or_name_and_added_by_the_page(served: Served) -> None:
    for name in ("r1", "r2", "r3"):
        served.run("digits", name).log({"loss": 1.0})

    async def watch() -> None:
        async with served.socket("project=digits&runs=r1") as socket:
            keyframe = await trait(socket, "keyframe")
            assert [run["id"] for run in keyframe["header"]["runs"]] == ["r1"]
            await socket.send(json.dumps({"set": {"selected_runs": ["r3", 7, "unknown"]}}))
            keyframe = await trait(socket, "keyframe")
            assert [run["id"] for run in keyframe["header"]["runs"]] == ["r1", "r3"]

    asyncio.run(watch())


@pytest.mark.parametrize(
    ("query", "setting", "drawn"),
    [
        ("&runs=r1", {"baseline": "r3"}, ["r1", "r3"]),
        ("&runs=r1", {"baseline": "unknown"}, ["r1"]),
        ("", {"drawn_runs": "newest 1"}, ["r3"]),
        ("", {"drawn_runs": "newest 1", "baseline": "r1"}, ["r1", "r3"]),
        ("", {"drawn_runs": "newest 1", "selected_runs": ["r2"]}, ["r2", "r3"]),
    ],
)
def test_page_chooses_what_is_drawn(served: Served, query: str, setting: dict[str, Any], drawn: list[str]) -> None:
    for name in ("r1", "r2", "r3"):
        run = served.run("digits", name)
        run.log({"loss": 1.0})
        run.finish()

    async def watch() -> None:
        async with served.socket(f"project=digits{query}") as socket:
            await trait(socket, "keyframe")
            await socket.send(json.dumps({"set": setting}))
            keyframe = await trait(socket, "keyframe")
            assert sorted(run["id"] for run in keyframe["header"]["runs"]) == drawn

    asyncio.run(watch())


@pytest.mark.parametrize("setting", [{"drawn_runs": "bottom 3"}, {"baseline": 7}, {"selected_runs": "r1"}])
def test_choice_that_is_none_is_refused(served: Served, setting: dict[str, Any]) -> None:
    served.run("digits", "r1")

    async def watch() -> None:
        async with served.socket("project=digits") as socket:
            await trait(socket, "keyframe")
            await socket.send(json.dumps({"set": setting}))
            assert (await trait(socket, "refused"))["code"] == 4400

    asyncio.run(watch())


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("project=digitz", "did you mean 'digits'"),
        ("project=../digits", "no project"),
        ("project=" + "x" * 4000, "no project"),
        ("project=a%00b", "no project"),
        ("project=digits&runs=nobody", "no run 'nobody'"),
        ("", "no project"),
    ],
)
def test_page_is_told_why_there_is_nothing(served: Served, query: str, reason: str) -> None:
    served.run("digits", "r1")

    async def watch() -> tuple[Any, int | None]:
        async with served.socket(query) as socket:
            refused = await trait(socket, "refused")
            return refused, await closed(socket)

    refused, code = asyncio.run(watch())
    assert reason in refused["reason"]
    assert code == site.UNKNOWN


def test_deleted_project_is_told(served: Served) -> None:
    run = served.run("digits", "r1")
    run.finish()

    async def watch() -> str:
        async with served.socket("project=digits") as socket:
            await trait(socket, "keyframe")
            await asyncio.to_thread(served.projects["digits"].delete_all)
            gone: str = await trait(socket, "gone")
            return gone

    assert asyncio.run(watch()) == "Project 'digits' was deleted."


def test_run_that_another_process_deleted_is_told_on_its_page(served: Served) -> None:
    run = served.run("digits", "r1")
    run.log({"loss": 0.5})
    run.finish()

    def delete() -> None:
        with served.projects["digits"].store.reopened() as elsewhere:
            elsewhere.delete("r1")

    async def watch() -> str:
        async with served.socket("project=digits&runs=r1") as socket:
            await trait(socket, "keyframe")
            await asyncio.to_thread(delete)
            gone: str = await trait(socket, "gone")
            return gone

    assert asyncio.run(watch()) == "Run 'r1' was deleted."


def test_run_whose_process_is_killed_is_lost_on_an_open_page(served: Served) -> None:
    program = "import sys, time, trackbook as tb; tb.init('digits', 'r1', dir=sys.argv[1]).log({'loss': 0.5}); time.sleep(600)"
    writer = subprocess.Popen([sys.executable, "-c", program, str(served.folder)])

    def tells(head: dict[str, Any], what: Callable[[dict[str, Any]], bool]) -> bool:
        return head.get("trait") in ("keyframe", "delta") and what(head["value"]["header"])

    async def watch() -> None:
        async with served.socket("project=digits") as socket:
            await heard(socket, lambda head: tells(head, lambda header: "loss" in header["metrics"]))
            writer.kill()
            await heard(
                socket, lambda head: tells(head, lambda header: any(run["state"] == "lost" for run in header["runs"]))
            )

    try:
        while "digits" not in project_names(served.folder):
            time.sleep(0.1)
        asyncio.run(watch())
    finally:
        writer.kill()
        writer.wait()
    with served.projects["digits"].store.reopened() as file:
        assert [(run.state, [*file.summary(run.id)]) for run in file.runs()] == [("lost", ["loss"])]


# --- what a page says


def test_questions_are_answered(served: Served) -> None:
    served.run("digits", "r1").log({"loss": 1.0})

    async def talk() -> None:
        async with served.socket("project=digits") as socket:
            assert (await ask(socket, ask="console", run="r1"))["lines"] == []
            assert "cannot answer" in (await ask(socket, ask="nothing"))["error"]
            assert "no longer" in (await ask(socket, ask="console", run="../x"))["error"]

    asyncio.run(talk())


@pytest.mark.parametrize(
    "question", [{"ask": "rename", "name": "x"}, {"ask": "delete"}, {"ask": "stop"}, {"ask": "tag"}]
)
def test_nothing_is_changed_without_write(served: Served, question: dict[str, Any]) -> None:
    served.run("digits", "r1")

    async def talk() -> str:
        async with served.socket("project=digits") as socket:
            error: str = (await ask(socket, run="r1", **question))["error"]
            return error

    assert "--write" in asyncio.run(talk())
    assert served.projects["digits"].store.run("r1").name == "r1"  # type: ignore[union-attr]


def test_run_is_renamed_with_write(writing: Served) -> None:
    writing.run("digits", "r1").finish()

    async def talk() -> None:
        async with writing.socket("project=digits") as socket:
            assert await trait(socket, "may_write") is True
            assert "error" not in await ask(socket, ask="rename", run="r1", name="better")

    asyncio.run(talk())
    assert writing.projects["digits"].store.run("r1").name == "better"  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "message", ["", "{", "[]", "1", '{"x": 1}', '{"set": 3}', b"\xff\x00", '{"ask": NaN', "[" * 60_000]
)
def test_malformed_messages_end_that_connection_alone(served: Served, message: str | bytes) -> None:
    served.run("digits", "r1")

    async def talk() -> None:
        async with served.socket("project=digits") as other, served.socket("project=digits") as socket:
            await socket.send(message)
            assert await closed(socket) == site.MALFORMED
            assert "lines" in await ask(other, ask="console", run="r1")

    asyncio.run(talk())


def test_oversized_message_ends_the_connection(served: Served) -> None:
    served.run("digits", "r1")

    async def talk() -> int | None:
        async with served.socket("project=digits") as socket:
            await socket.send(json.dumps({"ask": "console", "run": "x" * 100_000}))
            return await closed(socket)

    assert asyncio.run(talk()) == 1009


def test_page_that_floods_waits_and_others_do_not(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(site, "BURST", 5)
    monkeypatch.setattr(site, "QUESTIONS_A_SECOND", 0.1)
    served.run("digits", "r1")

    async def talk() -> None:
        async with served.socket("project=digits") as flooding, served.socket("project=digits") as other:
            for _ in range(500):
                await flooding.send('{"ask": "console", "run": "r1", "id": 1}')
            assert "lines" in await ask(other, ask="console", run="r1")
            answers = []
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(1):
                    async for message in flooding:
                        answers += [head for head, _ in parts(message) if "answer" in head]
            flooding.transport.abort()
            assert len(answers) <= 6

    asyncio.run(talk())


def test_more_pages_than_allowed_are_refused(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(site, "MOST_VIEWERS", 1)
    served.run("digits", "r1")

    async def talk() -> Any:
        async with served.socket("project=digits") as first:
            await trait(first, "keyframe")
            async with served.socket("project=digits") as second:
                return await trait(second, "refused")

    assert asyncio.run(talk())["code"] == site.BUSY
