"""Keeps the view settings of boards in the project's file: for each notebook cell, and for the project."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, Final

from ..store.base import Store
from ..store.documents import PROJECT, document, put_document
from .view_state import SETTINGS, known_settings

NAME: Final = "view"
CELL_SETTINGS: Final = frozenset(name for name, setting in SETTINGS.items() if setting.get("cell"))
_NOT_KEPT: Final = frozenset(name for name, setting in SETTINGS.items() if setting.get("once"))


class KeptView:
    """The view of the boards of one cell and project. A cell without one begins with the project's, as it was set last."""

    def __init__(self, store: Store, cell: str | None) -> None:
        """`cell` is equal for each execution of a cell; None outside of notebooks, where only the project has a view."""
        self._store = store
        self._cell = None if cell is None else f"{NAME} {hashlib.sha256(cell.encode()).hexdigest()[:16]}"

    def load(self) -> dict[str, Any]:
        """Return the settings to begin with. Those of another version that are not known here are left out."""
        for name in (self._cell, NAME):
            found = None if name is None else self._read(name)
            if found is not None:
                settings, _ = known_settings(found)
                return settings
        return {}

    def save(self, view: Mapping[str, Any]) -> None:
        """Keep a view, as `View.view` returns it."""
        view = {name: value for name, value in view.items() if name not in _NOT_KEPT}
        shared = {name: value for name, value in view.items() if name not in CELL_SETTINGS}
        put_document(self._store, PROJECT, NAME, shared)
        if self._cell is not None:
            put_document(self._store, PROJECT, self._cell, view)
        self._store.flush()

    def _read(self, name: str) -> dict[str, Any] | None:
        try:
            return document(self._store, PROJECT, name)
        except OSError:  # the store's notices say so; the board has its defaults
            return None
