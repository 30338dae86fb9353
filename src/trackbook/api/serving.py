"""`show`: the boards of a folder in a browser, outside the notebook."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

from ..notebook import host as notebook_host
from ..settings import data_dir, is_watched, state_dir
from ..store.project_list import ProjectList
from ..text import did_you_mean
from .process import process

if TYPE_CHECKING:
    from ..boards.widget import Board
    from ..server.running import Server

_ANYWHERE = ("0.0.0.0", "::")  # noqa: S104  # compared with what the user gave


def show(
    project: str | None = None,
    *,
    runs: str | Sequence[str] | None = None,
    host: str = "127.0.0.1",
    port: int | None = None,
    open_browser: bool | None = None,
    block: bool = False,
) -> Board | Server:
    """Show a project: in a notebook as a board, elsewhere in a browser, by a local server.

    The server needs ``pip install "trackbook[server]"``. It shows all projects of the data folder, live, also runs that other
    processes write. It changes nothing, answers only to who has its token, and ends with this process. A later call uses the
    same server.

    Parameters
    ----------
    project
        The project to begin with; by default the current or last run's, else the list of all.
    runs
        Ids or names of runs; by default the newest.
    host
        The address to listen at. Any other than 127.0.0.1 opens the server to other machines.
    port
        By default 8237, or the next one that is free.
    open_browser
        Whether to open a browser; by default where a person may sit at this machine.
    block
        Return only when the server stops, by Ctrl-C.

    Returns
    -------
    Board or Server
        A board in a notebook; else the server, whose ``address()`` and ``stop()`` are of use.

    Raises
    ------
    ValueError
        For a project that does not exist.
    ModuleNotFoundError
        Without the packages of ``trackbook[server]``.
    OSError
        Where the host is not an address of this machine.
    """
    if notebook_host.current().is_notebook:
        return _board(project, runs)
    here = process().last_project
    name = project if project is not None or here is None else here.name
    names = [entry.name for entry in ProjectList(data_dir()).entries()]
    if project is not None and project not in names:
        raise ValueError(f"there is no project {project!r}; {did_you_mean(project, names, 'there are none like it')}")
    server = serve(host=host, port=port)
    chosen = [runs] if isinstance(runs, str) else list(runs or ())
    address = server.address_with_token(project=name if name in names else None, runs=",".join(chosen))
    _announce(server, address, open_browser)
    if block:
        server.wait()
    return server


def serve_until_stopped(
    project: str | None, *, is_shared: bool = False, open_browser: bool | None = None, **options: Any
) -> None:
    """Serve as `serve` does, with its `options`, until Ctrl-C. `is_shared`: tell an address that only reads the project, too."""
    server = serve(**options)
    address = server.address_with_token(project=project)
    if is_shared and project is not None:
        shared = server.address_with_token(server.access.share(project), project=project)
        _announce(server, address, open_browser, f"To share {project!r}: {shared}")
    else:
        _announce(server, address, open_browser)
    server.wait()


def host_until_stopped(*, port: int | None = None, **options: Any) -> None:
    """Serve a folder to a team, as `serve` does, with its `options`: take uploads of who has a token, until SIGTERM or Ctrl-C.

    Requests under way are answered first. Raises ``OSError`` when `port` is taken.
    """
    server = serve(port=port, takes_uploads=True, **options)
    if server.moved_from is not None:
        server.stop()
        raise OSError(f"port {server.moved_from} is taken: is a server running already?")
    print(  # noqa: T201  # what `serve` is called for
        f"Trackbook: {server.address()} serves the runs of {data_dir(options.get('folder'))}",
        "`trackbook token create` lets people in, and with --write their runs.",
        sep="\n",
        file=sys.stderr,
        flush=True,
    )
    before = signal.signal(signal.SIGTERM, lambda *_: server.ask_to_stop())
    try:
        server.wait()
    except KeyboardInterrupt:
        return
    finally:
        signal.signal(signal.SIGTERM, before)
        server.stop(graceful=True)


def serve(
    *,
    host: str = "127.0.0.1",
    port: int | None = None,
    folder: str | os.PathLike[str] | None = None,
    may_write: bool = False,
    hosts: Collection[str] = (),
    embed_from: Collection[str] = (),
    takes_uploads: bool = False,
) -> Server:
    """Return the server of this process, started when there is none."""
    try:
        from ..server.access import Access, kept_secret
        from ..server.running import Server, running, start
        from ..server.site import Site
        from ..server.tokens import TokenFile
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            f'the server needs {error.name}, which is not installed: pip install "trackbook[server]"', name=error.name
        ) from None
    found = running()
    if found is not None:
        return found
    here, path = process(), data_dir(folder)
    access = Access(
        secret=kept_secret(state_dir()),
        may_write=may_write,
        hosts=[host, *hosts],
        any_address=host in _ANYWHERE,
        embed_from=embed_from,
        tokens=TokenFile(path) if takes_uploads else None,
    )
    entries = ProjectList(path).entries
    site = Site(access, here.pump, entries, lambda name: here.project(name, path), takes_uploads=takes_uploads)
    return start(Server(site, host, port))


def _board(project: str | None, runs: str | Sequence[str] | None) -> Board:
    from .boards import board

    shown = board(project, runs)
    server = sys.modules.get("trackbook.server.running")
    found = None if server is None else server.running()
    if found is not None:
        _tell(found, found.address(project=shown.project))
    return shown


def _announce(server: Server, address: str, open_browser: bool | None, *more: str) -> None:
    _tell(server, address, *more)
    if is_watched() if open_browser is None else open_browser:
        _open(address)


def _tell(server: Server, address: str, *more: str) -> None:
    lines = [f"Trackbook: {address}", *more]
    if server.moved_from is not None:
        lines.append(f"(port {server.moved_from} is taken)")
    if server.host in _ANYWHERE:
        lines.append("Whoever reaches this machine and has this address sees the runs of its data folder.")
    print(*lines, sep="\n", file=sys.stderr, flush=True)  # noqa: T201  # what `show` is called for


def _open(address: str) -> None:
    import webbrowser  # loads subprocess, which `import trackbook` does without

    try:
        is_open = webbrowser.open(address)
    except (webbrowser.Error, OSError):
        is_open = False
    if not is_open:
        print("No browser could be opened: open the address above.", file=sys.stderr, flush=True)  # noqa: T201
