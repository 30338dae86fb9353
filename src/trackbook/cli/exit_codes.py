"""Failures of commands: one sentence, and an exit code that scripts may rely on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

OK: Final = 0
FAILED: Final = 1  # doctor found a fault; or an error in Trackbook itself
USAGE: Final = 2  # an unknown command, option or value, or a query that cannot be understood
NOT_FOUND: Final = 3
REFUSED: Final = 4
UNUSABLE: Final = 5
CANNOT_RUN: Final = 126  # this and the next as shells say it
NO_PROGRAM: Final = 127
INTERRUPTED: Final = 130
NO_READER: Final = 141


class CommandError(Exception):
    """Ends a command with a sentence on stderr and an exit code."""

    code = FAILED


class UsageError(CommandError):
    """Something on the command line that cannot be understood."""

    code = USAGE


class NotFoundError(CommandError):
    """A project, run, metric or file that does not exist."""

    code = NOT_FOUND


class RefusedError(CommandError):
    """Something that cannot be done as things are: a run that is being written, a name that means several runs."""

    code = REFUSED


class UnusableError(CommandError):
    """A file or folder that cannot be read or written: damaged, of a later version, forbidden, full."""

    code = UNUSABLE


class NoProgramError(CommandError):
    """A program to run that does not exist."""

    code = NO_PROGRAM


class CannotRunError(CommandError):
    """A program that exists and cannot be started."""

    code = CANNOT_RUN


@contextmanager
def usage() -> Iterator[None]:
    """Take a ``ValueError`` for a value on the command line that cannot be understood."""
    try:
        yield
    except ValueError as error:
        raise UsageError(str(error)) from None


def as_command_error(error: BaseException) -> CommandError | None:
    """Return the command error for an error of the library; None for an unexpected error."""
    if isinstance(error, CommandError):
        return error
    kinds: list[tuple[type[BaseException], type[CommandError]]] = [
        (ModuleNotFoundError, UsageError),
        (FileNotFoundError, NotFoundError),
        (OSError, UnusableError),
        (ValueError, RefusedError),
        (TypeError, UsageError),
        (RuntimeError, RefusedError),
    ]
    for kind, meant in kinds:
        if isinstance(error, kind):
            return meant(" ".join(_said(error).split()))
    return None


def _said(error: BaseException) -> str:
    """Return the message of an error, without the number that the system's errors begin with."""
    if not isinstance(error, OSError) or error.strerror is None:
        return str(error)
    return error.strerror if error.filename is None else f"{error.strerror}: {error.filename}"
