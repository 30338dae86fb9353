"""What the variables of a scope are: values, sums that a loop accumulates, counters or constants."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from .metric_words import is_count, is_time, reads_as_metric
from .reported import core, place_name
from .scopes import Assignment, Scope

Kind = Literal["value", "sum", "counter", "constant"]
_COUNTING = frozenset(
    "len size numel int count_nonzero range ndim time perf_counter monotonic process_time now nelement".split()
)


@dataclass(frozen=True)
class Variable:
    """A variable of a scope: its kind, and the assignments whose values are worth a point."""

    name: str
    kind: Kind
    sites: list[Assignment]


def variable_of(scope: Scope, name: str) -> Variable:
    """Return what a variable is in its scope.

    The points of a value are those of its loop, one for each block that assigns it: the last. A sum has points where its end is made
    of it (``acc /= n``), after the loop that accumulates.
    """
    sites = [one for one in scope.of(name) if not one.is_loop_variable]
    if not sites:
        return Variable(name, "counter", [])
    added = [one for one in sites if _is_sum_of_itself(one)]
    if added and all(_is_step(scope, one) for one in added):
        return Variable(name, "counter", [])
    values = [one for one in sites if one not in added and not _is_constant(one) and not _is_same(one)]
    repeated = [one for one in added if one.loops]
    if repeated and not any(
        one.block in {other.block for other in repeated} and not _mentions(one, name) for one in values
    ):
        ends = [one for one in values if _mentions(one, name) and any(_is_outside(one, other) for other in repeated)]
        return Variable(name, "sum", _last_of_blocks(ends))
    if not values and not added:
        different = {ast.unparse(one.value) for one in sites if one.value is not None and one.loops}
        return Variable(name, "value" if len(different) > 1 else "constant", sites if len(different) > 1 else [])
    return Variable(name, "value", _last_of_blocks([one for one in sites if one in values or one in added]))


def increments(scope: Scope) -> set[str]:
    """Return the variables that the sums of a scope add up."""
    added = [one for one in scope.assignments if _is_sum_of_itself(one)]
    return {node.id for one in added for node in ast.walk(_increment(one)) if isinstance(node, ast.Name)} - {
        one.name for one in added
    }


def counts(scope: Scope, node: ast.expr) -> bool:
    """Whether an expression is made of counters, sizes, times and constants alone."""
    return all(_is_counted(scope, leaf) for leaf in _leaves(node))


def _leaves(node: ast.expr) -> Iterator[ast.expr]:
    """Yield the variables, attributes, items and calls that an expression is made of."""
    if isinstance(node, (ast.Name, ast.Attribute, ast.Subscript)):
        yield node
    elif isinstance(node, ast.Call):
        if place_name(node.func) in _COUNTING or (
            isinstance(node.func, ast.Attribute) and is_time(place_name(node.func.value))
        ):
            return
        yield from (leaf for one in node.args for leaf in _leaves(one))
        if isinstance(node.func, ast.Attribute):
            yield from _leaves(node.func.value)
        elif not node.args:
            yield node
    else:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.expr):
                yield from _leaves(child)


def _is_counted(scope: Scope, leaf: ast.expr) -> bool:
    if isinstance(leaf, ast.Call):
        return False
    name = place_name(leaf)
    if isinstance(leaf, ast.Subscript) and ast.unparse(leaf.value).endswith("shape"):
        return True
    if is_count(name) or is_time(name):
        return True
    if not isinstance(leaf, ast.Name):
        return False
    if name in scope.loop_variables and all(one.is_loop_variable for one in scope.of(name)):
        return True
    sites = scope.of(name)
    steps = [one for one in sites if _is_sum_of_itself(one)]
    return bool(sites) and all(
        isinstance(_increment(one), ast.Constant) if one in steps else _is_constant(one) for one in sites
    )


def _is_step(scope: Scope, one: Assignment) -> bool:
    """Whether a sum grows by what counters grow by: a constant or, under a name that is not a metric's, a size."""
    step = _increment(one)
    return isinstance(step, ast.Constant) or (counts(scope, step) and not reads_as_metric(one.name))


def _is_sum_of_itself(one: Assignment) -> bool:
    if one.operator is not None:
        return isinstance(one.operator, (ast.Add, ast.Sub))
    value = one.value
    if (
        not isinstance(one.statement, ast.Assign)
        or not isinstance(value, ast.BinOp)
        or not isinstance(value.op, ast.Add)
    ):
        return False
    return isinstance(value.left, ast.Name) and value.left.id == one.name


def _increment(one: Assignment) -> ast.expr:
    assert one.value is not None
    if one.operator is None and isinstance(one.value, ast.BinOp):
        return one.value.right
    return one.value


def _is_constant(one: Assignment) -> bool:
    if one.value is None or one.operator is not None or one.is_loop_variable:
        return False
    return not any(isinstance(node, (ast.Name, ast.Call, ast.Await)) for node in ast.walk(one.value))


def _is_same(one: Assignment) -> bool:
    """Whether an assignment only converts the variable: ``loss = loss.item()``."""
    inner = core(one.value) if one.value is not None and one.operator is None else None
    return isinstance(inner, ast.Name) and inner.id == one.name


def _mentions(one: Assignment, name: str) -> bool:
    if one.operator is not None:
        return True
    return one.value is not None and any(isinstance(node, ast.Name) and node.id == name for node in ast.walk(one.value))


def _is_outside(one: Assignment, other: Assignment) -> bool:
    """Whether the loops of one assignment are some of those of the other, but not all."""
    return len(one.loops) < len(other.loops) and other.loops[: len(one.loops)] == one.loops


def _last_of_blocks(sites: Sequence[Assignment]) -> list[Assignment]:
    return list({one.block: one for one in sites}.values())
