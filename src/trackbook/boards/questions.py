"""Questions of the front end to the kernel. Each has a name, and a function that returns JSON and buffers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

Question: TypeAlias = Mapping[str, Any]  # "ask" names it; the other keys are its arguments
Answer: TypeAlias = tuple[dict[str, Any], list[bytes]]
AnswerTable: TypeAlias = dict[str, Callable[[Question], Answer]]

DONE: Answer = ({}, [])


def refuse(reason: str) -> Answer:
    """Return an answer that says why there is none."""
    return {"error": reason}, []


def answer(table: AnswerTable, question: Question) -> Answer:
    """Answer a question by its function in `table`. Bad arguments and failures become an ``error``, which the board shows."""
    name = question.get("ask")
    function = table.get(name) if isinstance(name, str) else None
    if function is None:
        return refuse(f"a board cannot answer {name!r}")
    try:
        return function(question)
    except (OSError, RuntimeError, TypeError, ValueError) as error:
        return refuse(str(error))
