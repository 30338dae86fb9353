"""One project of a lake as a store for reading. Runs, metrics and columns that are not asked for are not read."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NoReturn
from urllib.parse import quote, unquote, urlsplit

import polars as pl

from ..store import check_stored
from ..store.base import FIELDS, NO_MARKS, POINTS, Names
from ..store.bulk_reads import SUMMARY, with_newest
from ..store.memory import RunScan
from ..store.metric_stats import MetricStats
from ..text import listed
from ..types import CAPTURED, Cursor, MetricSummary, RunRecord, Writer
from .lake_rows import newest, record, sorted_points
from .lake_tables import SCHEMAS, Lake, of_run, text, to_cursor, to_version
from .target import NOTHING, TargetError

if TYPE_CHECKING:
    from deltalake import DeltaTable

MOST_AT_ONCE: Final = 1 << 24  # points of one run that are read at once, to bound memory
_NONE: Final = pl.DataFrame(schema=POINTS)
_ROW: Final = ("run_id", "record", "metrics", "position", "deleted", "revision")
_VALUES: Final = ("metric", "step", "value")


def open_lake(where: str) -> LakeStore:
    """Return the project at an address: a lake's, if it has one project, or a lake's followed by ``/PROJECT``.

    Raises ``ValueError`` when there is no lake, and for one with several projects, which are named; ``OSError`` when it cannot be read.
    """
    try:
        lake = Lake(where)
        if lake.find("runs") is None:
            above, _, last = where.rstrip("/").rpartition("/")
            parent, project = Lake(above) if urlsplit(where).path.strip("/") else lake, unquote(last)
            if parent.find("runs") is None or project not in _projects(parent):
                raise ValueError(
                    f"there is no lake at {lake.name}; trackbook.sync(project, to={lake.name!r}) makes one"
                )
            return LakeStore(parent, project)
        projects = _projects(lake)
    except TargetError as error:
        raise OSError(str(error)) from None
    if not projects:
        raise ValueError(f"{lake.name} has no runs yet")
    if len(projects) > 1:
        raise ValueError(f"{lake.name} has {listed(projects)}; name one: {lake.name}/{quote(projects[0], safe='')}")
    return LakeStore(lake, projects[0])


def _projects(lake: Lake) -> list[str]:
    runs = lake.find("runs")
    rows = None if runs is None else lake.scan(runs, ("project", "run_id", "revision", "deleted"), None)
    if rows is None:
        return []
    kept = rows.sort("revision").unique(["project", "run_id"], keep="last").filter(~pl.col("deleted"))
    return kept["project"].unique().sort().to_list()


class LakeStore(RunScan):
    """Answers as a store does. What is read of `runs` is kept until `refresh`; points are read when they are asked for.

    Points of a metric are in order of their steps. Nothing can be written.
    """

    def __init__(self, lake: Lake, project: str) -> None:
        self.name = lake.name
        self.project = project
        self.notices: list[str] = []
        self.files_folder: Path | None = None
        self.failures: list[str] = []
        self.lake = lake
        self.record_notices: list[str] = []  # of records that cannot be read
        self._lock = threading.RLock()  # of the tables
        self._tables: dict[str, DeltaTable | None] = {}
        self._version = -1  # of `runs`, when `_rows` was read
        self._rows = pl.DataFrame(schema={name: SCHEMAS["runs"][name] for name in _ROW})
        self._records: dict[str, RunRecord] = {}
        self._ahead: dict[str, tuple[int, MetricStats]] = {}

    def refresh(self) -> bool:
        """Look for new versions of the tables, and return whether there are any. Raises ``OSError``."""
        with self._lock, self._as_store():
            before = {name: self._versions(name) for name in ("points", "runs")}
            self._tables["points"] = self.lake.find("points")
            self._tables["runs"] = self.lake.find("runs")
            self._read_rows()
            return before != {name: self._versions(name) for name in before}

    def _versions(self, name: str) -> int:
        table = self._tables.get(name)
        return -1 if table is None else table.version()

    def _read_rows(self) -> None:
        runs = self._tables["runs"]
        if runs is None:
            return
        if runs.version() != self._version:
            rows = newest(self.lake.scan(runs, _ROW, f"project = {text(self.project)}"))
            notices, records = [], {}
            for run_id, said in rows.select("run_id", "record").iter_rows():
                try:
                    records[run_id] = record(said)
                except ValueError as error:
                    notices.append(f"run {run_id!r} of {self.name} is left out: {error}")
            self._records = dict(sorted(records.items(), key=lambda item: item[1].started))
            self.notices = self.record_notices = notices
            self._rows, self._version = rows.select("run_id", "metrics", "position"), runs.version()
        self._ahead = self._points_ahead()

    def _points_ahead(self) -> dict[str, tuple[int, MetricStats]]:
        """Return position and summary of the runs whose points are ahead of their rows, or behind them, by their points."""
        table = self._tables["points"]
        there = {} if table is None else self.lake.largest(table, "position", self.project)
        starts: dict[str, tuple[int, MetricStats]] = {}
        for run_id, lines, said in self._rows.select("run_id", "metrics", "position").iter_rows():
            at = there.get(run_id, 0)
            if at != said and (at or to_cursor(said) != NOTHING):
                known = self._ahead.get(run_id, (0, MetricStats()))
                row = (said, MetricStats(list(line.values()) for line in lines or ()))
                starts[run_id] = max(
                    (one for one in (known, row) if one[0] <= at), default=(0, MetricStats()), key=_place
                )
        if table is None or not starts:
            return {}
        new = f"project = {text(self.project)} AND {_one_of('run_id', starts)}"
        least = min(at for at, _ in starts.values())
        tails = self.lake.scan(table, ("run_id", "position", *_VALUES), f"{new} AND position > {least}")
        tails = tails.with_columns(pl.col("metric").cast(POINTS["metric"]))
        return {
            run: (there.get(run, 0), self._summed(run, start, tails, there.get(run, 0)))
            for run, start in starts.items()
        }

    def _summed(self, run_id: str, start: tuple[int, MetricStats], tails: pl.DataFrame, end: int) -> MetricStats:
        """Return the summary at `start` and the points after it; of all points where the two do not add up."""
        stats = start[1].copy()
        sorted_points(
            tails.filter((pl.col("run_id") == run_id) & (pl.col("position") > start[0])).select(*_VALUES), stats
        )
        if sum(one.count for one in stats.summary().values()) != (to_cursor(end) or NOTHING).ordinal:
            stats = MetricStats()
            sorted_points(self._points(of_run(self.project, run_id)), stats)
        return stats

    def _table(self, name: str) -> DeltaTable | None:
        """Return a table as it was last looked at."""
        if name not in self._tables:
            with self._as_store():
                self._tables[name] = self.lake.find(name)
        return self._tables[name]

    def _known(self) -> dict[str, RunRecord]:
        if self._version < 0:
            self.refresh()
        return self._records

    def runs(self) -> list[RunRecord]:
        return [*self._known().values()]

    def run(self, run_id: str) -> RunRecord | None:
        return self._known().get(run_id)

    def revision(self) -> int:
        self._known()
        return self._version

    def changed_runs(self, since: Any) -> list[RunRecord]:
        return self.runs()

    def next_number(self) -> int:
        return len(self._known()) + 1

    def places(self, runs: Collection[str] = ()) -> tuple[int, dict[str, int]]:
        places = {run: place for place, run in enumerate(self._known())}
        return len(places), {run: places[run] for run in runs if run in places}

    def writers(self) -> dict[str, Writer]:
        return {}

    def marks(self, journal: str) -> dict[str, int]:
        return {}

    def read(self, run_id: str, metrics: Sequence[str] | None = None, whole: bool = False) -> pl.DataFrame:
        condition = of_run(self.project, run_id)
        return self._points(condition if metrics is None else f"{condition} AND {_one_of('metric', metrics)}")

    def since(self, run_id: str, cursor: Cursor, most: int | None = None) -> tuple[pl.DataFrame, Cursor]:
        first = to_version(cursor) if cursor != NOTHING else 0
        new = f"{of_run(self.project, run_id)} AND position > {first}"
        points = self._points(f"{new} AND position <= {first + MOST_AT_ONCE}", "position")
        if points.is_empty():  # nothing is new, or the next part is larger, or points were replaced
            points = self._points(new, "position")
        if points.is_empty():
            return _NONE, cursor
        end = to_cursor(int(points["position"].max()))  # type: ignore[arg-type]  # it has rows
        return points.select(*POINTS), end or cursor

    def window(
        self, run_id: str, metrics: Sequence[str], first: int, last: int, most: int | None = None
    ) -> pl.DataFrame | None:
        known = self.summary(run_id)
        for name in metrics:
            if most is not None and name in known:
                share = (last - first + 1) / (known[name].step + 1)
                if known[name].count * min(1.0, share) > most:
                    return None
        inside = f"step BETWEEN {first} AND {last}"
        try:
            return self._points(f"{of_run(self.project, run_id)} AND {_one_of('metric', metrics)} AND {inside}")
        except OSError as error:
            self.notices = [*self.notices, str(error)]
            return None

    def summary(self, run_id: str) -> dict[str, MetricSummary]:
        table = self.summary_table([run_id])
        return {name: MetricSummary(*numbers) for _, name, *numbers in table.iter_rows()}

    def metric_names(self) -> list[str]:
        return sorted(set(self.summary_table()["metric"]))

    def summary_table(self, runs: Names = None, columns: Sequence[str] = (), metrics: Names = None) -> pl.DataFrame:
        self._known()
        rows = self._rows if runs is None else self._rows.filter(pl.col("run_id").is_in([*runs]))
        table = (
            rows.explode("metrics", empty_as_null=False).unnest("metrics").select(*SUMMARY).filter(pl.col("count") > 0)
        )
        if metrics is not None:
            table = table.filter(pl.col("metric").is_in([*metrics]))
        ahead = {run: stats for run, (_, stats) in self._ahead.items() if runs is None or run in runs}
        table = with_newest(table, ahead, metrics)
        return table.select(columns or [*SUMMARY])

    def read_many(self, wanted: Mapping[str, Collection[str]], fields: Collection[str] = FIELDS) -> pl.DataFrame:
        columns = [name for name in FIELDS if name in fields]
        asked = pl.DataFrame(
            [(run, place, [*metrics]) for place, (run, metrics) in enumerate(wanted.items())],
            {"run_id": pl.String(), "run": pl.UInt32(), "metric": pl.List(pl.String())},
            orient="row",
        ).explode("metric")
        with self._lock:
            runs = _one_of("run_id", wanted) if len(wanted) < len(self._known()) else "TRUE"
            names = asked["metric"].unique().to_list()
            condition = f"project = {text(self.project)} AND {runs} AND {_one_of('metric', names)}"
            order = [name for name in ("run", "metric", "step") if name in ("run", "metric", *columns)]
            table = self._table("points")
            if table is None or not wanted:
                found = pl.DataFrame(
                    schema={"run_id": pl.String(), **{name: POINTS[name] for name in columns}, "metric": pl.String()}
                )
            else:
                with self._as_store():
                    found = self.lake.scan(table, ["run_id", "metric", *columns], condition)
        points = found.join(asked, on=["run_id", "metric"], how="inner").sort(order)
        return points.select("run", pl.col("metric").cast(POINTS["metric"]), *columns)

    def captured(self, run_id: str, table: str, after: Any = None, until: Any = None) -> list[tuple[Any, ...]]:
        columns = [*CAPTURED[table]]
        with self._lock, self._as_store():
            self._tables[table] = found = self.lake.find(table)
            if found is None:
                return []
            rows = self.lake.scan(found, [*columns, "dropped", "revision"], of_run(self.project, run_id))
        rows = rows.sort("revision").unique(columns[0], keep="last").filter(~pl.col("dropped")).sort(columns[0])
        if after is not None:
            rows = rows.filter(pl.col(columns[0]) > after)
        if until is not None:
            rows = rows.filter(pl.col(columns[0]) <= until)
        try:
            return check_stored.captured(table, columns, rows.select(columns).rows())
        except ValueError as error:
            raise OSError(f"{self.name}: {error}") from None

    def _points(self, condition: str, *more: str) -> pl.DataFrame:
        """Return the points for which an SQL condition is true, by metric and step."""
        columns = [*POINTS, *more]
        with self._lock:
            table = self._table("points")
            if table is None:
                return _NONE
            with self._as_store():
                found = self.lake.scan(table, columns, condition)
        return found.with_columns(pl.col("metric").cast(POINTS["metric"])).sort(
            pl.col("metric").to_physical(), "step", maintain_order=True
        )

    @contextlib.contextmanager
    def _as_store(self) -> Iterator[None]:
        """Raise the errors of a lake as those of a store."""
        try:
            yield
        except TargetError as error:
            raise OSError(str(error)) from None

    def reopened(self) -> AbstractContextManager[LakeStore]:
        return nullcontext(self)

    def flush(self) -> bool:
        return True

    def close(self) -> None:
        """Do nothing: no file is open."""

    def put_run(self, run: RunRecord) -> None:
        self._refuse()

    def sign(self, run_id: str, writer: Writer) -> None:
        self._refuse()

    def append(self, run_id: str, points: pl.DataFrame, marks: Mapping[str, int] = NO_MARKS) -> list[str]:
        self._refuse()

    def clear_marks(self, journal: str) -> None:
        self._refuse()

    def cut(self, run_id: str, step: int) -> None:
        self._refuse()

    def delete(self, run_id: str) -> None:
        self._refuse()

    def put_captured(self, run_id: str, table: str, rows: Iterable[Sequence[Any]]) -> None:
        self._refuse()

    def drop_captured(self, run_id: str, table: str, first: int, end: int) -> None:
        self._refuse()

    def _refuse(self) -> NoReturn:
        raise OSError(f"{self.name} is only read here; change the run where it was recorded, and sync it again")


def _one_of(column: str, values: Iterable[str]) -> str:
    listed_values = ", ".join(map(text, values))
    return f"{column} IN ({listed_values})" if listed_values else "FALSE"


def _place(one: tuple[int, MetricStats]) -> int:
    return one[0]
