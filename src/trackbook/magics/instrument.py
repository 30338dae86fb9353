"""Instrumentation of a cell: inserts calls into its AST that report each assignment of a tracked variable to a tracker.

Statements ``if tracker(code, value): pass`` are inserted after assignments; they display nothing in any `ast_node_interactivity`.
Expressions that assign (walrus, comprehensions) get calls inside. Everything else stays unchanged. `code` is four times the number of
the target, plus the kind of the call: `VALUE`, `DUE`, `LATER` or `FAILED`.
"""

from __future__ import annotations

import ast
import copy
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeVar

from .targets import Target

VALUE: Final = 0  # the argument is the value, or a pair of value and step
DUE: Final = 1  # asks whether the value is wanted now, before it is evaluated
LATER: Final = 2  # the argument is a function that returns the value
FAILED: Final = 3  # the evaluation raised the exception that is being handled
KINDS: Final = 4

Node = TypeVar("Node", bound=ast.AST)
Loop = ast.For | ast.AsyncFor | ast.While
Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef

# decorators and functions that compile their argument, and may not support inserted calls
_COMPILERS = frozenset(
    "jit njit pjit pmap vectorize guvectorize cfunc stencil generated_jit jitclass compile compile_model script".split()
)
_BLOCKS = frozenset(("body", "orelse", "finalbody", "handlers", "cases"))


@dataclass
class InstrumentedCell:
    """The result of `instrument`. `sites` counts the calls inserted for each target; `left_alone` names compiled functions."""

    tree: ast.Module
    sites: Counter[int] = field(default_factory=Counter)
    left_alone: list[str] = field(default_factory=list)


def instrument(
    tree: ast.Module,
    targets: Sequence[Target],
    tracker: str,
    *,
    step: ast.expr | None = None,
    throttled: bool = False,
    shows_assignments: bool = False,
) -> InstrumentedCell:
    """Insert calls of the function named `tracker` for each target of `targets`. Modifies `tree`.

    Parameters
    ----------
    step
        An expression for the step of each point.
    throttled
        Ask the tracker whether a value is wanted before evaluating it.
    shows_assignments
        IPython displays the target of a last assignment (``last_expr_or_assign``).
    """
    shown = _shown_assignment(tree) if shows_assignments else None
    instrumenter = _Instrumenter(tree, targets, tracker, step, throttled=throttled)
    tree.body = instrumenter.block(tree.body)
    if shown is not None:
        tree.body.append(shown)
    return InstrumentedCell(tree, instrumenter.sites, instrumenter.left_alone)


def assigned_in_loops(tree: ast.Module) -> list[str]:
    """Return the variables that the loops of a cell assign, except loop counters and names that begin with ``_``."""
    names: dict[str, None] = {}
    compiled = _compiled(tree)
    for loop in _walk(tree, compiled):
        if isinstance(loop, Loop):
            for node in _walk(loop, compiled):
                if isinstance(node, (ast.Assign, ast.AugAssign, ast.AnnAssign, ast.NamedExpr)):
                    stored = [inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name)]
                    names.update(dict.fromkeys(name for name in stored if name in _bound(node)))
    return [name for name in names if not name.startswith("_")]


