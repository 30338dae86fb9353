"""When the targets of a cell are reported: on assignment, or once an iteration of a loop."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from .syntax import Definition, Loop, bound_within, names_within, walk
from .targets import Target

_ADDS_TO_END = frozenset(("append", "extend"))


@dataclass
class Plan:
    """The numbers of the targets that each loop and statement reports."""

    per_iteration: dict[int, list[int]] = field(default_factory=dict)  # by id of the loop
    on_assignment: list[int] = field(default_factory=list)  # of one of their names
    on_place: dict[int, list[int]] = field(
        default_factory=dict
    )  # by id of the statement that sets the attribute or item


def plan(tree: ast.AST, targets: Sequence[Target], compiled: frozenset[int], *, is_cell: bool = True) -> Plan:
    """Plan the reports of a cell, or of a function of another cell.

    Variables, and expressions of them, are reported when they are assigned. An attribute or item is reported where the code sets it
    (``self.loss = ...``; ``losses[-1]`` at ``losses.append``). One that changes unseen (``opt.lr``) is reported once an iteration of the
    innermost loop that uses its object or, around small loops, of the loop that assigns a tracked variable.
    """
    loops = _Loops(tree, compiled)
    assigned = bound_within(tree)
    variables = frozenset(target.variable for target in targets if target.variable)
    made = Plan()
    for number, target in enumerate(targets):
        setting = _statements_that_set(tree, target, compiled)
        if setting:
            for statement in setting:
                made.on_place.setdefault(id(statement), []).append(number)
            continue
        names = target.names & assigned
        chosen = [loop for loop in loops.innermost if (names or target.names) & names_within(loop)]
        if any(names & bound_within(loop) for loop in loops.innermost):
            chosen = []
        elif not chosen and is_cell and names <= loops.bound_before:
            chosen = loops.innermost
        if target.reaches and chosen:
            for loop in {id(found): found for found in (loops.nearest(loop, variables) for loop in chosen)}.values():
                made.per_iteration.setdefault(id(loop), []).append(number)
        else:
            made.on_assignment.append(number)
    return made


class _Loops:
    def __init__(self, tree: ast.AST, compiled: frozenset[int]) -> None:
        found = [node for node in walk(tree, compiled) if isinstance(node, Loop)]
        inside = {
            id(loop): [node for node in ast.walk(loop) if isinstance(node, Loop) and node is not loop] for loop in found
        }
        self._around = {id(inner): loop for loop in found for inner in inside[id(loop)]}  # the innermost comes last
        self.innermost = [loop for loop in found if not inside[id(loop)]]
        hidden = frozenset(id(node) for node in ast.walk(tree) if isinstance(node, Definition)) | set(map(id, found))
        names = [
            node.id for node in walk(tree, hidden) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
        ]
        self.bound_before = frozenset(names) - frozenset().union(*map(bound_within, found))

    def nearest(self, loop: Loop, variables: frozenset[str]) -> Loop:
        """Return the nearest loop from `loop` outwards that assigns one of the variables, `loop` itself when none does."""
        around: Loop | None = loop
        while around is not None:
            if variables & bound_within(around):
                return around
            around = self._around.get(id(around))
        return loop


def _statements_that_set(tree: ast.AST, target: Target, compiled: frozenset[int]) -> list[ast.stmt]:
    if not isinstance(target.tree, (ast.Attribute, ast.Subscript)):
        return []
    place = ast.unparse(target.tree)
    last_of = ast.unparse(target.tree.value) if place.endswith("[-1]") else None
    return [
        node
        for node in walk(tree, compiled)
        if isinstance(node, ast.stmt)
        and (place in map(ast.unparse, set_places(node)) or (last_of is not None and last_of == _extended(node)))
    ]


def set_places(node: ast.stmt) -> Iterator[ast.expr]:
    """Yield the attributes and items that a statement sets."""
    targets = node.targets if isinstance(node, ast.Assign) else []
    if isinstance(node, (ast.AugAssign, ast.AnnAssign)):
        targets = [node.target]
    waiting = list(targets)
    while waiting:
        target = waiting.pop(0)
        if isinstance(target, (ast.Tuple, ast.List)):
            waiting = [*target.elts, *waiting]
        elif isinstance(target, (ast.Attribute, ast.Subscript)):
            yield target


def _extended(node: ast.stmt) -> str | None:
    """Return the list that a statement appends to, as source."""
    call = node.value if isinstance(node, ast.Expr) else None
    if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr in _ADDS_TO_END:
        return ast.unparse(call.func.value)
    return None
