"""Target in a lake: the runs of many machines in tables on an object store, without a server.

A put makes at most two commits. The record comes first and the points, with the cursor of their source, last: what is interrupted in
between is sent again, because the cursor is where it was. Every commit of a run's points has the run's position as the version of a
transaction, so of two commits that begin at one position only one succeeds, and the other looks again at what is there.
"""

from __future__ import annotations

import dataclasses
import random
import time
from collections.abc import Collection, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import polars as pl

from ..store.base import POINTS
from ..store.metric_stats import MetricStats
from ..types import CAPTURED, ENDED, Cursor
from .lake_rows import Known, known, newest, row, sorted_points
from .lake_tables import SCHEMAS, Lake, Rows, app_id, of_run, text, to_cursor, to_version
from .target import NOTHING, Batch

if TYPE_CHECKING:
    from deltalake import DeltaTable

SHORTEST_SECONDS: Final = 30.0  # between two batches of a live run: 2,880 files a day
COMMITS_A_SECOND: Final = 4.0  # by all machines together: docs/lake.md has what stores take
_ROW_SECONDS: Final = 30.0  # between two rows of a live run whose record stays the same
_ROW_SHARE: Final = 0.05  # of a run's age, that its row may be old
_PART_BYTES: Final = 1 << 24  # of a file in one row
_JITTER: Final = 0.1  # of the interval, so that machines that began together do not commit together


class _Plan(NamedTuple):
    """How a batch changes a run that is at `before`."""

    before: Cursor | None
    after: Cursor
    points: pl.DataFrame  # of the table's schema
    metrics: MetricStats  # of all the run's points afterwards


