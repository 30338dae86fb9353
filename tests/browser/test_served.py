"""The pages of a server: they grow while another process logs, go on over a restart, and have an address for every view."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, quote, unquote, urlsplit

import pytest
from playwright.sync_api import expect

from browser.lab import OUTPUT, PATIENCE, Board
from browser.served import Served

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

    from browser.server import JupyterServer

# Two finished runs, and names that are markup.
FINISHED = """
import trackbook as tb
evil = "<img src=x onerror=document.title='hacked'>"
for name, scale in (("first", 1), ("second", 2)):
    with tb.init("speech", name, config={"scale": scale, "note": evil}, tags=[evil], notes=evil, capture=False) as run:
        for i in range(100):
            run.log({"train/loss": scale / (1 + i), "train/acc": i / 100, "val/loss": scale / (2 + i)})
with tb.init(evil, evil, group=evil, config={evil: evil}, tags=[evil], notes=evil, capture="console") as run:
    run.log({evil: 1.0, f"{evil}/x": 1.0})
    run.log({evil: 2.0, f"{evil}/x": 2.0})
    print(evil)
"""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    served = Served(tmp_path_factory.mktemp("served"))
    served.run(FINISHED)
    yield served
    served.kill()


@pytest.fixture
def page(browser: Browser, served: Served) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1280, "height": 1000}, reduced_motion="reduce")
    yield from page_in(context, served)
    context.close()


def page_in(context: BrowserContext, served: Served) -> Iterator[Page]:
    page = context.new_page()
    page.set_default_timeout(PATIENCE * 1000)
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda message: message.type == "error" and errors.append(message.text))
    page.goto(served.entrance)
    yield page
    page.close()
    # while the server is away
    lost = ("WebSocket connection to", "net::ERR_CONNECTION_REFUSED", "net::ERR_CONNECTION_RESET")
    assert not [error for error in errors if not any(text in error for text in lost)]


def board(page: Page) -> Board:
    return Board(page.locator(".tb-board").first).wait()


def steps(page: Page, metric: str = "train/loss") -> list[tuple[int, float]]:
    return [(step, value) for _, step, value in board(page).picture()[metric]]


def drawn(page: Page) -> set[str]:
    return {run for run, _, _ in board(page).picture()["train/loss"]}


def wait_for_steps(page: Page, count: int) -> None:
    board(page).wait_for_rows("train/loss", count)


def query(page: Page) -> dict[str, list[str]]:
    return parse_qs(urlsplit(page.url).query)


def test_page_grows_while_another_process_logs_and_over_a_restart(page: Page, served: Served) -> None:
    training = served.train()
    training.log(50)
    page.goto(served.address("?project=digits"))
    wait_for_steps(page, 50)
    expect(page).to_have_title("● digits \N{EN DASH} Trackbook")
    training.log(50)
    wait_for_steps(page, 100)
    served.kill()
    training.log(50)
    status = page.locator(".tb-site-status")
    expect(status).to_have_text("Reconnecting…")
    served.entrance = served.start()
    expect(status).to_have_text("")
    wait_for_steps(page, 150)
    training.log(50)
    wait_for_steps(page, 200)
    assert steps(page) == [(i, float(i)) for i in range(200)]
    training.end()
    expect(page).to_have_title("digits \N{EN DASH} Trackbook")


def test_pages_have_addresses_and_the_back_button_works(page: Page, served: Served) -> None:
    page.goto(served.address())
    page.get_by_label("Search projects").fill("SPEECH")
    page.get_by_role("link", name="speech", exact=True).click()
    assert query(page) == {"project": ["speech"]}
    assert drawn(page) == {"first", "second"}
    expect(page.locator(".tb-side")).to_be_visible()
    page.get_by_role("button", name="Details", exact=True).first.click()
    page.get_by_role("link", name="Own page").click()
    page.wait_for_url(re.compile("run="))
    board(page).wait_for_chart("train/loss")
    assert drawn(page) == {"second"}
    expect(page).to_have_title("second · speech \N{EN DASH} Trackbook")
    expect(page.locator(".tb-site-details")).to_contain_text("scale")
    page.go_back()
    assert drawn(page) == {"first", "second"}
    page.go_back()
    expect(page.get_by_label("Search projects")).to_be_visible()


def test_console_of_a_runs_page_follows(page: Page, served: Served) -> None:
    training = served.train()
    training.log(3)
    page.goto(served.address("?project=digits&run=live"))
    page.get_by_role("tab", name="Console").click()
    expect(page.locator(".tb-site-details")).to_contain_text("logged 3")
    training.log(4)
    expect(page.locator(".tb-site-details")).to_contain_text("logged 7")
    training.end()


class Outer(BaseHTTPRequestHandler):
    """A page of another site with a frame, whose address is the query."""

    def do_GET(self) -> None:
        address = unquote(urlsplit(self.path).query)
        content = f'<iframe src="{escape(address)}" width="900" height="600"></iframe>'.encode()
        self.send_response(200)
        self.send_header("content-type", "text/html")
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture(scope="module")
def outer() -> Iterator[str]:
    """The address of the other site: `localhost` is another one than `127.0.0.1`."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Outer)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://localhost:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_frame_shows_the_metrics_of_its_address_without_sidebar(browser: Browser, outer: str, tmp_path: Path) -> None:
    served = Served(tmp_path, outer)
    served.run(FINISHED)
    context = browser.new_context()
    page = context.new_page()
    view = "&project=speech&metrics=train/loss,train/acc&sidebar=hidden&navbar=hidden"
    page.goto(f"{outer}/?{quote(served.entrance + view)}")
    frame = page.frame_locator("iframe")
    frame.locator(".tb-chart[data-drawn]").nth(1).wait_for(timeout=PATIENCE * 1000)
    names = frame.locator(".tb-chart").evaluate_all("charts => charts.map(chart => chart.dataset.metric)")
    assert names == ["train/loss", "train/acc"]
    expect(frame.locator(".tb-side")).to_be_hidden()
    expect(frame.locator(".tb-site-nav")).to_be_hidden()
    context.close()
    served.kill()


