"""The program `trackbook`: its commands, and its exit when one fails.

A family of commands is a module of this package with a function `add_to`, and a line in `FAMILIES`. Modules load what a command needs
when it runs, so that completion and ``--help`` are quick.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, Final, NoReturn

import typer

from ..user_warnings import said_by
from . import (
    alerting,
    artifacts,
    comparing,
    doctor,
    exchange,
    exit_codes,
    hosting,
    lakes,
    launching,
    listing,
    managing,
    reading,
    serving,
    watching,
)
from .output import say

if TYPE_CHECKING:
    from collections.abc import Callable

COMMANDS: Final = tuple(
    "show ls get query alerts artifacts diff watch run export import rm mv rename tag note compact serve token sync backup lake doctor".split()
)  # as `--help` lists them
FAMILIES: Final[tuple[Callable[[typer.Typer], None], ...]] = (
    listing.add_to,
    reading.add_to,
    alerting.add_to,
    artifacts.add_to,
    comparing.add_to,
    exchange.add_to,
    managing.add_to,
    launching.add_to,
    watching.add_to,
    doctor.add_to,
    lakes.add_to,
    serving.add_to,
    hosting.add_to,
)


def command_line() -> Any:
    """Return the command with all its subcommands."""
    app = typer.Typer(
        name="trackbook",
        cls=InOrder,
        no_args_is_help=True,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(trackbook)
    for add_to in FAMILIES:
        add_to(app)
    return typer.main.get_command(app)


class InOrder(typer.core.TyperGroup):
    """A group whose help lists commands in the order of `COMMANDS`."""

    def invoke(self, ctx: typer.Context) -> Any:  # type: ignore[override]  # typer's own context
        """Run the command. It ends quietly when nobody reads its output any more, as with ``| head``."""
        try:
            try:
                return super().invoke(ctx)
            finally:
                sys.stdout.flush()
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for the flush at the end of Python
            raise typer.Exit(exit_codes.NO_READER) from None

    def list_commands(self, ctx: typer.Context) -> list[str]:  # type: ignore[override]  # typer's own context
        """Return the names of the commands."""
        return sorted(super().list_commands(ctx), key=COMMANDS.index)


def _print_version(asked: bool) -> None:
    if asked:
        from .. import __version__

        say(__version__)
        raise typer.Exit


def trackbook(
    version: Annotated[  # its callback answers
        bool, typer.Option("--version", help="Print the version.", is_eager=True, callback=_print_version)
    ] = False,
) -> None:
    """Read, compare and manage recorded runs, and run programs as runs.

    Projects are in the folder TRACKBOOK_DIR, or in --dir of each command. RUN is an id or a name; of several runs with one name it is
    the latest.
    """


def main(words: Sequence[str] | None = None) -> NoReturn:
    """Run a command line and end the program with its exit code."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a terminal without UTF-8 shows question marks for what it does not know
            stream.reconfigure(errors="replace")
    try:
        said_by(_warn, command_line().main, words, prog_name="trackbook")
    except Exception as error:
        failure = exit_codes.as_command_error(error)
        if failure is None:
            raise
        say(f"trackbook: {failure}", err=True)
        sys.exit(failure.code)
    sys.exit(exit_codes.OK)


def _warn(message: str) -> None:
    say(f"trackbook: {message}", err=True)
