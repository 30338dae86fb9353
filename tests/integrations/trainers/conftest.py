"""Real libraries, on the CPU and without a network."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

import trackbook as tb

os.environ.setdefault("KERAS_BACKEND", "torch")
os.environ |= {"HF_HUB_OFFLINE": "1", "CUDA_VISIBLE_DEVICES": "", "TQDM_DISABLE": "1"}


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let libraries write their logs and checkpoints here."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def autolog() -> Iterator[None]:
    """Follow all training calls of a test."""
    tb.autolog()
    yield
    tb.autolog(False)
