"""Keeps a still of each board in the notebook, below the widget: what is seen when no kernel stands behind it.

A widget's output cannot carry another form of itself (where a front end knows widgets the widget's view always wins), so the
still is an output of its own, and the note behind it hides it while the board lives. It is placed when the board is shown,
and replaced at the end of cells whenever the board has changed.
"""

from __future__ import annotations

import base64
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from ..charts.png import NoPictureError, picture_file
from ..errors import warn
from ..notebook import host
from .snapshot_note import page

if TYPE_CHECKING:
    from ..charts.snapshot import Still
    from .widget import Board

VEGA_LITE: Final = "application/vnd.vegalite.v5+json"  # the newest that JupyterLab 4 draws
WAITING: Final = {"text/plain": "Trackbook puts the board's charts here when the cell ends."}


@dataclass
class _Place:
    """Where the still of a board is, and what it shows."""

    id: str
    cells: set[str | None] = field(default_factory=set)
    spec: dict[str, Any] | None = None
    bundle: tuple[dict[str, Any], dict[str, Any]] = (WAITING, {})


class Stills:
    """The stills of this process's boards."""

    def __init__(self) -> None:
        self._places: dict[Board, _Place] = {}
        self._shown: list[Board] = []  # in the running cell, and not placed yet
        self._lock = threading.Lock()  # held while stills are made
        self._wanted: dict[Board, None] = {}
        self._no_png_said = False

    def note_shown(self, board: Board) -> None:
        """The board was displayed: at the end of the cell at the latest it gets its still there."""
        if board not in self._shown:
            self._shown.append(board)

    def place(self, board: Board) -> None:
        """Puts the still of a board below what was displayed last, once a cell."""
        self._shown = [other for other in self._shown if other is not board]
        cell = host.cell()
        place = self._places.setdefault(board, _Place(f"trackbook-{board.session.id}"))
        if cell in place.cells:
            return
        place.cells.add(cell)
        host.show_data(*place.bundle, place.id, again=False)
        host.show({"text/html": page(board.session.id), "text/plain": ""}, raw=True)

    def cell_ended(self, boards: list[Board]) -> None:
        """Renews the stills of `boards` and of those that the cell displayed: later where the host allows it."""
        for board in list(self._shown):
            self.place(board)
            boards = [*boards, board]
        for board in boards:
            if board in self._places:
                self._wanted[board] = None
        if not self._wanted:
            return
        if host.takes_late_outputs():
            context = host.thread_context()
            threading.Thread(target=context.run, args=(self._renew,), name="trackbook-stills", daemon=True).start()
        else:
            self._renew()

    def _renew(self) -> None:
        with self._lock:
            while self._wanted:
                board, _ = self._wanted.popitem()
                place, still = self._places[board], board.still()
                if still is not None and still.spec != place.spec:
                    place.spec, place.bundle = still.spec, self._bundle(still)
                    host.show_data(*place.bundle, place.id, again=True)

    def _bundle(self, still: Still) -> tuple[dict[str, Any], dict[str, Any]]:
        """A still in all its forms, with what their renderers need to know."""
        data: dict[str, Any] = {VEGA_LITE: still.spec, "text/plain": still.text}
        try:
            picture = picture_file(still.spec)
        except NoPictureError as error:
            self._say_once(error)
            return data, {}
        data["image/png"] = base64.b64encode(picture.png).decode()
        return data, {"image/png": {"width": picture.width, "height": picture.height}}

    def _say_once(self, error: NoPictureError) -> None:
        if not self._no_png_said:
            self._no_png_said = True
            warn(f"trackbook keeps no PNG of boards in this notebook, because that failed: {error}")
