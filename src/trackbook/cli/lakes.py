"""``trackbook lake``: upkeep of a team's lake."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import TYPE_CHECKING, Annotated, Final

import typer

from .exit_codes import NotFoundError, UnusableError, UsageError
from .options import Json, examples
from .output import print_json, print_table, say, working

if TYPE_CHECKING:
    from ..remote.lake_upkeep import Files

_Where = Annotated[str, typer.Argument(metavar="LAKE", help="Its address, such as s3://bucket/team, or a path.")]
_WEEK: Final = 168


def add_to(app: typer.Typer) -> None:
    """Add ``lake``."""
    lake = typer.Typer(no_args_is_help=True)
    lake.callback(epilog=examples("trackbook lake optimize s3://bucket/team"))(group)
    lake.command("optimize", epilog=examples("trackbook lake optimize s3://bucket/team"))(optimize)
    lake.command("zorder", epilog=examples("trackbook lake zorder s3://bucket/team"))(zorder)
    lake.command(
        "vacuum",
        epilog=examples("trackbook lake vacuum s3://bucket/team --dry-run", "trackbook lake vacuum s3://bucket/team"),
    )(vacuum)
    app.add_typer(lake, name="lake")


def group() -> None:
    """Keep a team's lake quick, while others write to it."""


@contextmanager
def _upkeep(where: str) -> Iterator[ModuleType]:
    """Yield the module of upkeep; its errors become those of a command."""
    try:
        from ..remote import lake_upkeep
        from ..remote.target import TargetError
    except ModuleNotFoundError as error:
        raise UsageError(f'this needs {error.name}: pip install "trackbook[lake]"') from None
    try:
        with working(f"working on {where}"):
            if not lake_upkeep.exists(where):
                raise NotFoundError(f"there is no lake at {where}")
            yield lake_upkeep
    except TargetError as error:
        raise UnusableError(str(error)) from None


def optimize(where: _Where, as_json: Json = False) -> None:
    """Merge small files. Once an hour to once a day is enough."""
    with _upkeep(where) as upkeep:
        done = upkeep.optimize(where)
    _print(done, as_json)


def zorder(where: _Where, as_json: Json = False) -> None:
    """Sort the points of each run by metric and step over all its files."""
    with _upkeep(where) as upkeep:
        done = upkeep.zorder(where)
    _print(done, as_json)


def vacuum(
    where: _Where,
    hours: Annotated[
        int, typer.Option(min=1, metavar="N", help="Keep what versions of the last N hours need; a week by default.")
    ] = _WEEK,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count the files.")] = False,
    as_json: Json = False,
) -> None:
    """Delete files that nothing needs any more."""
    with _upkeep(where) as upkeep:
        found = upkeep.vacuum(where, hours, only_list=dry_run)
    if as_json:
        print_json({"deleted": not dry_run, "files": found})
        return
    for table, count in found.items():
        say(f"{table}: {count:,} files {'are not needed' if dry_run else 'deleted'}")


def _print(done: list[Files], as_json: bool) -> None:
    if as_json:
        print_json([each._asdict() for each in done])
        return
    rows = [(each.table, f"{each.before:,}", f"{each.after:,}") for each in done]
    print_table(["table", "files before", "after"], rows)
