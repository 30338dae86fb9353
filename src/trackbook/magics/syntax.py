"""Facts about syntax trees: what a node assigns and mentions, and which definitions are compiled."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TypeVar

Node = TypeVar("Node", bound=ast.AST)
Loop = ast.For | ast.AsyncFor | ast.While
Function = ast.FunctionDef | ast.AsyncFunctionDef
Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef

# decorators and functions that compile their argument, and may not support inserted calls
_COMPILERS = frozenset(
    "jit njit pjit pmap vectorize guvectorize cfunc stencil generated_jit jitclass compile compile_model script".split()
)


def walk(tree: ast.AST, compiled: frozenset[int]) -> Iterator[ast.AST]:
    """Yield all nodes in source order, except inside compiled functions."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        yield node
        if id(node) not in compiled:
            waiting.extend(reversed(list(ast.iter_child_nodes(node))))


def bound_by(node: ast.AST) -> frozenset[str]:
    """Return the variables that a target, a pattern or a simple statement assigns."""
    if isinstance(node, ast.Assign):
        return frozenset().union(*map(bound_by, node.targets))
    if isinstance(node, ast.AnnAssign) and node.value is None:
        return frozenset()
    if isinstance(node, (ast.AugAssign, ast.AnnAssign, ast.NamedExpr)):
        return bound_by(node.target)
    if isinstance(node, ast.pattern):
        return bound_within(node)
    if isinstance(node, (ast.Tuple, ast.List)):
        return frozenset().union(*map(bound_by, node.elts))
    if isinstance(node, ast.Starred):
        return bound_by(node.value)
    return frozenset([node.id] if isinstance(node, ast.Name) else [])


def bound_within(tree: ast.AST) -> frozenset[str]:
    """Return all variables that are assigned anywhere inside."""
    names: set[str | None] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        elif isinstance(node, (ast.MatchAs, ast.MatchStar, ast.ExceptHandler)):
            names.add(node.name)
        elif isinstance(node, ast.MatchMapping):
            names.add(node.rest)
    return frozenset(name for name in names if name is not None)


def names_within(tree: ast.AST) -> frozenset[str]:
    return frozenset(node.id for node in ast.walk(tree) if isinstance(node, ast.Name))


def compiled_definitions(tree: ast.Module) -> frozenset[int]:
    """Return the ids of definitions that are compiled: ``@njit``, ``@partial(jax.jit, ...)``, ``step = torch.compile(step)``."""
    given = given_to_compilers(tree)
    return frozenset(
        id(node)
        for node in ast.walk(tree)
        if isinstance(node, Definition)
        and (node.name in given or any(is_compiler(inner) for one in node.decorator_list for inner in ast.walk(one)))
    )


def given_to_compilers(tree: ast.AST) -> set[str]:
    """Return the functions that a tree gives to a compiler, as in ``torch.compile(step)``."""
    return {
        call.args[0].id
        for call in ast.walk(tree)
        if isinstance(call, ast.Call) and call.args and isinstance(call.args[0], ast.Name) and is_compiler(call.func)
    }


def is_compiler(node: ast.AST) -> bool:
    if isinstance(node, ast.Attribute):
        tensorflow = isinstance(node.value, ast.Name) and node.value.id in ("tf", "tensorflow")
        return node.attr in _COMPILERS or (tensorflow and node.attr == "function")
    return isinstance(node, ast.Name) and node.id in _COMPILERS


def located(node: Node, site: ast.AST) -> Node:
    """Return `node` with the source location of `site`, for tracebacks and debuggers."""
    for inner in ast.walk(node):
        if isinstance(inner, (ast.stmt, ast.expr, ast.ExceptHandler)):
            ast.copy_location(inner, site)
    return node
