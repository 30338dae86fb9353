"""Which curves a cell has when none is named: what its loops report, and variables whose names read as metrics."""

from __future__ import annotations

import ast
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from .metric_words import is_count, is_objective, is_time, reads_as_metric, without_sum
from .reported import ORDER, How, core, place_name
from .scopes import Assignment, Levels, Loops, Reported, Scope
from .syntax import Loop
from .variables import Variable, counts, increments, variable_of

_FILLING = frozenset("append extend update add push insert add_scalar".split())
_PLOTS = frozenset("plot semilogy semilogx loglog scatter step line".split())


@dataclass(eq=False)
class Curve:
    """One curve: the assignments of a variable, or the places of a reported expression; with its possible names, best first."""

    scope: Scope
    loops: Loops
    names: list[str]
    variable: str | None = None
    sites: list[Assignment] = field(default_factory=list)
    reports: list[Reported] = field(default_factory=list)
    series: tuple[str, ...] = ()
    metric: str = ""

    @property
    def is_occasional(self) -> bool:
        """Whether an iteration of its loop may have no point, as under ``if step % 100 == 0:``."""
        body = id(self.loops[-1].body) if self.loops else None
        blocks = [*(one.block for one in self.sites), *(one.block for one in self.reports)]
        return bool(self.loops) and body not in blocks


def choose(scopes: Sequence[Scope], levels: Levels) -> list[Curve]:
    """Return the curves of a cell, named. Names that several functions have get the function's name as their prefix."""
    chooser = _Chooser(scopes, levels)
    for scope in scopes:
        chooser.add_variables(scope)
    for scope in scopes:
        chooser.add_reports(scope)
    curves = chooser.curves or [
        Curve(scope, found.sites[0].loops, [name], name, found.sites)
        for scope in scopes
        for name, found in chooser.known[id(scope)].items()
        if chooser.repeated(scope, found.sites) and found.kind in ("value", "sum") and not name.startswith("_")
    ]
    _name(curves)
    return curves


def innermost_loop(curve: Curve, levels: Levels) -> Loop | None:
    """Return the loop whose iterations give a curve its points."""
    found = levels.innermost(curve.scope, curve.loops)
    return found[0] if found else None


