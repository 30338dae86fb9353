from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from remote.fake_hub import FakeHub
from servers import Served
from trackbook.server.access import Access
from trackbook.server.tokens import TokenFile


@pytest.fixture
def hub_server(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeHub]:
    """A Hub, at which this process is logged in. Files go to it by HTTP: Xet, the Hub's own transfer, needs the real one."""
    constants = pytest.importorskip("huggingface_hub.constants")
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
    made = FakeHub()
    monkeypatch.setattr(constants, "ENDPOINT", made.address)  # made of HF_ENDPOINT when it was imported, as is the next
    template = f"{made.address}/{{repo_id}}/resolve/{{revision}}/{{filename}}"
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
    monkeypatch.setenv("HF_ENDPOINT", made.address)
    monkeypatch.setenv("HF_TOKEN", "hf_writer")
    yield made
    made.stop()


@pytest.fixture
def tokens(tmp_path: Path) -> TokenFile:
    return TokenFile(tmp_path / "server")


@pytest.fixture
def served(tmp_path: Path, tokens: TokenFile) -> Iterator[Served]:
    """A server that takes uploads."""
    served = Served(tmp_path / "server", Access(tokens=tokens), takes_uploads=True)
    yield served
    served.close()
