"""``trackbook run``: any program as a run."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from ..settings import data_dir
from ..user_warnings import warn
from .exit_codes import CANNOT_RUN, CannotRunError, NoProgramError, UsageError, usage
from .options import Dir, examples, project_option
from .output import say


def add_to(app: typer.Typer) -> None:
    """Add ``run``."""
    app.command(
        "run",
        context_settings={"allow_interspersed_args": False},
        epilog=examples(
            "trackbook run -- python train.py --lr 0.1",
            "trackbook run --project digits --name baseline -- ./train.sh",
            'trackbook run --track "loss acc" -- python train.py',
            "trackbook run --as wandb -- python train.py",
        ),
    )(run)


class _Guarded:
    """Calls what may fail as disks do, which must neither stop the program nor hide its exit code."""

    def __init__(self) -> None:
        self._failures: dict[str, None] = {}

    def __call__(self, work: Callable[[], None]) -> None:
        try:
            work()
        except OSError as error:
            self._failures[str(error)] = None

    def say(self) -> None:
        for failure in self._failures:
            warn(failure)


def run(
    command: Annotated[list[str], typer.Argument(metavar="-- PROGRAM [ARGUMENTS]...")],
    project: Annotated[
        str | None,
        project_option("By default that of the program's init, else default."),
    ] = None,
    name: Annotated[
        str | None, typer.Option("--name", metavar="NAME", help="By default that of the program's init.")
    ] = None,
    track: Annotated[
        str | None,
        typer.Option(
            "--track",
            metavar="NAMES",
            help='Log what a Python program assigns to these variables, as %%track does; "": what its loops report.',
        ),
    ] = None,
    trackers: Annotated[
        str | None,
        typer.Option(
            "--as",
            metavar="TRACKERS",
            help="Be wandb, trackio or swanlab for the program, joined by commas. By default TRACKBOOK_COMPAT.",
        ),
    ] = None,
    dir: Dir = None,
) -> None:
    """Run a program, and record it as a run.

    Its console, environment and exit state are recorded. If it calls trackbook.init, the first call takes this run. Signals are passed
    on, and the program's exit code is ours: 128 + the signal where a signal ended it.
    """
    if shutil.which(command[0]) is None:
        if Path(command[0]).exists():
            raise CannotRunError(f"{command[0]!r} cannot be run: it is no program, or you may not execute it")
        raise NoProgramError(f"there is no program {command[0]!r}")
    spoken = _checked(trackers)
    if track is not None:
        from ..magics.script import command_that_tracks

        with usage():
            command = command_that_tracks(command, track)
    import tempfile

    from ..settings import is_quiet, variables_for_program
    from ..store.polars_import import import_polars

    import_polars()
    from ..text import duration
    from .program import run_program
    from .recording import ProgramRun

    home = data_dir(dir)
    with tempfile.TemporaryDirectory(prefix="trackbook-run-", ignore_cleanup_errors=True) as invited:
        recorded = ProgramRun(project, name, home, Path(invited))
        guarded = _Guarded()
        tick = partial(guarded, recorded.tick)
        try:
            code = run_program(command, variables_for_program(home, Path(invited), spoken), recorded.hear, tick)
        except OSError as error:
            guarded(partial(recorded.end, CANNOT_RUN))
            raise CannotRunError(f"{command[0]!r} cannot be run: {error.strerror or error}") from None
        guarded(partial(recorded.end, code))
    guarded.say()
    if not recorded.joined and sys.stderr.isatty() and not is_quiet():
        record = recorded.record
        took = duration((record.ended or record.started) - record.started)
        say(f"trackbook: run {record.name} of {recorded.project}: {record.state} after {took}", err=True)
    raise typer.Exit(code if code >= 0 else 128 - code)


def _checked(trackers: str | None) -> list[str]:
    """Return the trackers that are named, each of which Trackbook stands in for."""
    from ..settings import compat_trackers, split_names

    names = compat_trackers() if trackers is None else split_names(trackers)
    if names:
        from ..compat.installing import check_names

        try:
            check_names(names)
        except ValueError as error:
            raise UsageError(str(error)) from None
    return names
