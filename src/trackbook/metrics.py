"""Rules about names of metrics: groups, system metrics, globs, and the x axis that `Run.define_metric` chooses.

Metrics are grouped by the prefix before the first ``/``. In a glob ``*`` matches any text, including ``/``, and every other
character itself, since a metric may be named ``f1[0]?``. ``js/src/metrics.ts`` has the same rules (`globMatches`).
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal, TypeVar

from .user_warnings import warn

_WANDB: Final = {
    "_step": "step",
    "_runtime": "relative",
    "_timestamp": "time",
}  # its names for axes that are not metrics
GOALS: Final = {"min": "min", "max": "max", "minimize": "min", "maximize": "max"}
AXES: Final = ("step", "relative", "time")
SYSTEM: Final = "@system/"  # the prefix of system metrics, whose points are stored with the run's others

T = TypeVar("T")
Goal = Literal["min", "max"]


def is_system(metric: str) -> bool:
    """Whether this is a system metric, recorded by Trackbook itself and shown separately."""
    return metric.startswith(SYSTEM)


def logged(metrics: Mapping[str, T]) -> dict[str, T]:
    """Return the entries of `metrics`, by name, without system metrics."""
    return {name: value for name, value in metrics.items() if not is_system(name)}


def group_of(metric: str) -> str:
    """Return the prefix before the first ``/``, empty without one."""
    return metric.partition("/")[0] if "/" in metric else ""


def short_name(metric: str) -> str:
    """Return the name without its group."""
    return metric.partition("/")[2] or metric


def members(chart: str, globs: Sequence[str], metrics: Sequence[str]) -> list[str]:
    """Return the metrics of a user's chart: those that match `globs`, else the metric of its name, else its group, else all."""
    if globs:
        return [metric for metric in metrics if any(glob_matches(glob, metric) for glob in globs)]
    if chart in metrics:
        return [chart]
    own = [metric for metric in metrics if group_of(metric) == group_of(chart)]
    return own or [metric for metric in metrics if not is_system(metric)]


def define(
    defined: dict[str, str],
    goals: dict[str, str],
    name: Any,
    step_metric: Any = None,
    *,
    goal: Any = None,
    other: Mapping[str, Any] | None = None,
) -> tuple[dict[str, str], dict[str, str]]:
    """Return `defined` and `goals` with one more definition; the same objects when nothing changes.

    Raises ``TypeError`` for names that are not strings and ``ValueError`` for another goal. `other` holds keywords of wandb and SwanLab:
    a summary that is min or max is the goal, `x_axis` is `step_metric`, others are ignored with a warning.
    """
    given = {keyword: value for keyword, value in (other or {}).items() if value is not None}
    if step_metric is None:
        step_metric = given.pop("x_axis", None)
    glob = _text("name", name, "'val/*'")
    x = None if step_metric is None else _text("step_metric", step_metric, "'epoch'")
    if goal is None and given.get("summary") in ("min", "max"):
        goal = given.pop("summary")
    if goal is not None and (not isinstance(goal, str) or goal not in GOALS):
        raise ValueError(f"define_metric(): goal is 'min' or 'max', not {goal!r}")
    if given:
        kept = ": trackbook keeps last, min and max of each metric in run.summary, run.summary.min and run.summary.max"
        warn(f"define_metric() ignores {', '.join(given)}{kept if 'summary' in given else ''}")
    return _with(defined, glob, None if x is None else _WANDB.get(x, x)), _with(goals, glob, goal and GOALS[goal])


def _with(defined: dict[str, str], glob: str, value: str | None) -> dict[str, str]:
    """Return `defined` with a value for `glob` as its last; the same object when nothing changes."""
    if value is None:
        return defined
    changed = {**{known: other for known, other in defined.items() if known != glob}, glob: value}
    return changed if list(changed.items()) != list(defined.items()) else defined


def as_pairs(defined: Mapping[str, str]) -> list[list[str]]:
    """Return the definitions in wire format, in the order in which they were made: ``[glob, x]`` or ``[glob, goal]``."""
    return [[glob, x] for glob, x in defined.items()]


def axis_of(pairs: Sequence[Sequence[str]], metric: str) -> str | None:
    """Return the default x axis of `metric`: ``step``, ``relative``, ``time`` or a metric; None without a definition.

    A full name takes precedence over a glob, and the last glob over earlier ones. A metric is never drawn over itself, so
    ``define_metric("*", "epoch")`` does not affect ``epoch``.
    """
    others = [(glob, x) for glob, x in pairs if x != metric]
    exact = [x for glob, x in others if glob == metric]
    matching = exact or [x for glob, x in others if glob_matches(glob, metric)]
    return matching[-1] if matching else None


def glob_matches(glob: str, name: str) -> bool:
    """Whether a glob matches a whole name. Each star takes time linear in the name, because a glob may come from a file."""
    first, *between = glob.split("*")
    if not between:
        return glob == name
    last = between.pop()
    at, end = len(first), len(name) - len(last)
    if at > end or not name.startswith(first) or not name.endswith(last):
        return False
    for piece in between:  # each at the first possible place, which leaves most text for the others
        at = name.find(piece, at, end)
        if at < 0:
            return False
        at += len(piece)
    return True


def goal_of(pairs: Sequence[Sequence[str]], metric: str) -> Goal | None:
    """Return which values of a metric are the best: as defined, else as its name says; None if that is not known.

    A full name takes precedence over a glob, and the last definition over earlier ones.
    """
    exact = [goal for glob, goal in pairs if glob == metric]
    matching = exact or [goal for glob, goal in pairs if glob_matches(glob, metric)]
    return goal_by_name(metric) if not matching else "min" if matching[-1] == "min" else "max"


def goal_by_name(metric: str) -> Goal | None:
    """Return whether small or large values of a metric are better, according to its name; None if unknown."""
    if is_system(metric):
        return None
    return "min" if _any_of(_SMALLER).search(metric) else "max" if _any_of(_LARGER).search(metric) else None


def value_for(settings: Mapping[str, T], chart: str) -> T | None:
    """Return the value set for a chart by its name, or by the last glob that matches; None if there is none."""
    if chart in settings:
        return settings[chart]
    return next((settings[glob] for glob in reversed(list(settings)) if glob_matches(glob, chart)), None)


_SMALLER: Final = "loss|error|err|mse|rmse|mae|perplexity|ppl|nll|bpb|wer|cer|fid|latency|regret"
_LARGER: Final = "acc|accuracy|auc|auroc|f1|score|reward|return|precision|recall|map|iou|dice|bleu|rouge|psnr|ssim|r2"


@functools.cache
def _any_of(words: str) -> re.Pattern[str]:
    """Return a pattern that finds one of the words in a metric's name. It takes 0.8 ms to make, and without boards nobody needs it."""
    return re.compile(rf"(^|[^a-z])(top_?\d+_?)?({words})($|[^a-z])", re.IGNORECASE)


def _text(what: str, text: Any, example: str) -> str:
    if not isinstance(text, str) or not text:
        shown = "is empty" if text == "" else f"is {text!r}, not a string"
        raise TypeError(f"define_metric(): {what} {shown}; give a metric's name or a glob, such as {example}")
    return str.__str__(text)
