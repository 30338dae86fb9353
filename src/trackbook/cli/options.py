"""Options and arguments that commands share, with their completion."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

import typer

from ..settings import data_dir


def examples(*lines: str) -> str:
    """Return the end of a command's help."""
    return "\b\nExamples:\n" + "\n".join(f"  {line}" for line in lines)


# --- completion: of what cannot be read there is none, and the command itself will say why ------------------------------


def complete_projects(ctx: typer.Context, incomplete: str) -> list[str]:
    """Complete the name of a project."""
    from ..store.project_list import ProjectList

    return _beginning(
        incomplete, (found.name for found in ProjectList(_folder(ctx)).entries() if found.problem is None)
    )


def complete_runs(ctx: typer.Context, incomplete: str) -> list[str]:
    """Complete the name of a run, the newest first; its id where the name has several words."""
    from ..store.project_files import run_names

    runs = [run for path in _paths(ctx) for run in reversed(run_names(path))]
    return _beginning(incomplete, (run if name.split() != [name] else name for run, name in runs))


def complete_metrics(ctx: typer.Context, incomplete: str) -> list[str]:
    """Complete the name of a metric."""
    from ..metrics import is_system
    from ..store.project_files import metric_names

    names = [name for path in _paths(ctx) for name in metric_names(path)]
    return _beginning(incomplete, (name for name in names if not is_system(name)))


def _paths(ctx: typer.Context) -> list[Path]:
    from ..store.project_list import ProjectList

    project = ctx.params.get("project")
    return [
        found.path
        for found in ProjectList(_folder(ctx)).entries()
        if found.problem is None and project in (None, found.name)
    ]


def _folder(ctx: typer.Context) -> Path:
    return data_dir(ctx.params.get("dir"))


def _beginning(incomplete: str, names: Iterable[str]) -> list[str]:
    return [name for name in dict.fromkeys(names) if name.startswith(incomplete)]


def project_option(help: str) -> Any:
    """Return the option that names a project."""
    return typer.Option("--project", "-p", metavar="PROJECT", help=help, autocompletion=complete_projects)


Dir = Annotated[str | None, typer.Option("--dir", metavar="FOLDER", help="The folder of the project files.")]
Project = Annotated[
    str | None,
    project_option("The project; by default any that has the run, else that of the newest run."),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Run = Annotated[str, typer.Argument(metavar="RUN", help="Id or name of a run.", autocompletion=complete_runs)]
AnyRun = Annotated[
    str | None,
    typer.Argument(metavar="[RUN]", help="Id or name of a run; by default the newest.", autocompletion=complete_runs),
]

# --- of servers

Host = Annotated[
    str, typer.Option("--host", help="The address to listen at; any but 127.0.0.1 opens it to other machines.")
]
Port = Annotated[int | None, typer.Option("--port", min=0, max=65535, help="By default 8237, or the next one.")]
AllowHost = Annotated[
    list[str] | None, typer.Option("--allow-host", metavar="NAME", help="A name under which browsers ask for it.")
]
EmbedFrom = Annotated[
    list[str] | None,
    typer.Option("--embed-from", metavar="ORIGIN", help="A site that may embed pages, such as https://wiki.example."),
]
