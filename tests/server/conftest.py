from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from servers import Served
from trackbook.server.access import Access


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    served = Served(tmp_path, Access())
    yield served
    served.close()


@pytest.fixture
def writing(tmp_path: Path) -> Iterator[Served]:
    """The same with permission to change runs."""
    served = Served(tmp_path, Access(may_write=True))
    yield served
    served.close()
