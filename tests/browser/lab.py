"""A page object over Playwright, by which tests use JupyterLab as a person does."""

from __future__ import annotations

import shutil
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nbformat
from PIL import Image

import trackbook
from browser.scripts import CONSECUTIVE, FAINT, OF_LINES, POINTS, QUIET

if TYPE_CHECKING:
    from collections.abc import Mapping

    from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, Route

    from browser.server import JupyterServer

OUTPUT = Path(__file__).parent / "output"
BUNDLE = Path(trackbook.__file__).parent / "_static" / "trackbook.js"
SITE = "http://trackbook.test/"

PATIENCE = 300  # seconds; a busy machine is slow, and no test is about how fast it is

# The hosts' own noise on the console; whatever else appears there as an error fails the test.
KNOWN_NOISE = (  # Notebook 7.6, as it starts
    "Cannot read properties of undefined (reading 'schema')",
    "Command 'filebrowser:open-path' not registered",
)
# After a reload on a slow machine the host draws outputs before it has asked the kernel for its widgets, and again when it has them.
RELOAD_NOISE = "widget model not found"

THEMES = {
    "light": "JupyterLab Light",
    "dark": "JupyterLab Dark",
    "dark high contrast": "JupyterLab Dark High Contrast",
}


# Scroll to a chart, as what is out of view is not drawn; tell whether it is drawn, or was replaced.
DRAWN_IN_VIEW = """(chart) => {
    chart.scrollIntoView({ block: "nearest" });
    return chart.dataset.drawn !== undefined || !chart.isConnected;
}"""
OPEN = "(path) => window.jupyterapp.commands.execute('docmanager:open', { path })"
LEAVE = """() => {
    if (window.jupyterapp?.name !== "JupyterLab") return false;
    for (const widget of [...window.jupyterapp.shell.widgets("main")]) widget.dispose();
    return true;
}"""


class Lab:
    """A page on a JupyterLab. The page may show one already, which opens its next notebook without loading again."""

    def __init__(self, page: Page, server: JupyterServer) -> None:
        self.page = page
        self.server = server
        self.errors: list[str] = []
        self._was_reloaded = False
        self.dialogs: list[str] = []
        self._is_warm = page.url.startswith(f"{server.url}/lab")
        page.set_default_timeout(PATIENCE * 1000)
        page.on("console", self._on_console)
        page.on("pageerror", self._on_page_error)
        page.on("dialog", self._on_dialog)

    def leave(self) -> bool:
        """Close the notebooks, and return whether another test may use the page."""
        self.page.remove_listener("console", self._on_console)
        self.page.remove_listener("pageerror", self._on_page_error)
        self.page.remove_listener("dialog", self._on_dialog)
        self.page.emulate_media(
            media="null", color_scheme="null", forced_colors="null", contrast="null", reduced_motion="reduce"
        )
        return not self._was_reloaded and bool(self.page.evaluate(LEAVE))

    def _on_page_error(self, error: Any) -> None:
        self._note(f"uncaught: {error}")

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self._note(f"{message.text} ({message.location.get('url', '')})")

    def _note(self, error: str) -> None:
        if not any(noise in error for noise in KNOWN_NOISE):
            self.errors.append(error)

    def _on_dialog(self, dialog: Any) -> None:
        self.dialogs.append(dialog.message)
        dialog.accept()  # "leave this page?" at a reload; a test that expects none looks at `dialogs`

    def forgive(self, text: str) -> None:
        """Remove expected errors with this text from the list; there must be some."""
        kept = [error for error in self.errors if text not in error]
        assert len(kept) < len(self.errors), f"no error with {text!r} on the console: {self.errors}"
        self.errors = kept

    def unexpected(self) -> list[str]:
        """Return the errors on the console but those that a reload may cause."""
        return [error for error in self.errors if not (self._was_reloaded and RELOAD_NOISE in error)]

    # --- notebooks

    def write(self, name: str, *cells: str) -> Path:
        """Write a notebook of these code cells into the server's folder."""
        notebook = nbformat.v4.new_notebook(
            cells=[nbformat.v4.new_code_cell(source) for source in cells],
            metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
        )
        path = self.server.root / f"{name}.ipynb"
        nbformat.write(notebook, path)
        return path

    def copy(self, notebook: Path) -> str:
        """Copy a notebook into the server's folder and return its name."""
        shutil.copy(notebook, self.server.root)
        return notebook.stem

    def open(self, name: str, *, theme: str = "light") -> None:
        """Open a notebook in a fresh workspace, without the side bar, and wait for its kernel."""
        if self._is_warm:
            self.page.evaluate(OPEN, f"{name}.ipynb")
        else:
            self.page.goto(f"{self.server.url}/lab/tree/{name}.ipynb?reset&token={self.server.token}")
        self._is_warm = False
        self.page.locator(".jp-NotebookPanel .jp-Notebook").wait_for()
        self.wait_until_idle()
        self.set_theme(theme)
        self.page.evaluate("""() => {
            const shell = window.jupyterapp.shell;
            shell.collapseLeft();
            shell.collapseRight();
        }""")

    def open_in_notebook_7(self, name: str) -> None:
        """Open a notebook in the page that Notebook 7 has for it; most else works there as in JupyterLab."""
        self.page.goto(f"{self.server.url}/notebooks/{name}.ipynb?token={self.server.token}")
        self.page.locator(".jp-NotebookPanel .jp-Notebook").wait_for()
        self.wait_until_idle()

    def reload(self) -> None:
        self._was_reloaded = True
        self.page.reload()
        self.page.locator(".jp-NotebookPanel .jp-Notebook").wait_for()

    def write_and_open(self, name: str, *cells: str, theme: str = "light") -> None:
        self.write(name, *cells)
        self.open(name, theme=theme)

    def save(self) -> None:
        self.page.evaluate("() => window.jupyterapp.commands.execute('docmanager:save')")

    # --- cells

    def cell(self, number: int) -> Locator:
        return self.page.locator(".jp-NotebookPanel .jp-CodeCell").nth(number)

    def run(self, number: int) -> None:
        """Start to run a cell, and return at once."""
        self.cell(number).locator(".jp-InputArea-editor").click()
        self.page.keyboard.press("Control+Enter")

    def run_to_end(self, number: int, *, seconds: float = PATIENCE) -> None:
        self.run(number)
        self.wait_until_done(number, seconds=seconds)

    def is_busy(self, number: int) -> bool:
        return self.cell(number).locator(".jp-InputPrompt").inner_text().strip() == "[*]:"

    def wait_until_done(self, number: int, *, seconds: float = PATIENCE) -> None:
        self.page.wait_for_function(
            r"""(number) => /^\[\d+\]:$/.test(document.querySelectorAll(".jp-NotebookPanel .jp-CodeCell")[number]
                .querySelector(".jp-InputPrompt").innerText.trim())""",
            arg=number,
            timeout=seconds * 1000,
        )
        self.wait_until_idle()

    def wait_until_idle(self, *, seconds: float = PATIENCE) -> None:
        """Wait until the kernel itself is idle. The indicator on the toolbar says "idle" before the kernel exists."""
        self.page.wait_for_function(
            """() => {
                const context = window.jupyterapp.shell.currentWidget?.sessionContext;
                return context?.isReady && context.session?.kernel?.status === "idle";
            }""",
            timeout=seconds * 1000,
        )

    # --- the board

    def board(self, number: int = 0, *, view: int = 0) -> Board:
        """Return the board in the output of a cell, or the n-th of them."""
        return Board(self.cell(number).locator(".tb-board").nth(view))

    # --- the page

    def set_theme(self, theme: str) -> None:
        self.page.evaluate(
            "(theme) => window.jupyterapp.commands.execute('apputils:change-theme', { theme })", THEMES[theme]
        )
        self.page.locator(f"body[data-jp-theme-name='{THEMES[theme]}']").wait_for(state="attached")

    def wait_for_quiet(self) -> None:
        """Wait until no chart on the page has changed for ten animation frames."""
        self.page.evaluate(QUIET)

    def set_size(self, width: int, height: int = 900) -> None:
        self.page.set_viewport_size({"width": width, "height": height})


