"""Alerts as a Polars table."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import polars as pl

from ..alerting.levels import reaches
from ..store.base import Store
from ..types import CAPTURED, RunRecord
from .run_rows import as_time

_TYPES: Final = {"integer": pl.Int64(), "real": pl.Float64(), "text": pl.String()}
_ROW: Final = {name: _TYPES[declared.split()[0]] for name, declared in CAPTURED["alerts"].items()}
_COLUMNS: Final = ("run_id", "run", *_ROW)


def alert_rows(runs: Iterable[RunRecord], store: Store, least: str = "info") -> list[dict[str, Any]]:
    """Return the alerts of runs that are at least so urgent, oldest first, with the columns of `alert_table`."""
    rows = [
        dict(zip(_COLUMNS, (run.id, run.name, *row), strict=True))
        for run in runs
        for row in store.captured(run.id, "alerts")
    ]
    found = sorted((row for row in rows if reaches(row["level"], least)), key=lambda row: row["time"])
    return [row | {"time": as_time(row["time"])} for row in found]


def alert_table(runs: Iterable[RunRecord], store: Store, least: str = "info") -> pl.DataFrame:
    """Return one row for each alert. See `trackbook.alerts`."""
    text = dict.fromkeys(("run_id", "run"), pl.String())
    schema = pl.Schema(text | _ROW | {"time": pl.Datetime("us", "UTC")})
    return pl.DataFrame(alert_rows(runs, store, least), schema)
