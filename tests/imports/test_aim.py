"""`tests/peer_stores` imports from Aim; here its package is not installed."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from foreign_stores import imported


def test_aims_package_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "aim", None)
    (tmp_path / ".aim").mkdir()
    with pytest.raises(ValueError, match=r"which only Aim's package can read: pip install aim"):
        imported(tmp_path)
