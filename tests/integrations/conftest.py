from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from processes import own_process
from trackbook.api.process import Process
from trackbook.integrations.adapters import adapters, autolog

TRAINERS = Path(__file__).parent / "trainers"


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave the tests against real libraries to `make test-trainers`, whose environment has these libraries."""
    asked = config.getoption("markexpr") == "trainers"
    return True if collection_path.is_relative_to(TRAINERS) and not asked else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(TRAINERS):
            item.add_marker(pytest.mark.trainers)


@pytest.fixture(autouse=True)
def process(monkeypatch: pytest.MonkeyPatch) -> Iterator[Process]:
    """Give each test a `Process` of its own."""
    with own_process(monkeypatch) as made:
        yield made


@pytest.fixture(autouse=True)
def quiet_end() -> Iterator[None]:
    """Switch everything off after a test, and forget what failed in it."""
    yield
    autolog(False)
    adapters._failed.clear()
    assert not adapters._activations
