"""Lakes on paths for tests."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

pytest.importorskip("deltalake")

from remote.target_contract import OTHER, RUN, batch
from trackbook.remote.lake_target import LakeTarget


def fill(where: Path, project: str = "digits") -> LakeTarget:
    """Upload two runs, the first of which still runs."""
    target = LakeTarget(str(where), project=project, source="one")
    target.put(batch(0, 5, dataclasses.replace(RUN, state="running")))
    target.put(batch(0, 3, dataclasses.replace(OTHER, state="finished", ended=2_010.0)))
    return target
