"""``trackbook export`` and ``trackbook import``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from ..api.terminal_words import progress_line
from ..settings import data_dir, user_path
from . import finding
from .exit_codes import UnusableError, UsageError
from .options import Dir, Json, complete_projects, complete_runs, examples, project_option
from .output import print_json, say, working

if TYPE_CHECKING:
    from ..store.base import Store

_PAGE: Final = "html"
_PAGE_SUFFIXES: Final = (".html", ".htm")


def add_to(app: typer.Typer) -> None:
    """Add ``export`` and ``import``."""
    app.command(
        "export",
        epilog=examples(
            "trackbook export digits                    a Parquet dataset in the folder digits",
            "trackbook export digits points.csv         points only; also .jsonl and .arrow",
            "trackbook export digits page.html          the board as a page of one file",
            "trackbook export digits one.parquet --run brisk-otter-12",
            "trackbook export digits --media             with images and other media, in digits.media",
        ),
    )(export)
    app.command(
        "import",
        epilog=examples(
            "trackbook import digits                    an export of ours",
            "trackbook import wandb                     the offline runs in the folder wandb",
            "trackbook import mlflow.db --project copy",
            "trackbook import runs --kind tensorboard",
        ),
    )(import_)


def complete_formats() -> list[str]:
    """Complete the name of a format."""
    from ..data.export import FORMATS

    return [*FORMATS, _PAGE]


def export(
    project: Annotated[str, typer.Argument(metavar="PROJECT", autocompletion=complete_projects)],
    path: Annotated[
        str | None, typer.Argument(metavar="[PATH]", help="A file or folder, by default named after the project.")
    ] = None,
    runs: Annotated[
        list[str] | None,
        typer.Option(
            "--run", "-r", metavar="RUN", help="Only this run; repeat it for more.", autocompletion=complete_runs
        ),
    ] = None,
    format: Annotated[
        str | None,
        typer.Option(metavar="FORMAT", help="By default the path's suffix says.", autocompletion=complete_formats),
    ] = None,
    media: Annotated[
        bool, typer.Option("--media", help="Copy the files of media, too, into the folder PATH.media.")
    ] = False,
    files: Annotated[
        bool, typer.Option("--files", help="Copy saved files and artifacts, too, into the folder PATH.artifacts.")
    ] = False,
    dir: Dir = None,
    as_json: Json = False,
) -> None:
    """Write a project as a table or a page.

    Parquet, CSV, JSON Lines and Arrow are tables of points; Parquet keeps all that was recorded. HTML is the board as one file.
    """
    source = finding.existing_project(project, dir)
    from ..data.export import FORMATS, format_of
    from ..data.export import export as write

    suffixes = {name: known.suffixes for name, known in FORMATS.items()} | {_PAGE: _PAGE_SUFFIXES}
    if path is None:
        plain = re.sub(r"[^\w.-]+", "-", source.name)
        target = Path(plain + ("" if format in (None, "parquet") else suffixes.get(format, ("",))[0]))
    else:
        target = user_path(path)
    by_suffix = "parquet" if path is None else _PAGE if target.suffix.lower() in _PAGE_SUFFIXES else format_of(target)
    wanted = format or by_suffix
    if wanted not in suffixes:
        known = ", ".join(suffix for some in suffixes.values() for suffix in some)
        said = f"--format {format}" if format else f"{target} ends in {target.suffix}"
        raise UsageError(f"{said}: a project can be written to {known} ({', '.join(suffixes)}), or to a folder")
    if (media or files) and wanted != "parquet":
        raise UsageError(f"{'--media' if media else '--files'} goes with Parquet, not with {wanted}")
    chosen = [finding.found(source, run) for run in runs] if runs else source.runs()
    with working(f"writing {target}"), _writing(target):
        if wanted == _PAGE:
            from ..api.pages import write_board

            written = write_board(target, source, [run.id for run in chosen] if runs else None)
        else:
            written = write(target, source.name, chosen, source.store, wanted, media=media, files=files)
    if as_json:
        print_json({"path": str(written), "format": wanted, "runs": [run.id for run in chosen]})
    else:
        say(str(written))


@contextmanager
def _writing(target: Path) -> Iterator[None]:
    """Take an error of the system for one of what is written: what is read was found."""
    try:
        yield
    except OSError as error:
        if error.strerror is None:
            raise UnusableError(str(error)) from None
        raise UnusableError(f"{target} cannot be written: {error.strerror}") from None


def complete_kinds() -> list[str]:
    """Complete the name of a kind."""
    from ..imports.kinds import KINDS

    return [*KINDS, "parquet"]


def import_(
    path: Annotated[str, typer.Argument(metavar="PATH", help="A file or folder.")],
    project: Annotated[
        str | None,
        project_option("The project to put the runs into; by default the one that they name."),
    ] = None,
    kind: Annotated[
        str | None,
        typer.Option(metavar="KIND", help="By default what PATH is.", autocompletion=complete_kinds),
    ] = None,
    dir: Dir = None,
    as_json: Json = False,
) -> None:
    """Take in runs from Parquet or of another tracker.

    Kinds: wandb, swanlab (offline runs), trackio, mlflow (files or SQLite), tensorboard, aim, csv, parquet. Repeating it adds only what
    is new, and an interrupted import goes on.
    """
    from ..store.polars_import import import_polars

    import_polars()
    from ..data.importing import import_parquet
    from ..imports.importing import import_source
    from ..imports.kinds import is_parquet
    from ..store.paths import DEFAULT_PROJECT

    if kind is not None and kind not in complete_kinds():
        raise UsageError(f"--kind {kind}: it is one of {', '.join(complete_kinds())}")
    home, source = data_dir(dir), user_path(path.removeprefix("sqlite:///"))

    def store_of(name: str | None) -> Store:
        return finding.open_project(project or name or DEFAULT_PROJECT, home).store

    with working(f"reading {path}") as update:
        if kind == "parquet" or (kind is None and is_parquet(source)):
            read = import_parquet(source, store_of)
        else:
            read = import_source(source, kind, store_of, lambda progress: update(progress_line(source, progress)))
    if as_json:
        print_json(
            [{"project": project or name or DEFAULT_PROJECT, "id": run.id, "name": run.name} for name, run in read]
        )
        return
    for name, run in read:
        say(f"{project or name or DEFAULT_PROJECT}: {run.name} ({run.id})")