class _Chooser:
    def __init__(self, scopes: Sequence[Scope], levels: Levels) -> None:
        self._levels = levels
        self._plotted = {name for scope in scopes for name in _plotted(scope)}
        self.known: dict[int, dict[str, Variable]] = {}
        self._linked: dict[tuple[int, str], list[Reported]] = {}
        self._used: set[int] = set()  # the reports that a curve has, or that show one that there is
        self.curves: list[Curve] = []
        for scope in scopes:
            names = dict.fromkeys(one.name for one in scope.assignments)
            self.known[id(scope)] = {name: variable_of(scope, name) for name in names}
            for one in scope.reports:
                inner = core(one.report.expression)
                if isinstance(inner, ast.Name):
                    self._linked.setdefault((id(scope), inner.id), []).append(one)
        self._set_places = {
            one.report.label
            for scope in scopes
            for one in scope.reports
            if one.report.label
            and one.report.how in ("append", "item", "return")
            and self._is_worth_a_curve(scope, one)
        }

    def repeated(self, scope: Scope, sites: Sequence[Assignment]) -> bool:
        """Whether any of the assignments runs in a loop."""
        return any(self._levels.is_repeated(scope, one.loops) for one in sites)

    def add_variables(self, scope: Scope) -> None:
        """Add the curves of a scope's variables: one for each loop that assigns them, of which only the first needs no report."""
        hidden = _containers(scope) | {
            name for one in scope.reports if one.series for name in _parts(one.report.expression)
        }
        summed = increments(scope)
        for name, found in self.known[id(scope)].items():
            sites = [one for one in found.sites if self._levels.is_repeated(scope, one.loops)]
            sites = sites or self._of_loop_variable(scope, name)
            if name in hidden or name.startswith("_") or is_time(name):
                continue
            linked = [
                one for one in self._linked.get((id(scope), name), ()) if self._levels.is_repeated(scope, one.loops)
            ]
            groups = _by_loop(sites)
            for place, group in enumerate(groups):
                mine = [one for one in linked if _group_of(one, groups) is group]
                self._add_variable(
                    scope, name, group, mine, is_alone=place == 0 and (name not in summed or is_objective(name))
                )

    def _add_variable(
        self, scope: Scope, name: str, sites: list[Assignment], linked: list[Reported], *, is_alone: bool
    ) -> None:
        worth = [one for one in linked if self._is_worth_a_curve(scope, one)]
        said = [one for one in worth if one.report.how in ("print", "bar")]
        kept = [one for one in worth if one.report.how in ("append", "item")]
        beside = [one for one in kept if any(one.loops == site.loops for site in sites)]
        if is_count(name) and not any(reads_as_metric(one.report.label) for one in linked):
            return
        if not said and self._is_taken(scope, sites, linked):
            self._used |= set(map(id, linked))
            return
        if not said and not beside:
            if not reads_as_metric(name) or not is_alone or self._is_in_other_unit(scope, name, sites):
                return
        elif not said:  # `losses.append(loss)` shows the same curve
            return
        labels = [one.report.label for one in (*beside, *said) if one.report.label]
        names = [one for one in (name, *labels) if reads_as_metric(one)]
        self.curves.append(Curve(scope, sites[-1].loops, [*names, name, *labels], name, sites))
        self._used |= {id(one) for one in linked if one.report.how in ("print", "bar", "return") or one in beside}

    def _is_in_other_unit(self, scope: Scope, name: str, sites: Sequence[Assignment]) -> bool:
        """Whether the same loop reports the variable in another unit, as ``100 * acc``."""
        blocks = {(one.loops, one.block) for one in sites}
        return any(
            _in_unit(core(one.report.expression)) == name
            and (one.loops, one.block) in blocks
            and self._is_worth_a_curve(scope, one)
            for one in scope.reports
        )

    def _of_loop_variable(self, scope: Scope, name: str) -> list[Assignment]:
        """Return the target of a loop over what a function of the cell yields, as in ``for loss in train():``."""
        if not reads_as_metric(name):
            return []
        heads = [one for one in scope.of(name) if one.is_loop_variable]
        return [one for one in heads if one.value is not None and self._calls_own(one.value)]

    def _calls_own(self, value: ast.expr) -> bool:
        calls = [node for node in ast.walk(value) if isinstance(node, ast.Call)]
        return any(self._levels.is_scope(place_name(call.func)) for call in calls)

    def _is_taken(self, scope: Scope, sites: Sequence[Assignment], linked: Sequence[Reported]) -> bool:
        """Whether the callers of a function chart what it returns, so that its own variable would be the same curve again."""
        if any(one.loops for one in sites) or not any(
            one.report.how == "return" and not one.report.label for one in linked
        ):
            return False
        return self._is_result_charted(scope)

    def _is_result_charted(self, scope: Scope) -> bool:
        for caller, mention in self._levels.callers(scope):
            if any(self._would_chart(caller, name) for name in mention.taken_by):
                return True
            for one in caller.reports:
                calls = [node for node in ast.walk(one.report.expression) if isinstance(node, ast.Call)]
                if any(place_name(call.func) == scope.name for call in calls) and self._is_worth_a_curve(caller, one):
                    return True
        return False

    def _would_chart(self, scope: Scope, name: str) -> bool:
        short = name.rpartition(".")[2].strip("'\"]")
        linked = self._linked.get((id(scope), name), ())
        return reads_as_metric(short) or any(
            one.report.how != "return" and self._is_worth_a_curve(scope, one) for one in linked
        )

    def add_reports(self, scope: Scope) -> None:
        """Add the curves of what a scope reports beside its variables; of one value that is reported twice, the best report."""
        by_value: dict[tuple[str, str], list[Reported]] = {}
        for one in scope.reports:
            if id(one) in self._used or not self._levels.is_repeated(scope, one.loops):
                continue
            if one.series or self._is_worth_a_curve(scope, one):
                inner = core(one.report.expression)
                if one.report.how not in ("append", "item") and self._is_shown_elsewhere(scope, inner):
                    continue
                calls = any(isinstance(node, ast.Call) for node in ast.walk(inner))  # each has a value of its own
                by_value.setdefault((ast.unparse(inner), one.report.label if calls else ""), []).append(one)
        for reports in by_value.values():
            how = min((one.report.how for one in reports), key=ORDER.index)
            best = [one for one in reports if one.report.how == how]
            best = [one for one in best if one.loops == best[0].loops and one.report.label == best[0].report.label]
            if how == "return" and not best[0].report.label and self._is_result_charted(scope):
                continue
            names = list(dict.fromkeys(name for one in best for name in _names(one))) if not best[0].series else []
            self.curves.append(Curve(scope, best[0].loops, names, None, [], best, best[0].series))

    def _is_shown_elsewhere(self, scope: Scope, inner: ast.expr) -> bool:
        """Whether an attribute or item (``self.loss``, ``history["loss"][-1]``) or a parameter shows what has a curve where it is set."""
        if isinstance(inner, (ast.Attribute, ast.Subscript)):
            return place_name(inner) in self._set_places
        return (
            isinstance(inner, ast.Name)
            and self.known[id(scope)].get(inner.id) is None
            and any(curve.variable == inner.id and curve.scope is not scope for curve in self.curves)
        )

    def _is_worth_a_curve(self, scope: Scope, one: Reported) -> bool:
        """Whether a reported value may be a metric: not a counter, a time or a text, and with a name."""
        how: How = one.report.how
        inner = core(one.report.expression)
        label, name = one.report.label, place_name(inner)
        if isinstance(inner, (ast.Constant, ast.JoinedStr, ast.Dict, ast.List, ast.Lambda, ast.Compare)):
            return False
        if reads_as_metric(label) or (reads_as_metric(name) and not is_time(label)):
            return not (isinstance(inner, ast.Name) and self._is_counter(scope, inner.id))
        if is_time(label) or is_time(name) or is_count(label) or counts(scope, inner):
            return False
        if how in ("append", "item"):
            return label in self._plotted
        if how == "return":
            return any(map(reads_as_metric, _parts(inner))) and not self._is_known(inner)
        known = isinstance(inner, ast.Name) and inner.id in self.known[id(scope)]
        return bool(label or name or any(map(reads_as_metric, _parts(inner)))) and (how == "bar" or known or not name)

    def _is_known(self, node: ast.expr) -> bool:
        """Whether a returned value is a variable, or else what a function of the cell returns: ``loss if n == 0 else go(n - 1)``."""
        if not isinstance(node, ast.IfExp):
            return isinstance(node, ast.Name)
        branches = node.body, node.orelse
        calls = [one for one in branches if isinstance(one, ast.Call) and self._levels.is_scope(place_name(one.func))]
        return bool(calls) and any(isinstance(one, ast.Name) for one in branches)

    def _is_counter(self, scope: Scope, name: str) -> bool:
        found = self.known[id(scope)].get(name)
        if found is None:
            return is_count(name)
        return found.kind == "counter" and not (
            scope.of(name) and reads_as_metric(name) and name in scope.loop_variables
        )


