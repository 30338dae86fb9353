"""Metrics that code logs to Trackbook by itself."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from types import ModuleType
from typing import Any

from ..tracking.run import Run

_US = "trackbook"


def names_logged(trees: Sequence[ast.AST], namespace: Mapping[str, Any]) -> set[str]:
    """Return the names in ``tb.log({"loss": ...})`` and ``run.log(...)``, where `tb` is this package and `run` a run."""
    nodes = [node for tree in trees for node in ast.walk(tree)]
    ours = {name for name, value in namespace.items() if _is_ours(value)}
    for node in nodes:
        if isinstance(node, ast.Import):
            ours |= {one.asname or one.name for one in node.names if one.name == _US}
    for node in nodes:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call) and _receiver(node.value, "init") in ours:
            ours |= {target.id for target in node.targets if isinstance(target, ast.Name)}
    return {
        name for node in nodes if isinstance(node, ast.Call) and _receiver(node, "log") in ours for name in _keys(node)
    }


def _is_ours(value: Any) -> bool:
    return type(value) is Run or (type(value) is ModuleType and value.__name__ == _US)


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
