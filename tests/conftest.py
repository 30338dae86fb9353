from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import hypothesis
import pytest

from processes import let_rest
from trackbook.api.process import process_if_made

if TYPE_CHECKING:
    from command_lines import CommandLine
    from shells import Shell

# Two busy cores make slow examples, which say nothing; in CI the same examples every time.
hypothesis.settings.register_profile("trackbook", deadline=None, derandomize="CI" in os.environ)
hypothesis.settings.load_profile("trackbook")
hypothesis.settings.register_profile(
    "fuzz", hypothesis.settings.get_profile("trackbook"), max_examples=2_000, derandomize=False
)
hypothesis.settings.register_profile("brief", hypothesis.settings.get_profile("trackbook"), max_examples=25)

BROWSER = Path(__file__).parent / "browser"
BROWSER_SECONDS = 600  # after which a test hangs; the first of a module waits for its notebook, too


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--built", type=Path, help="the folder of the sdist and wheel to test; by default they are built")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: item.get_closest_marker("first") is None)
    for item in items:
        if item.path.is_relative_to(BROWSER):
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.timeout(config.getoption("timeout") or BROWSER_SECONDS))


def pytest_collection_finish() -> None:
    """Freeze all loaded objects: IPython collects garbage after each of its tests, which takes 0.1 s."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def store_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let no test use the user's own store."""
    path = tmp_path / "store"
    monkeypatch.setenv("TRACKBOOK_DIR", str(path))
    monkeypatch.setenv("TRACKBOOK_CAPTURE", "none")
    return path


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Shell]:
    """An IPython shell that has the magics."""
    from shells import ipython

    with ipython(tmp_path, monkeypatch, capsys) as made:
        yield made


@pytest.fixture
def trackbook_command(capsys: pytest.CaptureFixture[str]) -> CommandLine:
    """The program `trackbook`, in this process."""
    from command_lines import CommandLine

    return CommandLine(capsys)


@pytest.fixture(autouse=True)
def rest() -> Iterator[None]:
    yield
    process = process_if_made()
    if process is not None:
        let_rest(process)
