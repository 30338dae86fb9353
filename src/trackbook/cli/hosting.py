"""A team's server, and uploads to it: ``serve``, ``token``, ``backup`` and ``sync``."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..settings import data_dir
from . import finding
from .exit_codes import NotFoundError, UsageError
from .options import AllowHost, Dir, EmbedFrom, Host, Json, Port, complete_projects, examples, project_option
from .output import moment, print_json, print_table, say

if TYPE_CHECKING:
    from ..server.tokens import TokenFile

OneProject = Annotated[str | None, project_option("Only this project; by default all.")]


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(
        epilog=examples(
            "trackbook serve --dir /data --host 0.0.0.0 --port 8237",
            "trackbook serve --dir /data --allow-host tracking.example",
        )
    )(serve)
    token = typer.Typer(
        no_args_is_help=True, rich_markup_mode=None, help="Make, list and revoke the tokens of a server."
    )
    for command, name, lines in (
        (create, "create", ("trackbook token create --write --project digits", "trackbook token create --note ann")),
        (list_tokens, "list", ("trackbook token list --json",)),
        (revoke, "revoke", ("trackbook token revoke 1a2b3c4d", "trackbook token revoke --all")),
    ):
        token.command(name, epilog=examples(*lines))(command)
    app.add_typer(token, name="token")
    app.command(epilog=examples("trackbook backup /mnt/backup --dir /data"))(backup)
    app.command(
        epilog=examples(
            "trackbook sync",
            "trackbook sync digits --to https://tracking.example",
            "trackbook sync digits --space ada/page --static",
        )
    )(sync)


def serve(
    dir: Dir = None,
    host: Host = "127.0.0.1",
    port: Port = None,
    allow_host: AllowHost = None,
    embed_from: EmbedFrom = None,
    space: Annotated[
        str | None,
        typer.Option(
            "--space",
            metavar="DATASET",
            help="Serve as in a Hugging Face Space: whoever comes may read, and the data are kept in this dataset.",
        ),
    ] = None,
) -> None:
    """Serve boards to a team, and take runs of other machines.

    Ends with SIGTERM or Ctrl-C.
    """
    from ..api.serving import host_until_stopped
    from ..api.space_server import serve_space

    if space is not None:
        serve_space(space, host=host, port=port, folder=dir)
        return
    host_until_stopped(host=host, port=port, folder=dir, hosts=allow_host or (), embed_from=embed_from or ())


def create(
    write: Annotated[bool, typer.Option("--write", help="Let it upload, change and delete runs, too.")] = False,
    project: OneProject = None,
    note: Annotated[str, typer.Option("--note", help="For whom or what it is.")] = "",
    dir: Dir = None,
) -> None:
    """Print a new token, which is shown this once. Only its hash is stored."""
    say(_tokens(dir, makes_folder=True).create(project=project, may_write=write, note=note))


def list_tokens(json: Json = False, dir: Dir = None) -> None:
    """List the tokens that are in force."""
    tokens = _tokens(dir).tokens()
    if json:
        print_json(
            [
                {
                    "id": token.id,
                    "project": token.project,
                    "may_write": token.may_write,
                    "created": moment(token.created),
                    "note": token.note,
                }
                for token in tokens
            ]
        )
        return
    if not tokens:
        say(f"there are no tokens in {finding.home_of(dir)}")
        return
    print_table(
        ("id", "project", "may", "created", "note"),
        [
            (
                token.id,
                "all" if token.project is None else token.project,
                "write" if token.may_write else "read",
                datetime.fromtimestamp(token.created, UTC),
                token.note,
            )
            for token in tokens
        ],
    )


def revoke(
    token: Annotated[
        str | None, typer.Argument(metavar="[ID]", help="The id of a token, as `trackbook token list` shows it.")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Revoke all tokens.")] = False,
    dir: Dir = None,
) -> None:
    """Revoke tokens. A running server refuses them from then on."""
    if everything == (token is not None):
        raise UsageError("give the id of a token, or --all")
    tokens = _tokens(dir)
    for name in [each.id for each in tokens.tokens()] if token is None else [token]:
        if not tokens.revoke(name):
            raise NotFoundError(f"there is no token {name[:12]!r}; `trackbook token list` shows the ids")


def _tokens(dir: str | None, *, makes_folder: bool = False) -> TokenFile:
    from ..server.tokens import TokenFile

    return TokenFile(data_dir(dir) if makes_folder else finding.home_of(dir))


def backup(
    to: Annotated[Path, typer.Argument(metavar="FOLDER", help="Where the copies are written.")],
    project: OneProject = None,
    dir: Dir = None,
) -> None:
    """Copy project files, their media and a server's tokens.

    Each copy is the file of one moment, also while it is written.
    """
    from ..server.tokens import FILE
    from ..store.backup import copy_folder

    if project is not None:
        finding.existing_project(project, dir)
    folder = finding.home_of(dir)
    if to.absolute() == folder:
        raise UsageError(f"{to} holds the originals; give another folder")
    copies = copy_folder(folder, to, [project] if project is not None else (), (FILE,))
    say(f"{len(copies)} project{'' if len(copies) == 1 else 's'} copied to {to}")


def sync(
    project: Annotated[
        str | None,
        typer.Argument(
            metavar="[PROJECT]",
            help="By default all with runs that are to be uploaded.",
            autocompletion=complete_projects,
        ),
    ] = None,
    to: Annotated[
        str | None, typer.Option("--to", metavar="ADDRESS", help="By default where its runs were to be uploaded.")
    ] = None,
    space: Annotated[
        str | None,
        typer.Option("--space", metavar="USER/SPACE", help="To a Hugging Face Space, made if there is none."),
    ] = None,
    static: Annotated[bool, typer.Option("--static", help="As a page, in a Space where nothing runs.")] = False,
    private: Annotated[
        bool | None, typer.Option("--private/--public", help="Of a new Space; by default as the Hub does it for you.")
    ] = None,
    include: Annotated[str, typer.Option("--include", help="Upload some of console,cells,environment,code, too.")] = "",
    dir: Dir = None,
) -> None:
    """Upload runs to a server, a lake or a Space.

    Without PROJECT the runs that are still to be uploaded; with it and --to or --space all of its runs.
    """
    from ..api.syncing import send_noted
    from ..api.syncing import sync as sync_project
    from ..remote.target import TargetError, checked

    if space is None and (static or private is not None):
        raise UsageError("--static, --private and --public are of a Space: name it by --space")
    if to is not None or space is not None:
        if project is None:
            raise UsageError("--to and --space say where a project is uploaded; name it")
        try:
            to = to and checked(to)
        except TargetError as error:
            raise UsageError(f"--to: {error}") from None
        finding.existing_project(project, dir)
        sdk = "static" if static else "docker"
        sync_project(project, to=to, include=include, dir=dir, space_id=space, sdk=sdk, private=private)
        return
    if include:
        raise UsageError("--include goes with PROJECT --to")
    names = [project] if project is not None else finding.project_names(dir)
    sent = [where for name in names for where in send_noted(finding.existing_project(name, dir))]
    if not sent:
        say("nothing is left to upload", err=True)