class Board:
    """A board on the page, read through its DOM hooks and the Vega view of each chart."""

    def __init__(self, root: Locator) -> None:
        self.root = root
        self.page = root.page

    def wait(self, *, seconds: float = PATIENCE) -> Board:
        """Wait until the board is on the page and all its charts are drawn."""
        self.root.wait_for(timeout=seconds * 1000)
        self.root.scroll_into_view_if_needed()
        self.root.locator(".tb-chart").first.wait_for(timeout=seconds * 1000)
        undrawn = self.root.locator(".tb-chart:not([data-drawn])")
        while charts := undrawn.element_handles():
            self.page.wait_for_function(DRAWN_IN_VIEW, arg=charts[0], timeout=seconds * 1000)
        return self

    def chart(self, metric: str) -> Locator:
        # Not by selector: a metric may be named anything.
        charts = self.root.locator(".tb-chart")
        names = charts.evaluate_all("(charts) => charts.map((chart) => chart.dataset.metric)")
        if metric not in names:
            raise AssertionError(f"no chart of {metric!r} on the board, which shows {names}")
        return charts.nth(names.index(metric))

    def metrics(self) -> list[str]:
        return self.root.locator(".tb-chart").evaluate_all("(charts) => charts.map((chart) => chart.dataset.metric)")

    def groups(self) -> dict[str, list[str]]:
        return dict(
            self.root.locator(".tb-group").evaluate_all("""(groups) => groups.map((group) => [
                group.dataset.group,
                [...group.querySelectorAll(".tb-chart")].map((chart) => chart.dataset.metric),
            ])""")
        )

    def rows(self, metric: str) -> list[dict[str, Any]]:
        """Return the rows that the chart's Vega view holds now."""
        rows: list[dict[str, Any]] = self.chart(metric).evaluate(POINTS)
        return rows

    def steps(self, metric: str) -> list[int]:
        return [row["step"] for row in self.rows(metric)]

    def picture(self) -> dict[str, list[tuple[Any, ...]]]:
        """Return everything drawn, once all of it is: for each metric its (run, step, value), sorted."""
        self.wait().wait_for_quiet()
        return {
            metric: sorted((row["run"], row["step"], row["value"]) for row in self.rows(metric))
            for metric in self.metrics()
        }

    def runs(self) -> list[str]:
        return self.root.locator(".tb-run .tb-run-name").all_text_contents()

    def wait_for_chart(self, metric: str, *, seconds: float = PATIENCE) -> Board:
        """Wait until the board has a chart of this metric."""
        self.root.wait_for(timeout=seconds * 1000)
        self.root.scroll_into_view_if_needed()
        self.page.wait_for_function(
            "([board, metric]) => [...board.querySelectorAll('.tb-chart')].some((it) => it.dataset.metric === metric)",
            arg=[self.root.element_handle(), metric],
            timeout=seconds * 1000,
        )
        return self

    def wait_for_rows(self, metric: str, count: int, *, seconds: float = PATIENCE) -> Board:
        """Wait until the chart has drawn at least this many rows."""
        self.wait_for_chart(metric)
        self.page.wait_for_function(
            f"([chart, count]) => chart.view && ({OF_LINES})(chart).length >= count",
            arg=[self.chart(metric).element_handle(), count],
            timeout=seconds * 1000,
        )
        return self

    def smooth(self, amount: int) -> None:
        slider = self.root.locator("input.tb-smoothing")
        slider.fill(f"{amount / (amount + 1):.3f}")  # shows the weight of an exponential average
        slider.blur()

    def drag(self, metric: str, start: tuple[float, float], end: tuple[float, float]) -> None:
        """Drag over a chart, from and to shares of its plot area."""
        plot = self.chart(metric).locator(".tb-plot")
        plot.scroll_into_view_if_needed()
        box = plot.bounding_box()
        assert box
        places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in (start, end)]
        self.page.mouse.move(*places[0])
        self.page.mouse.down()
        self.page.mouse.move(*places[1], steps=4)
        self.page.mouse.up()

    def window(self, metric: str, axis: str) -> list[float] | None:
        """Return the zoomed range of a chart's axis, None without a zoom."""
        found: list[float] | None = self.chart(metric).evaluate(
            "(chart, name) => chart.view.signal(name)", f"{axis}_window"
        )
        return found

    def wait_for_window(self, metric: str, axis: str, *, zoomed: bool = True) -> None:
        self.page.wait_for_function(
            "([chart, name, zoomed]) => (chart.view.signal(name) !== null) === zoomed",
            arg=[self.chart(metric).element_handle(), f"{axis}_window", zoomed],
        )

    def wait_for_quiet(self) -> None:
        """Wait until no chart on the page has changed for ten animation frames."""
        self.page.evaluate(QUIET)

    def zoom_to_every_point(self, metric: str) -> None:
        """Zoom to a few hundred steps, and wait until the rows are the points themselves."""
        for share in (0.05, 0.1, 0.2):
            self.drag(metric, (0.5, 0.3), (0.5 + share, 0.32))
            self.wait_for_quiet()
        self.page.wait_for_function(CONSECUTIVE, arg=[self.chart(metric).element_handle(), 1000])

    def open_details(self) -> Locator:
        """Open the details of the newest run, which the panel lists first."""
        if not self.root.locator(".tb-panel").is_visible():
            self.root.locator(".tb-runs-button").click()
        self.root.locator(".tb-runs-rows > .tb-runs-row").first.wait_for()
        self.root.locator(".tb-runs").focus()
        for key in ("Home", "Enter"):
            self.page.keyboard.press(key)
        details = self.root.locator(".tb-run-details")
        details.wait_for()
        return details

    def box(self) -> dict[str, float]:
        box: dict[str, float] = self.root.evaluate("(board) => board.getBoundingClientRect().toJSON()")
        return box

    def faint(self) -> list[str]:
        """Return texts with less contrast than WCAG's AA requires (4.5), including those that the board adds to the page."""
        found: list[str] = self.root.evaluate(FAINT)
        return found

    def look(self, name: str | None = None, *, chart: str | None = None) -> Image.Image:
        """Take the picture of the board or of one chart; with a name, also keep it in the output folder."""
        shot = (self.chart(chart) if chart is not None else self.root).screenshot(animations="disabled")
        if name:
            (OUTPUT / f"{name}.png").write_bytes(shot)
        return Image.open(BytesIO(shot)).convert("RGB")


def serve(browser: Browser, files: Mapping[str, tuple[str, str]], headers: Mapping[str, str] | None = None) -> Page:
    """A page, in a context of its own, to which `SITE` has these files: kind and text by path."""
    page = browser.new_context(viewport={"width": 1000, "height": 800}).new_page()
    page.set_default_timeout(PATIENCE * 1000)

    def answer(route: Route) -> None:
        kind, body = files.get(route.request.url.removeprefix(SITE.rstrip("/")), ("image/x-icon", ""))  # it has no icon
        route.fulfill(body=body, headers={"Content-Type": kind, **(headers or {})})

    page.route("**/*", answer)
    return page
