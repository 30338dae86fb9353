"""Notices imports of modules: calls a function after a module was executed, before its importer uses it."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Container, Sequence
from importlib.machinery import ModuleSpec
from importlib.util import LazyLoader
from types import ModuleType
from typing import Any


class ImportWatch:
    """A finder of ``sys.meta_path`` that finds nothing itself. It exists only between `start` and `stop`.

    The other finders are asked as if it were absent. The loader that they give executes the module as usual, and for this one time
    also calls `imported`; afterwards nothing on module, spec or loader tells of it.
    """

    def __init__(self, names: Container[str], imported: Callable[[ModuleType], None]) -> None:
        self._names = names
        self._imported = imported
        self._finding = threading.local()

    def start(self) -> None:
        if self not in sys.meta_path:
            sys.meta_path.insert(0, self)

    def stop(self) -> None:
        if self in sys.meta_path:
            sys.meta_path.remove(self)

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return the spec that the other finders give for a watched module, None for others."""
        if name not in self._names or getattr(self._finding, "name", None) == name:
            return None
        self._finding.name = name
        try:
            spec = self._found_by_others(name, path, target)
        finally:
            self._finding.name = None
        if spec is not None and spec.loader is not None:
            self._follow(name, spec.loader)
        return spec

    def _found_by_others(self, name: str, path: Sequence[str] | None, target: ModuleType | None) -> ModuleSpec | None:
        for finder in list(sys.meta_path):
            find = getattr(finder, "find_spec", None)
            if finder is not self and find is not None:
                spec: ModuleSpec | None = find(name, path, target)
                if spec is not None:
                    return spec
        return None

    def _follow(self, name: str, loader: Any) -> None:
        """Let this loader object call `imported` after it has executed the module `name`."""
        if isinstance(loader, LazyLoader):
            loader = vars(loader)["loader"]  # which executes the module when it is first used
        execute = getattr(loader, "exec_module", None)
        if execute is None or not hasattr(loader, "__dict__") or isinstance(loader, type):
            return  # a built-in or frozen module: none of those that are watched

        def exec_module(module: ModuleType) -> None:
            if module.__name__ == name and vars(loader).get("exec_module") is exec_module:
                del loader.exec_module
                execute(module)
                self._imported(module)
            else:  # the loader of a zip file serves several modules
                execute(module)

        loader.exec_module = exec_module
