"""`board`, and the board that `init` shows."""

from __future__ import annotations

import contextlib
import os
import weakref
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

from .. import settings
from ..notebook import host
from ..settings import user_path
from ..store.polars_import import import_polars
from ..tracking.run import Run, writer_of
from .addresses import lake_at
from .process import Follower, process
from .projects import home

if TYPE_CHECKING:
    from ..boards.frame_source import FrameSource
    from ..boards.widget import Board
    from ..remote.lake_store import LakeStore
    from ..tracking.project import Project


def board(project: str | os.PathLike[str] | None = None, runs: str | Sequence[str] | None = None) -> Board:
    """Return the board of `project` as a widget (default: the current or last run's project).

    A ``pathlib.Path`` means a Parquet file, or a folder of them, as written by `trackbook.export`: its runs are shown without
    a project. They can be read, but not changed. So can those of a lake, whose address is given: ``"s3://bucket/team"``, or
    ``"s3://bucket/team/PROJECT"`` where it has several projects, and those of a `trackbook serve`: ``"https://host/PROJECT"``, with the
    token in ``TRACKBOOK_TOKEN``. Their boards follow them.

    `runs` are ids or names. By default, the cell that called `init` gets its live board; elsewhere the board shows the newest
    runs, and adds new ones as they begin, in this or another process. Raises ``ValueError`` for a run that does not
    exist and for a file that cannot be read, ``FileNotFoundError`` for a file that does not exist, ``PermissionError`` where a server
    refuses the token, and ``ConnectionError`` where it cannot be reached.
    """
    host.current().load_magics()  # which follow the cells: a cell that is executed again has its view again
    import_polars()
    from ..boards.frame_source import SHOWN_RUNS, FrameSource

    lake = lake_at(project)
    if lake is not None:
        return _board_of_lake(lake, runs)
    if isinstance(project, os.PathLike):
        return _board_of_file(user_path(project), runs)
    if project is not None and project.startswith(("https://", "http://")):
        return _board_of_server(project, runs)
    shown = home(project)
    shown.recover()
    live = process().boards.of_cell(shown.store.path)
    if runs is None and live is not None:
        return live
    source = FrameSource(shown.name, shown.store, follow=runs is None, points=shown.live_points())
    for run in [runs] if isinstance(runs, str) else runs or ():
        source.add_run(shown.find(run).id)
    made = _new_board(shown, source, f"newest {SHOWN_RUNS}" if runs is None else "")
    if runs is not None:
        made.drawn_runs = ""  # the call names the runs, whatever the cell's earlier board was set to
    return made


def _board_of_lake(store: LakeStore, runs: str | Sequence[str] | None) -> Board:
    from ..boards.frame_source import SHOWN_RUNS, FrameSource
    from ..boards.run_actions import NoActions
    from ..remote.lake_follower import LakeFollower
    from ..tracking.recorded_project import find_in

    live = LakeFollower(store)
    source = FrameSource(store.project, live, follow=runs is None)
    for name in [runs] if isinstance(runs, str) else runs or [run.id for run in live.latest(SHOWN_RUNS)]:
        source.add_run(find_in(live, name, store.name).id)
    source.pull()
    live.start()
    actions = NoActions(f"these runs are shown from {store.name}; change them where they were recorded")
    made = process().boards.add(source, store.project, Path(store.name), actions)
    _follow(made, live)
    return made


