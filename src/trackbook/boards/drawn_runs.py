"""Which runs a board draws: its own, the newest, the first by a column of the runs panel, all, or selected ones alone."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from ..text import either

MOST: Final = 1000  # runs that a board draws at most
RUN_COLUMNS: Final = ("name", "state", "duration", "started", "group", "tags", "notes")
VALUE_COLUMNS: Final = ("config", "summary", "min", "max")

_RULE: Final = re.compile(
    r"(?P<what>|all|selected)|(?P<newest>newest) (?P<n>\d{1,9})|(?P<top>top) (?P<m>\d{1,9}) (?P<by>\S.*)"
)


@dataclass(frozen=True)
class DrawnRuns:
    """A choice of runs. ``sort`` is a column as in the setting ``run_sort``: with ``-`` before it the largest come first."""

    what: Literal["own", "newest", "top", "all", "selected"] = "own"
    count: int = MOST
    sort: str = ""

    @property
    def changes(self) -> bool:
        """Whether other runs may be drawn later."""
        return self.what in ("newest", "top", "all")


def parse(rule: str) -> DrawnRuns:
    """Return the choice that the setting ``drawn_runs`` makes. Raises ``ValueError`` for anything else."""
    found = _RULE.fullmatch(rule)
    if found is None:
        raise ValueError(
            "drawn_runs is '', 'newest 10', 'top 10 -max.val/acc' (a column as in run_sort), 'all' or 'selected', "
            f"not {rule!r}"
        )
    count = int(found["n"] or found["m"] or MOST)
    if not 1 <= count <= MOST:
        raise ValueError(f"drawn_runs names 1 to {MOST} runs, not {count}")
    if found["top"]:
        _check_column(found["by"].removeprefix("-"))
        return DrawnRuns("top", count, found["by"])
    if found["newest"]:
        return DrawnRuns("newest", count)
    what: Any = found["what"] or "own"
    return DrawnRuns(what)


def _check_column(column: str) -> None:
    kind, dot, name = column.partition(".")
    if column not in RUN_COLUMNS and not (dot and name and kind in VALUE_COLUMNS):
        values = either(f"{kind}.NAME" for kind in VALUE_COLUMNS)
        raise ValueError(f"drawn_runs sorts by {either(RUN_COLUMNS)}, or by {values}, not by {column!r}")


def first(values: Mapping[str, Any], *, descending: bool) -> list[str]:
    """Return the runs that have a value, sorted by it: numbers before texts, of equal ones in their order."""
    known = {run: value for run, value in values.items() if value not in (None, "") and not _is_nan(value)}
    groups: tuple[list[str], list[str]] = ([], [])
    for run, value in known.items():
        groups[isinstance(value, str)].append(run)
    ranked = [sorted(group, key=known.__getitem__, reverse=descending) for group in groups]
    return [run for group in (reversed(ranked) if descending else ranked) for run in group]


def _is_nan(value: Any) -> bool:
    return isinstance(value, float) and math.isnan(value)
