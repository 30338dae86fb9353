"""What is said after tracked code: what was not tracked, and why."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from numbers import Number
from typing import Any, Final

from ..text import did_you_mean
from .targets import Target
from .tracked_code import TrackedCode
from .tracker import Tracker

ELSEWHERE = "the code ran in other processes, which %%track does not follow; log there, or track what they return"
_MOST: Final = 8  # names in a sentence


def untracked(
    tracker: Tracker, code: TrackedCode, *, failed: bool, adapted: Collection[str], whole: str = "cell"
) -> Iterator[str]:
    """Yield what to say after code with named targets, a `whole` cell or program: what was not tracked, and why.

    `adapted` are the metrics that adapters of libraries logged.
    """
    yield from _logged_otherwise(tracker, code, adapted, whole)
    for number, target in enumerate(code.selected.targets):
        why = None if target.metric in adapted else _why_untracked(tracker, code, number, failed=failed, whole=whole)
        if why is not None:
            yield why
    if tracker.missed:
        yield "the run was finished before the cell ended; what came after it is not tracked"


def _why_untracked(tracker: Tracker, code: TrackedCode, number: int, *, failed: bool, whole: str) -> str | None:
    target = code.selected.targets[number]
    metrics = set(code.selected.metrics_of(number))
    why = tracker.why_not(target.metric)
    if not code.sites[number]:
        return _never_assigned(code, number, whole)
    if metrics & tracker.tracked:
        return None
    if why is not None:
        return f"nothing was tracked as {target.metric!r}: {why}"
    if code.busy:
        return f"nothing was tracked as {target.metric!r}: the cell around this one tracks {_some(code.busy)}"
    if metrics & tracker.refused or failed:
        return None
    never = ELSEWHERE if tracker.was_sent else f"the code that assigns {target.source!r} never ran"
    return f"nothing was tracked as {target.metric!r}: {never}"


def _logged_otherwise(tracker: Tracker, code: TrackedCode, adapted: Collection[str], whole: str) -> Iterator[str]:
    """Yield what to say of targets whose metrics the code or a library logs itself."""
    for target in code.logged:
        if any(one.name in target.names for scope in code.scopes for one in scope.assignments):
            yield f"the {whole} logs {target.metric!r} itself, so {target.source!r} is not tracked under the same name; {_renamed(target)}"
    for target in code.selected.targets:
        if target.metric in adapted and target.metric in tracker.logged:
            yield f"{target.metric!r} mixes {target.source!r} with what the library logs under this name; {_renamed(target)}"


def _renamed(target: Target) -> str:
    return f"to have both, write: {target.source} -> tracked/{target.metric}"


def _never_assigned(code: TrackedCode, number: int, whole: str) -> str:
    target = code.selected.targets[number]
    verb = "assigns" if target.variable else "assigns anything of"
    where = f" outside of {', '.join(code.left_alone)}" if code.left_alone else ""
    functions = _some(code.functions)
    who = f"neither the {whole} nor {functions}" if functions else f"the {whole} never"
    assigned = dict.fromkeys(one.name for scope in code.scopes for one in scope.assignments)
    meant = did_you_mean(target.variable, assigned) if target.variable else ""
    said = f"{who} {verb} {target.source!r}{where}, so nothing is tracked as {target.metric!r}"
    return f"{said}; {meant}" if meant else said


def nothing_tracked(code: TrackedCode, whole: str = "cell") -> str:
    """Return what to say after a cell without names that tracked nothing."""
    functions = _some(code.functions)
    who = f"no loop of the {whole} or of {functions}" if functions else f"no loop of the {whole}"
    known = "reported or " if functions or code.curves else ""
    return f"{who} {known}assigned a number; name what to track, as in: %%track loss"


def how_to_choose(tracked: Sequence[str], code: TrackedCode, namespace: Mapping[str, Any]) -> str:
    """Return what to say after the first cell without names: what is charted, what is not, and how to choose."""
    said = f"charted what the loops report and what reads as a metric: {', '.join(tracked)}."
    others = [name for name in _others(code, namespace) if name not in tracked][:_MOST]
    if others:
        return f"{said} Not charted: {', '.join(others)}. To choose, name them: %%track {tracked[0]} {others[0]}"
    return f"{said} To choose, name them: %%track {tracked[0]}"


def _others(code: TrackedCode, namespace: Mapping[str, Any]) -> Iterator[str]:
    """Yield the numbers that loops of the cell assign and that have no curve."""
    charted = {curve.variable for curve in code.curves}
    cell = code.scopes[0]
    for name in dict.fromkeys(one.name for one in cell.assignments if one.loops):
        if name not in charted and not name.startswith("_") and isinstance(namespace.get(name), Number):
            yield name


def notes_on_functions(code: TrackedCode, modules: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield what to say about functions that were not followed: a function or module, about which it is said once, and the note."""
    if code.left_alone:
        left_alone = ", ".join(code.left_alone)
        yield left_alone, f"{left_alone}: left alone, because a compiler takes it; track what it returns"
    for name, why in code.reach.unread.items():
        if code.may_assign(name):
            yield name, f"{name} is not followed: its source {why}"
    by_module: dict[str, list[str]] = {}
    for name, module in code.reach.unfollowed.items():
        if code.may_assign(name):
            by_module.setdefault(module, []).append(name)
    for module, names in by_module.items():
        yield module, f"functions of {module} are not followed ({_some(names)}); to follow them: --follow {module}"
    for module in modules:
        if module not in code.reach.modules:
            yield module, f"--follow {module}: the cell uses nothing of a module with this name"


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _MOST} more" if len(names) > _MOST else ""
    return ", ".join(names[:_MOST]) + more
