"""The documentation site builds without warnings, loads nothing from other hosts, and its boards draw."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from browser.lab import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

ROOT = Path(__file__).parents[2]
LOADED = {"script": "src", "link": "href", "img": "src", "iframe": "src", "source": "src", "video": "src"}
NOTEBOOKS = [path.stem for path in (ROOT / "notebooks").glob("*.ipynb")]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    build = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", folder]
    environment = os.environ | {"NO_MKDOCS_2_WARNING": "1"}  # an advertisement of the theme's
    done = subprocess.run(build, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    assert "WARNING" not in done.stderr
    return folder


@pytest.fixture(scope="module")
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1400, "height": 1000})
    yield context.new_page()
    context.close()


class Loads(HTMLParser):
    """The addresses that a page's markup loads."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if address := given.get(LOADED.get(tag, "")):
            self.addresses.append(address)


def test_markup_and_styles_of_the_site_load_nothing_from_elsewhere(site: Path) -> None:
    pages = list(site.rglob("*.html"))
    assert len(pages) > 15
    for path in pages:
        foreign = [one for one in Loads(path.read_text()).addresses if re.match(r"(https?:)?//", one)]
        assert foreign == [], path.relative_to(site)
    for path in site.rglob("*.css"):
        assert re.findall(r"(?:url\(|@import)\s*[\"']?(?:https?:)?//[^)\"']+", path.read_text()) == [], path.name


def test_pages_request_nothing_from_elsewhere(site: Path, page: Page) -> None:
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    for path in sorted(site.rglob("index.html")):
        page.goto(path.as_uri())
        page.wait_for_load_state("networkidle")
    assert len(requests) > 15
    assert [url for url in requests if not url.startswith((site.as_uri(), "data:", "blob:"))] == []


@pytest.mark.parametrize("notebook", NOTEBOOKS)
def test_boards_of_an_executed_notebook_draw_in_its_page(site: Path, page: Page, notebook: str) -> None:
    page.goto((site / "notebooks" / notebook / "index.html").as_uri())
    board = page.locator(".tb-board").first
    board.scroll_into_view_if_needed(timeout=PATIENCE * 1000)
    board.locator(".tb-chart[data-drawn]").first.wait_for(timeout=PATIENCE * 1000)
