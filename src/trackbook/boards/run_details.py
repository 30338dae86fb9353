"""What is told of a run beside its points: its console, its cells, its environment. In pages, since a console is long."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from operator import itemgetter
from typing import Any, Final

from ..store.base import Store
from ..store.documents import fact
from ..text import shorten

ABOUT: Final = frozenset({"console", "cells", "environment"})
PAGE: Final = 1000  # lines an answer
REWRITTEN: Final = 100  # lines before the last one known that are told again: progress bars go on above others
LONGEST_LINE: Final = 2_000  # characters
MOST_FOUND: Final = 100_000  # lines, the newest
MOST_CELLS: Final = 300  # the newest
LONGEST_SOURCE: Final = 20_000  # characters, of code and of a traceback each
LONGEST_OUTPUT: Final = 4_000


def about(store: Store, question: Mapping[str, Any]) -> dict[str, Any]:
    """Answers the questions `ABOUT` for a ``run``, by its id, or says in ``error`` why not.

    ``console``: at most `PAGE` ``lines`` as `CAPTURED` has them, and how many are ``earlier``: the newest, or the last ones
    ``before`` a line, by its number, and all of them from the line ``since`` on. Or those that may have changed since the
    line ``after`` was the last, with ``more`` when others come behind them. Or with ``search`` the numbers of the lines that
    contain this text in any case, as ``found``. Lines of the middle of a long console may go while somebody reads.
    ``cells``: the newest executions as mappings, and how many are ``earlier``.
    ``environment``: None where it is not known.
    """
    run = question.get("run")
    if not isinstance(run, str) or store.run(run) is None:
        return {"error": "this run is no longer in the project"}
    try:
        match question["ask"]:
            case "console":
                return _console(store, run, question)
            case "cells":
                return _cells(store, run)
            case _:
                return {"environment": fact(store, run, "environment")}
    except ValueError as error:
        return {"error": str(error)}


def _console(store: Store, run: str, question: Mapping[str, Any]) -> dict[str, Any]:
    before, since, after = (_number(question, name) for name in ("before", "since", "after"))
    if after is not None:
        rows = store.captured(run, "console", after - REWRITTEN)
        return {"lines": _told(rows[: PAGE + REWRITTEN]), "more": len(rows) > PAGE + REWRITTEN}
    rows = store.captured(run, "console")
    if text := question.get("search"):
        matches = re.compile(re.escape(str(text)), re.IGNORECASE).search
        return {"found": [line for line, _, text, *_ in rows if matches(text)][-MOST_FOUND:]}
    end = len(rows) if before is None else bisect_left(rows, before, key=itemgetter(0))
    first = max(0, end - PAGE)
    if since is not None:
        first = min(first, bisect_left(rows, since, key=itemgetter(0)))
    return {"lines": _told(rows[first:end]), "earlier": first}


def _told(rows: Sequence[tuple[Any, ...]]) -> list[list[Any]]:
    return [[line, stream, shorten(text, LONGEST_LINE), time, cell] for line, stream, text, time, cell in rows]


def _cells(store: Store, run: str) -> dict[str, Any]:
    rows = store.captured(run, "cells")
    cells = [
        {
            "number": number,
            "count": count,
            "source": source and shorten(source, LONGEST_SOURCE),
            "started": started,
            "ended": ended,
            "state": state,
            "error": error and error[-LONGEST_SOURCE:],  # what a traceback says stands at its end
            "output": output and shorten(output, LONGEST_OUTPUT),
            "dirty": dirty,
        }
        for number, _, count, source, started, ended, state, error, output, _, _, dirty in rows[-MOST_CELLS:]
    ]
    return {"cells": cells, "earlier": len(rows) - len(cells)}


def _number(question: Mapping[str, Any], name: str) -> int | None:
    number = question.get(name)
    if number is not None and (isinstance(number, bool) or not isinstance(number, int)):
        raise ValueError(f"{name} is the number of a line, not {number!r}")
    return number
