"""Metrics that code logs by itself: to Trackbook, or to a library that Trackbook follows."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Mapping, Sequence
from types import FunctionType, ModuleType
from typing import Any

from ..compat.tracker_modules import TRACKERS, TrackerModule
from ..tracking.run import Run
from .reach import Reached

_US = "trackbook"
_LIGHTNING = "LightningModule"
_DIALECTS = frozenset(f"{_US}.compat.{tracker}" for tracker in TRACKERS)


def names_logged(trees: Sequence[ast.AST], namespace: Mapping[str, Any], *, earlier: bool = True) -> set[str]:
    """Return the names in ``tb.log({"loss": ...})`` and ``run.log(...)``, where `tb` is this package and `run` a run.

    Without `earlier` the runs in `namespace` do not count, which were begun before the code.
    """
    nodes = [node for tree in trees for node in ast.walk(tree)]
    ours = {name for name, value in namespace.items() if _is_ours(value) and (earlier or type(value) is not Run)}
    for node in nodes:
        if isinstance(node, ast.Import):
            ours |= {one.asname or one.name for one in node.names if _is_our_module(one.name)}
    for node in nodes:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call) and _receiver(node.value, "init") in ours:
            ours |= {target.id for target in node.targets if isinstance(target, ast.Name)}
    return {
        name for node in nodes if isinstance(node, ast.Call) and _receiver(node, "log") in ours for name in _keys(node)
    }


def names_given_to_lightning(tree: ast.AST, functions: Sequence[Reached]) -> set[str]:
    """Return the names in ``self.log("loss", ...)`` and ``self.log_dict({...})`` of modules of Lightning, which is followed.

    These modules are classes of the cell, `tree`, and those whose methods are among `functions`.
    """
    owners: list[ast.AST] = [
        node for node in ast.walk(tree) if isinstance(node, ast.ClassDef) and _says_lightning(node)
    ]
    owners += [one.node for one in functions if _is_of_lightning(one.function)]
    calls = [node for owner in owners for node in ast.walk(owner) if isinstance(node, ast.Call)]
    return {name for call in calls if not _is_for_bar_only(call) for name in _names_in_lightning(call)}


def _says_lightning(node: ast.ClassDef) -> bool:
    return any(ast.unparse(base).rpartition(".")[2] == _LIGHTNING for base in node.bases)


def _is_of_lightning(function: FunctionType) -> bool:
    owner = function.__globals__.get(function.__qualname__.partition(".")[0])
    return isinstance(owner, type) and any(base.__name__ == _LIGHTNING for base in owner.__mro__)


def _is_for_bar_only(call: ast.Call) -> bool:
    return any(one.arg == "logger" and getattr(one.value, "value", True) is False for one in call.keywords)


def _names_in_lightning(call: ast.Call) -> Iterator[str]:
    if not isinstance(call.func, ast.Attribute) or not isinstance(call.func.value, ast.Name):
        return
    if call.func.attr == "log_dict":
        yield from _keys(call)
    elif call.func.attr == "log":
        named = [one.value for one in call.keywords if one.arg == "name"]
        yield from (
            one.value
            for one in [*call.args[:1], *named]
            if isinstance(one, ast.Constant) and isinstance(one.value, str)
        )


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
