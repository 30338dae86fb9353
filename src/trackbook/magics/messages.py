"""Notes of `%track` and `%%track` about a cell, displayed as outputs of their own: no warning filter hides them."""

from __future__ import annotations

from ..notebook import host


class Note:
    """A sentence, displayed as text."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return self.text


def show_note(message: str) -> None:
    """Display a message below the running cell, apart from the cell's own output."""
    host.current().show(Note(message if message.startswith("%") else f"%%track: {message}"))
