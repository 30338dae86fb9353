"""`trackio.context_vars`: what is current, to be asked with ``.get()``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..api.run import current_run as run_of_now


@dataclass(frozen=True)
class Current:
    """Something that changes with the current run."""

    read: Callable[[], Any]

    def get(self, default: Any = None) -> Any:
        """Return it, or `default`."""
        found = self.read()
        return default if found is None else found


def _project() -> str | None:
    run = run_of_now()
    return None if run is None else run.project


def _space_id() -> str | None:
    run = run_of_now()
    return None if run is None else run._space_id  # type: ignore[attr-defined]  # of other trackers  # noqa: SLF001


def _none() -> None: ...


current_run = Current(run_of_now)
current_project = Current(_project)
current_space_id = Current(_space_id)
current_server = Current(_none)
