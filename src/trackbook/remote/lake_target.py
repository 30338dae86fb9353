"""Target in a lake: the runs of many machines in tables on an object store, without a server.

A put makes at most two commits. The record comes first and the points, with the cursor of their source, last: what is interrupted in
between is sent again, because the cursor is where it was. Every commit of a run's points has the run's position as the version of a
transaction, so of two commits that begin at one position only one succeeds, and the other looks again at what is there.
"""

from __future__ import annotations

import dataclasses
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
from .lake_tables import CHANCE, SCHEMAS, Lake, Rows, app_id, of_run, text, to_cursor, to_version
from .target import NOTHING, Batch

if TYPE_CHECKING:
    from deltalake import DeltaTable

SHORTEST_SECONDS: Final = 30.0  # between two batches of a live run: 2,880 files a day
COMMITS_A_SECOND: Final = 4.0  # by all machines together: docs/lake.md has what stores take
_ROW_SECONDS: Final = 30.0  # between two rows of a live run whose record stays the same
_ROW_SHARE: Final = 0.05  # of a run's age, that its row may be old
_FAR: Final = 200  # commits of others since ours
_PART_BYTES: Final = 1 << 24  # of a file in one row
_JITTER: Final = 0.1  # of the interval, so that machines that began together do not commit together


class _State(NamedTuple):
    """What is known of a run, as of the versions of the tables that are known here."""

    known: Known | None
    cursor: Cursor | None  # of this source
    position: Cursor | None  # how often the run's points were replaced, and how many there are


