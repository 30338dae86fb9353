"""Keeps a snapshot of each board in the notebook, below the widget, for readers without a kernel.

The output of a widget cannot carry a second representation: a front end that knows widgets always shows the widget. So the snapshot is
a separate output, and the note behind it hides it while the board is live. The snapshot is placed when the board is shown, drawn with
the first points, and renewed while points come and at the end of cells.

JupyterLab draws each new Vega-Lite, though it is hidden, and holds up the board for half a second. So while training goes on, the
snapshot is a PNG alone. At the end the Vega-Lite is shown at once, and again with its PNG when that is ready.

A page that was reloaded no longer takes updates of its outputs. There the front end asks for the snapshot and writes it into the
notebook. It reports a snapshot that the notebook does not have, and the next cell shows that one again. Boards that `clear_output`
removed are displayed again.
"""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from ..charts.png import Converter, NoPictureError, PictureFile
from ..notebook import host
from ..notebook.clear_output import ClearedOutputs
from ..user_warnings import warn
from .questions import DONE, Answer, Question, refuse
from .snapshot_visibility import snapshot_note

if TYPE_CHECKING:
    from ..charts.snapshot import Snapshot
    from .widget import Board

VEGA_LITE: Final = "application/vnd.vegalite.v5+json"  # the newest version that JupyterLab 4 draws
PNG: Final = "image/png"
COME_BACK_SECONDS: Final = 1.0  # after the last clear; a loop that clears more often gets its boards back at its end
FOREVER: Final = 3600.0
FIRST_SECONDS: Final = (0.0, 2.0, 15.0)  # after the first points; a notebook may be saved at any moment
RENEW_SECONDS: Final = 60.0
LOOK_SECONDS: Final = 0.25  # between two looks for the first points


@dataclass
class _Place:
    """The outputs of the snapshots of one board, and their content."""

    id: str
    data: dict[str, Any]
    metadata: dict[str, Any]
    snapshot: Snapshot | None = None  # the newest
    goes_on: bool = False  # whether training went on at the newest snapshot
    cells: dict[str | None, str | None] = field(default_factory=dict)  # executions that show it, by the cell's id
    state: object = None  # of the board at the last snapshot
    first: float | None = None  # time of the first points, on the monotonic clock
    due: float = 0.0  # time of the next renewal, on the same clock
    ran: bool = False  # whether a run was running at the last renewal
    is_lost: bool = False  # whether the notebook lacks the outputs
    checked: str = "[]"  # the charts of the user's own that the converter has drawn, as JSON
    refused: str = ""  # those that it has not

    @property
    def board_id(self) -> str:
        """The display id of the board itself, when it was displayed again."""
        return f"{self.id}-board"


