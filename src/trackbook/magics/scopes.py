"""The scopes of a cell and of the functions that it reaches: what each assigns, reports and calls, and in which loops."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from .metric_words import words
from .reported import Report, core, reports_of
from .syntax import Function, Loop, bound_by

_ONCE = ("__init__", "__new__", "__post_init__", "__init_subclass__", "__repr__", "__str__", "__del__")
Loops = tuple[Loop, ...]  # around a statement, in its own scope, outermost first


@dataclass(frozen=True, eq=False)
class Assignment:
    """An assignment of a variable. `value` is None where the value is no expression of its own, as in ``loss, acc = step()``.

    Of a loop's variable, the `statement` is the loop's target, and `value` what the loop goes through.
    """

    name: str
    statement: ast.stmt | ast.expr
    loops: Loops
    block: int  # the same number for statements of one block
    value: ast.expr | None
    operator: ast.operator | None = None  # of an augmented assignment
    is_loop_variable: bool = False


@dataclass(frozen=True, eq=False)
class Mention:
    """A place where a scope names what may be a function. `taken_by` are the variables that its result is assigned to."""

    name: str
    loops: Loops
    taken_by: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Reported:
    """A report with its place. With `series` the value is a tuple, whose elements are these metrics."""

    report: Report
    loops: Loops
    block: int
    series: tuple[str, ...] = ()


@dataclass(eq=False)
class Scope:
    """The cell's own code, with an empty name, or one function."""

    node: ast.AST
    name: str = ""
    parent: Scope | None = None
    any_caller: bool = (
        False  # called by others than the code that is known: a special method, or one that a library calls
    )
    parameters: frozenset[str] = frozenset()
    loop_variables: set[str] = field(default_factory=set)
    assignments: list[Assignment] = field(default_factory=list)
    reports: list[Reported] = field(default_factory=list)
    mentions: list[Mention] = field(default_factory=list)
    calls: set[str] = field(default_factory=set)  # of functions by their names alone, and of methods of ``self``

    def of(self, name: str) -> list[Assignment]:
        """Return the assignments of a variable."""
        return [one for one in self.assignments if one.name == name]


def scopes_of(tree: ast.AST, compiled: frozenset[int], *, any_caller: bool = False) -> list[Scope]:
    """Return the scope of a cell or function, and those of the functions inside."""
    reader = _Reader(compiled)
    if isinstance(tree, (ast.FunctionDef, ast.AsyncFunctionDef)):
        reader.function(tree, any_caller=any_caller)
    else:
        reader.module(tree)
    return reader.scopes