class _Instrumenter:
    def __init__(
        self, tree: ast.Module, targets: Sequence[Target], tracker: str, step: ast.expr | None, *, throttled: bool
    ) -> None:
        self._targets = targets
        self._tracker = tracker
        self._step = step
        self._throttled = throttled
        self._compiled = _compiled(tree)
        self._per_iteration, on_assignment = _plan(tree, targets, self._compiled)
        self._on_assignment = [(i, targets[i].names) for i in on_assignment]
        self._interesting = frozenset().union(*(names for _, names in self._on_assignment))
        self._loop: ast.AST | None = None  # the loop being instrumented
        self._here: list[int] = []
        self.sites: Counter[int] = Counter()
        self.left_alone: list[str] = []

    def block(self, body: list[ast.stmt]) -> list[ast.stmt]:
        return [new for old in body for new in self._statement(old)]

    def _statement(self, node: ast.stmt) -> list[ast.stmt]:
        if isinstance(node, Definition):
            return [self._definition(node)]
        self._expressions(node)
        if isinstance(node, Loop):
            return [self._loop_statement(node)]
        if isinstance(node, (ast.Continue, ast.Break, ast.Return)):
            return [*self._iteration_end(node), node]
        if isinstance(node, (ast.With, ast.AsyncWith)):
            bound = [name for item in node.items if item.optional_vars for name in _bound(item.optional_vars)]
            node.body = self._calls(frozenset(bound), node.items[0].context_expr) + self.block(node.body)
        elif isinstance(node, (ast.Try, ast.TryStar)):
            self._try(node)
        elif isinstance(node, ast.Match):
            for case in node.cases:
                case.guard = self._expression(case.guard) if case.guard else None
                case.body = self._calls(_bound(case.pattern), case.pattern) + self.block(case.body)
        elif isinstance(node, ast.If):
            node.body, node.orelse = self.block(node.body), self.block(node.orelse)
        elif isinstance(node, (ast.Assign, ast.AugAssign, ast.AnnAssign)):
            return [node, *self._calls(_bound(node), node)]
        return [node]

    def _try(self, node: ast.Try | ast.TryStar) -> None:
        node.body, node.orelse = self.block(node.body), self.block(node.orelse)
        node.finalbody = self.block(node.finalbody)
        for handler in node.handlers:
            bound = frozenset([handler.name] if handler.name else [])
            handler.body = self._calls(bound, handler.type or handler) + self.block(handler.body)

    def _definition(self, node: Definition) -> ast.stmt:
        if id(node) in self._compiled:
            if self._interesting & _bound_within(node) or self._per_iteration.keys() & set(map(id, ast.walk(node))):
                self.left_alone.append(node.name)
            return node
        self._expressions(node)
        outside = self._loop, self._here
        self._loop, self._here = None, []
        node.body = self.block(node.body)
        self._loop, self._here = outside
        return node

    def _loop_statement(self, node: Loop) -> ast.stmt:
        outside = self._loop, self._here
        head = node.test if isinstance(node, ast.While) else node.target
        self._loop, self._here = head, self._per_iteration.get(id(node), [])
        first = [] if isinstance(node, ast.While) else self._calls(_bound(node.target), head)
        last = self._iteration_end(head)
        body = self.block(node.body)
        node.body = [*first, *body, *last]
        self._loop, self._here = outside
        node.orelse = self.block(node.orelse)
        return node

    def _iteration_end(self, site: ast.AST) -> list[ast.stmt]:
        return [self._report(number, site) for number in self._here]

    def _calls(self, names: frozenset[str], site: ast.AST) -> list[ast.stmt]:
        """Return statements that report the targets that depend on `names`, assigned at `site`."""
        return [self._report(number, site) for number, used in self._on_assignment if used & names]

    def _report(self, number: int, site: ast.AST) -> ast.stmt:
        self.sites[number] += 1
        call = self._call_if_due(number, VALUE, self._value(number))
        statement: ast.stmt = ast.If(call, [ast.Pass()], [])
        if not self._is_plain(number):
            failed = ast.If(self._call(number, FAILED, ast.Constant(None)), [ast.Pass()], [])
            handler = ast.ExceptHandler(ast.Name("Exception", ast.Load()), None, [failed])
            statement = ast.Try([statement], [handler], [], [])
        return _located(statement, site)

    def reporting_expressions(self, names: frozenset[str], site: ast.AST) -> list[ast.expr]:
        """Return expressions that report the targets that depend on `names`.

        A target whose evaluation may fail is passed as a function, since an expression cannot catch exceptions.
        """
        calls: list[ast.expr] = []
        for number, used in self._on_assignment:
            if used & names:
                self.sites[number] += 1
                value = self._value(number)
                if self._is_plain(number):
                    call = self._call_if_due(number, VALUE, value)
                else:
                    nothing = ast.arguments(posonlyargs=[], args=[], kwonlyargs=[], kw_defaults=[], defaults=[])
                    call = self._call_if_due(number, LATER, ast.Lambda(nothing, value))
                calls.append(_located(call, site))
        return calls

    def _call_if_due(self, number: int, kind: int, value: ast.expr) -> ast.expr:
        call = self._call(number, kind, value)
        if not self._throttled:
            return call
        return ast.BoolOp(ast.And(), [self._call(number, DUE, ast.Constant(None)), call])

    def _call(self, number: int, kind: int, value: ast.expr) -> ast.expr:
        code = ast.Constant(number * KINDS + kind)
        return ast.Call(ast.Name(self._tracker, ast.Load()), [code, value], [])

    def _value(self, number: int) -> ast.expr:
        value = copy.deepcopy(self._targets[number].tree)
        return value if self._step is None else ast.Tuple([value, copy.deepcopy(self._step)], ast.Load())

    def _is_plain(self, number: int) -> bool:
        """Whether reading the target cannot fail: a variable that was just assigned."""
        return self._step is None and self._targets[number].variable is not None

    def _expressions(self, node: ast.stmt) -> None:
        """Instrument assignments inside a statement's own expressions, but not in its blocks."""
        for name, value in ast.iter_fields(node):
            if name in _BLOCKS:
                continue
            if isinstance(value, list):
                value[:] = [self._expression(item) if isinstance(item, ast.AST) else item for item in value]
            elif isinstance(value, ast.AST):
                setattr(node, name, self._expression(value))

    def _expression(self, node: Node) -> Node:
        assigns = (ast.NamedExpr, ast.comprehension)
        if any(isinstance(inner, assigns) and _bound(inner.target) & self._interesting for inner in ast.walk(node)):
            node = _InPlace(self).visit(node)
        return node


