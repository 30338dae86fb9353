"""`trackbook show`: the boards of a folder in a browser."""

from __future__ import annotations

from typing import Annotated

import typer

from . import finding
from .exit_codes import UsageError
from .options import AllowHost, Dir, EmbedFrom, Host, Port, complete_projects, examples, project_option


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        epilog=examples(
            "trackbook show",
            "trackbook show digits --no-browser",
            "trackbook show --project digits --share-token",
            "trackbook show --host 0.0.0.0 --port 9000 --allow-host gpu7.example",
        )
    )(show)


def show(
    which: Annotated[
        str | None,
        typer.Argument(metavar="PROJECT", help="By default a list of all.", autocompletion=complete_projects),
    ] = None,
    project: Annotated[
        str | None,
        project_option("The same."),
    ] = None,
    dir: Dir = None,
    host: Host = "127.0.0.1",
    port: Port = None,
    browser: Annotated[
        bool | None, typer.Option("--browser/--no-browser", help="By default where somebody sits at this machine.")
    ] = None,
    write: Annotated[bool, typer.Option("--write", help="Let pages rename, tag and delete runs.")] = False,
    share_token: Annotated[
        bool, typer.Option("--share-token", help="Print one more address, which only reads this project.")
    ] = False,
    allow_host: AllowHost = None,
    embed_from: EmbedFrom = None,
) -> None:
    """Show boards in a browser, live, until Ctrl-C."""
    from ..api.serving import serve_until_stopped

    if which is not None and project is not None and which != project:
        raise UsageError(f"{which!r} and --project {project!r} are two projects; give one")
    name = which or project
    if share_token and name is None:
        raise UsageError("--share-token shares one project; name it")
    finding.home_of(dir)
    if name is not None:
        finding.existing_project(name, dir)
    serve_until_stopped(
        name,
        host=host,
        port=port,
        folder=dir,
        may_write=write,
        is_shared=share_token,
        open_browser=browser,
        hosts=allow_host or (),
        embed_from=embed_from or (),
    )
