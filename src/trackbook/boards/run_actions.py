"""What a board does to runs: renaming, tagging, noting, deleting, stopping."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from ..tracking.values import as_tags

if TYPE_CHECKING:
    from ..tracking.project import Project
    from ..tracking.run import Run

ACTIONS = frozenset({"rename", "tag", "note", "delete", "stop"})


class Actions:
    """Answers the questions `ACTIONS` for the runs of one project, whichever process wrote them."""

    def __init__(self, project: Project, deleted: Callable[[str], None] = lambda _: None) -> None:
        """`deleted` hears the id of each run that was."""
        self._project = project
        self._deleted = deleted

    def __call__(self, question: Mapping[str, Any]) -> dict[str, Any]:
        """``{}`` when it is done, or ``{"error": why not}``."""
        try:
            self._do(question)
        except (OSError, RuntimeError, TypeError, ValueError) as error:
            return {"error": str(error)}
        return {}

    def _do(self, question: Mapping[str, Any]) -> None:
        run = self._find(question.get("run"))
        match question["ask"]:
            case "rename":
                run.name = str(question.get("name") or "").strip()
            case "tag":
                run.tags = as_tags(question.get("tags"))
            case "note":
                run.notes = question.get("notes")
            case "delete":
                self._project.delete(run)
                self._deleted(run.id)
            case "stop":
                run.stop()

    def _find(self, run_id: Any) -> Run:
        """A run by its id alone: a name may be another's id."""
        if not isinstance(run_id, str) or self._project.store.run(run_id) is None:
            raise ValueError("this run is no longer in the project")
        return self._project.get(run_id)