def test_other_sites_may_not_embed(browser: Browser, outer: str, served: Served) -> None:
    context = browser.new_context()
    page = context.new_page()
    page.goto(served.entrance)
    with page.expect_console_message(lambda message: "frame-ancestors" in message.text, timeout=PATIENCE * 1000):
        page.goto(f"{outer}/?{quote(served.address('?project=speech'))}")
    context.close()


def test_page_works_behind_a_proxy_under_a_path(browser: Browser, served: Served, server: JupyterServer) -> None:
    pytest.importorskip("jupyter_server_proxy")
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{server.url}/lab?token={server.token}")
    entrance = served.entrance.partition("/?")[2]
    page.goto(f"{server.url}/proxy/{served.port}/?{entrance}&project=speech")
    board(page).wait_for_chart("train/loss")
    page.get_by_role("link", name="Trackbook").click()
    expect(page.get_by_role("link", name="speech", exact=True)).to_be_visible()
    assert f"/proxy/{served.port}/" in page.url
    context.close()


def test_names_are_text_on_every_page(page: Page, served: Served) -> None:
    evil = "<img src=x onerror=document.title='hacked'>"
    damaged = Path(served.environment["TRACKBOOK_DIR"]) / f"{evil}-damaged.trackbook.db"
    damaged.write_bytes(b"x" * 1000)
    page.goto(served.address())
    page.get_by_label("Search projects").fill("<img")
    expect(page.locator(".tb-projects-problem")).to_contain_text("not a database")
    damaged.unlink()
    page.get_by_role("link", name=evil, exact=True).click()
    board(page)
    assert query(page)["project"] == [evil]
    text = quote(evil, safe="")
    page.goto(served.address(f"?project={text}&run={text}"))
    for tab in ("Overview", "Console", "Environment"):
        page.get_by_role("tab", name=tab).click()
    assert page.title().startswith(evil)
    for wrong in (f"{text}x", f"{text}&run={text}x", f"speech&runs={text}"):
        page.goto(served.address(f"?project={wrong}"))
        expect(page.get_by_role("alert")).to_contain_text(evil)
    page.goto(served.address(f"?project=speech&metrics={text}"))
    expect(page.locator(".tb-empty")).to_contain_text(evil)
    expect(page.locator("img[src=x]")).to_have_count(0)
    assert "hacked" not in page.title().replace(evil, "")


def test_unknown_project_suggests_the_nearest_name(page: Page, served: Served) -> None:
    page.goto(served.address("?project=speeech"))
    expect(page.get_by_role("alert")).to_contain_text("did you mean 'speech'?")
    page.get_by_role("link", name="All projects").click()
    expect(page.get_by_role("link", name="speech", exact=True)).to_be_visible()


def test_page_without_the_token_sees_nothing(browser: Browser, served: Served) -> None:
    context = browser.new_context()
    page = context.new_page()
    answer: Any = page.goto(served.address("?project=speech"))
    assert answer.status == 401
    page.get_by_label("Token").fill(parse_qs(urlsplit(served.entrance).query)["token"][0])
    page.get_by_role("button", name="Open").click()
    board(page).wait_for_chart("train/loss")  # of the project that was asked for
    assert "token" not in page.url
    context.close()


@pytest.mark.parametrize(("theme", "width"), [("light", 1280), ("dark", 1280), ("light", 700)])
def test_pages_are_looked_at(page: Page, served: Served, theme: str, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    for name, address in {"list": "", "project": "project=speech", "run": "project=speech&run=second"}.items():
        page.goto(served.address(f"?{address}&theme={theme}"))
        if address:
            board(page).wait_for_chart("train/loss")
            assert page.locator(".tb-status > .tb-state").evaluate("(state) => state.scrollWidth <= state.clientWidth")
        else:
            expect(page.get_by_role("link", name="speech", exact=True)).to_be_visible()
        page.screenshot(path=OUTPUT / f"served-{name}-{theme}-{width}.png")
