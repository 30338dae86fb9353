"""The functions that users call, and the only "current run"."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence, Sized
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from .. import settings
from ..capture.base import choose
from ..compat.keywords import translate
from ..errors import warn
from ..ids import new_id
from ..notebook import host
from ..text import ONE_SLIP, nearest
from ..tracking.captured import SYSTEM_SECONDS
from ..tracking.config import Config
from ..tracking.run import Run
from ..tracking.values import as_tags, check_text, to_seconds, to_step
from ..types import Resume, RunRecord, State, StepBy, Stop
from .process import process

if TYPE_CHECKING:
    import polars as pl

    from ..boards.widget import Board
    from ..tracking.project import Project

T = TypeVar("T")


def init(
    project: str | None = None,
    name: str | None = None,
    *,
    group: str | None = None,
    config: Any = None,
    tags: Iterable[str] | str | None = None,
    notes: str | None = None,
    id: str | None = None,
    resume: Resume | bool | None = "never",
    step_by: StepBy = "metric",
    dir: str | os.PathLike[str] | None = None,
    mode: str = "local",
    display: bool | None = None,
    total: int | None = None,
    resume_from: int | None = None,
    all_ranks: bool = False,
    stop: Stop = "flag",
    capture: bool | str | Iterable[str] | None = None,
    save_code: bool | None = None,
    system_seconds: float | None = None,
    reinit: str | bool | None = None,
    **other: Any,
) -> Run:
    """Starts a run, and in a notebook shows its live board under the cell.

    Parameters
    ----------
    project
        What the run belongs to; by default the notebook's name, else ``"default"``.
    name, group, tags, notes
        What to call the run and how to find it again. Names may repeat; without one it gets a readable one.
    config
        Hyperparameters: a dict, a dataclass, a namespace. `Run.config` may be changed later.
    id
        A short unique id of your own.
    resume
        ``"never"``; ``"allow"`` goes on with the run of this `id` or `name` if there is one; ``"must"`` demands it.
    step_by
        ``"metric"``: each metric counts its own steps; ``"run"``: one count for all, as wandb and Trackio do.
    dir
        The folder of the project's file, by default ``TRACKBOOK_DIR``, else the user data folder.
    mode
        ``"local"``, or ``"disabled"``: everything works and nothing is kept.
    display
        Whether to show the board; by default in notebooks.
    total
        How many steps there will be, for a progress bar.
    resume_from
        Cuts the resumed run back: points after this step are gone, and the run goes on from here.
    all_ranks
        With ``RANK``, ``SLURM_PROCID`` or ``LOCAL_RANK`` set, only rank 0 records; True: every rank records a run of its own.
    stop
        What the board's stop button does: ``"flag"`` only makes `Run.should_stop` true; ``"raise"``: the next `log` also raises
        `trackbook.Stopped`, which ends the cell and leaves the run ``interrupted``.
    capture
        What to record beside the metrics: True or ``"all"``, False or ``"none"``, or some of ``cells``, ``console``,
        ``environment`` and ``system``. By default ``TRACKBOOK_CAPTURE`` says so, else it is all.
    save_code
        False: what is captured holds no source, neither of cells nor of what git finds changed.
    system_seconds
        From one point of the system metrics to the next, by default 10; the first come sooner.
    reinit
        What to do with a run that is still open: ``"finish_previous"`` (the default), ``"create_new"`` beside it, or
        ``"return_previous"``: give it back.
    other
        Keywords of wandb, Trackio and SwanLab: what has a meaning here gets it, the rest is ignored with one warning.

    Raises
    ------
    TypeError, ValueError
        For a name that is no text, a choice that does not exist, or an `id` that is taken.
    """
    host.current().load_magics()
    words, ignored = translate(
        {"name": name, "notes": notes, "dir": dir, "system_seconds": system_seconds},
        {"mode": mode, "resume": resume, "reinit": reinit, "step_by": step_by, "stop": stop},
        other,
    )
    target = process.project(project, words["dir"])
    record = RunRecord(
        id=_text("run id", id) or new_id(),
        name=_text("run name", words["name"]) or "",
        started=time.time(),
        group=_text("group", group),
        tags=as_tags(tags),
        notes=_text("notes", words["notes"]),
        config=Config(config).to_json(),
        step_by=words["step_by"],
        total=None if total is None else to_step(total, "total"),
    )
    captured = choose(settings.capture() if capture is None else capture)
    back_to = None if resume_from is None else to_step(resume_from, "resume_from")
    seconds = words["system_seconds"]
    seconds = SYSTEM_SECONDS if seconds is None else to_seconds(seconds, "system_seconds")
    if ignored:
        warn(
            f"init() ignores {', '.join(ignored)}: trackbook has no use for {'it' if len(ignored) == 1 else 'them'}"
            + _meant(ignored)
        )
    previous = process.current_run()
    if previous is not None and words["reinit"] == "return_previous":
        return previous
    if previous is not None and words["reinit"] == "finish_previous":
        _finish(previous)
    if words["mode"] == "disabled" or (settings.rank() and not all_ranks):
        run = process.open_disabled(record, target.name)
        run.stop_raises = words["stop"] == "raise"
        return run
    if resume_from is not None and words["resume"] == "never":
        words["resume"] = "must"
    run = process.open(
        target.admit(record, words["resume"], by_id=bool(id)),
        target,
        back_to,
        captured,
        save_code=save_code is not False,
        system_seconds=seconds,
    )
    run.stop_raises = words["stop"] == "raise"
    if host.current().is_notebook if display is None else display:
        _show(run, target)
    return run


def _text(what: str, text: Any) -> str | None:
    """A text that may be left out, as None or, by argparse's habit, empty."""
    return None if text is None or text == "" else check_text(what, text)


