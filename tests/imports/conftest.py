from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from trackbook.store.sqlite import SqliteStore


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    """Give a store in a file."""
    made = SqliteStore(tmp_path / "ours.db", "p")
    yield made
    made.close()
