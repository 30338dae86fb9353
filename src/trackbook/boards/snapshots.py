"""Keeps a snapshot of each board in the notebook, below the widget: what a reader sees without a kernel.

The output of a widget cannot carry another form of itself (where a front end knows widgets, the widget's view always wins).
So the snapshot is an output of its own, and the note behind it hides it while the board lives. It is placed when the board
is shown, and updated at the end of cells when the board has changed.
"""

from __future__ import annotations

import base64
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from ..charts.png import NoPictureError, picture_file
from ..errors import warn
from ..notebook import host
from .snapshot_note import snapshot_note

if TYPE_CHECKING:
    from ..charts.snapshot import Still
    from .widget import Board

VEGA_LITE: Final = "application/vnd.vegalite.v5+json"  # the newest that JupyterLab 4 draws
WAITING: Final = {"text/plain": "Trackbook puts the board's charts here when the cell ends."}


@dataclass
class _Place:
    """The outputs of the snapshots of one board, and what they show."""

    id: str
    cells: set[str | None] = field(default_factory=set)
    spec: dict[str, Any] | None = None
    bundle: tuple[dict[str, Any], dict[str, Any]] = (WAITING, {})


class Snapshots:
    """The snapshots of this process's boards."""

    def __init__(self) -> None:
        self._places: dict[Board, _Place] = {}
        self._shown: list[Board] = []  # displayed by the running cell, without a snapshot yet
        self._lock = threading.Lock()  # held while snapshots are made
        self._wanted: dict[Board, None] = {}
        self._warned = False

    def note_shown(self, board: Board) -> None:
        """The board was displayed: it gets its snapshot there, at the end of the cell at the latest."""
        if board not in self._shown:
            self._shown.append(board)

    def place(self, board: Board) -> None:
        """Put the snapshot of a board below the newest output, once a cell."""
        self._shown = [other for other in self._shown if other is not board]
        notebook = host.current()
        cell = notebook.cell()
        place = self._places.setdefault(board, _Place(f"trackbook-{board.session.id}"))
        if cell in place.cells:
            return
        place.cells.add(cell)
        notebook.show_data(*place.bundle, place.id, again=False)
        notebook.show({"text/html": snapshot_note(board.session.id), "text/plain": ""}, raw=True)

    def cell_ended(self, boards: list[Board]) -> None:
        """Update the snapshots of `boards` and of those that the cell displayed; on a thread where the host allows it."""
        for board in list(self._shown):
            self.place(board)
            boards = [*boards, board]
        for board in boards:
            if board in self._places:
                self._wanted[board] = None
        if not self._wanted:
            return
        if host.current().takes_late_outputs():
            context = host.thread_context()
            threading.Thread(target=context.run, args=(self._update,), name="trackbook-snapshots", daemon=True).start()
        else:
            self._update()

    def _update(self) -> None:
        with self._lock:
            while self._wanted:
                board, _ = self._wanted.popitem()
                place, snapshot = self._places[board], board.snapshot()
                if snapshot is not None and snapshot.spec != place.spec:
                    place.spec, place.bundle = snapshot.spec, self._bundle(snapshot)
                    host.current().show_data(*place.bundle, place.id, again=True)

    def _bundle(self, snapshot: Still) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return a snapshot as MIME bundle, and the metadata that its renderers need."""
        data: dict[str, Any] = {VEGA_LITE: snapshot.spec, "text/plain": snapshot.text}
        try:
            picture = picture_file(snapshot.spec)
        except NoPictureError as error:
            self._warn_once(error)
            return data, {}
        data["image/png"] = base64.b64encode(picture.png).decode()
        return data, {"image/png": {"width": picture.width, "height": picture.height}}

    def _warn_once(self, error: NoPictureError) -> None:
        if not self._warned:
            self._warned = True
            warn(f"trackbook keeps no PNG of boards in this notebook, because that failed: {error}")
