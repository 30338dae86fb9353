"""A cache of the summaries of many runs, as one frame, for tables of all runs that are read repeatedly."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import polars as pl

from ..metrics import SYSTEM
from .base import Store
from .bulk_reads import no_summary

if TYPE_CHECKING:
    from numpy.typing import NDArray

_KEYS: Final = ("run_id", "metric")
_CHANGING: Final = ("count", "step")  # columns that change with every point, and are never NaN


class SummaryCache:
    """Last, smallest and largest value of every logged metric of the runs that were read."""

    def __init__(self) -> None:
        self._frame = no_summary()
        self._runs: set[str] = set()

    def __contains__(self, run: str) -> bool:
        return run in self._runs

    def forget(self, run: str) -> None:
        """Mark a run as to be read again."""
        self._runs.discard(run)

    def read(self, store: Store, runs: Collection[str]) -> bool:
        """Read some runs with one statement, and return whether anything changed. Raises ``OSError``."""
        if not runs:
            return False
        fresh = store.summary_table(runs).filter(~pl.col("metric").str.starts_with(SYSTEM))
        is_old = pl.col("run_id").is_in([*runs])
        before = self._frame.filter(is_old)
        compared = [frame.select(*_KEYS, *_CHANGING).sort(_KEYS) for frame in (before, fresh)]
        self._frame = pl.concat([self._frame.filter(~is_old), fresh])
        self._runs.update(runs)
        return not compared[0].equals(compared[1])

    def column(self, metric: str, statistic: str) -> dict[str, float]:
        """Return ``last``, ``min`` or ``max`` of one metric by run, of all that were read."""
        rows = self._frame.filter(pl.col("metric") == metric).select("run_id", statistic)
        return dict(rows.iter_rows())

    def metrics(self, runs: Collection[str]) -> dict[str, list[str]]:
        """Return the metrics of some runs, in order of first appearance."""
        lists = (
            self._frame.filter(pl.col("run_id").is_in([*runs])).group_by("run_id", maintain_order=True).agg("metric")
        )
        return dict(lists.iter_rows())

    def matrix(self, runs: Sequence[str], nothing: Sequence[float]) -> tuple[list[str], NDArray[Any]]:
        """Return the metrics of `runs`, and an array (last, min, max) x runs x metrics. `nothing` fills in for missing metrics."""
        order = pl.DataFrame({"run_id": runs, "row": range(len(runs))}, {"run_id": pl.String(), "row": pl.Int64()})
        table = order.join(self._frame, on="run_id", how="inner", maintain_order="left_right")
        metrics = table["metric"].unique(maintain_order=True)
        places = pl.DataFrame(
            {"metric": metrics, "column": range(len(metrics))}, {"metric": pl.String(), "column": pl.Int64()}
        )
        table = table.join(places, on="metric", how="left", maintain_order="left")
        numbers = np.empty((len(nothing), len(runs), len(metrics)))
        numbers[:] = np.array(nothing)[:, None, None]
        row, column = table["row"].to_numpy(), table["column"].to_numpy()
        for place, name in enumerate(("last", "min", "max")):
            numbers[place, row, column] = table[name].to_numpy()
        return metrics.to_list(), numbers