class _Reader(ast.NodeVisitor):
    def __init__(self, compiled: frozenset[int]) -> None:
        self.scopes: list[Scope] = []
        self._compiled = compiled
        self._scope = Scope(ast.Module([], []))
        self._loops: Loops = ()
        self._block = 0
        self._legends: dict[str, tuple[str, ...]] = {}  # of objects that plot what is added to them

    def module(self, tree: ast.AST) -> None:
        self._scope = Scope(tree)
        self.scopes.append(self._scope)
        self.generic_visit(tree)

    def function(self, node: Function, *, any_caller: bool = False) -> None:
        outside = self._scope, self._loops
        parent = outside[0] if self.scopes else None
        self._scope = Scope(node, node.name, parent, any_caller, _parameters(node.args))
        self._loops = ()
        self.scopes.append(self._scope)
        self._body(node.body)
        self._scope, self._loops = outside

    def _body(self, statements: Sequence[ast.stmt]) -> None:
        outside, self._block = self._block, id(statements)
        for statement in statements:
            self.visit(statement)
            self._block = id(statements)
        self._block = outside

    def generic_visit(self, node: ast.AST) -> None:
        for _, value in ast.iter_fields(node):
            if isinstance(value, list) and value and isinstance(value[0], ast.stmt):
                self._body(value)
            elif isinstance(value, list):
                for one in value:
                    if isinstance(one, ast.AST):
                        self.visit(one)
            elif isinstance(value, ast.AST):
                self.visit(value)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        for one in (*node.decorator_list, *node.args.defaults):
            self.visit(one)
        if id(node) not in self._compiled:
            self.function(node, any_caller=node.name.startswith("__"))

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> None:
        if id(node) not in self._compiled:
            self.function(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        if id(node) not in self._compiled:
            self.generic_visit(node)

    def _loop(self, node: Loop, *inside: ast.AST) -> None:
        self._loops = (*self._loops, node)
        for one in inside:
            self.visit(one)
        self._body(node.body)
        self._loops = self._loops[:-1]
        self._body(node.orelse)

    def visit_For(self, node: ast.For | ast.AsyncFor) -> None:
        self._scope.loop_variables |= bound_by(node.target)
        for name in sorted(bound_by(node.target)):
            loops = (*self._loops, node)
            self._scope.assignments.append(
                Assignment(name, node.target, loops, id(node), node.iter, is_loop_variable=True)
            )
        self.visit(node.iter)
        self._loop(node)

    def visit_AsyncFor(self, node: ast.AsyncFor) -> None:
        self.visit_For(node)

    def visit_While(self, node: ast.While) -> None:
        self._loop(node, node.test)

    def visit_Assign(self, node: ast.Assign) -> None:
        for target in node.targets:
            alone = isinstance(target, ast.Name)
            for name in sorted(bound_by(target)):
                self._assign(name, node, node.value if alone else _element(target, name, node.value))
        taken = tuple(name for target in node.targets for name in _assigned_names(target))
        called = core(node.value.value if isinstance(node.value, ast.Await) else node.value)
        if isinstance(called, ast.Call):
            self._mention(called.func, taken)
            legend = _legend(called)
            if legend:
                self._legends.update(dict.fromkeys(taken, legend))
        self._report(node)
        if isinstance(node.value, ast.Lambda) and isinstance(node.targets[0], ast.Name):
            self._lambda(node.value, node.targets[0].id)
        else:
            self.generic_visit(node)

    def _lambda(self, node: ast.Lambda, name: str) -> None:
        self.visit(node.args)
        outside = self._scope, self._loops
        self._scope = Scope(node, name, outside[0], parameters=_parameters(node.args))
        self._loops = ()
        self.scopes.append(self._scope)
        self.visit(node.body)
        self._scope, self._loops = outside

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        for name in bound_by(node):
            self._assign(name, node, node.value, node.op)
        self.generic_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        for name in bound_by(node):
            self._assign(name, node, node.value)
        self.generic_visit(node)

    def visit_NamedExpr(self, node: ast.NamedExpr) -> None:
        self._assign(node.target.id, node, node.value)
        self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        self._report(node)
        function = node.func
        if isinstance(function, ast.Name):
            self._scope.calls.add(function.id)
        elif (
            isinstance(function, ast.Attribute) and isinstance(function.value, ast.Name) and function.value.id == "self"
        ):
            self._scope.calls.add(function.attr)
        if isinstance(function, ast.Attribute) and function.attr == "add" and len(node.args) == 2:
            self._plot(node.args[1], self._legends.get(ast.unparse(function.value), ()))
        self.generic_visit(node)

    def _plot(self, values: ast.expr, legend: tuple[str, ...]) -> None:
        if isinstance(values, ast.Tuple) and len(values.elts) == len(legend):
            for value, name in zip(values.elts, legend, strict=True):
                self._add(Report("append", value, name))
        elif legend:
            self._add(Report("append", values), legend)

    def visit_Return(self, node: ast.Return) -> None:
        self._report(node)
        self.generic_visit(node)

    def visit_Yield(self, node: ast.Yield) -> None:
        self._report(node)
        self.generic_visit(node)

    def visit_Name(self, node: ast.Name) -> None:
        if isinstance(node.ctx, ast.Load):
            self._mention(node)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        self._mention(node)
        self.generic_visit(node)

    def _assign(
        self, name: str, node: ast.stmt | ast.expr, value: ast.expr | None, operator: ast.operator | None = None
    ) -> None:
        self._scope.assignments.append(Assignment(name, node, self._loops, self._block, value, operator))

    def _report(self, node: ast.AST) -> None:
        for report in reports_of(node):
            self._add(report)

    def _add(self, report: Report, series: tuple[str, ...] = ()) -> None:
        self._scope.reports.append(Reported(report, self._loops, self._block, series))

    def _mention(self, node: ast.AST, taken_by: tuple[str, ...] = ()) -> None:
        name = node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", None)
        if name is not None:
            self._scope.mentions.append(Mention(name, self._loops, taken_by))


class Levels:
    """In which loops the code of scopes runs, also by way of calls."""

    def __init__(self, scopes: Sequence[Scope]) -> None:
        self._scopes = scopes
        self._names = {scope.name for scope in scopes}
        self._callers: dict[int, list[tuple[Scope, Mention]]] = {id(scope): [] for scope in scopes}
        by_name: dict[str, list[Scope]] = {}
        for scope in scopes:
            by_name.setdefault(scope.name, []).append(scope)
        for caller in scopes:
            for mention in caller.mentions:
                for scope in by_name.get(mention.name, ()):
                    if scope.name and scope is not caller:
                        self._callers[id(scope)].append((caller, mention))
        self._called = {
            id(caller): [scope for name in _functions_called(caller) for scope in by_name.get(name, ())]
            for caller in scopes
        }
        self._around = {id(loop): loops[:-1] for scope in scopes for loops in _all_loops(scope) for loop in loops[-1:]}
        self._scope_of = {id(loop): scope for scope in scopes for loops in _all_loops(scope) for loop in loops}

    def is_scope(self, name: str) -> bool:
        """Whether one of the functions has this name."""
        return bool(name) and name in self._names

    def callers(self, scope: Scope) -> list[tuple[Scope, Mention]]:
        """Return the scopes that may call a function, each with the place."""
        return self._callers[id(scope)]

    def innermost(self, scope: Scope, loops: Loops) -> list[Loop]:
        """Return the innermost loops in which a statement of a scope runs: its own, else those of the callers."""
        return [loops[-1]] if loops else list(self._of_callers(scope, set()))

    def _of_callers(self, scope: Scope, seen: set[int]) -> Iterator[Loop]:
        if id(scope) in seen:
            return
        seen.add(id(scope))
        for caller, mention in self._callers[id(scope)]:
            if mention.loops:
                yield mention.loops[-1]
            else:
                yield from self._of_callers(caller, seen)

    def is_repeated(self, scope: Scope, loops: Loops) -> bool:
        """Whether a statement runs in a loop, as far as that is known."""
        if scope.name in _ONCE:
            return bool(loops)
        unknown = scope.any_caller or (bool(scope.name) and not self._callers[id(scope)])
        return bool(loops) or unknown or bool(self.innermost(scope, loops)) or id(scope) in self._recursive

    @cached_property
    def _recursive(self) -> set[int]:
        """The functions that call themselves, perhaps by way of others, and those that they call."""
        callers = [scope for scope in self._scopes if self._calls_itself(scope)]
        return {id(scope) for scope in self._scopes if any(self.reaches(one, scope) for one in callers)}

    def _calls_itself(self, scope: Scope) -> bool:
        return _leads_to(scope, self._called[id(scope)], lambda one: self._called[id(one)])

    def around(self, loop: Loop) -> list[Loop]:
        """Return all loops around a loop, in its own scope and in those that call it, the inner ones first."""
        found: dict[int, Loop] = {}
        waiting = [loop]
        while waiting:
            one = waiting.pop(0)
            scope = self._scope_of.get(id(one))
            if scope is None:
                continue
            for outer in self.innermost(scope, self._around.get(id(one), ())):
                if id(outer) not in found:
                    found[id(outer)] = outer
                    waiting.append(outer)
        return list(found.values())

    def reaches(self, one: Scope, other: Scope) -> bool:
        """Whether one scope calls another, perhaps by way of more."""
        return _leads_to(one, [other], lambda scope: [caller for caller, _ in self._callers[id(scope)]])


def _parameters(arguments: ast.arguments) -> frozenset[str]:
    return frozenset(one.arg for one in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs))


