"""Upkeep of a lake: by itself, and beside a writer."""

from __future__ import annotations

import dataclasses
import time
from pathlib import Path

import pytest

import trackbook as tb
from command_lines import CommandLine
from remote.lakes import fill
from remote.target_contract import OTHER, RUN, batch, points, rows
from trackbook.remote import lake_upkeep
from trackbook.remote.lake_store import LakeStore, open_lake
from trackbook.remote.lake_tables import Lake
from trackbook.remote.lake_target import LakeTarget
from trackbook.types import Cursor

IN_AN_HOUR = 3_600.0


def files(lake: Path, table: str) -> int:
    found = Lake(str(lake)).find(table)
    assert found is not None
    return len(found.file_uris())


@pytest.fixture
def lake(tmp_path: Path) -> Path:
    """A lake with two runs, the first of ten batches."""
    target = fill(tmp_path / "lake")
    for first in range(5, 50, 5):
        target.put(batch(first, first + 5, dataclasses.replace(RUN, notes=f"at {first}")))
    return tmp_path / "lake"


def check(lake: Path, end: int = 50) -> None:
    store = open_lake(str(lake))
    assert rows(store.read("r1")) == rows(points("loss", 0, end))
    assert rows(store.read("r2")) == rows(points("loss", 0, 3))
    assert [run.id for run in store.runs()] == ["r1", "r2"]
    assert store.summary("r1")["loss"].count == end


def test_optimize_merges_files_and_drops_replaced_rows(lake: Path) -> None:
    assert (files(lake, "points"), files(lake, "runs")) == (11, 11)
    lake_upkeep.optimize(str(lake), time.time() + IN_AN_HOUR)
    assert (files(lake, "points"), files(lake, "runs")) == (2, 1)
    assert len(LakeStore(Lake(str(lake)), "digits").runs()) == 2
    check(lake)


def test_rows_of_the_last_minutes_are_left_alone(lake: Path) -> None:
    lake_upkeep.optimize(str(lake))
    found = Lake(str(lake)).find("runs")
    assert found is not None
    assert found.count() == 11
    check(lake)


def test_zorder_sorts_over_all_files_of_a_run(lake: Path) -> None:
    done = lake_upkeep.zorder(str(lake))
    assert [(each.table, each.before, each.after) for each in done] == [("points", 11, 2)]
    check(lake)


def test_vacuum_deletes_only_what_no_recent_version_needs(lake: Path) -> None:
    lake_upkeep.optimize(str(lake), time.time() + IN_AN_HOUR)
    before = len([*lake.rglob("*.parquet")])
    assert sum(lake_upkeep.vacuum(str(lake)).values()) == 0
    unneeded = lake_upkeep.vacuum(str(lake), 0, only_list=True)
    assert len([*lake.rglob("*.parquet")]) >= before
    assert sum(lake_upkeep.vacuum(str(lake), 0).values()) == sum(unneeded.values()) == 21
    check(lake)


def test_a_writer_goes_on_beside_upkeep(lake: Path) -> None:
    """It knows the tables as they were before each step of the upkeep."""
    target = LakeTarget(str(lake), project="digits", source="one")
    end = 50
    for upkeep in (
        lambda: lake_upkeep.optimize(str(lake), time.time() + IN_AN_HOUR),
        lambda: lake_upkeep.zorder(str(lake)),
        lambda: lake_upkeep.vacuum(str(lake), 0),
    ):
        assert target.put(batch(end, end + 5, dataclasses.replace(RUN, notes=f"at {end}"))) == Cursor(0, end + 5)
        end += 5
        upkeep()
    target.put(batch(end, end + 5))
    check(lake, end + 5)


def test_a_replaced_run_stays_replaced(lake: Path) -> None:
    target = LakeTarget(str(lake), project="digits", source="one")
    cut = dataclasses.replace(batch(0, 3, OTHER), start=Cursor(0, 3), end=Cursor(1, 3), replaces=True)
    stale = LakeTarget(str(lake), project="digits", source="one")
    stale.cursor("r2")
    target.put(cut)
    lake_upkeep.optimize(str(lake), time.time() + IN_AN_HOUR)
    assert stale.put(batch(3, 6, OTHER)) == Cursor(1, 3)
    check(lake)


def test_the_commands_say_what_they_did(lake: Path, trackbook_command: CommandLine) -> None:
    assert trackbook_command("lake", "zorder", str(lake), "--json").json == [
        {"table": "points", "before": 11, "after": 2}
    ]
    assert "points" in trackbook_command("lake", "optimize", str(lake)).out
    assert trackbook_command("lake", "vacuum", str(lake), "--json").json["files"] == {"points": 0, "runs": 0}
    missing = trackbook_command("lake", "optimize", str(lake / "none"))
    assert missing.code != 0
    assert "there is no lake at" in missing.err
    assert len(tb.runs(lake.as_uri())) == 2