class _InPlace(ast.NodeTransformer):
    def __init__(self, instrumenter: _Instrumenter) -> None:
        self._instrumenter = instrumenter

    def visit_NamedExpr(self, node: ast.NamedExpr) -> ast.expr:  # as ast.NodeVisitor has it
        """``(x := 1)`` becomes ``((x := 1), tracker(...))[0]``."""
        self.generic_visit(node)
        calls = self._instrumenter.reporting_expressions(_bound(node), node)
        if not calls:
            return node
        pair = ast.Tuple([node, *calls], ast.Load())
        return ast.fix_missing_locations(ast.copy_location(ast.Subscript(pair, ast.Constant(0), ast.Load()), node))

    def visit_comprehension(self, node: ast.comprehension) -> ast.comprehension:
        """``for x in xs`` becomes ``for x in xs if (tracker(...),)``: a tuple that is not empty is true."""
        self.generic_visit(node)
        calls = self._instrumenter.reporting_expressions(_bound(node.target), node.target)
        if calls:
            node.ifs.insert(0, _located(ast.Tuple(calls, ast.Load()), node.target))
        return node


def _plan(
    tree: ast.Module, targets: Sequence[Target], compiled: frozenset[int]
) -> tuple[dict[int, list[int]], list[int]]:
    """Return the targets reported at the end of each iteration, by id of the loop, and those reported on assignment.

    Variables, and expressions of them, are reported when they are assigned. An attribute of an object that the innermost loops use
    but do not assign (``opt.lr``) can change without an assignment, and is reported once an iteration.
    """
    loops = [node for node in _walk(tree, compiled) if isinstance(node, Loop)]
    innermost = [
        loop for loop in loops if not any(isinstance(node, Loop) for node in ast.walk(loop) if node is not loop)
    ]
    assigned = _bound_within(tree)
    before_loops = _bound_before_loops(tree, loops)
    per_iteration: dict[int, list[int]] = {}
    on_assignment = []
    for number, target in enumerate(targets):
        names = target.names & assigned
        chosen = [loop for loop in innermost if (names or target.names) & _names_within(loop)]
        if any(names & _bound_within(loop) for loop in innermost):
            chosen = []
        elif not chosen and names <= before_loops:
            chosen = innermost
        if target.reaches and chosen:
            for loop in chosen:
                per_iteration.setdefault(id(loop), []).append(number)
        else:
            on_assignment.append(number)
    return per_iteration, on_assignment


