"""What is known of a run that is no table: the rows of `CAPTURED`'s ``facts``, each a JSON object with a name."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .store._interface import Store


def put_fact(store: Store, run_id: str, name: str, fact: Mapping[str, Any]) -> None:
    """Puts a fact in place of the one that had its name."""
    store.put_captured(run_id, "facts", [(name, json.dumps(fact))])


def fact(store: Store, run_id: str, name: str) -> dict[str, Any] | None:
    """The fact of this name, None where nothing was recorded."""
    return next((json.loads(value) for key, value in store.captured(run_id, "facts") if key == name), None)
