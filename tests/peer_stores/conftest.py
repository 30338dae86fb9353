"""The other trackers' own packages, in the environment of `make test-peers`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from processes import own_process
from trackbook.api.process import Process

HERE = Path(__file__).parent


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave these tests to `make test-peers`, whose environment has the trackers."""
    asked = config.getoption("markexpr") == "peers"
    return True if collection_path.is_relative_to(HERE) and not asked else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.peers)


@pytest.fixture(autouse=True)
def process(monkeypatch: pytest.MonkeyPatch) -> Iterator[Process]:
    """Give each test a `Process` of its own."""
    with own_process(monkeypatch) as made:
        yield made
