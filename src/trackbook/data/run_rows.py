"""One row for each run as plain values: the table of `trackbook.runs` without Polars."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from ..metrics import is_system
from ..store.check_stored import FIRST_TIME, LAST_TIME, json_value

if TYPE_CHECKING:
    from ..store.recorded_file import RecordedFile

_JSON: Final = json.JSONEncoder(ensure_ascii=False)
_PLAIN_COLUMNS: Final = ({bool}, {str}, {int}, {float}, {int, float}, set[type]())
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def run_rows(store: RecordedFile) -> list[dict[str, Any]]:
    """Return the rows of `dataframes.runs_table`."""
    runs, writers = store.runs(), store.writers()
    counts: dict[str, int] = {}
    last: dict[str, dict[str, Any]] = {}  # by metric, by run
    for run_id, metric, value, count in store.last_values():
        if not is_system(metric):
            counts[run_id] = counts.get(run_id, 0) + count
            last.setdefault(metric, {})[run_id] = value
    columns = {
        f"config.{name}": of_one_type([run.config.get(name) for run in runs])
        for name in dict.fromkeys(name for run in runs for name in run.config)
    }
    set_by_user = dict.fromkeys(name for run in runs for name in run.summary)
    for name in dict.fromkeys([*last, *set_by_user]):
        known = last.get(name, {})
        values = [run.summary.get(name, known.get(run.id)) for run in runs]
        columns[f"summary.{name}"] = of_one_type(values) if name in set_by_user else values
    return [
        {
            **{name: getattr(run, name) for name in ("id", "name", "group", "state")},
            "tags": list(run.tags),
            "notes": run.notes,
            "started": as_time(run.started),
            "ended": as_time(run.ended),
            "seen": as_time(writers[run.id].seen) if run.id in writers else None,
            "duration": None if run.ended is None else run.ended - run.started,
            "points": counts.get(run.id, 0),
            **{name: values[place] for name, values in columns.items()},
        }
        for place, run in enumerate(runs)
    ]


def as_time(seconds: float | None) -> datetime | None:
    """Return seconds UTC as a time; None for seconds out of range, as in a damaged file."""
    if seconds is None or not FIRST_TIME <= seconds <= LAST_TIME:
        return None
    return _EPOCH + timedelta(microseconds=int(seconds * 1e6))


def of_one_type(values: Sequence[Any]) -> list[Any]:
    """Return the values of a column in one type: numbers or texts unchanged, a mixture as texts, everything else as JSON."""
    types = {type(value) for value in values if value is not None}
    is_wide = any(isinstance(value, int) and abs(value) >= 2**63 for value in values)
    if types in _PLAIN_COLUMNS and not is_wide:
        return [value if value is None else float(value) for value in values] if len(types) > 1 else list(values)
    return [value if value is None or isinstance(value, str) else _JSON.encode(value) for value in values]


def metric_names(text: str | None) -> list[str]:
    """Return the names in a JSON list, none for other text, as in a damaged file."""
    names = None if text is None else json_value(text)
    return [name for name in names if isinstance(name, str)] if isinstance(names, list) else []
