"""``trackbook doctor``: what is wrong here, and what to do about it."""

from __future__ import annotations

import typer

from ..settings import data_dir
from .exit_codes import FAILED
from .options import Dir, Json, examples
from .output import print_json, say

_SIGNS = {"ok": "ok     ", "warning": "warning", "fault": "FAULT  "}


def add_to(app: typer.Typer) -> None:
    """Add ``doctor``."""
    app.command("doctor", epilog=examples("trackbook doctor", "trackbook doctor --json"))(doctor)


def doctor(dir: Dir = None, as_json: Json = False) -> None:
    """Look for what keeps boards or runs from working.

    Looks at versions, the folder of the projects and its files, journals of programs that died, and the front end in each Jupyter. Says
    what to do. The exit code is 1 when there is a fault.
    """
    from .checks import examine

    found = list(examine(data_dir(dir)))
    if as_json:
        print_json([finding._asdict() for finding in found])
    else:
        for finding in found:
            say(f"{_SIGNS[finding.status]}  {finding.check}: {finding.message}")
            if finding.remedy:
                say(f"         -> {finding.remedy}")
    if any(finding.status == "fault" for finding in found):
        raise typer.Exit(FAILED)
