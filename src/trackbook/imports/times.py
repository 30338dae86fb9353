"""Times of other trackers as seconds UTC."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any


def seconds(value: Any) -> float:
    """Return a number of seconds or an ISO 8601 text as seconds UTC, 0 for what is neither. Without a time zone a text is UTC."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value) if math.isfinite(value) else 0.0
    if not isinstance(value, str):
        return 0.0
    try:
        found = datetime.fromisoformat(value.strip())
    except ValueError:
        return _number(value)
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()


def _number(text: str) -> float:
    try:
        return seconds(float(text))
    except ValueError:
        return 0.0
