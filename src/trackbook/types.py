"""The words that every layer shares."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final, Literal, NamedTuple

StepBy = Literal["metric", "run"]
Resume = Literal["never", "allow", "must"]
Stop = Literal["flag", "raise"]
State = Literal["running", "finished", "failed", "interrupted", "lost"]

# What is captured of a run beside its points, by table; the first column is the key. Times are seconds UTC.
CAPTURED: Final[dict[str, tuple[str, ...]]] = {
    # executions of cells, numbered from 0 within the run; `cell` is the notebook's id of it, `count` is In [count], `dirty`
    # says why the notebook does not show it as it ran
    "cells": (
        *("number", "cell", "count", "source", "started", "ended", "state"),
        *("error", "output", "metrics", "points", "dirty"),
    ),
    # lines of stdout, stderr and logging as a terminal shows them; `cell` is a number of `cells`
    "console": ("line", "stream", "text", "time", "cell"),
    # whatever else is known, by name, as JSON: "environment"
    "facts": ("name", "value"),
}
STOPS: tuple[Stop, ...] = ("flag", "raise")
ENDED: tuple[State, ...] = ("finished", "failed", "interrupted", "lost")


@dataclass(frozen=True, slots=True)
class RunRecord:
    """What is known of a run beside its points. Times are seconds UTC; ``config`` and ``summary`` hold JSON values."""

    id: str
    name: str
    started: float
    state: State = "running"
    group: str | None = None
    tags: tuple[str, ...] = ()
    notes: str | None = None
    config: dict[str, Any] = field(default_factory=dict)
    summary: dict[str, Any] = field(default_factory=dict)  # what the user set; figures per metric are MetricSummary
    step_by: StepBy = "metric"
    ended: float | None = None
    done: int | None = None  # steps done as `track` counts them; None: the metrics' largest step says
    total: int | None = None
    error: str | None = None
    defined: dict[str, str] = field(default_factory=dict)  # x axis by glob of metrics: see `define_metric`


@dataclass(frozen=True, slots=True)
class MetricSummary:
    """Figures of one metric of one run. ``min`` and ``max`` pass over NaN, and are NaN when nothing else was logged."""

    last: float
    min: float
    max: float
    count: int
    step: int  # the largest step, where `last` was logged


class Cursor(NamedTuple):
    """A place in a run's points: all with a smaller ordinal have been read. A rewind starts a new generation."""

    generation: int = 0
    ordinal: int = 0
