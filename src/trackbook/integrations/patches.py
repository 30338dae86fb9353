"""Replaced functions of other libraries, each of which gets its original back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

_ABSENT = object()


class Patches:
    """Replaced attributes of modules and classes. `undo` restores each, unless someone else has replaced it in the meantime."""

    def __init__(self) -> None:
        self._replaced: list[tuple[Any, str, object, object]] = []

    def replace(self, owner: Any, name: str, make: Callable[[Any], Any]) -> None:
        """Replace ``owner.name`` by what `make` returns for it. An inherited attribute stays untouched in its own class."""
        before = vars(owner).get(name, _ABSENT)
        after = make(getattr(owner, name))
        self._replaced.append((owner, name, before, after))
        setattr(owner, name, after)

    def add_item(self, owner: dict[Any, Any], key: Any, value: Any) -> None:
        """Add an item to a dict, unless it has one with this key."""
        if key not in owner:
            self._replaced.append((owner, key, _ABSENT, value))
            owner[key] = value

    def undo(self) -> None:
        """Restore everything that was replaced, the newest first. A call that is interrupted is completed by the next one."""
        while self._replaced:
            self._restore(*self._replaced[-1])
            self._replaced.pop()

    @staticmethod
    def _restore(owner: Any, name: str, before: object, after: object) -> None:
        if isinstance(owner, dict):
            if owner.get(name) is after:
                del owner[name]
        elif vars(owner).get(name) is not after:
            return  # another tool's wrapper is around ours, which without an active adapter only passes calls on
        elif before is _ABSENT:
            delattr(owner, name)
        else:
            setattr(owner, name, before)