def _walk(tree: ast.AST, compiled: frozenset[int]) -> Iterator[ast.AST]:
    """Yield all nodes in source order, except inside compiled functions."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        yield node
        if id(node) not in compiled:
            waiting.extend(reversed(list(ast.iter_child_nodes(node))))


def _bound(node: ast.AST) -> frozenset[str]:
    """Return the variables that a target, a pattern or a simple statement assigns."""
    if isinstance(node, ast.Assign):
        return frozenset().union(*map(_bound, node.targets))
    if isinstance(node, ast.AnnAssign) and node.value is None:
        return frozenset()
    if isinstance(node, (ast.AugAssign, ast.AnnAssign, ast.NamedExpr)):
        return _bound(node.target)
    if isinstance(node, ast.pattern):
        return _bound_within(node)
    if isinstance(node, (ast.Tuple, ast.List)):
        return frozenset().union(*map(_bound, node.elts))
    if isinstance(node, ast.Starred):
        return _bound(node.value)
    return frozenset([node.id] if isinstance(node, ast.Name) else [])


def _bound_within(tree: ast.AST) -> frozenset[str]:
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


def _bound_before_loops(tree: ast.Module, loops: Sequence[Loop]) -> frozenset[str]:
    """Return the variables that are assigned outside of loops and functions, and not inside them."""
    hidden = frozenset(id(node) for node in ast.walk(tree) if isinstance(node, Definition)) | set(map(id, loops))
    names = [node.id for node in _walk(tree, hidden) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)]
    return frozenset(names) - frozenset().union(*map(_bound_within, loops))


def _names_within(tree: ast.AST) -> frozenset[str]:
    return frozenset(node.id for node in ast.walk(tree) if isinstance(node, ast.Name))


def _compiled(tree: ast.Module) -> frozenset[int]:
    """Return the ids of definitions that are compiled: ``@njit``, ``@partial(jax.jit, ...)``, ``step = torch.compile(step)``."""
    given = {
        call.args[0].id
        for call in ast.walk(tree)
        if isinstance(call, ast.Call) and call.args and isinstance(call.args[0], ast.Name) and _is_compiler(call.func)
    }
    return frozenset(
        id(node)
        for node in ast.walk(tree)
        if isinstance(node, Definition)
        and (node.name in given or any(_is_compiler(inner) for one in node.decorator_list for inner in ast.walk(one)))
    )


def _is_compiler(node: ast.AST) -> bool:
    if isinstance(node, ast.Attribute):
        tensorflow = isinstance(node.value, ast.Name) and node.value.id in ("tf", "tensorflow")
        return node.attr in _COMPILERS or (tensorflow and node.attr == "function")
    return isinstance(node, ast.Name) and node.id in _COMPILERS


def _shown_assignment(tree: ast.Module) -> ast.stmt | None:
    """Return the statement that displays the target of a last assignment, as IPython would, None if it is not a variable."""
    last = tree.body[-1] if tree.body else None
    if isinstance(last, ast.Assign):
        target = last.targets[0] if len(last.targets) == 1 else None
    else:
        target = last.target if isinstance(last, (ast.AugAssign, ast.AnnAssign)) else None
    if last is None or not isinstance(target, ast.Name):
        return None
    return _located(ast.Expr(ast.Name(target.id, ast.Load())), last)


def _located(node: Node, site: ast.AST) -> Node:
    """Return `node` with the source location of `site`, for tracebacks and debuggers."""
    for inner in ast.walk(node):
        if isinstance(inner, (ast.stmt, ast.expr, ast.ExceptHandler)):
            ast.copy_location(inner, site)
    return node
