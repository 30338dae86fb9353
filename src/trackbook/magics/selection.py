"""Which statements report what: for the curves of a cell without names, and for named targets that several functions assign."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from .axes import LoopAxes
from .choice import Curve, innermost_loop
from .instrument import Selection
from .scopes import Levels, Scope
from .syntax import Loop
from .targets import Target, variable
from .variables import variable_of


@dataclass
class Selected:
    """The targets of a cell, the metrics by number (those of the targets first), where they are reported, and their x axes."""

    targets: list[Target]
    metrics: list[str]
    selection: Selection = field(default_factory=Selection)
    axes: LoopAxes = field(default_factory=LoopAxes)

    def metrics_of(self, number: int) -> list[str]:
        """Return the metrics that a target is logged as, in the functions that assign it."""
        others = [metric for (_, target), metric in self.selection.metrics.items() if target == number]
        return [self.metrics[number], *(self.metrics[metric] for metric in dict.fromkeys(others) if metric != number)]


def select_curves(curves: Sequence[Curve], levels: Levels) -> Selected:
    """Return what reports the curves of a cell without names."""
    variables = [curve for curve in curves if curve.variable is not None]
    made = Selected([variable(curve.variable or "") for curve in variables], [curve.metric for curve in variables])
    for number, curve in enumerate(variables):
        made.selection.only[number] = {id(one.statement) for one in curve.sites}
    loops = {curve.metric: innermost_loop(curve, levels) for curve in variables}
    for curve in curves:
        if curve.variable is None:
            names = curve.series or (curve.metric,)
            numbers = [_number(made.metrics, name) for name in names]
            loops |= dict.fromkeys(names, innermost_loop(curve, levels))
            for one in curve.reports:
                made.selection.passed[id(one.report.expression)] = numbers
                if curve.series:
                    made.selection.spread.add(id(one.report.expression))
    steady = {id(loops[one.metric]) for one in curves if one.metric and not one.is_occasional}
    occasional = [one.metric for one in curves if one.metric and one.is_occasional and id(loops[one.metric]) in steady]
    made.axes = _axes(loops, levels, made.selection, occasional)
    return made


def _number(metrics: list[str], name: str) -> int:
    if name not in metrics:
        metrics.append(name)
    return metrics.index(name)


def _axes(loops: dict[str, Loop | None], levels: Levels, selection: Selection, occasional: Iterable[str]) -> LoopAxes:
    """Return the axes of the metrics whose loop is around the loop of another metric.

    `occasional` ones keep the axis of their loop. A loop over phases (``for phase in ["train", "val"]``) is no axis: its metrics are one
    for each phase.
    """
    numbers: dict[int, int] = {}
    names: list[str] = []

    def number_of(loop: Loop) -> int:
        if id(loop) not in numbers:
            counted = None if isinstance(loop, ast.While) else loop.target
            name = counted.id.strip("_") if isinstance(counted, ast.Name) else ""
            numbers[id(loop)] = selection.axes[id(loop)] = len(names)
            names.append(_free(name or "epoch", {*loops, *names}))
        return numbers[id(loop)]

    around = {metric: levels.around(loop) for metric, loop in loops.items() if loop is not None}
    outer = {id(one) for found in around.values() for one in found}
    of: dict[str, int | None] = dict.fromkeys(occasional)
    phases: dict[str, int] = {}
    for metric, loop in loops.items():
        if loop is None:
            continue
        chain = [loop, *around[metric]]
        phase = next((one for one in chain if _is_over_phases(one)), None)
        if phase is not None:
            phases[metric] = number_of(phase)
        counted = [one for one in chain if not _is_over_phases(one)]
        if counted and id(counted[0]) in outer and (counted[0] is not loop or id(loop) in outer):
            of[metric] = number_of(counted[0])
    return LoopAxes(names, of, phases)


def _is_over_phases(loop: Loop) -> bool:
    """Whether a loop goes through literal texts."""
    values = loop.iter if isinstance(loop, ast.For) and isinstance(loop.target, ast.Name) else None
    texts = values.elts if isinstance(values, (ast.List, ast.Tuple)) else []
    return bool(texts) and all(isinstance(one, ast.Constant) and isinstance(one.value, str) for one in texts)


def _free(name: str, taken: Iterable[str]) -> str:
    while name in taken:
        name = f"{name}_"
    return name


def select_named(targets: list[Target], scopes: Sequence[Scope], levels: Levels) -> Selected:
    """Return what reports named targets.

    A variable that several functions assign is one metric, except where neither function calls the other, or the caller assigns it in
    a loop, too: then each has the function's name as its prefix. Where a caller assigns what the function returns to the same
    variable, only the caller reports it. A sum is reported where its end is made of it.
    """
    made = Selected(targets, [target.metric for target in targets])
    for number, target in enumerate(targets):
        name = target.variable
        owners = [scope for scope in scopes if name is not None and scope.of(name)]
        for scope in list(owners):
            if name is not None and _is_taken(scope, name, levels):
                made.selection.skipped.add((id(scope.node), number))
                owners.remove(scope)
        for scope in owners:
            found = variable_of(scope, name or "")
            if found.kind == "sum" and found.sites:
                ends = {id(one.statement) for one in found.sites}
                every = {id(one.statement) for one in scope.of(name or "")}
                made.selection.skipped |= {(statement, number) for statement in every - ends}
        _split(made, number, owners, levels)
    return made


def _is_taken(scope: Scope, name: str, levels: Levels) -> bool:
    if not scope.name or any(one.loops for one in scope.of(name)):
        return False
    returned = any(
        one.report.how == "return"
        and name in {node.id for node in ast.walk(one.report.expression) if isinstance(node, ast.Name)}
        for one in scope.reports
    )
    return returned and any(name in mention.taken_by for _, mention in levels.callers(scope))


def _split(made: Selected, number: int, owners: Sequence[Scope], levels: Levels) -> None:
    """Give the functions that assign one target metrics of their own, where they differ in role."""
    name = made.targets[number].variable or ""
    roles: list[list[Scope]] = []
    for scope in owners:
        role = next((role for role in roles if any(_is_one_role(one, scope, name, levels) for one in role)), None)
        if role is None:
            roles.append([scope])
        else:
            role.append(scope)
    if len(roles) < 2:
        return
    for role in roles:
        first = role[0]
        if any(not scope.name for scope in role):
            continue
        metric = _number(made.metrics, f"{first.name}/{made.metrics[number]}")
        made.selection.metrics |= {(id(scope.node), number): metric for scope in role}


def _is_one_role(one: Scope, other: Scope, name: str, levels: Levels) -> bool:
    """Whether one scope calls the other, and assigns the variable outside of loops alone, as before a function that trains."""
    callers = []
    if levels.reaches(one, other) or other.parent is one:
        callers.append(one)
    if levels.reaches(other, one) or one.parent is other:
        callers.append(other)
    return any(not any(site.loops for site in caller.of(name)) for caller in callers)
