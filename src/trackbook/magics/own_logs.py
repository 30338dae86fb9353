"""Metrics that code logs to Trackbook by itself."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Mapping, Sequence
from types import ModuleType
from typing import Any

from ..compat.tracker_modules import TRACKERS, TrackerModule
from ..tracking.run import Run

_US = "trackbook"
_DIALECTS = frozenset(f"{_US}.compat.{tracker}" for tracker in TRACKERS)


def names_logged(trees: Sequence[ast.AST], namespace: Mapping[str, Any]) -> set[str]:
    """Return the names in ``tb.log({"loss": ...})`` and ``run.log(...)``, where `tb` is this package and `run` a run."""
    nodes = [node for tree in trees for node in ast.walk(tree)]
    ours = {name for name, value in namespace.items() if _is_ours(value)}
    for node in nodes:
        if isinstance(node, ast.Import):
            ours |= {one.asname or one.name for one in node.names if _is_our_module(one.name)}
    for node in nodes:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call) and _receiver(node.value, "init") in ours:
            ours |= {target.id for target in node.targets if isinstance(target, ast.Name)}
    return {
        name for node in nodes if isinstance(node, ast.Call) and _receiver(node, "log") in ours for name in _keys(node)
    }


def _is_ours(value: Any) -> bool:
    return type(value) in (Run, TrackerModule) or (type(value) is ModuleType and _is_our_module(value.__name__))


def _is_our_module(name: str) -> bool:
    """Whether a module is this package, or speaks another tracker's dialect, under its own name or the tracker's."""
    return name == _US or name in _DIALECTS or type(sys.modules.get(name)) is TrackerModule


def _receiver(call: ast.Call, method: str) -> str | None:
    """Return the variable whose method is called, also that of ``tb.run.log``."""
    function = call.func
    if not isinstance(function, ast.Attribute) or function.attr != method:
        return None
    place = function.value
    while isinstance(place, ast.Attribute):
        place = place.value
    return place.id if isinstance(place, ast.Name) else None


def _keys(call: ast.Call) -> Iterator[str]:
    for argument in call.args[:1]:
        if isinstance(argument, ast.Dict):
            yield from (
                key.value for key in argument.keys if isinstance(key, ast.Constant) and isinstance(key.value, str)
            )
