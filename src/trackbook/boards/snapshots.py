"""Keeps a snapshot of each board in the notebook, below the widget, for readers without a kernel.

The output of a widget cannot carry a second representation: a front end that knows widgets always shows the widget. So the snapshot is
a separate output, and the note behind it hides it while the board is live. The snapshot is placed when the board is shown, and
updated at the end of cells when the board has changed. Boards that `clear_output` removed are displayed again.
"""

from __future__ import annotations

import base64
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from ..charts.png import NoPictureError, picture_file
from ..notebook import host
from ..notebook.clear_output import ClearedOutputs
from ..user_warnings import warn
from .snapshot_visibility import snapshot_note

if TYPE_CHECKING:
    from ..charts.snapshot import Snapshot
    from .widget import Board

VEGA_LITE: Final = "application/vnd.vegalite.v5+json"  # the newest version that JupyterLab 4 draws
COME_BACK_SECONDS: Final = 1.0  # after the last clear; a loop that clears more often gets its boards back at its end
FOREVER: Final = 3600.0
WAITING: Final = {"text/plain": "Trackbook puts the board's charts here when the cell ends."}


@dataclass
class _Place:
    """The outputs of the snapshots of one board, and what they show."""

    id: str
    cells: set[str | None] = field(default_factory=set)
    spec: dict[str, Any] | None = None
    bundle: tuple[dict[str, Any], dict[str, Any]] = (WAITING, {})

    @property
    def board_id(self) -> str:
        """The display id of the board itself, when it was displayed again."""
        return f"{self.id}-board"


class Snapshots:
    """The snapshots of this process's boards."""

    def __init__(self, on_clear: Callable[[], None] = lambda: None) -> None:
        """`on_clear` is called when boards were cleared, so that the snapshots have to be ticked."""
        self._places: dict[Board, _Place] = {}
        self._shown: list[Board] = []  # displayed by the running cell, without a snapshot yet
        self._lock = threading.Lock()  # held while snapshots are made
        self._wanted: dict[Board, None] = {}
        self._warned = False
        self._in_cell: list[Board] = []  # displayed by the running cell, with a snapshot
        self._kept_free: list[Board] = []  # cleared boards that have an empty output, to be displayed in again
        self._clears = ClearedOutputs(self._keep_free, on_clear)

    def note_shown(self, board: Board) -> None:
        """Note that the board was displayed. Its snapshot is placed there at the end of the cell at the latest."""
        if board not in self._shown:
            self._shown.append(board)

    def place(self, board: Board) -> None:
        """Put the snapshot of a board below the newest output, once a cell."""
        self._shown = [other for other in self._shown if other is not board]
        notebook = host.current()
        cell = notebook.cell()
        place = self._places.setdefault(board, _Place(f"trackbook-{board.source.id}"))
        if cell in place.cells:
            return
        place.cells.add(cell)
        self._put(place, board)
        if notebook.shell is not None:
            self._in_cell.append(board)
            self._clears.follow(notebook.shell)

    def _put(self, place: _Place, board: Board) -> None:
        notebook = host.current()
        notebook.show_data(*place.bundle, place.id, again=False)
        notebook.show({"text/html": snapshot_note(board.source.id), "text/plain": ""}, raw=True)

    def _keep_free(self) -> None:
        """Display an empty output for each cleared board below the user's output, which is about to be cleared, too.

        To display the boards themselves would slow down a loop that clears many times a second.
        """
        if self._clears.cleared:
            self._kept_free = list(self._in_cell)
            for board in self._kept_free:
                host.current().show_data({"text/plain": ""}, {}, self._places[board].board_id, again=False)
                self._put(self._places[board], board)
            self._clears.outputs_came_back()

    def _bring_back(self) -> None:
        """Display the boards that `clear_output` removed from the cell again, once, below its outputs."""
        notebook = host.current()
        with self._clears.lock:
            if self._clears.cleared:
                self._kept_free = []
                for board in self._in_cell:
                    notebook.show(board)
                    self._put(self._places[board], board)
                self._clears.outputs_came_back()
            for board in self._kept_free:
                notebook.show(board, display_id=self._places[board].board_id, update=True)
            self._kept_free = []

    def tick(self, now: float) -> float:
        """Display cleared boards again while their cell runs, a moment after the last clear. Called by the pump."""
        if not self._in_cell or not (self._clears.cleared or self._kept_free):
            return FOREVER
        early = self._clears.changed + COME_BACK_SECONDS - now
        if early <= 0:
            self._clears.context.run(self._bring_back)
        return early if early > 0 else FOREVER

    def cell_ended(self, boards: list[Board]) -> None:
        """Update the snapshots of `boards` and of the boards that the cell displayed, on a thread if the host allows it."""
        self._bring_back()
        self._in_cell = []
        self._clears.end()
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

    def _bundle(self, snapshot: Snapshot) -> tuple[dict[str, Any], dict[str, Any]]:
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
