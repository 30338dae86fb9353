from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from remote.fake_hub import FakeHub
from servers import Served
from trackbook.server.access import Access
from trackbook.server.tokens import TokenFile

if TYPE_CHECKING:
    from remote.local_s3 import LocalS3


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


@pytest.fixture(scope="module")
def s3() -> Iterator[LocalS3]:
    """A local S3, which the environment names."""
    from remote.local_s3 import LocalS3  # needs moto

    server = LocalS3()
    with pytest.MonkeyPatch.context() as patch:
        for name, value in server.environment.items():
            patch.setenv(name, value)
        yield server
    server.close()


@pytest.fixture
def tokens(tmp_path: Path) -> TokenFile:
    return TokenFile(tmp_path / "server")


@pytest.fixture
def served(tmp_path: Path, tokens: TokenFile) -> Iterator[Served]:
    """A server that takes uploads."""
    served = Served(tmp_path / "server", Access(tokens=tokens), takes_uploads=True)
    yield served
    served.close()
