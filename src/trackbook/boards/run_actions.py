"""Actions of a board on runs: rename, tag, note, delete, stop."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Protocol

from ..tracking.logged_values import as_tags
from ..tracking.uploading import summed_up
from .questions import DONE, Answer, AnswerTable, Question, refuse

if TYPE_CHECKING:
    from ..tracking.project import Project
    from ..tracking.run import Run


ACTIONS: Final = ("rename", "tag", "note", "delete", "stop")


class Actions(Protocol):
    """The actions of a board on its runs."""

    @property
    def open_runs(self) -> list[str]:
        """The ids of the runs that this process writes, and can therefore stop."""

    @property
    def idle_since(self) -> float | None:
        """When the last cell of this kernel ended, in seconds UTC; None while one runs, and where that is not known."""

    @property
    def is_uploading(self) -> bool:
        """Whether runs that this process wrote are not uploaded yet."""

    def synced(self) -> tuple[dict[str, Any] | None, list[str]]:
        """Return how far uploads of runs that this process writes are, as `summed_up` does, and problems of them as sentences."""

    def answers(self) -> AnswerTable:
        """Return the questions that change runs, with their functions."""


class RunActions:
    """Changes runs of one project, whichever process wrote them."""

    def __init__(
        self,
        project: Project,
        on_delete: Callable[[str], None] = lambda _: None,
        idle_since: Callable[[], float | None] = lambda: None,
    ) -> None:
        """`on_delete` is called with the id of each deleted run; `idle_since` is asked when this kernel's last cell ended."""
        self._project = project
        self._on_delete = on_delete
        self._idle_since = idle_since

    @property
    def open_runs(self) -> list[str]:
        return [run.id for run in self._project.open_runs]

    @property
    def idle_since(self) -> float | None:
        return self._idle_since()

    @property
    def is_uploading(self) -> bool:
        return any(upload.state.state not in ("synced", "refused") for upload in self._project.uploads)

    def synced(self) -> tuple[dict[str, Any] | None, list[str]]:
        return summed_up(self._project.uploads)

    def answers(self) -> AnswerTable:
        changes = (self._rename, self._tag, self._note, self._delete, self._stop)
        return {name: partial(self._apply, change) for name, change in zip(ACTIONS, changes, strict=True)}

    def _apply(self, change: Callable[[Run, Question], None], question: Question) -> Answer:
        change(self._find(question.get("run")), question)
        return DONE

    def _find(self, run_id: Any) -> Run:
        """Find a run by its id only, since the name of a run may be the id of another."""
        if not isinstance(run_id, str) or self._project.store.run(run_id) is None:
            raise ValueError("this run is no longer in the project")
        return self._project.get(run_id)

    def _rename(self, run: Run, question: Question) -> None:
        run.name = str(question.get("name") or "").strip()

    def _tag(self, run: Run, question: Question) -> None:
        run.tags = as_tags(question.get("tags"))

    def _note(self, run: Run, question: Question) -> None:
        run.notes = question.get("notes")

    def _delete(self, run: Run, _: Question) -> None:
        self._project.delete(run)
        self._on_delete(run.id)

    def _stop(self, run: Run, _: Question) -> None:
        run._stop("the stop button of its board")  # noqa: SLF001  # who asked is not for users to say


class NoActions:
    """Refuses every action, for boards whose runs cannot be changed."""

    def __init__(self, reason: str) -> None:
        self.open_runs: list[str] = []
        self.idle_since: float | None = None
        self.is_uploading = False
        self._reason = reason

    def synced(self) -> tuple[dict[str, Any] | None, list[str]]:
        return None, []

    def answers(self) -> AnswerTable:
        return dict.fromkeys(ACTIONS, lambda _: refuse(self._reason))
