"""Rules of `Run.alert_when`, which look at points where they are taken up into the store, so that `log` does nothing for them."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from ..alerting.levels import AlertLevel
from ..metrics import glob_matches, goal_of

if TYPE_CHECKING:
    from .alert_book import AlertBook


class _Points(NamedTuple):
    """New points of one metric."""

    name: str
    values: pl.Series
    steps: pl.Series


@dataclass
class _Watched:
    """What a rule knows of one metric."""

    best: float = math.inf  # of which the smallest is the best: with the other sign where the largest is
    since: int = 0  # points after the best one
    holds: set[str] = field(default_factory=set)


@dataclass
class Conditions:
    """Conditions for the metrics of one name or glob."""

    metric: str
    above: float | None
    below: float | None
    nan: bool
    patience: int | None
    goal: str | None
    title: str | None
    level: AlertLevel
    wait: float
    metrics: dict[str, _Watched] = field(default_factory=dict)

    def check(self, book: AlertBook, points: pl.DataFrame) -> None:
        """Look at new points, in the order in which they were logged, and alert."""
        for name in points["metric"].unique(maintain_order=True).cast(pl.String).to_list():
            if glob_matches(self.metric, name):
                own = points.filter(pl.col("metric") == name)
                self._check(book, _Points(name, own["value"], own["step"]))

    def _check(self, book: AlertBook, new: _Points) -> None:
        self.metrics.setdefault(new.name, _Watched())
        values, is_number = new.values, new.values.is_not_nan()
        if self.above is not None:
            self._edge(book, new, f"above {self.above:g}", (values > self.above) & is_number)
        if self.below is not None:
            self._edge(book, new, f"below {self.below:g}", (values < self.below) & is_number)
        if self.nan:
            self._edge(book, new, "is not a number", ~values.is_finite())
        if self.patience is not None:
            self._stagnation(book, new, self.patience)

    def _edge(self, book: AlertBook, new: _Points, condition: str, holds: pl.Series) -> None:
        """Alert where a condition begins to hold."""
        watched = self.metrics[new.name]
        begins = (holds & ~holds.shift(1, fill_value=condition in watched.holds)).arg_true()
        (watched.holds.add if holds[-1] else watched.holds.discard)(condition)
        if len(begins):
            at = begins[0]
            text = f"{new.name} is {new.values[at]:.6g} at step {new.steps[at]}"
            self._alert(book, f"{new.name} {condition}", text, new.steps[at])

    def _stagnation(self, book: AlertBook, new: _Points, patience: int) -> None:
        """Alert once where so many points in a row brought no new best value."""
        watched, sign = self.metrics[new.name], -1.0 if self._goal_of(book, new.name) == "max" else 1.0
        signed = (new.values * sign).fill_nan(math.inf)  # the smallest is the best
        best = pl.concat([pl.Series([watched.best]), signed]).cum_min()
        at = -1 - watched.since  # of the newest best value
        reached, until = watched.best, None
        for better in [*(signed < best[:-1]).arg_true().to_list(), len(signed)]:
            if better - at > patience and "stagnation" not in watched.holds:
                watched.holds.add("stagnation")
                reached, until = best[max(at, -1) + 1], at + patience
            if better < len(signed):
                watched.holds.discard("stagnation")
                at = better
        watched.best, watched.since = best[-1], len(signed) - 1 - at
        if until is not None:
            step = new.steps[until]
            text = f"its best value is {sign * reached:.6g}, and {patience:,} points up to step {step} were no better"
            self._alert(book, f"{new.name} has not improved for {patience:,} points", text, step)

    def _goal_of(self, book: AlertBook, name: str) -> str:
        return self.goal or goal_of(book.goals, name) or "min"

    def _alert(self, book: AlertBook, title: str, text: str, step: int) -> None:
        if self.title is not None:
            title, text = self.title, f"{title}: {text}"
        book.add(title, text, self.level, wait=self.wait, step=step)
