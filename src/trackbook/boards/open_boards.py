"""The boards that this process shows: when the pump ticks them, and when their snapshots are updated."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ..notebook import host
from ..pump import Pump

if TYPE_CHECKING:
    from ..tracking.project import Project
    from ..tracking.run_writer import RunWriter
    from .frame_source import FrameSource
    from .live_lines import LiveLines
    from .run_actions import Actions
    from .snapshots import Snapshots
    from .widget import Board


class OpenBoards:
    """The boards of this process, by cell execution and project. A board with nothing more to publish is released."""

    def __init__(self, pump: Pump, hand_over: Callable[..., None]) -> None:
        """`hand_over` moves what was logged by this process into the stores, as `Process.hand_over`."""
        self._pump = pump
        self._hand_over = hand_over
        self._boards: dict[tuple[str, Path], tuple[Board, Project | None]] = {}
        self._cell_end = host.CellHook(
            "post_run_cell", lambda _: self.end_cell(), "updates boards at the end of a cell"
        )
        self._made_snapshots: Snapshots | None = None
        self._made_lines: LiveLines | None = None

    def __len__(self) -> int:
        return len(self._boards)

    def all(self) -> list[Board]:
        """Return all boards, oldest first."""
        return [board for board, _ in list(self._boards.values())]

    def of_cell(self, path: Path) -> Board | None:
        """Return the running cell's board of the project at `path`, if it has one."""
        found = self._boards.get((host.current().cell() or "", path))
        return None if found is None else found[0]

    def add(
        self, source: FrameSource, name: str, path: Path, actions: Actions, project: Project | None = None
    ) -> Board:
        """Make a board for `source`. `name` and `path` are those of its project; `project` is None when this process has not opened it."""
        from .widget import Board

        here = host.current()
        self._cell_end.watch(here.shell)
        if not here.tells_cell_ends:
            self._release()
        self._hand_over()  # a new board shows all points logged so far
        self._pump.add(self.lines)
        board = Board(name, source, actions)
        board.publisher.before_reading = partial(self._hand_over, compress=False)
        if project is not None:
            board.publisher.recover = project.recover_for_board
        if here.shell is not None:
            board.on_show = self._snapshots.note_shown
        board.publisher.on_wake = partial(self._keep, (here.cell() or "", path), board, project)
        board.publisher.on_wake()
        return board

    def show(self, board: Board) -> None:
        """Display a board and its snapshot under the running cell."""
        host.current().show(board)
        if host.current().shell is not None:
            self._snapshots.place(board)

    def forget_run(self, run_id: str) -> None:
        """Stop showing a deleted run."""
        for board in self.all():
            board.forget(run_id)

    def note_cells(self, logged_to: Callable[[], list[RunWriter]]) -> None:
        """Publish executions of cells again: a cell has begun, to which the next points belong.

        `logged_to` returns the runs of earlier cells that it has logged to.
        """
        if self._made_lines is not None:
            self._made_lines.cell_began(logged_to)
        self.note_alerts()

    def note_alerts(self) -> None:
        """Publish alerts again: there is a new one."""
        for board in self.all():
            board.publisher.note_cells()

    def wake(self) -> None:
        """Look at everything again, now."""
        for board in self.all():
            board.publisher.wake()

    def settle(self) -> None:
        """Publish everything, as at the end of a run."""
        for board in self.all():
            board.settle()

    def end_cell(self) -> None:
        """Publish everything, update the snapshots, and release boards that have nothing more to publish."""
        self._hand_over()
        boards = self.all()
        for board in boards:
            board.settle(kept=host.current().has_no_reader())
        self.lines.cell_ended()
        self._release()
        self._snapshots.cell_ended(boards)

    def forget_in_child(self) -> None:
        """Forget all boards in a forked child: they are its parent's."""
        self._boards = {}

    @property
    def _snapshots(self) -> Snapshots:
        if self._made_snapshots is None:
            from .snapshots import Snapshots

            self._made_snapshots = Snapshots(lambda: self._pump.add(self._snapshots))
        return self._made_snapshots

    @property
    def lines(self) -> LiveLines:
        """The live lines of the running cell."""
        if self._made_lines is None:
            from .live_lines import LiveLines

            self._made_lines = LiveLines(lambda: [(cell, board) for (cell, _), (board, _) in [*self._boards.items()]])
        return self._made_lines

    def _keep(self, key: tuple[str, Path], board: Board, project: Project | None) -> None:
        self._boards[key] = board, project
        if project is not None:
            project.boards.add(board)
        self._pump.add(board)

    def _release(self) -> None:
        for key, (board, project) in list(self._boards.items()):
            if not board.awake:
                del self._boards[key]
                self._pump.remove(board)
                if project is not None:
                    project.boards.discard(board)
