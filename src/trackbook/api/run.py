"""`init`, `log`, `finish`, `track` and `define_metric`: the functions of the current run."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from .. import settings
from ..notebook import host
from ..store.paths import ProjectPaths
from ..text import ONE_SLIP, nearest
from ..tracking.config import Config, Summary
from ..tracking.endings import in_words
from ..tracking.invitation import Place, take
from ..tracking.logged_values import check_title
from ..tracking.run import Run, writer_of
from ..tracking.run_options import RunOptions, run_options
from ..tracking.sharing import shared
from ..tracking.unsupported import KEYWORDS, unsupported_keywords
from ..types import OnBadValue, Resume, State, StepBy, Stop
from ..user_warnings import warn
from .boards import show_line, show_run
from .init_keywords import translate
from .process import Process, chosen, process, process_if_made, project_paths
from .terminal_words import can_speak, speak_of
from .uploads import destination

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
    force: bool = False,
    all_ranks: bool = False,
    stop: Stop = "flag",
    on_bad_value: OnBadValue = "raise",
    capture: bool | str | Iterable[str] | None = None,
    save_code: bool | None = None,
    system_seconds: float | None = None,
    reinit: str | bool | None = None,
    webhook_url: str | None = None,
    webhook_min_level: str | None = None,
    sync: str | os.PathLike[str] | None = None,
    space_id: str | None = None,
    private: bool | None = None,
    include: str | Iterable[str] = (),
    upload_seconds: float | None = None,
    **other: Any,
) -> Run:
    """Start a run, and in a notebook show its live board under the cell.

    Parameters
    ----------
    project
        The project of the run; by default the notebook's name, else ``"default"``.
    name, group, tags, notes
        Descriptions by which the run is found again. Names may repeat; the default is a readable random name.
    config
        Hyperparameters: a dict, a dataclass, a namespace. `Run.config` may be changed later.
    id
        A short unique id of your own.
    resume
        ``"never"``; ``"allow"`` continues the run with this `id` or `name` if there is one; ``"must"`` requires one.
    step_by
        ``"metric"``: each metric counts its own steps; ``"run"``: one count for all metrics, as in wandb and Trackio.
    dir
        The folder of the project's file, by default ``TRACKBOOK_DIR``, else the user data folder.
    mode
        ``"local"``, or ``"disabled"``: everything works, but nothing is recorded.
    display
        Whether to show the board, by default in notebooks.
    total
        The expected number of steps, for a progress bar.
    resume_from
        Cut the resumed run back: delete the points after this step, and continue from there.
    force
        Resume a run even if it is unknown whether its process is alive, assuming that it is dead. A run whose process is known to be
        alive is never resumed.
    all_ranks
        With ``RANK``, ``SLURM_PROCID`` or ``LOCAL_RANK`` set, and in workers of Ray Train, only rank 0 records. True: every rank
        records its own run, named and grouped by `name`: ``"ddp rank 1"`` in the group ``"ddp"``.
    stop
        The effect of the board's stop button. ``"flag"`` only makes `Run.should_stop` true. With ``"raise"`` the next `log` also raises
        `trackbook.Stopped`, which ends the cell and leaves the run ``interrupted``.
    on_bad_value
        The reaction of `log` to a value that is not a number, such as None or a text: ``"raise"`` an error and record nothing of the
        call, or ``"warn"`` once for each metric and record the other values.
    capture
        What to record beside the metrics: True or ``"all"``, False or ``"none"``, or some of ``cells``, ``console``,
        ``environment`` and ``system``. The default is ``TRACKBOOK_CAPTURE``, else all.
    save_code
        False: record no source code, neither of cells nor as a git diff.
    system_seconds
        The interval between points of the system metrics, by default 10 seconds; the first intervals are shorter.
    reinit
        The treatment of a run that is still open: ``"finish_previous"`` (the default) ends the run that this thread or task began,
        ``"create_new"`` opens another beside it, ``"return_previous"`` returns the current run.
    webhook_url
        Where alerts are sent: an incoming webhook of Slack, Discord, Feishu or Lark or DingTalk, or any address that takes JSON. The
        default is ``TRACKBOOK_WEBHOOK_URL``. It is not recorded.
    webhook_min_level
        The least urgent alerts that are sent: ``"info"`` (the default, else ``TRACKBOOK_WEBHOOK_MIN_LEVEL``), ``"warn"`` or ``"error"``.
    sync
        Where to upload the run, in the background: ``"https://host"`` of a `trackbook serve`, or a lake as in `trackbook.sync`. The
        default is ``TRACKBOOK_SYNC``, else nowhere. Metrics, config and media leave this machine.
    space_id
        In place of `sync`, a Hugging Face Space: ``"user/space"``, or ``"space"`` for one of your own. It is created if there is
        none, in the background; one that is not Trackbook's is refused.
    private
        Whether a new Space is private; by default as the Hub does it for you or your organization.
    include
        What leaves it, too: some of ``console``, ``cells``, ``environment`` and ``code``.
    upload_seconds
        The least interval between two batches of the upload, by default half a second.
    other
        Keywords of wandb, Trackio and SwanLab. Those with an equivalent here are translated, others are ignored with one warning.

    Raises
    ------
    TypeError, ValueError
        For a name that is not a string, a choice that does not exist, or an `id` that is taken.
    """
    host.current().load_magics()
    where = destination("init", "sync", sync, space_id, private)
    words, ignored = translate(
        {"name": name, "notes": notes, "dir": dir, "system_seconds": system_seconds, "sync": where},
        {
            "mode": mode,
            "resume": resume,
            "reinit": reinit,
            "step_by": step_by,
            "stop": stop,
            "on_bad_value": on_bad_value,
        },
        other,
    )
    paths = project_paths(None if project is None else check_title("project", project), words.pop("dir"))
    options = run_options(
        group=group,
        config=config,
        tags=tags,
        id=id,
        display=display,
        total=total,
        resume_from=resume_from,
        force=force,
        all_ranks=all_ranks,
        capture=capture,
        save_code=save_code,
        webhook_url=webhook_url,
        webhook_min_level=webhook_min_level,
        include=include,
        upload_seconds=upload_seconds,
        **words,
    )
    _say_ignored(ignored)
    return _begin(paths, options, is_asked=reinit is not None)


def _say_ignored(names: Sequence[str]) -> None:
    """Warn once of all keywords that `init` ignores, and why."""
    if not names:
        return
    rest = [name for name in names if name not in KEYWORDS]
    them = "it" if len(names) == 1 else "them" if rest == names else ", ".join(rest)
    reasons = [f"trackbook has no use for {them}{_meant(rest)}"] if rest else []
    reasons += unsupported_keywords(names)
    warn(f"init() ignores {', '.join(names)}: {'; '.join(reasons)}")


def _begin(paths: ProjectPaths, options: RunOptions, *, is_asked: bool) -> Run:
    """Open a run. `is_asked` says that the caller chose what happens to an open one."""
    here = process()
    previous = here.current_run() if options.reinit == "return_previous" else here.own_run()
    if previous is not None and options.reinit == "return_previous":
        return previous
    if previous is not None and options.reinit == "finish_previous":
        _finish(previous, quietly=is_asked or _needs_no_word(previous))
    run = _begin_invited(here, paths, options)
    if host.current().is_notebook if options.display is None else options.display:
        show_run(run)
    elif can_speak():
        speak_of(run)
    return run


def _begin_invited(here: Process, paths: ProjectPaths, options: RunOptions) -> Run:
    """Open a run: the one that `trackbook run` began for this program, if it did and no other `init` has taken it."""
    invitation = None if options.disabled or (settings.rank() and not options.all_ranks) else take()
    if invitation is None:
        return here.begin_run(paths, options)
    try:
        run = here.begin_run(invitation.project_for(paths), invitation.applied(options))
    except BaseException:
        invitation.give_back()
        raise
    invitation.accept(Place(paths._replace(project=run.project), run.id))
    return run


def _meant(ignored: Sequence[str]) -> str:
    """Return the question whether similar keywords of `init` were meant."""
    code = init.__code__
    ours = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    near = [similar for name in ignored for similar in nearest(name, ours, ONE_SLIP)[:1]]
    return f"; did you mean {', '.join(dict.fromkeys(near))}?" if near else ""


def _needs_no_word(previous: Run) -> bool:
    """Whether it is plain why a run that is open still ends: its cell is executed again, or it failed."""
    writer = writer_of(previous)
    return writer.is_suspended or process().cells.is_rerun_of(writer)


def _finish(previous: Run, *, quietly: bool) -> None:
    previous.finish()
    if not quietly:
        warn(
            f"run {previous.name!r} was still open and is finished now; call finish() at its end, or "
            "init(reinit='create_new') to have runs side by side"
        )


def log(
    data: Mapping[str, Any] | None = None,
    step: int | None = None,
    *,
    print_to_console: bool = False,
    commit: bool | None = None,
    **other: Any,
) -> dict[str, float]:
    """Record one point for each metric of `data` in the current run. See `Run.log`.

    `commit` is wandb's: False leaves a count of the run where it is, for more values at the same step. Of `other` keywords, Trackio's ``metrics=`` means
    `data`, and further ones are ignored with one warning.

    The current run is the one that this thread or asyncio task began last, or inherited. A task inherits the run of the task that
    started it. A thread without its own run logs to the main thread's run, else to the only open run. When several other threads have
    opened runs, pass the run to the thread, or start the thread with ``contextvars.copy_context().run``.

    Raises ``RuntimeError`` without an open run, and when several runs are open, none of which this thread or task began.
    """
    run = chosen.get()
    if run is None or run._recorder.closed:  # noqa: SLF001  # `ended`, a property, would be 4 % of the call's time
        run = open_run("log()")
    if print_to_console or commit is not None or other:
        return run.log(data, step, print_to_console=print_to_console, commit=commit, **other)
    return run._log(data, step)  # noqa: SLF001  # in less time


def attach(text: str) -> Run:
    """Return the run that another process of this machine shares by `Run.share`. What is logged to it is in that run.

    The run is this thread's current one from now on. The process that began it ends it; there, `attach` returns the run itself. In a
    distributed job only rank 0 logs to it, unless it was begun by ``init(all_ranks=True)``.

    Parameters
    ----------
    text
        What `Run.share` returned there.

    Raises
    ------
    ValueError
        For a text that is not from `Run.share`, and for a run that has ended.
    """
    project, folder, record, all_ranks = shared(text)
    run = process().find_elsewhere(project, folder, record, all_ranks=all_ranks)
    if run is None:
        raise ValueError(f"run {record.name!r} of project {project!r} is not in {folder}; share it on this machine")
    if run.ended:
        raise ValueError(
            f"run {run.name!r} of project {project!r} {in_words(run.state)}, so nothing can be logged to it; go on with it by "
            f"init({project!r}, id={record.id!r}, resume='allow')"
        )
    return run


def define_metric(name: str, step_metric: str | None = None, goal: str | None = None, **other: Any) -> None:
    """Draw metrics of the current run over another logged metric, and say which of their values is the best.

    Parameters
    ----------
    name
        A metric, or a glob of metrics: ``"val/*"``. ``*`` stands for any text. A full name has precedence over a glob, and a
        later definition over an earlier one.
    step_metric
        The metric to draw over, which is logged in the same calls or at the same steps: ``"epoch"``; or ``"step"``,
        ``"relative"``, ``"time"``. Without it the axis stays, as after wandb's ``define_metric("epoch")``. A board whose
        `x_axis` is not the step draws all metrics over that.
    goal
        ``"min"`` or ``"max"``: whether the smallest or the largest value is the best one, which boards show and mark. Without
        it boards take the smallest value of a loss or an error, and the largest of an accuracy or a score.
    other
        Further keywords of wandb's: ``summary="min"`` and ``"max"`` mean the goal, others are ignored with one warning.

    Raises
    ------
    TypeError
        For a name that is empty or not a string.
    ValueError
        For another goal.
    RuntimeError
        When no run is open.
    """
    open_run("define_metric()").define_metric(name, step_metric, goal, **other)


def finish(
    state: State | int | str | None = None,
    *,
    exit_code: int | None = None,
    error: str | None = None,
    wait: bool | float = False,
    quiet: bool | None = None,
    **other: Any,
) -> None:
    """End the current run, after all its points are stored. Without an open run, do nothing. See `Run.finish`.

    With `wait`, a run that is uploaded waits for that, or at most so many seconds, and says how much is left.

    `exit_code`, `error`, `quiet` and `other` are keywords of other trackers: an `exit_code` other than 0 means ``failed``, an `error`
    is recorded, and the rest has no effect.
    """
    run = current_run()
    if run is not None:
        run.finish(state, exit_code=exit_code, error=error, wait=wait, quiet=quiet, **other)


def track(iterable: Iterable[T], total: int | None = None) -> Iterator[T]:
    """Yield the items of `iterable`, and show a progress bar with rate and time left on the current run's board.

    `total` is the number of items, by default the ``len`` of `iterable` if it has one. Of nested loops only the outermost counts.
    Raises ``RuntimeError`` when no run is open.
    """
    return open_run("track()").track(iterable, total)


def progress() -> None:
    """Show a live line of the current run under the running cell: name, sparkline, last value, rate, time left, link to the board.

    In Jupyter, a cell that trains a run whose board is under another cell gets such a line by itself. Elsewhere nothing is shown.
    Raises ``RuntimeError`` when no run is open.
    """
    run = open_run("progress()")
    if host.current().shell is not None:
        show_line(run)


def current_run() -> Run | None:
    """Return the run that `log` writes to, None when none is open."""
    here = process_if_made()
    return None if here is None else here.current_run()


def current_config() -> Config:
    """Return the current run's config. Raises ``RuntimeError`` when no run is open."""
    return open_run("config").config


def current_summary() -> Summary:
    """Return the current run's summary. Raises ``RuntimeError`` when no run is open."""
    return open_run("summary").summary


def open_run(wanted: str) -> Run:
    """Return the current run. Raises ``RuntimeError`` when no run is open, or several are and none of them is meant."""
    run = current_run()
    if run is not None:
        return run
    here = process_if_made()
    last = None if here is None else here.last_run
    if here is not None and here.is_closed and last is not None:
        return last  # the program is ending: daemon threads may still log, but too late
    if here is not None and here.runs:
        names = ", ".join(repr(writer.name) for writer in here.runs)
        raise RuntimeError(
            f"trackbook.{wanted} needs to know which run: {names} are open, each begun by another thread or task; "
            "call the method of a run, or start the thread with contextvars.copy_context().run"
        )
    why = "no run is open" if last is None else f"no run is open (the last one, {last.name!r}, {in_words(last.state)})"
    raise RuntimeError(f"trackbook.{wanted} needs a run, and {why}; call trackbook.init(...) first")
