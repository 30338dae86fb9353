"""SQL statements about what is recorded of runs beside their points. Loads neither Polars nor NumPy."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from ..types import CAPTURED, MetricSummary, Writer
from .schema import GET_CAPTURED, TIMES

if TYPE_CHECKING:
    from sqlite3 import Connection

_NAN: Final = float("nan")


class LastValue(NamedTuple):
    """The last value of a metric of a run, and its number of points."""

    run_id: str
    metric: str
    last: float
    points: int


def writers(db: Connection) -> dict[str, Writer]:
    """Return the writing process of each run that has one."""
    rows = db.execute("select run_id, host, system, pid, born, seen from writers")
    return {run: Writer(*row) for run, *row in rows}


def summary(db: Connection, run: str) -> dict[str, MetricSummary]:
    """Return the summaries of a run's metrics that have points, in order of first appearance."""
    query = "select name, last, min, max, count, step from metrics where run_id = ? and count > 0 order by number"
    return {
        name: MetricSummary(_number(last), _number(least), _number(most), count, step)
        for name, last, least, most, count, step in db.execute(query, (run,))
    }


def last_values(db: Connection) -> Iterator[LastValue]:
    """Yield the last value of each metric of each run: those of a run in order of first appearance."""
    query = (
        "select run_id, name, last, count from metrics where count > 0 and run_id in (select id from runs) "
        "order by run_id, number"
    )
    for run, name, last, count in db.execute(query):
        yield LastValue(run, name, _number(last), count)


def captured(db: Connection, run: str, table: str, after: Any = None, until: Any = None) -> list[tuple[Any, ...]]:
    """Return the rows of a run in a table of `CAPTURED`, or those with keys above `after` and up to `until`."""
    rows = json.loads(db.execute(GET_CAPTURED[table], (run, after, until)).fetchone()[0])
    for place, column in enumerate(CAPTURED[table]):
        if column in TIMES:
            for row in rows:
                row[place] = row[place] and float(row[place])
    return [tuple(row) for row in rows]


def _number(value: float | None) -> float:
    return _NAN if value is None else value  # SQLite keeps NaN as null