def _board_of_file(path: Path, runs: str | Sequence[str] | None) -> Board:
    from ..boards.frame_source import SHOWN_RUNS, FrameSource
    from ..boards.run_actions import NoActions
    from ..data.importing import import_parquet
    from ..store.media_files import folder_beside
    from ..store.memory import MemoryStore
    from ..tracking.recorded_project import find
    from ..tracking.recovery import note_loss

    store = MemoryStore()
    arrived = import_parquet(path, lambda _: store)
    store.files_folder = folder_beside(path)
    for run in store.runs():
        note_loss(store, run.id)  # if the run was exported while it was open
    projects = {project for project, _ in arrived if project is not None}
    source = FrameSource(projects.pop() if len(projects) == 1 else path.stem, store)
    for name in [runs] if isinstance(runs, str) else runs or [run.id for run in store.runs()[-SHOWN_RUNS:]]:
        source.add_run(find(name, store.runs(), str(path)).id)
    actions = NoActions(f"these runs are shown from {path}; %track import it to change them")
    return process().boards.add(source, source.picture.project, path.absolute(), actions)


def _board_of_server(address: str, runs: str | Sequence[str] | None) -> Board:
    try:
        from ..remote.mirror import Mirror, ServerReader
        from ..remote.target import TargetError
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            f'boards of servers need {error.name}, which is not installed: pip install "trackbook[remote]"',
            name=error.name,
        ) from None
    from ..boards.frame_source import SHOWN_RUNS, FrameSource
    from ..boards.run_actions import NoActions
    from ..tracking.recorded_project import find

    where, _, quoted = address.rstrip("/").rpartition("/")
    name = unquote(quoted)
    mirror = Mirror(ServerReader(where, name, settings.token()))
    try:
        mirror.start(SHOWN_RUNS)
    except TargetError as error:
        raise PermissionError(
            f"{error}; the address is that of the server, with the project as its last part"
        ) from error
    except OSError as error:
        raise ConnectionError(f"{where} cannot be reached or is busy: {error}") from error
    source = FrameSource(name, mirror.store, follow=runs is None)
    for run in [runs] if isinstance(runs, str) else runs or ():
        source.add_run(find(run, mirror.store.runs(), address).id)
    actions = NoActions(f"these runs are shown from {where}; they are changed there")
    made = process().boards.add(source, name, Path(where, quoted), actions)
    _follow(made, mirror)
    return made


def _follow(board: Board, follower: Follower) -> None:
    """Let a follower go on until its board is gone, or the process ends."""
    process().followers.add(follower)
    weakref.finalize(board, follower.stop)


def show_run(run: Run) -> None:
    """Show a run on the cell's board, together with the run of the cell's previous execution, which is faded."""
    from ..boards.frame_source import FrameSource

    writer = writer_of(run)
    project = next((one for one in process().projects.values() if writer in one.open_runs), None)
    if project is None:  # the run is not recorded, or only in a journal
        return
    board = process().boards.of_cell(project.store.path)
    source = FrameSource(project.name, project.store, points=project.live_points()) if board is None else board.source
    with contextlib.nullcontext() if board is None else board.hold_sync():  # the pump reads what the board follows
        source.add_run(run.id)
        predecessor = process().cells.predecessor(writer)
        if predecessor is not None:
            source.add_run(predecessor, faded=True)
    if board is None:
        process().boards.show(_new_board(project, source))
    else:
        board.add_run(run.id)
    writer.is_shown_here = partial(is_cell, host.current().cell())


def show_line(run: Run) -> None:
    """Show the live line of a run under the running cell."""
    boards = process().boards
    found = next((board for board in boards.all() if run.id in board.source.run_ids), None)
    boards.lines.show(board(run.project, runs=[run.id]) if found is None else found, run.id)


def is_cell(cell: str | None) -> bool:
    """Whether this execution of a cell is the running one."""
    return cell is not None and host.current().cell() == cell


def _new_board(project: Project, source: FrameSource, drawn_runs: str = "") -> Board:
    from ..boards.kept_views import KeptView
    from ..boards.run_actions import RunActions

    boards = process().boards
    cells = process().cells
    actions = RunActions(project, boards.forget_run, lambda: cells.idle_since)
    board = boards.add(source, project.name, project.store.path, actions, project)
    board.drawn_runs = drawn_runs
    board.keep_view(KeptView(project.store, cells.current().cell if cells.watching else None))
    return board