def _names(one: Reported) -> Iterator[str]:
    """Yield the names that a report may have, best first."""
    inner = core(one.report.expression)
    label, name = one.report.label, place_name(inner)
    parts = [part for part in _parts(inner) if reads_as_metric(part)]
    given = [label, name] if one.report.how in ("append", "item", "bar") else [name, label]
    yield from (one for one in given if reads_as_metric(one))
    yield from (without_sum(part) for part in parts)
    yield from parts
    yield from (one for one in given if one)


def _parts(node: ast.expr) -> list[str]:
    found = [place_name(one) for one in ast.walk(node) if isinstance(one, (ast.Name, ast.Attribute, ast.Subscript))]
    return list(dict.fromkeys(name for name in found if name))


def _in_unit(node: ast.expr) -> str | None:
    """Return the variable that an expression gives in another unit, a power of ten, as ``100 * acc`` does."""
    if not isinstance(node, ast.BinOp) or not isinstance(node.op, (ast.Mult, ast.Div)):
        return None
    value, unit = node.left, node.right
    if isinstance(node.op, ast.Mult) and isinstance(value, ast.Constant):
        value, unit = unit, value
    inner = core(value)
    return inner.id if isinstance(inner, ast.Name) and _is_power_of_ten(unit) else None


def _is_power_of_ten(node: ast.expr) -> bool:
    value = node.value if isinstance(node, ast.Constant) else None
    return isinstance(value, (int, float)) and value > 0 and math.log10(value).is_integer()


def _by_loop(sites: Sequence[Assignment]) -> list[list[Assignment]]:
    """Return the assignments by their innermost loop, in the order of the source."""
    groups: dict[int, list[Assignment]] = {}
    for one in sites:
        groups.setdefault(id(one.loops[-1]) if one.loops else 0, []).append(one)
    return list(groups.values())


def _group_of(one: Reported, groups: Sequence[list[Assignment]]) -> list[Assignment]:
    """Return the assignments whose value is reported: those of the report's loop, else the last ones before it."""
    same = [group for group in groups if group[0].loops == one.loops]
    line = one.report.expression.lineno
    before = [group for group in groups if group[-1].statement.lineno <= line]
    return (same or before[-1:] or list(groups))[0]


def _containers(scope: Scope) -> set[str]:
    """Return the variables that are filled: lists, arrays and meters."""
    found = set()
    for node in ast.walk(scope.node):
        filled: ast.expr | None = None
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _FILLING:
            filled = node.func.value
        elif isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store):
            filled = node.value
        if isinstance(filled, ast.Name):
            found.add(filled.id)
    return found


def _plotted(scope: Scope) -> Iterator[str]:
    for node in ast.walk(scope.node):
        if isinstance(node, ast.Call) and place_name(node.func) in _PLOTS:
            for argument in node.args:
                yield from _parts(argument)


def _name(curves: list[Curve]) -> None:
    """Give each curve its metric."""
    curves = [curve for curve in curves if not curve.series]
    for curve in curves:
        taken = {
            other.names[0] for other in curves if other is not curve and other.scope is curve.scope and other.metric
        }
        names = [name for name in curve.names if name not in taken] or [
            next(name for count in range(2, len(curves) + 2) if (name := f"{curve.names[0]}_{count}") not in taken)
        ]
        curve.names = names
        curve.metric = names[0]
    shared = {
        one.metric for one in curves for other in curves if one.metric == other.metric and one.scope is not other.scope
    }
    for curve in curves:
        if curve.metric in shared and curve.scope.name:
            curve.metric = f"{curve.scope.name}/{curve.metric}"
    known: set[str] = set()
    for curve in curves:
        base = curve.metric
        count = 2
        while curve.metric in known:
            curve.metric = f"{base}_{count}"
            count += 1
        known.add(curve.metric)
