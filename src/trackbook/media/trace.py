"""Traces: conversations of a model, with the tools that it calls."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ..text import one_line
from .values import LARGEST_TEXT, File, Media, bad, given, masked

_EXPECTED = 'messages, such as [{"role": "user", "content": "Hello"}]'


class Trace(Media):
    """A conversation.

    Parameters
    ----------
    messages
        Messages as chat APIs have them: dicts with ``role`` and ``content``, and perhaps ``tool_calls``, ``name`` and ``tool_call_id``.
    metadata
        A dict of anything else, such as a reward.
    caption
        A text below it.

    Raises
    ------
    TypeError, ValueError
        For anything else.
    """

    kind = "trace"

    def __init__(
        self, messages: Any = None, metadata: Mapping[str, Any] | None = None, caption: str | None = None, **other: Any
    ) -> None:
        super().__init__(caption)
        messages = given(self, messages, other, "data", "value")
        if isinstance(messages, (str, Mapping)):
            messages = [{"role": "assistant", "content": messages} if isinstance(messages, str) else messages]
        try:
            listed = [_as_dict(message) for message in messages]
        except TypeError as error:
            bad(self, messages, _EXPECTED, error)
        for number, message in enumerate(listed):
            if not isinstance(message.get("role"), str):
                raise ValueError(f"Trace: message {number} has no role: {one_line(repr(message))}; give {_EXPECTED}")  # noqa: TRY004
        content = {"messages": listed, "metadata": dict(metadata or {})}
        shown = masked(json.loads(json.dumps(masked(content), default=str)))  # again, with the texts of objects
        text = json.dumps(shown, ensure_ascii=False)
        if len(text) > LARGEST_TEXT:
            raise ValueError(f"Trace: {len(text):,} characters; at most {LARGEST_TEXT:,} are taken")
        file = File(text.encode(errors="backslashreplace"), ".json", "application/json")
        self._keep(file, {"messages": len(listed)})


def _as_dict(message: Any) -> dict[str, Any]:
    if isinstance(message, Mapping):
        return dict(message)
    if hasattr(message, "model_dump"):  # of OpenAI's and other clients
        return dict(message.model_dump(exclude_none=True))
    raise TypeError(f"{type(message).__name__} is no message")
