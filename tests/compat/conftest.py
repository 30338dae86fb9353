from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest

from processes import own_process
from trackbook import user_warnings
from trackbook.api.process import Process
from trackbook.compat import uninstall
from trackbook.compat.following import stop_following
from trackbook.compat.tracker_modules import TRACKERS


@pytest.fixture(autouse=True)
def nothing_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let each test be the first to hear of something."""
    monkeypatch.setattr(user_warnings, "_said", set())


@pytest.fixture(autouse=True)
def process(monkeypatch: pytest.MonkeyPatch) -> Iterator[Process]:
    """Give each test a `Process` of its own."""
    with own_process(monkeypatch) as made:
        yield made


@pytest.fixture(autouse=True)
def own_modules() -> Iterator[None]:
    """Undo what a test installs and imports."""
    yield
    stop_following()
    uninstall()
    for name in [name for name in sys.modules if name.partition(".")[0] in TRACKERS]:
        del sys.modules[name]
