from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import ViewportSize, expect, sync_playwright

from browser import chromium
from browser.lab import OUTPUT, PATIENCE, Lab
from browser.late import make_pages_late
from browser.server import JupyterServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser, BrowserContext, Page

# Without a sandbox (containers), a GPU, and calls to the outside.
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
VIEWPORT = ViewportSize(width=1280, height=1600)  # charts out of sight are not drawn
expect.set_options(timeout=PATIENCE * 1000)
REPORT = "report"
# The files that take longest begin first: a long one that begins last leaves the other workers without work.
LONGEST = [
    "test_site",
    "test_looks",
    "test_heap",
    "test_picture",
    "test_print",
    "test_sweeps",
    "test_hosts",
    "test_viewers",
]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    places = {name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get(item.path.stem, len(LONGEST)))


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JupyterServer]:
    server = JupyterServer(tmp_path_factory.mktemp("jupyter"))
    yield server
    server.stop()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = chromium.find()
    assert path, chromium.HELP
    OUTPUT.mkdir(exist_ok=True)
    with sync_playwright() as playwright, pytest.MonkeyPatch.context() as patch:
        make_pages_late(patch)
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def context(browser: Browser) -> Iterator[BrowserContext]:
    """One context for all tests: JupyterLab's own files are loaded once."""
    context = browser.new_context(viewport=VIEWPORT, reduced_motion="reduce")
    yield context
    context.close()


@pytest.fixture(scope="session")
def spare_pages() -> list[Page]:
    """Pages that show a JupyterLab without a notebook."""
    return []


@pytest.fixture
def lab(
    context: BrowserContext, spare_pages: list[Page], server: JupyterServer, request: pytest.FixtureRequest
) -> Iterator[Lab]:
    """A page on the server; the test fails when the page's console has shown an error."""
    yield from page_of(context, server, request, spare_pages)


@pytest.fixture(scope="module")
def lab_of_module(
    context: BrowserContext, spare_pages: list[Page], server: JupyterServer, request: pytest.FixtureRequest
) -> Iterator[Lab]:
    """One page for all tests of a module, which then share its notebook, its kernel and what its console has shown."""
    yield from page_of(context, server, request, spare_pages)


@pytest.fixture
def lab_at_2x(browser: Browser, server: JupyterServer, request: pytest.FixtureRequest) -> Iterator[Lab]:
    """The same on a screen of two pixels to the CSS pixel."""
    context = browser.new_context(viewport=VIEWPORT, reduced_motion="reduce", device_scale_factor=2)
    yield from page_of(context, server, request)
    context.close()


def page_of(
    context: BrowserContext,
    server: JupyterServer,
    request: pytest.FixtureRequest,
    spare_pages: list[Page] | None = None,
) -> Iterator[Lab]:
    """A page of a context. With `spare_pages` it is one of them where there is one, and goes back to them."""
    page = spare_pages.pop() if spare_pages else context.new_page()
    lab = Lab(page, server)
    failures = request.session.testsfailed
    yield lab
    has_failed = request.session.testsfailed > failures
    if has_failed:
        page.screenshot(path=OUTPUT / f"failed-{Path(request.node.name).stem}.png")
    errors = lab.unexpected()
    if spare_pages is None or has_failed or errors or not lab.leave():
        page.close()
    else:
        page.set_viewport_size(VIEWPORT)
        spare_pages.append(page)
    server.shut_down_kernels()
    assert not errors, f"errors on the page's console: {errors}"


@pytest.fixture
def report(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Say something at the end of the whole session: timings, which decide no test."""
    return lambda line: request.node.user_properties.append((REPORT, line))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for outcome in ("passed", "failed"):
        for result in terminalreporter.getreports(outcome):
            for name, line in result.user_properties if result.when == "call" else ():
                if name == REPORT:
                    terminalreporter.write_line(line)
