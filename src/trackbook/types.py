"""Types that every layer shares."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final, Literal, NamedTuple

StepBy = Literal["metric", "run"]
Resume = Literal["never", "allow", "must"]
Stop = Literal["flag", "raise"]
OnBadValue = Literal["raise", "warn"]
Life = Literal["alive", "dead", "unknown"]
State = Literal["running", "finished", "failed", "interrupted", "lost"]

# Tables of captured data: for each its columns, the first of which is the key, with their types in SQLite. Times are seconds UTC.
CAPTURED: Final[dict[str, dict[str, str]]] = {
    # executions of cells, numbered from 0 within the run
    "cells": {
        "number": "integer not null",
        "cell": "text",  # the notebook's id of the cell
        "count": "integer",  # In [count]
        "source": "text",
        "started": "real not null",
        "ended": "real",
        "state": "text not null",
        "error": "text",
        "output": "text",
        "metrics": "text",  # JSON: the names of the logged metrics
        "points": "integer",
        "dirty": "text",  # why the notebook does not show the cell as it was executed
    },
    # lines of stdout, stderr and logging as a terminal shows them
    "console": {
        "line": "integer not null",
        "stream": "text not null",
        "text": "text not null",
        "time": "real not null",
        "cell": "integer",  # a number of `cells`
    },
    # media, each item of a list on its own; numbered by time, as `media/index.py` says
    "media": {
        "number": "integer not null",
        "metric": "text not null",
        "step": "integer not null",
        "time": "real not null",
        "item": "integer not null",  # place in the logged list
        "kind": "text not null",
        "file": "text",  # a name in the project's folder of media
        "size": "integer not null",  # bytes
        "mime": "text not null",
        "caption": "text",
        "about": "text not null",  # JSON
    },
    # named JSON documents, such as "environment"
    "facts": {"name": "text not null", "value": "text not null"},
    # alerts, numbered from 0 within the run
    "alerts": {
        "number": "integer not null",
        "time": "real not null",
        "level": "text not null",
        "title": "text not null",
        "text": "text not null",
        "step": "integer",  # of the point that a rule found
        "times": "integer not null",  # how often it came within its wait
        "webhook": "text",  # "waiting", "sent", or why it was not sent; null without a webhook
    },
    # files that a run saved, by their path; the digest is the name of the kept file
    "files": {"path": "text not null", "digest": "text not null", "size": "integer not null", "time": "real not null"},
    # versions of artifacts, which outlive the runs that made them: rows of the project (`store.documents.PROJECT`)
    "artifacts": {
        "artifact": "text not null",  # "model:v3"
        "name": "text not null",
        "version": "integer not null",
        "type": "text not null",
        "digest": "text not null",
        "size": "integer not null",
        "files": "integer not null",
        "created": "real not null",
        "run": "text",
        "aliases": "text not null",  # JSON
        "metadata": "text not null",  # JSON
        "description": "text",
        "manifest": "text not null",  # the kept file that lists the files
    },
    # which versions a run made and used
    "artifact_links": {
        "link": "text not null",  # the three columns that follow it
        "role": "text not null",
        "artifact": "text not null",
        "digest": "text not null",
        "time": "real not null",
    },
}


STOPS: tuple[Stop, ...] = ("flag", "raise")
ENDED: tuple[State, ...] = ("finished", "failed", "interrupted", "lost")


@dataclass(frozen=True, slots=True)
class RunRecord:
    """The record of a run: everything except its points. Times are seconds UTC; ``config`` and ``summary`` hold JSON values."""

    id: str
    name: str
    started: float
    state: State = "running"
    group: str | None = None
    tags: tuple[str, ...] = ()
    notes: str | None = None
    config: dict[str, Any] = field(default_factory=dict)
    summary: dict[str, Any] = field(default_factory=dict)  # values set by the user; for metrics see `MetricSummary`
    step_by: StepBy = "metric"
    ended: float | None = None
    done: int | None = None  # steps done as `track` counts them; None: the metrics' largest step says
    total: int | None = None
    error: str | None = None
    defined: dict[str, str] = field(default_factory=dict)  # x axis by glob of metrics: see `define_metric`
    goals: dict[str, str] = field(
        default_factory=dict
    )  # "min" or "max" by glob of metrics: which of its values is the best


@dataclass(frozen=True, slots=True)
class MetricSummary:
    """Summary of one metric of one run. ``min`` and ``max`` ignore NaN, and are NaN when nothing else was logged."""

    last: float
    min: float
    max: float
    count: int
    step: int  # the largest step, where `last` was logged


class Writer(NamedTuple):
    """The process that writes a run. ``seen`` is its last heartbeat, in seconds UTC.

    ``system`` identifies a machine since its boot and a namespace of process ids; it is empty when the platform has no such id.
    ``born`` distinguishes the process from a later one with the same id.
    """

    host: str
    system: str
    pid: int
    born: str
    seen: float


class Cursor(NamedTuple):
    """A position in a run's points: those with a smaller ordinal have been read. A rewind starts a new generation."""

    generation: int = 0
    ordinal: int = 0


class SyncState(NamedTuple):
    """How far the upload of a run is.

    ``synced``: the target has everything that is stored here; ``uploading``: it gets the rest; ``waiting``: it cannot be reached or is
    busy, and is tried again; ``refused``: it takes nothing until somebody does what `problem` says.
    """

    target: str  # its address, without secrets
    state: Literal["synced", "uploading", "waiting", "refused"]
    left: int  # points that it does not have yet
    at: float | None  # when it last took something, in seconds UTC
    problem: str | None = None  # what is wrong, and what to do
