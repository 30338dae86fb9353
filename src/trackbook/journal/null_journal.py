"""A journal for runs that are not recorded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .journal import Ready
    from .records import Batch


class NullJournal:
    """A journal that discards everything, for disabled runs."""

    def __init__(self) -> None:
        self.name = ""
        self.notices: list[str] = []

    def metric(self, name: str) -> int:
        return 0

    def write(self, count: int, fields: Sequence[Any]) -> None:
        """Discard the records."""

    def note(self, line: bytes) -> bool:
        """Discard the line."""
        return True

    def ready(self) -> Ready:
        return []

    def backlog(self) -> int:
        return 0

    def drain(self, ready: Ready) -> Batch | None:
        return None

    def drained(self, marks: Mapping[str, int]) -> None:
        """Do nothing."""

    def forget(self, marks: Mapping[str, int]) -> None:
        """Do nothing."""

    def at_risk(self) -> int | None:
        return None

    def leave(self, head: dict[str, Any] | None = None) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""
