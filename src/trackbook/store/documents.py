"""What is known of a run that is no table: the rows of `CAPTURED`'s ``facts``, each a JSON object with a name."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .base import Store


def put_fact(store: Store, run_id: str, name: str, fact: Mapping[str, Any]) -> None:
    """Puts a fact in place of the one that had its name."""
    store.put_captured(run_id, "facts", [(name, _dump(fact))])


def fact(store: Store, run_id: str, name: str) -> dict[str, Any] | None:
    """The fact of this name, None where nothing was recorded."""
    return next((json.loads(value) for key, value in store.captured(run_id, "facts") if key == name), None)


def _dump(fact: Mapping[str, Any]) -> str:
    """As JSON, in which halves of surrogate pairs, as names of files may have them, are spelled out: no text can hold them."""
    text = json.dumps(fact, ensure_ascii=False)
    return text if text.isascii() else re.sub("[\ud800-\udfff]", lambda half: f"\\\\u{ord(half[0]):04x}", text)
