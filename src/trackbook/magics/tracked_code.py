"""The code that a ``%%track`` cell tracks: its own, and that of the functions it reaches."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from types import CodeType, FunctionType
from typing import Any

from .choice import Curve, choose
from .functions import Replaced, Source
from .instrument import instrument
from .metric_words import reads_as_metric
from .own_logs import names_given_to_lightning, names_logged
from .plan import plan
from .reach import Reach, Reached, reach
from .scopes import Levels, Scope, scopes_of
from .selection import Selected, select_curves, select_named
from .syntax import Function, compiled_definitions
from .targets import Target


@dataclass
class Options:
    """How the code is instrumented: see `instrument`."""

    tracker: str
    step: ast.expr | None = None
    throttled: bool = False
    shows_assignments: bool = False


@dataclass
class TrackedCode:
    """The instrumented code of a cell: what it tracks, and what the functions that it reaches do instead for its length."""

    selected: Selected
    reach: Reach
    scopes: list[Scope]
    curves: list[Curve]
    is_named: bool  # whether targets were given
    sites: Counter[int] = field(default_factory=Counter)
    left_alone: list[str] = field(default_factory=list)
    replacements: list[tuple[FunctionType, CodeType]] = field(default_factory=list)
    busy: list[str] = field(default_factory=list)  # functions that a cell around this one tracks
    logged: list[Target] = field(default_factory=list)  # targets whose metric the code logs itself

    def replace(self, replaced: Replaced) -> None:
        """Replace the code of the functions; undone by `replaced.restore`, and at once when this is interrupted."""
        try:
            for function, code in self.replacements:
                if not replaced.replace(function, code):
                    self.busy.append(function.__name__)
        except BaseException:
            replaced.restore()
            raise

    def may_assign(self, function: str) -> bool:
        """Whether a function that is not followed may assign what is tracked, as far as its variables are known."""
        names = self.reach.assigned.get(function)
        if names is None:
            return True
        wanted = frozenset[str]().union(*(target.names for target in self.selected.targets))
        return bool(wanted & names) if self.is_named else any(map(reads_as_metric, names))

    @property
    def functions(self) -> list[str]:
        """The names of the functions that were looked at, those of the cell too."""
        return list(dict.fromkeys(scope.name for scope in self.scopes if scope.name))


def track_code(
    tree: ast.Module,
    targets: Sequence[Target],
    options: Options,
    namespace: dict[str, Any],
    modules: Sequence[str] = (),
) -> TrackedCode:
    """Instrument a cell and, apart from it, the functions of `namespace` and `modules` that it reaches. Modifies `tree`.

    Without targets, what the loops report and the variables that read as metrics are tracked. A metric that the code itself logs to the
    same run, or gives to Lightning, is not tracked as well: its points would be mixed.
    """
    found = reach(tree, namespace, modules)
    inside = {id(node) for one in found.functions for node in ast.walk(one.node) if node is not one.node}
    own = [one for one in found.functions if id(one.node) not in inside]
    scopes = scopes_of(tree, compiled_definitions(tree))
    for one in own:
        scopes += scopes_of(one.node, one.source.compiled, any_caller=_is_called_by_others(one.function))
    levels = Levels(scopes)
    trees = [tree, *(one.node for one in own)]
    logged = names_logged(trees, namespace, earlier=not targets) | names_given_to_lightning(tree, own)
    curves = [] if targets else [one for one in choose(scopes, levels) if one.metric not in logged]
    wanted = [one for one in targets if one.metric not in logged]
    selected = select_named(wanted, scopes, levels) if targets else select_curves(curves, levels)
    code = TrackedCode(selected, found, scopes, curves, is_named=bool(targets))
    code.logged = [one for one in targets if one.metric in logged]
    code.left_alone = [name for name in found.left_alone if code.may_assign(name)]
    _instrument_functions(code, own, options)
    in_functions = {number for number, target in enumerate(selected.targets) if target.reaches and code.sites[number]}
    selected.selection.skipped |= {(id(None), number) for number in in_functions if _changes_unseen(code, tree, number)}
    mine = instrument(
        tree,
        selected.targets,
        options.tracker,
        step=options.step,
        throttled=options.throttled,
        shows_assignments=options.shows_assignments,
        selection=selected.selection,
    )
    code.sites += mine.sites
    code.left_alone = list(dict.fromkeys([*mine.left_alone, *code.left_alone]))
    return code


def _instrument_functions(code: TrackedCode, own: Sequence[Reached], options: Options) -> None:
    by_source: dict[int, tuple[Source, list[Reached]]] = {}
    for one in own:
        by_source.setdefault(id(one.source), (one.source, []))[1].append(one)
    for source, reached in by_source.values():
        nodes: list[Function] = list({id(one.node): one.node for one in reached}.values())
        found = instrument(
            source.tree,
            code.selected.targets,
            options.tracker,
            step=options.step,
            throttled=options.throttled,
            selection=code.selected.selection,
            functions=nodes,
        )
        code.sites += found.sites
        code.left_alone += found.left_alone
        if found.sites or code.selected.selection.axes:
            code.replacements += _replacements(source, code.reach.functions, options.tracker)


def _replacements(source: Source, functions: Sequence[Reached], tracker: str) -> list[tuple[FunctionType, CodeType]]:
    """Return the functions of a source whose code has calls now, with that code."""
    codes = source.instrumented()
    made = [
        (one.function, codes[one.function.__code__.co_qualname, one.function.__code__.co_firstlineno])
        for one in functions
        if one.source is source
    ]
    return [(function, code) for function, code in made if _has_calls(code, tracker)]


def _has_calls(code: CodeType, tracker: str) -> bool:
    inside = any(_has_calls(one, tracker) for one in code.co_consts if isinstance(one, CodeType))
    return inside or any(name.startswith(tracker) for name in code.co_names)


def _is_called_by_others(function: FunctionType) -> bool:
    return function.__name__.startswith("__") or function.__name__ in ("forward", "training_step", "validation_step")


def _changes_unseen(code: TrackedCode, tree: ast.Module, number: int) -> bool:
    """Whether an attribute or item is reported once an iteration, which the loops of the functions do more finely than the cell's."""
    planned = plan(tree, code.selected.targets, compiled_definitions(tree))
    return any(number in numbers for numbers in planned.per_iteration.values())