def _functions_called(scope: Scope) -> set[str]:
    """Return the functions that a scope calls by names that are not variables of its own."""
    return scope.calls - scope.parameters - {one.name for one in scope.assignments} if scope.name else scope.calls


def _leads_to(target: Scope, first: Iterable[Scope], following: Callable[[Scope], Iterable[Scope]]) -> bool:
    """Whether `target` is among the first scopes or those that follow them, directly or by way of others."""
    waiting, seen = [*first], set[int]()
    while waiting:
        one = waiting.pop()
        if one is target:
            return True
        if id(one) not in seen:
            seen.add(id(one))
            waiting += following(one)
    return False


def _all_loops(scope: Scope) -> Iterator[Loops]:
    for loops in (one.loops for part in (scope.assignments, scope.reports, scope.mentions) for one in part):
        for count in range(1, len(loops) + 1):
            yield loops[:count]


def _element(target: ast.expr, name: str, value: ast.expr) -> ast.expr | None:
    """Return the value of one variable in ``a, b = 1, 2``."""
    if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple) and len(target.elts) == len(value.elts):
        for one, given in zip(target.elts, value.elts, strict=True):
            if isinstance(one, ast.Name) and one.id == name:
                return given
    return None


def _assigned_names(target: ast.expr) -> Iterable[str]:
    if isinstance(target, (ast.Tuple, ast.List)):
        return [name for one in target.elts for name in _assigned_names(one)]
    return [ast.unparse(target)]


def _legend(call: ast.Call) -> tuple[str, ...]:
    """Return the names of the curves that the made object plots, from its ``legend=["train loss", ...]``."""
    for keyword in call.keywords:
        if keyword.arg == "legend" and isinstance(keyword.value, (ast.List, ast.Tuple)):
            texts = [
                one.value for one in keyword.value.elts if isinstance(one, ast.Constant) and isinstance(one.value, str)
            ]
            return tuple("_".join(words(text)) for text in texts)
    return ()
