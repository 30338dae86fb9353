"""Trackio, as Trackbook speaks it: ``import trackbook.compat.trackio as trackio``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Final

from ..api.alerts import alert as keep_alert
from ..api.projects import delete_project as delete
from ..api.run import finish, log
from ..api.serving import show as show_boards
from ..api.spaces import freeze
from ..api.syncing import sync as sync_project
from ..notebook import host as notebook_host
from ..tracking.config import Config
from ..tracking.other_trackers import say_ignored
from ..tracking.run import Run
from . import shared
from .dialect import Dialect

if TYPE_CHECKING:
    from ..boards.widget import Board
    from ..server.running import Server

__version__ = "0.43.0"  # whose names these are
__all__ = ["Config", "Run", "alert", "delete_project", "finish", "freeze", "init", "log", "show", "sync"]
__all__ += shared.__all__

_TRACKIO: Final = Dialect(
    "trackio", ("project", "name", "group", "space_id"), {"step_by": "run", "on_bad_value": "warn"}
)


def init(
    *given: Any, embed: bool = True, auto_log_gpu: bool | None = None, auto_log_cpu: bool | None = None, **words: Any
) -> Run:
    """Start a run, in Trackio's words. See `trackbook.init`. ``embed=False`` shows no board."""
    if not embed:
        words.setdefault("display", False)
    say_ignored(  # True is what happens anyway
        "init",
        {name: on for name, on in {"auto_log_gpu": auto_log_gpu, "auto_log_cpu": auto_log_cpu}.items() if on is False},
    )
    return _TRACKIO.init(*given, **words)


def show(
    project: str | None = None,
    *,
    open_browser: bool = True,
    block_thread: bool | None = None,
    host: str | None = None,
    server_port: int | None = None,
    **other: Any,
) -> Board | Server:
    """Show the boards: in a notebook a board, elsewhere in a browser, by a server that a script waits for. See `trackbook.show`."""
    say_ignored("show", other)
    waits = block_thread
    if waits is None:
        waits = not (notebook_host.current().is_notebook or hasattr(sys, "ps1"))
    return show_boards(
        project, host=host or "127.0.0.1", port=server_port, open_browser=None if open_browser else False, block=waits
    )


def alert(title: str, text: str | None = None, level: Any = None, webhook_url: str | None = None, **other: Any) -> None:
    """Alert, with Trackio's order of parameters. See `trackbook.alert`."""
    keep_alert(title, text, level, webhook_url=webhook_url, **other)


def sync(
    project: str | None = None,
    space_id: str | None = None,
    private: bool | None = None,
    *,
    sdk: str = "gradio",
    **other: Any,
) -> str:
    """Upload a project to a Space, and return its address. See `trackbook.sync`."""
    say_ignored("sync", {name: value for name, value in other.items() if value})
    return sync_project(project, space_id=space_id, private=private, sdk=sdk)


def delete_project(project: str, force: bool = False) -> bool:
    """Delete a project, and return whether it was there. See `trackbook.delete_project`."""
    try:
        return delete(project, force=force)
    except ValueError as error:
        if "there is no project" in str(error):
            return False
        raise


def __getattr__(name: str) -> Any:
    if name == "TRACKIO_LOGO_DIR":
        raise AttributeError(f"trackio.{name} is not there: boards of trackbook have no logo to replace")
    return _TRACKIO.attribute(name)


def __dir__() -> list[str]:
    return sorted([*__all__, "config"])
