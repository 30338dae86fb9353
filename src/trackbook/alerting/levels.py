"""How urgent an alert is."""

from __future__ import annotations

import enum
from typing import Any


class AlertLevel(enum.StrEnum):
    """How urgent an alert is, in rising order. Each is equal to its text."""

    INFO = "info"
    WARN = "warn"
    ERROR = "error"


LEVELS = tuple(AlertLevel)
_WORDS = {"warning": AlertLevel.WARN, "critical": AlertLevel.ERROR}


def to_level(level: Any, what: str = "level") -> AlertLevel:
    """Return the level that a text in any case, or an enumeration of another tracker, names. Raises ``ValueError``."""
    word = str(getattr(level, "value", level)).lower()
    try:
        return _WORDS.get(word) or AlertLevel(word)
    except ValueError:
        raise ValueError(f"{what} is {', '.join(map(repr, map(str, LEVELS)))}, not {level!r}") from None


def reaches(level: str, least: str) -> bool:
    """Whether a level is at least so urgent. What is no level, as in a file of a later version, is the most urgent."""
    return (
        least not in LEVELS or level not in LEVELS or LEVELS.index(AlertLevel(level)) >= LEVELS.index(AlertLevel(least))
    )
