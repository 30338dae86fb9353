"""Instrumentation of a cell: inserts calls into its AST that report each assignment of a tracked variable to a tracker.

Statements ``if tracker(code, value): pass`` are inserted after assignments; they display nothing in any `ast_node_interactivity`.
Expressions that assign (walrus, comprehensions) get calls inside, and an expression that is reported itself is passed through a
function that returns it. Everything else stays unchanged. `code` is `KINDS` times the number of the target, plus the kind of the call:
`VALUE`, `DUE`, `LATER`, `FAILED` or `AXIS`.
"""

from __future__ import annotations

import ast
import copy
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, cast

from .plan import plan
from .syntax import Definition, Function, Loop, Node, bound_by, bound_within, compiled_definitions, located
from .targets import Target

VALUE: Final = 0  # the argument is the value, or a pair of value and step
DUE: Final = 1  # asks whether the value is wanted now, before it is evaluated
LATER: Final = 2  # the argument is a function that returns the value
FAILED: Final = 3  # the evaluation raised the exception that is being handled
AXIS: Final = 4  # an iteration of a loop begins; the argument is its variable, and the number is the axis's
KINDS: Final = 5

_BLOCKS = frozenset(("body", "orelse", "finalbody", "handlers", "cases"))


@dataclass
class Selection:
    """Where targets are reported, if not everywhere, and which metric they are there. Statements and functions are named by `id`."""

    only: dict[int, set[int]] = field(default_factory=dict)  # the statements that report a target
    skipped: set[tuple[int, int]] = field(
        default_factory=set
    )  # statements or functions that do not, each with the target
    metrics: dict[tuple[int, int], int] = field(
        default_factory=dict
    )  # by function and target: the number of the metric
    passed: dict[int, list[int]] = field(default_factory=dict)  # by expression: the numbers of its metrics
    spread: set[int] = field(
        default_factory=set
    )  # expressions of `passed` that are tuples with a value for each metric
    axes: dict[int, int] = field(default_factory=dict)  # by loop: the number of the axis that its variable is


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
    selection: Selection | None = None,
    functions: Sequence[Function] | None = None,
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
    selection
        Where targets are reported; by default everywhere.
    functions
        The definitions of `tree` to instrument; by default the whole tree, as a cell.
    """
    shown = _shown_assignment(tree) if shows_assignments else None
    found = InstrumentedCell(tree)
    options: dict[str, Any] = {
        "step": step,
        "selection": selection or Selection(),
        "throttled": throttled,
        "found": found,
    }
    if functions is None:
        instrumenter = _Instrumenter(tree, tree, targets, tracker, **options)
        tree.body = instrumenter.block(tree.body)
    else:
        for function in functions:
            _Instrumenter(tree, function, targets, tracker, **options).whole(function)
    if shown is not None:
        tree.body.append(shown)
    return found


class _Instrumenter:
    def __init__(
        self,
        tree: ast.Module,
        part: ast.AST,
        targets: Sequence[Target],
        tracker: str,
        *,
        step: ast.expr | None,
        selection: Selection,
        throttled: bool,
        found: InstrumentedCell,
    ) -> None:
        self._targets = targets
        self._tracker = tracker
        self._step = step
        self._throttled = throttled
        self._selection = selection
        self._compiled = compiled_definitions(tree)
        self._plan = plan(part, targets, self._compiled, is_cell=part is tree)
        self._on_assignment = [(i, targets[i].names) for i in self._plan.on_assignment]
        self._interesting = frozenset().union(*(names for _, names in self._on_assignment))
        self._function: ast.AST | None = None  # the function being instrumented
        self._loop: ast.AST | None = None  # the loop being instrumented
        self._here: list[int] = []
        self._found = found

    def block(self, body: list[ast.stmt]) -> list[ast.stmt]:
        return [new for old in body for new in self._statement(old)]

    def whole(self, function: Function) -> None:
        """Instrument the body of a function, whose defaults and decorators were evaluated long ago."""
        self._function = function
        function.body = self.block(function.body)

    def _statement(self, node: ast.stmt) -> list[ast.stmt]:
        if isinstance(node, Definition):
            return [self._definition(node)]
        self._expressions(node)
        if isinstance(node, Loop):
            return [self._loop_statement(node)]
        if isinstance(node, (ast.Continue, ast.Break, ast.Return)):
            return [*self._iteration_end(node), node]
        if isinstance(node, (ast.With, ast.AsyncWith)):
            names = [name for item in node.items if item.optional_vars for name in bound_by(item.optional_vars)]
            node.body = self._calls(frozenset(names), node.items[0].context_expr) + self.block(node.body)
        elif isinstance(node, (ast.Try, ast.TryStar)):
            self._try(node)
        elif isinstance(node, ast.Match):
            for case in node.cases:
                case.guard = self._expression(case.guard) if case.guard else None
                case.body = self._calls(bound_by(case.pattern), case.pattern) + self.block(case.body)
        elif isinstance(node, ast.If):
            node.body, node.orelse = self.block(node.body), self.block(node.orelse)
        elif isinstance(node, (ast.Assign, ast.AugAssign, ast.AnnAssign, ast.Expr)):
            after = self._calls(bound_by(node), node) if not isinstance(node, ast.Expr) else []
            return [node, *after, *self._reports(self._plan.on_place.get(id(node), ()), node)]
        return [node]

    def _try(self, node: ast.Try | ast.TryStar) -> None:
        node.body, node.orelse = self.block(node.body), self.block(node.orelse)
        node.finalbody = self.block(node.finalbody)
        for handler in node.handlers:
            names = frozenset([handler.name] if handler.name else [])
            handler.body = self._calls(names, handler.type or handler) + self.block(handler.body)

    def _definition(self, node: Definition) -> ast.stmt:
        if id(node) in self._compiled:
            if self._is_of_interest(node):
                self._found.left_alone.append(node.name)
            return node
        self._expressions(node)
        outside = self._function, self._loop, self._here
        self._loop, self._here = None, []
        self._function = self._function if isinstance(node, ast.ClassDef) else node
        node.body = self.block(node.body)
        self._function, self._loop, self._here = outside
        return node

    def _is_of_interest(self, node: Definition) -> bool:
        inside = set(map(id, ast.walk(node)))
        there = self._plan.per_iteration.keys() | self._plan.on_place.keys() | self._selection.passed.keys()
        return bool(self._interesting & bound_within(node) or there & inside)

    def _loop_statement(self, node: Loop) -> ast.stmt:
        outside = self._loop, self._here
        head = node.test if isinstance(node, ast.While) else node.target
        self._loop, self._here = head, self._plan.per_iteration.get(id(node), [])
        first = [] if isinstance(node, ast.While) else self._calls(bound_by(node.target), head)
        last = self._iteration_end(head)
        body = self.block(node.body)
        node.body = [*self._axis(node, head), *first, *body, *last]
        self._loop, self._here = outside
        node.orelse = self.block(node.orelse)
        return node

    def _axis(self, node: Loop, head: ast.expr) -> list[ast.stmt]:
        """Return the statement that tells the tracker that an iteration begins, for a loop that is the x axis of some metric."""
        axis = self._selection.axes.get(id(node))
        if axis is None:
            return []
        variable = None if isinstance(node, ast.While) else node.target
        known = isinstance(variable, ast.Name)
        value = ast.Name(variable.id, ast.Load()) if known else ast.Constant(None)  # type: ignore[union-attr]  # as `known` says
        return [located(ast.If(self._call(axis, AXIS, value), [ast.Pass()], []), head)]

    def _iteration_end(self, site: ast.AST) -> list[ast.stmt]:
        return self._reports(self._here, site)

    def _reports(self, numbers: Sequence[int], site: ast.AST) -> list[ast.stmt]:
        return [self._report(number, site) for number in numbers if self._is_reported(number, site)]

    def _calls(self, names: frozenset[str], site: ast.AST) -> list[ast.stmt]:
        """Return statements that report the targets that depend on `names`, assigned at `site`."""
        return self._reports([number for number, used in self._on_assignment if used & names], site)

    def _is_reported(self, number: int, site: ast.AST) -> bool:
        selection = self._selection
        if not selection.only and not selection.skipped:
            return True
        only = selection.only.get(number)
        skipped = {(id(site), number), (id(self._function), number)} & selection.skipped
        return not skipped and (only is None or id(site) in only)

    def _metric(self, number: int) -> int:
        """Return the number of the metric that a target is in the function being instrumented, and count the site."""
        self._found.sites[number] += 1
        return self._selection.metrics.get((id(self._function), number), number)

    def _report(self, number: int, site: ast.AST) -> ast.stmt:
        metric = self._metric(number)
        call = self._call_if_due(metric, VALUE, self._value(number))
        statement: ast.stmt = ast.If(call, [ast.Pass()], [])
        if not self._is_plain(number):
            failed = ast.If(self._call(metric, FAILED, ast.Constant(None)), [ast.Pass()], [])
            handler = ast.ExceptHandler(ast.Name("Exception", ast.Load()), None, [failed])
            statement = ast.Try([statement], [handler], [], [])
        return located(statement, site)

    def reporting_expressions(self, names: frozenset[str], site: ast.AST) -> list[ast.expr]:
        """Return expressions that report the targets that depend on `names`.

        A target whose evaluation may fail is passed as a function, since an expression cannot catch exceptions.
        """
        calls: list[ast.expr] = []
        for number, used in self._on_assignment:
            if used & names and self._is_reported(number, site):
                metric = self._metric(number)
                value = self._value(number)
                if self._is_plain(number):
                    call = self._call_if_due(metric, VALUE, value)
                else:
                    call = self._call_if_due(metric, LATER, _function_of(value))
                calls.append(located(call, site))
        return calls

    def passing(self, node: ast.expr, numbers: list[int], *, spread: bool) -> ast.expr:
        """Return the expression passed through the tracker, which returns it; `spread` says that it has a value for each metric."""
        for number in numbers:
            self._found.sites[number] += 1
        step = _function_of(copy.deepcopy(self._step)) if self._step is not None else ast.Constant(None)
        metrics = ast.Tuple([ast.Constant(number) for number in numbers], ast.Load())
        argument = ast.Tuple([node, metrics, ast.Constant(spread), step], ast.Load())
        call = ast.Call(ast.Name(passing_name(self._tracker), ast.Load()), [argument], [])
        for inner in (call, call.func, argument, metrics, *metrics.elts, argument.elts[2], *ast.walk(step)):
            if isinstance(inner, ast.expr):
                ast.copy_location(inner, node)
        return call

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
        passed = self._selection.passed
        if any(self._assigns(inner) or id(inner) in passed for inner in ast.walk(node)):
            return cast("Node", _InPlace(self, self._selection).visit(node))
        return node

    def _assigns(self, node: ast.AST) -> bool:
        return isinstance(node, (ast.NamedExpr, ast.comprehension)) and bool(bound_by(node.target) & self._interesting)


class _InPlace(ast.NodeTransformer):
    def __init__(self, instrumenter: _Instrumenter, selection: Selection) -> None:
        self._instrumenter = instrumenter
        self._selection = selection

    def visit(self, node: ast.AST) -> ast.AST:
        """Visit a node; one that is reported itself is passed through the tracker."""
        made: ast.AST = super().visit(node)
        numbers = self._selection.passed.get(id(node))
        if numbers is None or not isinstance(made, ast.expr):
            return made
        return self._instrumenter.passing(made, numbers, spread=id(node) in self._selection.spread)

    def visit_NamedExpr(self, node: ast.NamedExpr) -> ast.expr:  # as ast.NodeVisitor has it
        """``(x := 1)`` becomes ``((x := 1), tracker(...))[0]``."""
        self.generic_visit(node)
        calls = self._instrumenter.reporting_expressions(bound_by(node), node)
        if not calls:
            return node
        pair = ast.Tuple([node, *calls], ast.Load())
        return ast.fix_missing_locations(ast.copy_location(ast.Subscript(pair, ast.Constant(0), ast.Load()), node))

    def visit_comprehension(self, node: ast.comprehension) -> ast.comprehension:
        """``for x in xs`` becomes ``for x in xs if (tracker(...),)``: a tuple that is not empty is true."""
        self.generic_visit(node)
        calls = self._instrumenter.reporting_expressions(bound_by(node.target), node.target)
        if calls:
            node.ifs.insert(0, located(ast.Tuple(calls, ast.Load()), node.target))
        return node


def passing_name(tracker: str) -> str:
    """Return the name of the function that passes values on, beside that of the tracker."""
    return f"{tracker}passing__"


def _function_of(value: ast.expr) -> ast.Lambda:
    nothing = ast.arguments(posonlyargs=[], args=[], kwonlyargs=[], kw_defaults=[], defaults=[])
    return ast.Lambda(nothing, value)


def _shown_assignment(tree: ast.Module) -> ast.stmt | None:
    """Return the statement that displays the target of a last assignment, as IPython would, None if it is not a variable."""
    last = tree.body[-1] if tree.body else None
    if isinstance(last, ast.Assign):
        target = last.targets[0] if len(last.targets) == 1 else None
    else:
        target = last.target if isinstance(last, (ast.AugAssign, ast.AnnAssign)) else None
    if last is None or not isinstance(target, ast.Name):
        return None
    return located(ast.Expr(ast.Name(target.id, ast.Load())), last)
