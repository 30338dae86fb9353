from __future__ import annotations

from collections.abc import Iterator

import pytest

from remote.fake_hub import FakeHub


@pytest.fixture
def hub_server(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeHub]:
    """A Hub, at which this process is logged in. Files go to it by HTTP: Xet, the Hub's own transfer, needs the real one."""
    constants = pytest.importorskip("huggingface_hub.constants")
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
    made = FakeHub()
    monkeypatch.setenv("HF_ENDPOINT", made.address)
    monkeypatch.setenv("HF_TOKEN", "hf_writer")
    yield made
    made.stop()
