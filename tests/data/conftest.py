from __future__ import annotations

import pytest

from trackbook.data import importing


@pytest.fixture(autouse=True)
def trusted_files(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Import without a trial in another process, which takes half a second, except where that is tested."""
    if "trial" not in request.node.name:
        monkeypatch.setattr(importing, "_try_in_another_process", lambda _: None)