class LakeTarget:
    """Uploads runs of one project of one source into a lake."""

    def __init__(self, where: str, *, project: str, source: str, token: str | None = None) -> None:
        """`token` is none of a lake's: the object store's own credentials count."""
        self._lake = Lake(where)
        self._project = project
        self._source = source
        self._known: dict[str, Known] = {}
        self._version: int | None = None
        self._seconds = SHORTEST_SECONDS

    @property
    def name(self) -> str:
        return self._lake.name

    @property
    def seconds(self) -> float:
        """The interval at which all machines that commit now make `COMMITS_A_SECOND`, at least `SHORTEST_SECONDS`."""
        return self._seconds * random.uniform(1 - _JITTER, 1 + _JITTER)  # noqa: S311  # no secret

    def cursors(self) -> dict[str, Cursor]:
        table, runs = self._lake.find("points"), self._lake.find("runs")
        if table is None or runs is None:
            return {}
        columns = ("run_id", "revision", "deleted", "sources")
        rows = newest(self._lake.scan(runs, columns, f"project = {text(self._project)}"))
        ours = rows.filter(pl.col("sources").list.contains(self._source))
        found = {run: self._cursor(table, run) for run in ours["run_id"]}
        return {run: cursor for run, cursor in found.items() if cursor is not None}

    def cursor(self, run_id: str) -> Cursor | None:
        table = self._lake.find("points")
        return None if table is None else self._cursor(table, run_id)

    def put(self, batch: Batch) -> Cursor:
        table = self._lake.table("points")
        self._pace(table.version())
        kept = self._cursor(table, batch.run.id)
        earlier = self._known.pop(batch.run.id, None)  # put back when all went well
        if (kept or NOTHING) != batch.start:
            return kept or NOTHING
        earlier = self._read_known(batch.run.id) if earlier is None else earlier
        plan = planned = self._plan(batch, table, earlier)
        later = self._put_record(batch, plan, earlier)
        if kept is None or batch.replaces or batch.end != batch.start:

            def points(table: DeltaTable) -> tuple[Rows, Mapping[str, int]] | None:
                nonlocal planned
                if (self._cursor(table, batch.run.id) or NOTHING) != batch.start:
                    return None
                if planned.before != self._position(table, batch.run.id):
                    planned = self._plan(batch, table, None)
                return self._points(batch, planned, earlier)

            if not self._lake.commit("points", points):
                return self.cursor(batch.run.id) or NOTHING
        if planned is not plan:
            later = self._put_row(dataclasses.replace(later, metrics=planned.metrics, position=planned.after))
        self._known[batch.run.id] = later
        return batch.end

    def delete(self, run_id: str) -> None:
        self._known.pop(run_id, None)
        earlier = self._read_known(run_id)
        if earlier is None:
            return
        condition = of_run(self._project, run_id)
        apps = [app_id(self._project, run_id, source) for source in {*earlier.sources, self._source}]

        def points(table: DeltaTable) -> tuple[Rows, Mapping[str, int]]:
            at = self._position(table, run_id) or NOTHING
            versions = {
                app_id(self._project, run_id): to_version(Cursor(at.generation + 1, 0)),
                **dict.fromkeys(apps, 0),
            }
            return Rows(pl.DataFrame(schema=SCHEMAS["points"]), condition), versions

        self._lake.commit("points", points)
        for name in CAPTURED:
            if self._lake.find(name) is not None:
                nothing = Rows(pl.DataFrame(schema=SCHEMAS[name]), condition)
                self._lake.commit(name, partial(_always, nothing))
        self._put_row(dataclasses.replace(earlier, is_deleted=True))

    def missing_files(self, names: Collection[str]) -> set[str]:
        table = self._lake.find("files")
        if table is None or not names:
            return set(names)
        listed = ", ".join(map(text, names))
        found = self._lake.scan(table, ["name"], f"name IN ({listed}) AND part = parts - 1")
        return set(names) - set(found["name"])

    def put_file(self, name: str, path: Path) -> None:
        if not self.missing_files([name]):
            return
        parts = max(1, -(-path.stat().st_size // _PART_BYTES))
        with path.open("rb") as file:
            for part in range(parts):
                values = {"name": name, "part": part, "parts": parts, "data": file.read(_PART_BYTES)}
                self._lake.commit("files", partial(_once, values, app_id("file", name, str(part))))

    def close(self) -> None:
        """Forget what is known of tables and runs."""
        self._known.clear()
        for name in SCHEMAS:
            self._lake.forget(name)

    def _cursor(self, table: DeltaTable, run_id: str) -> Cursor | None:
        return to_cursor(table.transaction_version(app_id(self._project, run_id, self._source)))

    def _position(self, table: DeltaTable, run_id: str) -> Cursor | None:
        """Return where the run is in the lake: how often its points were replaced, and how many there are."""
        return to_cursor(table.transaction_version(app_id(self._project, run_id)))

    def _read_known(self, run_id: str) -> Known | None:
        table = self._lake.find("runs")
        if table is None:
            return None
        rows = newest(self._lake.scan(table, [*SCHEMAS["runs"]], of_run(self._project, run_id)))
        return known(rows.row(0, named=True)) if len(rows) else None

    def _plan(self, batch: Batch, table: DeltaTable, earlier: Known | None) -> _Plan:
        """Return what the batch adds: points of metrics and steps that are not there yet."""
        before = self._position(table, batch.run.id)
        at = before or NOTHING
        fresh, metrics = batch.points, MetricStats()
        if batch.replaces:
            at = Cursor(at.generation + 1, 0)
        elif earlier is not None and earlier.position == at and earlier.sources <= {self._source}:
            metrics = earlier.metrics.copy()
        elif at.ordinal:
            condition = of_run(self._project, batch.run.id)
            there = self._lake.scan(table, ("metric", "step", "value"), condition).cast({"metric": POINTS["metric"]})
            sorted_points(there, metrics)
            fresh = fresh.join(there, on=["metric", "step"], how="anti", maintain_order="left")
        fresh = sorted_points(fresh, metrics)
        after = Cursor(at.generation, at.ordinal + len(fresh))
        labels = {"project": self._project, "run_id": batch.run.id}
        columns = [pl.lit(value).alias(name) for name, value in labels.items()]
        rows = fresh.select(
            *columns, pl.col("metric").cast(pl.String), "step", "value", "time", pl.lit(after.ordinal).alias("ordinal")
        )
        return _Plan(before, after, rows, metrics)

    def _points(self, batch: Batch, plan: _Plan, earlier: Known | None) -> tuple[Rows, Mapping[str, int]]:
        project, run = self._project, batch.run.id
        others = earlier.sources - {self._source} if batch.replaces and earlier is not None else ()
        versions = {app_id(project, run, other): 0 for other in others} | {
            app_id(project, run): to_version(plan.after),
            app_id(project, run, self._source): to_version(batch.end),
        }
        is_cut = batch.replaces and plan.before is not None and plan.before.ordinal > 0
        return Rows(plan.points, of_run(project, run) if is_cut else None), versions

    def _put_record(self, batch: Batch, plan: _Plan, earlier: Known | None) -> Known:
        """Write documents and the run's row, if the row says something new. Return what is known of the run afterwards."""
        sources = {self._source} | (earlier.sources if earlier is not None and not batch.replaces else set())
        later = Known(batch.run, plan.metrics, plan.after, frozenset(sources))
        if earlier is not None:
            later = dataclasses.replace(later, revision=earlier.revision, uploaded=earlier.uploaded)
        has_documents = any(batch.documents.values()) or any(batch.dropped.values())
        if not has_documents and earlier is not None and not self._is_due(later, earlier):
            return later
        revision = (0 if earlier is None else earlier.revision) + 1
        for name in CAPTURED:
            rows = captured_rows(self._project, batch, name, revision)
            if len(rows):
                self._lake.commit(name, partial(_always, Rows(rows)))
        return self._put_row(later)

    def _is_due(self, later: Known, earlier: Known) -> bool:
        if later.run != earlier.run or later.sources != earlier.sources:
            return True
        if later.run.state in ENDED:
            return later.position != earlier.position
        age = time.time() - later.run.started
        return time.time() - earlier.uploaded > max(_ROW_SECONDS, _ROW_SHARE * age)

    def _put_row(self, later: Known) -> Known:
        app = app_id(self._project, later.run.id)
        written = later

        def next_row(table: DeltaTable) -> tuple[Rows, Mapping[str, int]]:
            nonlocal written
            revision = (table.transaction_version(app) or 0) + 1
            written = dataclasses.replace(later, revision=revision, uploaded=time.time())
            return Rows(row(self._project, written)), {app: revision}

        self._lake.commit("runs", next_row)
        return written

    def _pace(self, version: int) -> None:
        """Note how many commits all machines made since ours, which is how many machines there are."""
        if self._version is not None:
            self._seconds = max(SHORTEST_SECONDS, (version - self._version) / COMMITS_A_SECOND)
        self._version = version


def captured_rows(project: str, batch: Batch, name: str, revision: int) -> pl.DataFrame:
    """Return the rows of a captured table that a batch adds; a row for each dropped key has no values."""
    columns = [*CAPTURED[name]]
    rows = [(*map(_plain, each), False) for each in batch.documents.get(name, ())]
    rows += [(key, *[None] * (len(columns) - 1), True) for key in batch.dropped.get(name, ())]
    schema = {column: SCHEMAS[name][column] for column in [*columns, "dropped"]}
    frame = pl.DataFrame(rows, schema, orient="row")
    return frame.select(
        pl.lit(project).alias("project"),
        pl.lit(batch.run.id).alias("run_id"),
        pl.all(),
        pl.lit(revision).alias("revision"),
    )


def _plain(value: Any) -> Any:
    return int(value) if isinstance(value, bool) else value


def _always(rows: Rows, _: DeltaTable) -> tuple[Rows, Mapping[str, int]]:
    return rows, {}


def _once(values: Mapping[str, Any], app: str, table: DeltaTable) -> tuple[Rows, Mapping[str, int]] | None:
    is_there = table.transaction_version(app) is not None
    return None if is_there else (Rows(pl.DataFrame([values], SCHEMAS["files"])), {app: 1})
