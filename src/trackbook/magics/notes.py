"""What `%track` and `%%track` have to say about a cell: outputs of their own, which no filter of warnings hides."""

from __future__ import annotations

from ..notebook import host


class Note:
    """A sentence, displayed as text."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return self.text


def show_note(message: str) -> None:
    """Display a message below the running cell: never on the line that the cell's own output ended on."""
    host.current().show(Note(message if message.startswith("%") else f"%%track: {message}"))