def _meant(ignored: Sequence[str]) -> str:
    """The keywords of `init` that such words may be slips for, as a question."""
    code = init.__code__
    ours = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    near = [similar for name in ignored for similar in nearest(name, ours, ONE_SLIP)[:1]]
    return f"; did you mean {', '.join(dict.fromkeys(near))}?" if near else ""


def _finish(previous: Run) -> None:
    previous.finish()
    warn(
        f"run {previous.name!r} was still open and is finished now; call finish() at its end, or "
        "init(reinit='create_new') to have runs side by side"
    )


def _show(run: Run, project: Project) -> None:
    """Shows a run on the cell's board, over the one that the cell opened when it was executed before."""
    from ..boards.session import Session

    board = process.board(project)
    session = Session(project.name, project.store) if board is None else board.session
    with contextlib.nullcontext() if board is None else board.hold_sync():  # the pump reads what the board follows
        session.add_run(run.id)
        predecessor = process.cells.predecessor(run)
        if predecessor is not None:
            session.add_run(predecessor, faded=True)
    if board is None:
        process.show(process.add_board(project, session))
    else:
        board.add_run(run.id)


def log(
    data: Mapping[str, Any],
    step: int | None = None,
    *,
    print_to_console: bool = False,
    commit: bool | None = None,  # noqa: ARG001  # a keyword of wandb's, for scripts that pass it
) -> dict[str, float]:
    """Records one point for each metric of `data` in the current run. See `Run.log`.

    `commit` is wandb's and changes nothing: every call is recorded at once.

    The current run is the one that this context opened, else the newest open one of the process, so that threads just work.
    Raises ``RuntimeError`` when no run is open.
    """
    run = process.chosen.get()
    if run is None or run.ended:
        run = _open_run("log()")
    return run.log(data, step, print_to_console=print_to_console)


def define_metric(name: str, step_metric: str | None = None, **other: Any) -> None:
    """Draws metrics of the current run over another logged metric rather than over the step, unless a board says otherwise.

    Parameters
    ----------
    name
        A metric, or a glob of metrics: ``"val/*"``. ``*`` stands for any text. A name in full counts more than a glob, a
        later definition more than an earlier one.
    step_metric
        The metric to draw over, which is logged in the same calls or at the same steps: ``"epoch"``; or ``"step"``,
        ``"relative"``, ``"time"``. Without it nothing changes, as after wandb's ``define_metric("epoch")``.
    other
        Further keywords of wandb's, which are ignored with one warning: `Run.summary` has the last value of each metric, and
        ``summary.min`` and ``summary.max`` the best.

    Raises
    ------
    TypeError
        For a name that is empty or no string.
    RuntimeError
        When no run is open.
    """
    _open_run("define_metric()").define_metric(name, step_metric, **other)


