"""What leaves the machine beside metrics and config: the rows of a run's tables that its upload includes."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any, Final

from ..tracking.run_options import INCLUDED
from ..types import CAPTURED

if TYPE_CHECKING:
    from ..store.base import Store

_ALWAYS: Final = frozenset({"media", "alerts"}) & CAPTURED.keys()
_FACTS: Final = {"notebook": "cells", "environment": "environment", "code": "code"}  # documents, by what includes them

Row = tuple[Any, ...]


def tables(include: Collection[str]) -> set[str]:
    """Return the tables of which rows leave the machine."""
    captured = {name for name in include if name in CAPTURED}
    return captured | _ALWAYS | ({"facts"} if {"cells", "environment", "code"} & {*include} else set())


def rows(store: Store, run_id: str, include: Collection[str]) -> dict[str, list[Row]]:
    """Return the rows of a run that leave the machine, by table."""
    found = {table: store.captured(run_id, table) for table in sorted(tables(include))}
    if "facts" in found:
        facts = [(name, text) for name, text in found["facts"] if _FACTS.get(name) in include]
        found["facts"] = [(name, _without_diff(text, include)) for name, text in facts]
    return found


def said(include: Collection[str]) -> str:
    """Return a phrase about what is uploaded, and what is not."""
    kept = [name for name in INCLUDED if name not in include]
    sent = ", ".join(["metrics", "config", "media", *include])
    return f"{sent}; not {', '.join(kept)}" if kept else sent


def _without_diff(text: str, include: Collection[str]) -> str:
    """Return a document without the diff in it, which is code."""
    if "code" in include:
        return text
    try:
        content = json.loads(text)
    except ValueError:
        return "{}"
    git = content.get("git") if isinstance(content, Mapping) else None
    if isinstance(git, dict) and git.pop("diff", None) is not None:
        return json.dumps(content)
    return text
