"""Questions that a front end asks the kernel: a name, answered by a function that returns JSON and buffers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

Question: TypeAlias = Mapping[str, Any]  # "ask" names it; the other keys are its arguments
Answer: TypeAlias = tuple[dict[str, Any], list[bytes]]
AnswerTable: TypeAlias = dict[str, Callable[[Question], Answer]]

DONE: Answer = ({}, [])


def refuse(reason: str) -> Answer:
    """Return the answer to a question that cannot be answered."""
    return {"error": reason}, []


def answer(table: AnswerTable, question: Question) -> Answer:
    """Answer a question from `table`; bad arguments and failures become an ``error`` for the reader of the board."""
    name = question.get("ask")
    function = table.get(name) if isinstance(name, str) else None
    if function is None:
        return refuse(f"a board cannot answer {name!r}")
    try:
        return function(question)
    except (OSError, RuntimeError, TypeError, ValueError) as error:
        return refuse(str(error))