def finish(
    state: State | None = None,
    *,
    exit_code: int | None = None,
    quiet: bool | None = None,  # noqa: ARG001  # likewise
) -> None:
    """Ends the current run, when all its points are in its store; does nothing when no run is open. See `Run.finish`.

    `exit_code` and `quiet` are wandb's: a code other than 0 means ``failed``, and `quiet` changes nothing.
    """
    run = process.current_run()
    if run is not None:
        run.finish(state or ("failed" if exit_code else None))


def track(iterable: Iterable[T], total: int | None = None) -> Iterator[T]:
    """Gives the items of `iterable`, and the current run's board a progress bar with rate and time left.

    `total` is the number of items, by default its ``len`` where it has one. Of nested loops the outermost counts. Raises
    ``RuntimeError`` when no run is open.
    """
    run = _open_run("track()")
    if total is None and isinstance(iterable, Sized):
        total = len(iterable)
    return run.track(iterable, total)


def runs(project: str | None = None) -> pl.DataFrame:
    """One row for each run of `project` (default: the current or last run's), oldest first.

    Columns: ``id``, ``name``, ``group``, ``state``, ``tags``, ``notes``, ``started`` and ``ended`` (UTC), ``duration``
    (seconds), ``points``, then ``config.*`` and ``summary.*`` (the last value of each metric).
    """
    return existing(project).table()


def board(project: str | os.PathLike[str] | None = None, runs: str | Sequence[str] | None = None) -> Board:
    """The board of `project` as a widget (default: the current or last run's project).

    A ``pathlib.Path`` means a Parquet file, or a folder of them, as `trackbook.export` writes it: its runs are shown from
    there, and no project has to know of them. They can be looked at, not changed.

    `runs` are ids or names. Without them: in the cell that called `init` its live board, elsewhere a board of the newest
    runs, which takes up new ones as they come, also from other processes. Raises ``ValueError`` for a run that does not
    exist and for a file that cannot be read, ``FileNotFoundError`` for one that is not there.
    """
    from ..boards.session import Session

    if isinstance(project, os.PathLike):
        return _board_of_file(Path(project), runs)
    shown = home(project)
    shown.recover()
    live = process.board(shown)
    if runs is None and live is not None:
        return live
    session = Session(shown.name, shown.store, follow=runs is None)
    for run in [runs] if isinstance(runs, str) else runs or ():
        session.add_run(shown.find(run).id)
    return process.add_board(shown, session)


def _board_of_file(path: Path, runs: str | Sequence[str] | None) -> Board:
    from ..boards.run_actions import NoActions
    from ..boards.session import SHOWN_RUNS, Session
    from ..data.importing import import_parquet
    from ..store.memory import MemoryStore
    from ..tracking.project import find
    from ..tracking.recovery import note_loss

    store = MemoryStore()
    arrived = import_parquet(path, lambda _: store)
    for run in store.runs():
        note_loss(store, run.id)  # one that was exported while it was open
    projects = {project for project, _ in arrived if project is not None}
    session = Session(projects.pop() if len(projects) == 1 else path.stem, store)
    for name in [runs] if isinstance(runs, str) else runs or [run.id for run in store.runs()[-SHOWN_RUNS:]]:
        session.add_run(find(name, store.runs(), str(path)).id)
    actions = NoActions(f"these runs are shown from {path}; %track import it to change them")
    return process.board_of(session, session.picture.project, path.absolute(), actions)


def current_run() -> Run | None:
    """The run that `log` writes to, None when none is open."""
    return process.current_run()


def current_config() -> Config:
    """The current run's config. Raises ``RuntimeError`` when no run is open."""
    return _open_run("config").config


def _open_run(wanted: str) -> Run:
    run = process.current_run()
    if run is not None:
        return run
    last = process.last_run
    why = "no run is open" if last is None else f"no run is open (the last one, {last.name!r}, is {last.state})"
    raise RuntimeError(f"trackbook.{wanted} needs a run, and {why}; call trackbook.init(...) first")


def home(project: str | None) -> Project:
    """The project of this name, by default that of the current or last run."""
    if project is None and process.last_project is not None:
        return process.last_project
    return process.project(project)


def existing(project: str | None) -> Project:
    """`home`, to read from. Raises ``ValueError`` for a named project in which no run was ever begun."""
    source = home(project)
    source.recover()
    if project is not None and not source.exists:
        raise ValueError(f"there is no project {project!r} in {source.store.path.parent}; {source.neighbours()}")
    return source