class _Plan(NamedTuple):
    """How a batch changes a run."""

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
        self._states: dict[str, _State] = {}
        self._seconds = SHORTEST_SECONDS

    @property
    def name(self) -> str:
        return self._lake.name

    @property
    def seconds(self) -> float:
        """The interval at which all machines that commit now make `COMMITS_A_SECOND`, at least `SHORTEST_SECONDS`."""
        return self._seconds * CHANCE.uniform(1 - _JITTER, 1 + _JITTER)

    def cursors(self) -> dict[str, Cursor]:
        """See `Target`. A cursor may lie before the durable one, which `put` then returns."""
        self._states.clear()
        table, runs = self._lake.find("points"), self._lake.find("runs")
        if table is None or runs is None:
            return {}
        columns = ("run_id", "revision", "deleted", "sources")
        rows = newest(self._lake.scan(runs, columns, f"project = {text(self._project)}"))
        ours = rows.filter(pl.col("sources").list.contains(self._source))
        said = self._lake.largest(table, "cursor", self._project)
        found = {
            run: (to_cursor(said.get(run)) or NOTHING) if len(sources) == 1 else self._cursor(table, run)
            for run, sources in ours.select("run_id", "sources").iter_rows()
        }
        return {run: cursor for run, cursor in found.items() if cursor is not None}

    def cursor(self, run_id: str) -> Cursor | None:
        self._states.clear()
        table = self._lake.find("points")
        return None if table is None else self._cursor(table, run_id)

    def put(self, batch: Batch) -> Cursor:
        run = batch.run.id
        table = self._lake.known("points")
        before = self._states.pop(run, None)  # put back when all went well
        if before is None or (before.cursor or NOTHING) != batch.start:
            before = self._look(run)
        if (before.cursor or NOTHING) != batch.start:
            return before.cursor or NOTHING
        plan = self._plan(batch, table, before)
        later = self._put_record(batch, plan, before.known)
        if before.cursor is not None and batch.end == batch.start and not batch.replaces:
            self._states[run] = before._replace(known=later)
            return batch.end
        planned, is_first = plan, True

        def points(table: DeltaTable) -> tuple[Rows, Mapping[str, int]] | None:
            nonlocal planned, is_first
            if not is_first:  # somebody else has committed to this run, perhaps we ourselves
                now = _State(None, self._cursor(table, run), self._position(table, run))
                if (now.cursor or NOTHING) != batch.start:
                    return None
                planned = self._plan(batch, table, now)
            is_first = False
            return self._points(batch, planned, before)

        commits = self._lake.commit("points", points)
        if not commits:
            self._states.clear()
            return self.cursor(run) or NOTHING
        if planned is not plan:
            later = self._put_row(dataclasses.replace(later, metrics=planned.metrics, position=planned.after))
        self._note_commits("points", commits)
        self._states[run] = _State(later, batch.end, planned.after)
        return batch.end

    def delete(self, run_id: str) -> None:
        self._states.clear()
        earlier = self._read_known(run_id)
        if earlier is None or earlier.is_deleted:
            return
        condition = of_run(self._project, run_id)
        apps = [app_id(self._project, run_id, source) for source in {*earlier.sources, self._source}]

        def points(table: DeltaTable) -> tuple[Rows, Mapping[str, int]]:
            at = self._position(table, run_id) or NOTHING
            after = to_version(Cursor(at.generation + 1, 0))
            versions = {app_id(self._project, run_id): after, **dict.fromkeys(apps, 0)}
            return Rows(pl.DataFrame(schema=SCHEMAS["points"]), condition), versions

        self._lake.find("points")
        self._lake.commit("points", points)
        for name in CAPTURED:
            if self._lake.find(name) is not None:
                nothing = Rows(pl.DataFrame(schema=SCHEMAS[name]), condition)
                self._lake.commit(name, partial(_always, nothing))
        self._put_row(dataclasses.replace(earlier, is_deleted=True))

    def missing_files(self, names: Collection[str]) -> set[str]:
        table = self._lake.find("blobs")
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
                self._lake.commit("blobs", partial(_once, values, app_id("file", name, str(part))))

    def close(self) -> None:
        """Forget what is known of tables and runs."""
        self._states.clear()
        for name in SCHEMAS:
            self._lake.forget(name)

    def _look(self, run_id: str) -> _State:
        """Return what the newest versions of the tables have of a run. All other knowledge may be older, and is given up."""
        self._states.clear()
        table = self._lake.find("points") or self._lake.known("points")
        return _State(self._read_known(run_id), self._cursor(table, run_id), self._position(table, run_id))

    def _cursor(self, table: DeltaTable, run_id: str) -> Cursor | None:
        return to_cursor(self._lake.version(table, app_id(self._project, run_id, self._source)))

    def _position(self, table: DeltaTable, run_id: str) -> Cursor | None:
        return to_cursor(self._lake.version(table, app_id(self._project, run_id)))

    def _read_known(self, run_id: str) -> Known | None:
        table = self._lake.find("runs")
        if table is None:
            return None
        rows = self._lake.scan(table, [*SCHEMAS["runs"]], of_run(self._project, run_id)).sort("revision")
        return known(rows.row(-1, named=True)) if len(rows) else None

    def _plan(self, batch: Batch, table: DeltaTable, before: _State) -> _Plan:
        """Return what the batch adds: points of metrics and steps that are not there yet."""
        at = before.position or NOTHING
        earlier = before.known
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
        rows = fresh.select(
            pl.lit(self._project).alias("project"),
            pl.lit(batch.run.id).alias("run_id"),
            pl.col("metric").cast(pl.String),
            "step",
            "value",
            "time",
            pl.lit(to_version(after)).alias("position"),
            pl.lit(to_version(batch.end)).alias("cursor"),
        )
        return _Plan(after, rows, metrics)

    def _points(self, batch: Batch, plan: _Plan, before: _State) -> tuple[Rows, Mapping[str, int]]:
        project, run = self._project, batch.run.id
        others = before.known.sources - {self._source} if batch.replaces and before.known is not None else ()
        versions = {app_id(project, run, other): 0 for other in others} | {
            app_id(project, run): to_version(plan.after),
            app_id(project, run, self._source): to_version(batch.end),
        }
        is_cut = batch.replaces and before.position is not None and before.position.ordinal > 0
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
        if earlier.is_deleted or later.run != earlier.run or later.sources != earlier.sources:
            return True
        if later.run.state in ENDED:
            return later.position != earlier.position
        age = time.time() - later.run.started
        return time.time() - earlier.uploaded > max(_ROW_SECONDS, _ROW_SHARE * age)

    def _put_row(self, later: Known) -> Known:
        """Add a row of the next revision, and return it."""
        app, written, is_first = app_id(self._project, later.run.id), later, True

        def next_row(_: DeltaTable) -> tuple[Rows, Mapping[str, int]]:
            nonlocal written, is_first
            earlier = later if is_first else self._read_known(later.run.id) or later
            is_first = False
            written = dataclasses.replace(later, revision=earlier.revision + 1, uploaded=time.time())
            return Rows(row(self._project, written)), {app: written.revision}

        self._note_commits("runs", self._lake.commit("runs", next_row))
        return written

    def _note_commits(self, name: str, commits: int) -> None:
        """Note how many commits all machines made since ours. They may concern runs of which something is known here."""
        if commits > 1:
            self._states.clear()
        if commits > _FAR:  # to open the table again takes less than to read them all
            self._lake.forget(name)
        if name == "points":
            self._seconds = max(SHORTEST_SECONDS, commits / COMMITS_A_SECOND)


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
    return None if is_there else (Rows(pl.DataFrame([values], SCHEMAS["blobs"])), {app: 1})
