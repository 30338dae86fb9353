"""The three hosts of a board, which open the same projects: a notebook, a server, and an exported page."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import parse_qs, urlencode

from browser.lab import PATIENCE, Board

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page

    from browser.lab import Lab
    from browser.served import Served

CELLS = (
    "import json, pathlib\nimport trackbook as tb",
    """
asked = json.loads(pathlib.Path("asked.json").read_text())
board = tb.board(asked["project"])
if asked["view"] is not None:
    board.view(asked["view"])
board
""",
    "print(json.dumps(board.view()))",
)
PARAMETERS = {"shown_metrics": "metrics"}  # settings that have another name in addresses


class Host(Protocol):
    """A host. `may_write` says whether runs can be changed in it."""

    page: Page
    may_write: bool

    def open(self, project: str, **view: Any) -> Board:
        """Show a project with these settings, all others at their defaults."""

    def reopen(self) -> Board:
        """Show the same again, as a user does."""

    def view(self) -> dict[str, str]:
        """The settings as text, by their names in addresses: those that are not at their defaults."""


class Notebook:
    """JupyterLab, whose settings are attributes of the board."""

    may_write = True

    def __init__(self, lab: Lab) -> None:
        self._lab = lab
        self.page = lab.page
        lab.write_and_open("hosts", *CELLS)
        lab.run_to_end(0)

    def open(self, project: str, **view: Any) -> Board:
        return self._show({"project": project, "view": view})

    def reopen(self) -> Board:
        return self._show({**json.loads(self._asked.read_text()), "view": None})

    def _show(self, asked: dict[str, Any]) -> Board:
        self._asked.write_text(json.dumps(asked))
        self._lab.run_to_end(1)
        return self._lab.board(1).wait()

    @property
    def _asked(self) -> Path:
        return self._lab.server.root / "asked.json"

    def view(self) -> dict[str, str]:
        self._lab.run_to_end(2)
        printed = self._lab.cell(2).locator(".jp-OutputArea-output pre").first.inner_text()
        return {PARAMETERS.get(name, name): as_text(value) for name, value in json.loads(printed).items()}


class Addressed:
    """A page whose settings are in its address. It has no errors on its console."""

    may_write = False

    def __init__(self, context: BrowserContext) -> None:
        self.page = context.new_page()
        self.page.set_default_timeout(PATIENCE * 1000)
        self.errors: list[str] = []
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("console", lambda said: said.type == "error" and self.errors.append(said.text))

    def show(self, address: str, view: dict[str, Any]) -> Board:
        query = urlencode({PARAMETERS.get(name, name): as_text(value) for name, value in view.items()})
        self.page.goto(f"{address}{'&' if '?' in address else '?'}{query}")
        return Board(self.page.locator(".tb-board").first).wait()

    def reopen(self) -> Board:
        self.page.reload()
        return Board(self.page.locator(".tb-board").first).wait()

    def view(self) -> dict[str, str]:
        search: str = self.page.evaluate("() => location.search.slice(1)")
        return {name: texts[-1] for name, texts in parse_qs(search, keep_blank_values=True).items()}


class Site(Addressed):
    """The site of a server."""

    def __init__(self, context: BrowserContext, served: Served) -> None:
        super().__init__(context)
        self._served = served
        self.page.goto(served.entrance)

    def open(self, project: str, **view: Any) -> Board:
        """Show a project. Its page opens the panel unless the address says otherwise."""
        return self.show(self._served.address(f"?{urlencode({'project': project})}"), {"panel": "", **view})


class Exported(Addressed):
    """Exported pages, by project."""

    def __init__(self, context: BrowserContext, pages: dict[str, Path]) -> None:
        super().__init__(context)
        self._pages = pages

    def open(self, project: str, **view: Any) -> Board:
        return self.show(self._pages[project].as_uri(), view)


def as_text(value: Any) -> str:
    """Return the value of a setting as addresses have it. Names here need no escapes."""
    if isinstance(value, dict):
        return ",".join(":".join(map(as_text, [name, *_items(item)])) for name, item in value.items())
    if isinstance(value, list):
        return ",".join(map(as_text, value))
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


def _items(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
