"""Upkeep of a lake while others write to it: fewer and larger files, sorted ones, and files that nothing needs any more deleted."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from deltalake.exceptions import CommitFailedError

from .lake_errors import plainly
from .lake_tables import SCHEMAS, WRITER, Lake, Rows
from .target import TargetBusy

if TYPE_CHECKING:
    from deltalake import DeltaTable

WEEK_HOURS: Final = 168  # a reader or writer that began with a file may still need it
_SETTLED_SECONDS: Final = 600.0  # after which rows of `runs` are replaced by the newest of each run
_ATTEMPTS: Final = 5


class Files(NamedTuple):
    """What was done to the files of a table."""

    table: str
    before: int
    after: int


def exists(where: str) -> bool:
    """Whether there is a lake."""
    return Lake(where).find("points") is not None


def optimize(where: str, now: float | None = None) -> list[Files]:
    """Merge the small files of a lake, and drop rows of `runs` that newer ones replace. Points that are sorted stay sorted in each file."""
    lake = Lake(where)
    _drop_replaced_rows(lake, time.time() if now is None else now)
    return _each(lake, lambda name, table: table.optimize.compact(writer_properties=_writer(name)))


def zorder(where: str) -> list[Files]:
    """Write the points anew, sorted by metric and step over all files of a run, so that one metric is in few of them."""
    lake = Lake(where)
    return _each(
        lake, lambda _, table: table.optimize.z_order(["metric", "step"], writer_properties=WRITER), ["points"]
    )


def vacuum(where: str, hours: int = WEEK_HOURS, *, only_list: bool = False) -> dict[str, int]:
    """Delete files that no version of the last `hours` needs; return how many, by table. With `only_list` nothing is deleted."""
    lake, found = Lake(where), {}
    for name in SCHEMAS:
        table = lake.find(name)
        if table is None:
            continue
        with plainly(lake.name):
            deleted = table.vacuum(hours, dry_run=only_list, enforce_retention_duration=False, full=True)
            if not only_list:
                table.create_checkpoint()
                table.cleanup_metadata()
        found[name] = len(deleted)
    return found


def _writer(name: str) -> Any:
    return WRITER if name == "points" else None


def _each(lake: Lake, change: Callable[[str, DeltaTable], Any], names: list[str] | None = None) -> list[Files]:
    done = []
    for name in names or SCHEMAS:
        table = lake.find(name)
        if table is None:
            continue
        before = len(table.file_uris())
        for _ in range(_ATTEMPTS):
            try:
                with plainly(lake.name):
                    change(name, table)
                break
            except CommitFailedError:  # a writer has replaced or deleted what was to be merged
                lake.forget(name)
                table = lake.known(name)
        else:
            raise TargetBusy(f"{lake.name}: writers replace points of table {name!r} all the time; try again later")
        done.append(Files(name, before, len(table.file_uris())))
    return done


def _drop_replaced_rows(lake: Lake, now: float) -> None:
    if lake.find("runs") is None:
        return
    settled = f"uploaded < {now - _SETTLED_SECONDS}"

    def newest(table: DeltaTable) -> tuple[Rows, dict[str, int]] | None:
        rows = lake.scan(table, [*SCHEMAS["runs"]], settled)
        kept = rows.sort("revision").unique(["project", "run_id"], keep="last", maintain_order=True)
        return None if len(kept) == len(rows) else (Rows(kept, settled), {})

    lake.commit("runs", newest)
