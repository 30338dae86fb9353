"""What tests of runs, journals and faults share."""

from __future__ import annotations

from trackbook._journal import FileJournal


def in_memory() -> FileJournal:
    """A journal without a folder."""
    return FileJournal(None, {"id": "r1"})
