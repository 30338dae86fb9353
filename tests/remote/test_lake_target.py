"""A lake as a target, on a plain path and on a local S3."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from remote.local_s3 import BEFORE, CUT, LOST, SLOW, LocalS3
from remote.target_contract import Stored, TargetContract, batch, points, rows
from trackbook.remote import lake_tables
from trackbook.remote.lake_store import LakeStore
from trackbook.remote.lake_tables import Lake
from trackbook.remote.lake_target import LakeTarget
from trackbook.types import CAPTURED, Cursor


def stored(where: str, run_id: str) -> Stored | None:
    store = LakeStore(Lake(where), "digits")
    run = store.run(run_id)
    if run is None:
        return None
    return Stored(run, rows(store.read(run_id)), {row[0]: row for row in store.captured(run_id, "console")})


class TestLakeOnPath(TargetContract):
    def open(self, place: Any, source: str = "source") -> LakeTarget:
        return LakeTarget(str(place), project="digits", source=source)

    def stored(self, place: Any, run_id: str) -> Stored | None:
        return stored(str(place), run_id)

    @pytest.fixture
    def place(self, tmp_path: Path) -> str:
        return str(tmp_path / "a lake")


class TestLakeOnS3(TestLakeOnPath):
    @pytest.fixture
    def place(self, s3: LocalS3) -> str:  # type: ignore[override]  # pytest passes fixtures by name
        return f"s3://{s3.bucket()}/team"


class TestLakeOfLargeBatches(TestLakeOnPath):
    """Each batch is as one of millions of points."""

    @pytest.fixture(autouse=True)
    def few_are_many(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(lake_tables, "MANY_ROWS", 1)


@pytest.fixture
def where(s3: LocalS3) -> Iterator[str]:
    yield f"s3://{s3.bucket()}/team"
    s3.fault = lambda _method, _path: None


def put_all(where: str, end: int, size: int) -> None:
    """Upload points as an uploader does: again and again, from the cursor, whatever fails."""
    for _ in range(200):
        target = LakeTarget(where, project="digits", source="one")
        try:
            at = target.cursor("r1") or Cursor()
            while at.ordinal < end:
                at = target.put(batch(at.ordinal, min(end, at.ordinal + size)))
        except OSError:
            continue
        return
    raise AssertionError("it does not converge")


@pytest.mark.parametrize("seed", range(4))
def test_faults_of_any_request_lose_and_double_nothing(s3: LocalS3, where: str, seed: int) -> None:
    chance = random.Random(seed)
    s3.fault = lambda _method, _path: chance.choice([BEFORE, LOST, CUT, SLOW]) if chance.random() < 0.2 else None
    put_all(where, 60, 20)
    s3.fault = lambda _method, _path: None
    found = stored(where, "r1")
    assert found is not None
    assert found.points == rows(points("loss", 0, 60))


def test_the_tables_of_a_lake_have_names_of_their_own() -> None:
    assert not {"points", "runs", "blobs"} & CAPTURED.keys()
