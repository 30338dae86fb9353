"""Rows of a lake's table `runs`: what is known of a run, and how it is written and read."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl

from ..store import check_stored
from ..store.metric_stats import MetricStats
from ..types import Cursor, RunRecord
from .lake_tables import METRIC, SCHEMAS, to_cursor, to_version
from .target import NOTHING


@dataclass(frozen=True, slots=True)
class Known:
    """A run as its newest row has it. `position` says up to where `metrics` summarize its points."""

    run: RunRecord
    metrics: MetricStats = field(default_factory=MetricStats)
    position: Cursor = NOTHING
    sources: frozenset[str] = frozenset()
    uploaded: float = 0.0  # seconds UTC, by the clock of the machine that wrote it
    is_deleted: bool = False
    revision: int = 0


def row(project: str, known: Known) -> pl.DataFrame:
    """Return the row of a run."""
    run = known.run
    stats = [dict(zip(METRIC.to_schema(), line, strict=True)) for _, line in known.metrics.all()]
    values = {
        "project": project,
        "run_id": run.id,
        **{name: getattr(run, name) for name in ("name", "group", "state", "notes", "started", "ended")},
        "tags": list(run.tags),
        "config": json.dumps(run.config),
        "summary": json.dumps(run.summary),
        "record": json.dumps(dataclasses.asdict(run)),
        "metrics": stats,
        "position": to_version(known.position),
        "sources": sorted(known.sources),
        "uploaded": known.uploaded,
        "deleted": known.is_deleted,
        "revision": known.revision,
    }
    return pl.DataFrame([values], SCHEMAS["runs"])


def newest(rows: pl.DataFrame) -> pl.DataFrame:
    """Return the newest row of each run of a project, without those of deleted runs."""
    return rows.sort("revision").unique("run_id", keep="last", maintain_order=True).filter(~pl.col("deleted"))


def known(values: Mapping[str, Any]) -> Known:
    """Return what a row says. Raises ``ValueError`` for one that is damaged."""
    return Known(
        record(values["record"]),
        MetricStats(list(line.values()) for line in values["metrics"] or ()),
        to_cursor(values["position"]) or NOTHING,
        frozenset(values["sources"] or ()),
        values["uploaded"] or 0.0,
        bool(values["deleted"]),
        values["revision"],
    )


def record(text: str | None) -> RunRecord:
    """Return the record in a row. Raises ``ValueError`` for one that is damaged."""
    return check_stored.record(check_stored.json_value(text or ""))


def sorted_points(points: pl.DataFrame, stats: MetricStats) -> pl.DataFrame:
    """Return points by metric and step, and add them to `stats`."""
    if points.is_empty():
        return points
    parts = points.partition_by("metric", maintain_order=True)
    numbers = stats.numbers(pl.concat([part["metric"].head(1) for part in parts]))
    order = sorted(range(len(parts)), key=lambda place: stats.names[numbers[place]])
    ordered = [parts[place] for place in order]
    found = pl.concat([part if part["step"].is_sorted() else part.sort("step") for part in ordered])
    number = np.repeat(numbers[order], [len(part) for part in ordered])
    stats.add(number, found["step"].to_numpy(), found["value"].to_numpy())
    return found
