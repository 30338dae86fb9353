"""Answers about a run's console, cells and environment, and its alerts. A console is long, so its lines are sent in pages."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from functools import partial
from operator import itemgetter
from typing import Any, Final

from ..frames.protocol import Alert, CellSpans
from ..store.base import Store
from ..store.documents import document
from ..text import shorten
from ..types import CAPTURED
from .questions import Answer, AnswerTable, Question

PAGE: Final = 1000  # lines of an answer
RESENT: Final = 100  # lines before the last known one that are sent again: progress bars above it may have changed
LONGEST_LINE: Final = 2_000  # characters
MOST_FOUND: Final = 100_000  # lines, the newest
MOST_CELLS: Final = 300  # the newest
LONGEST_SOURCE: Final = 20_000  # characters, of code and of a traceback each
LONGEST_OUTPUT: Final = 4_000
MOST_SPANS: Final = 500  # cell executions on a board: 20 KB
MOST_ALERTS: Final = 50  # on a board: 20 KB at most
LONGEST_TITLE: Final = 100  # characters
LONGEST_TEXT: Final = 300
MOST_KEPT: Final = 200  # artifacts of a role, and files, that the details of a run list

_CELL: Final = tuple(CAPTURED["cells"])
_SPAN: Final = itemgetter(*(_CELL.index(name) for name in ("count", "started", "ended", "points", "state")))


def answers(store: Store) -> AnswerTable:
    """Return the questions about one run, whose id is their ``run``."""
    return {
        "console": partial(console, store),
        "cells": partial(cells, store),
        "environment": partial(environment, store),
    }


def console(store: Store, question: Question) -> Answer:
    """Return console lines as `CAPTURED` has them, by one of these arguments.

    ===========  ====================================================================================================
    (none)       the newest `PAGE` ``lines``, and the number of ``earlier`` ones
    ``before``   the `PAGE` lines before this line number, likewise
    ``since``    with or without ``before``: from this line number on, even when they are more than a page
    ``after``    the lines that may have changed since this line was the last one; ``more`` when others follow them
    ``search``   ``found``: the numbers of the lines that contain this text, ignoring case
    ===========  ====================================================================================================

    Lines in the middle of a long console may disappear between two questions.
    """
    run = _run(store, question)
    before, since, after = (_line_number(question, name) for name in ("before", "since", "after"))
    if after is not None:
        rows = store.captured(run, "console", after - RESENT)
        return {"lines": _lines(rows[: PAGE + RESENT]), "more": len(rows) > PAGE + RESENT}, []
    rows = store.captured(run, "console")
    if text := question.get("search"):
        matches = re.compile(re.escape(str(text)), re.IGNORECASE).search
        return {"found": [line for line, _, text, *_ in rows if matches(text)][-MOST_FOUND:]}, []
    end = len(rows) if before is None else bisect_left(rows, before, key=itemgetter(0))
    first = max(0, end - PAGE)
    if since is not None:
        first = min(first, bisect_left(rows, since, key=itemgetter(0)))
    return {"lines": _lines(rows[first:end]), "earlier": first}, []


def newest_lines(store: Store, run: str, most: int) -> list[list[Any]]:
    """Return the newest `most` console lines of a run. The first one tells of the others, if there are any."""
    rows = store.captured(run, "console")
    left_out = len(rows) - most
    if left_out <= 0:
        return _lines(rows)
    line, _, _, time, _ = rows[left_out]
    return [[line - 1, "cut", f"… {left_out:,} earlier lines are left out …", time, None], *_lines(rows[left_out:])]


def cells(store: Store, question: Question) -> Answer:
    """Return the newest cell executions as mappings, the number of ``earlier`` ones, and the ``script`` if the run has one."""
    run = _run(store, question)
    rows = store.captured(run, "cells")
    script = document(store, run, "code")
    found = [
        {
            "number": number,
            "count": count,
            "source": source and shorten(source, LONGEST_SOURCE),
            "started": started,
            "ended": ended,
            "state": state,
            "error": error and error[-LONGEST_SOURCE:],  # the end of a traceback names the error
            "output": output and shorten(output, LONGEST_OUTPUT),
            "dirty": dirty,
        }
        for number, _, count, source, started, ended, state, error, output, _, _, dirty in rows[-MOST_CELLS:]
    ]
    shown = script and {"path": script["path"], "source": shorten(script["source"], LONGEST_SOURCE)}
    return {"cells": found, "earlier": len(rows) - len(found), "script": shown}, []


def environment(store: Store, question: Question) -> Answer:
    """Return the environment snapshot, after the run's artifacts and saved files; None when nothing of it was recorded."""
    run = _run(store, question)
    found = kept(store, run) | (document(store, run, "environment") or {})
    return {"environment": found or None}, []


def kept(store: Store, run: str) -> dict[str, dict[str, str]]:
    """Return the versions of artifacts that a run made and used, and the sizes of the files that it saved, by path."""
    versions: dict[str, list[str]] = {}
    for _, role, artifact, _, _ in sorted(store.captured(run, "artifact_links"), key=itemgetter(-1)):
        versions.setdefault(role, []).append(artifact)
    lineage = {role: ", ".join(names[:MOST_KEPT]) + " …" * (len(names) > MOST_KEPT) for role, names in versions.items()}
    saved = store.captured(run, "files")
    files = {path: f"{size:,} bytes" for path, _, size, _ in saved[:MOST_KEPT]}
    if len(saved) > MOST_KEPT:
        files["…"] = f"{len(saved) - MOST_KEPT:,} more"
    return ({"artifacts": lineage} if lineage else {}) | ({"saved files": files} if files else {})


def cell_spans(store: Store, runs: Iterable[str]) -> CellSpans:
    """Return the times of the newest `MOST_SPANS` cell executions that logged points of `runs`, or are still running.

    This is the value of the trait ``cells``, by which a tooltip finds the execution that logged a point.
    """
    found: list[tuple[float, str, int, float | None]] = []
    for run_id in runs:
        for row in store.captured(run_id, "cells"):
            count, started, ended, points, state = _SPAN(row)
            if count is not None and (points or state == "running"):
                found.append((round(started, 3), run_id, count, None if ended is None else round(ended, 3)))
    spans: CellSpans = {}
    for started, run_id, count, ended in sorted(found, key=itemgetter(0))[-MOST_SPANS:]:
        spans.setdefault(run_id, []).append((count, started, ended))
    return spans


def newest_alerts(store: Store, runs: Iterable[str]) -> list[Alert]:
    """Return the newest `MOST_ALERTS` alerts of `runs`, oldest first: the value of the trait ``alerts``."""
    found = [
        (run_id, number, round(time, 3), level, shorten(title, LONGEST_TITLE), shorten(text, LONGEST_TEXT), times)
        for run_id in runs
        for number, time, level, title, text, _, times, _ in store.captured(run_id, "alerts")
    ]
    return sorted(found, key=itemgetter(2))[-MOST_ALERTS:]


def _run(store: Store, question: Question) -> str:
    run = question.get("run")
    if not isinstance(run, str) or store.run(run) is None:
        raise ValueError("this run is no longer in the project")
    return run


def _line_number(question: Question, name: str) -> int | None:
    number = question.get(name)
    if number is not None and (isinstance(number, bool) or not isinstance(number, int)):
        raise ValueError(f"{name} is the number of a line, not {number!r}")
    return number


def _lines(rows: Sequence[tuple[Any, ...]]) -> list[list[Any]]:
    return [[line, stream, shorten(text, LONGEST_LINE), time, cell] for line, stream, text, time, cell in rows]