class Snapshots:
    """The snapshots of this process's boards."""

    def __init__(self, ask_for_ticks: Callable[[], None] = lambda: None) -> None:
        """`ask_for_ticks` is called when the snapshots have to be ticked."""
        self._ask_for_ticks = ask_for_ticks
        self._places: dict[Board, _Place] = {}
        self._shown: list[Board] = []  # displayed by the running cell, without a snapshot yet
        self._lock = threading.RLock()  # held while snapshots are shown
        self._undrawn: dict[Board, None] = {}  # those without a PNG of what they show
        self._drawing = threading.Lock()  # held while PNGs are made
        self._warned = False
        self._in_cell: list[Board] = []  # displayed by the running cell, with a snapshot
        self._kept_free: list[Board] = []  # cleared boards that have an empty output, to be displayed in again
        self._clears = ClearedOutputs(self._keep_free, ask_for_ticks)

    def note_shown(self, board: Board) -> None:
        """Note that the board was displayed. Its snapshot is placed there at the end of the cell at the latest."""
        if board not in self._shown:
            self._shown.append(board)

    def place(self, board: Board) -> None:
        """Put the snapshot of a board below the newest output, once a cell."""
        self._shown = [other for other in self._shown if other is not board]
        notebook = host.current()
        cell = notebook.cell()
        place = self._places.get(board)
        if place is None:
            text = {"text/plain": f"Charts: trackbook.board({board.project!r})"}
            place = _Place(f"trackbook-{board.source.id}", text, _mark(board.source.id, 0))
            self._places[board] = place
            board.publisher.add_answers(
                {"still": partial(self._answer, place), "lost": partial(self._note_lost, place)}
            )
        if cell in place.cells.values():
            return
        place.cells[notebook.cell_id()] = cell
        self._put(place, board)
        if notebook.shell is not None:
            self._in_cell.append(board)
            self._clears.follow(notebook.shell)
        self._ask_for_ticks()

    def _answer(self, place: _Place, _: Question) -> Answer:
        """Return the snapshot, for a page with an older one."""
        return {"data": place.data, "metadata": place.metadata}, []

    def _note_lost(self, place: _Place, _: Question) -> Answer:
        """Note that the page has no output of the snapshot. The next cell shows it."""
        if not host.current().takes_late_outputs():
            return refuse("this notebook is executed by a program")
        place.is_lost = True
        return DONE

    def _put(self, place: _Place, board: Board) -> None:
        notebook = host.current()
        notebook.show_data(place.data, place.metadata, place.id, again=False)
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
        """Renew snapshots, and display cleared boards again while their cell runs. Called by the pump."""
        return min(self._tick_cleared(now), self._renew(now))

    def _tick_cleared(self, now: float) -> float:
        """Display cleared boards again, a moment after the last clear."""
        if not self._in_cell or not (self._clears.cleared or self._kept_free):
            return FOREVER
        early = self._clears.changed + COME_BACK_SECONDS - now
        if early <= 0:
            self._clears.context.run(self._bring_back)
        return early if early > 0 else FOREVER

    def _renew(self, now: float) -> float:
        """Draw the snapshots of running runs with the first points, and again each minute."""
        if not host.current().takes_late_outputs():
            return FOREVER
        rest = FOREVER
        for board, place in list(self._places.items()):
            if place.first is None and board.source.logged:
                place.first = place.due = now
            running = board.source.running
            if place.first is not None and (running or place.ran) and now >= place.due:
                self._show(board, goes_on=running)
                place.ran = running
                ages = [place.first + age for age in FIRST_SECONDS if place.first + age > now]
                place.due = min(ages, default=now + RENEW_SECONDS)
            if running or place.ran:
                rest = min(rest, LOOK_SECONDS if place.first is None else place.due - now)
        return rest

    def cell_ended(self, boards: list[Board]) -> None:
        """Update the snapshots of `boards` and of those that the cell displayed.

        The outputs of the cell's earlier execution are gone, and not lost.
        """
        notebook = host.current()
        self._bring_back()
        self._in_cell = []
        self._clears.end()
        for board in list(self._shown):
            self.place(board)
            boards = [*boards, board]
        for board in dict.fromkeys(boards):
            if board in self._places:
                self._show(board)
        cell_id, cell = notebook.cell_id(), notebook.cell()
        for board, place in self._places.items():
            if cell_id is not None and place.cells.get(cell_id, cell) != cell:
                del place.cells[cell_id]
            if place.is_lost:
                place.is_lost = False
                if place.cells:
                    place.cells[cell_id] = cell
                    self._put(place, board)
        if not notebook.takes_late_outputs():
            self._draw()

    def _show(self, board: Board, *, goes_on: bool = False) -> None:
        """Show a board's snapshot as it is now, if it has changed; its PNG follows. While training goes on, only the PNG is shown."""
        with self._lock:
            place, state = self._places[board], board.snapshot_state
            own = place.checked == _own_charts(board)
            is_shown = state == place.state and (goes_on or not place.goes_on)
            if is_shown or (snapshot := board.snapshot(own=own)) is None:
                return
            place.state, place.snapshot, place.goes_on = state, snapshot, goes_on
            takes_late = host.current().takes_late_outputs()
            if not goes_on:
                place.data = _data(snapshot, place.data.get(PNG))  # the last picture, until the new one is there
                if takes_late:
                    self._publish(board, place)
            self._undrawn[board] = None
            if takes_late:
                context = host.thread_context()
                threading.Thread(
                    target=context.run, args=(self._draw,), name="trackbook-snapshots", daemon=True
                ).start()

    def _publish(self, board: Board, place: _Place) -> None:
        version = place.metadata["trackbook"]["still"] + 1
        place.metadata = {**place.metadata, **_mark(board.source.id, version)}
        host.current().show_data(place.data, place.metadata, place.id, again=True)
        board.publisher.publish("still", version)

    def _draw(self) -> None:
        """Add the PNGs to the snapshots that lack one, one after another."""
        with self._drawing, Converter() as converter:
            while self._undrawn:
                with self._lock:
                    board = next(iter(self._undrawn))
                    del self._undrawn[board]
                    place = self._places[board]
                picture = self._draw_own(board, place, converter) or self._picture(place, converter)
                with self._lock:
                    self._add(place, picture)
                    self._publish(board, place)

    def _add(self, place: _Place, picture: PictureFile | None) -> None:
        """Put the PNG into the snapshot."""
        assert place.snapshot is not None
        if picture is None:
            place.data = _data(place.snapshot, None)
            return
        place.data = _data(place.snapshot, base64.b64encode(picture.png).decode())
        if place.goes_on:
            del place.data[VEGA_LITE]
        description = place.snapshot.spec.get("description", "")  # nbconvert has a picture's alt text from here
        about = {"width": picture.width, "height": picture.height, "alt": description}
        place.metadata = {**place.metadata, PNG: about}

    def _draw_own(self, board: Board, place: _Place, converter: Converter) -> PictureFile | None:
        """Add the charts of the user's own, if the converter can draw them: one that cannot be drawn would break the whole snapshot."""
        own = _own_charts(board)
        if own in (place.checked, place.refused) or (snapshot := board.snapshot(own=True)) is None:
            return None
        try:
            picture = converter.picture(snapshot.spec)
        except NoPictureError:
            place.refused = own
            return None
        with self._lock:
            place.checked, place.snapshot = own, snapshot
        return picture

    def _picture(self, place: _Place, converter: Converter) -> PictureFile | None:
        assert place.snapshot is not None
        try:
            return converter.picture(place.snapshot.spec)
        except NoPictureError as error:
            self._warn_once(error)
            return None

    def _warn_once(self, error: NoPictureError) -> None:
        if not self._warned:
            self._warned = True
            warn(f"trackbook keeps no PNG of boards in this notebook, because that failed: {error}")


def _own_charts(board: Board) -> str:
    return json.dumps(board.user_charts)


def _data(snapshot: Snapshot, picture: str | None) -> dict[str, Any]:
    data = {VEGA_LITE: snapshot.spec, "text/plain": snapshot.text}
    return data if picture is None else {**data, PNG: picture}


def _mark(session: str, version: int) -> dict[str, Any]:
    """Return the metadata by which the front end knows a snapshot: `js/src/hosts/stills.ts` reads it."""
    return {"trackbook": {"session": session, "still": version}}
