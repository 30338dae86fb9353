"""`freeze`, and static Spaces: a project as a page on the Hugging Face Hub, with nothing that runs."""

from __future__ import annotations

import contextlib
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from ..settings import is_quiet
from ..store.polars_import import import_polars
from .pages import write_board

if TYPE_CHECKING:
    from ..remote.hub import Hub
    from ..store.base import Store
    from ..tracking.project import Project


def freeze(space_id: str, project: str, new_space_id: str | None = None, *, private: bool | None = None) -> str:
    """Write a project of a Space as a page into a Space of its own, where nothing runs and nothing changes; return its address.

    The Space that is frozen goes on as before. What is frozen is what it saved last, at most some two minutes ago.

    Parameters
    ----------
    space_id
        The Space that has the project: ``"user/space"``, or ``"space"`` for one of your own.
    project
        The project's name.
    new_space_id
        The static Space, created if there is none; by default ``"user/space-static"``. One that `freeze` or `trackbook.sync` wrote is
        written again, any other is refused.
    private
        Whether a new Space is private; by default as the Hub does it for you or your organization.

    Raises
    ------
    ValueError
        For what is no name of a Space, and for a Space or project that does not exist.
    PermissionError
        Where the Hub refuses: without a token, or for a Space that is not Trackbook's. The message says what to do.
    OSError
        When the Hub cannot be reached.
    ModuleNotFoundError
        Without the packages of ``trackbook[hub]``.
    """
    import_polars()
    from ..remote.hub import Hub, check_space_id
    from ..remote.spaces import download_project
    from ..tracking.project import Project

    check_space_id(space_id)
    with _refused(), tempfile.TemporaryDirectory(prefix="trackbook-freeze-") as folder:
        hub = Hub()
        name = hub.full_name(space_id)
        new_name = hub.full_name(new_space_id or f"{name}-static")
        download_project(hub, name, project, Path(folder))
        source = Project(project, Path(folder))
        try:
            return _publish(hub, source, new_name, (), private)
        finally:
            source.store.close()


def publish(source: Project, space_id: str, include: Sequence[str], private: bool | None) -> str:
    """Write a project as a page and tables into a static Space, created if there is none; return its address. Raises as `freeze`.

    With `include` the tables hold some of ``console``, ``cells``, ``environment`` and ``code``, too.
    """
    from ..remote.hub import Hub

    with _refused():
        hub = Hub()
        return _publish(hub, source, hub.full_name(space_id), include, private)


def _publish(hub: Hub, source: Project, name: str, include: Sequence[str], private: bool | None) -> str:
    from ..data.export import export
    from ..remote.spaces import claim_static, put_static

    with tempfile.TemporaryDirectory(prefix="trackbook-page-") as folder:
        page = write_board(Path(folder, "index.html"), source, None)
        leaving = cast("Store", _Leaving(source.store, include))
        tables = export(Path(folder, "data"), source.name, source.runs(), leaving)
        space = claim_static(hub, name, source.name, private)
        written = {path.relative_to(folder).as_posix(): path for path in [page, *tables.rglob("*.parquet")]}
        put_static(hub, space, source.name, written)
    _announce(space.page)
    return space.page


class _Leaving:
    """A store without what does not leave the machine unless it is included."""

    def __init__(self, store: Store, include: Sequence[str]) -> None:
        self._store = store
        self._include = include

    def captured(self, run_id: str, table: str) -> Sequence[tuple[Any, ...]]:
        from ..remote.leaving import rows

        return rows(self._store, run_id, self._include).get(table, ())

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


def _announce(page: str) -> None:
    if not is_quiet():
        print(f"Trackbook: {page}", file=sys.stderr, flush=True)  # noqa: T201  # what is asked for


@contextlib.contextmanager
def _refused() -> Iterator[None]:
    """Raise what the Hub refuses as an error that every user knows."""
    from ..remote.target import TargetError

    try:
        yield
    except TargetError as error:
        raise PermissionError(str(error)) from None
