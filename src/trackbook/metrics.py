"""Which metric another is drawn over by default: what `Run.define_metric` says, as rules.

Names are matched by globs in which ``*`` stands for any text, ``/`` included, and every other character for itself: a
metric may be called ``f1[0]?``. ``js/src`` has the same rule (`globMatches`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from .errors import warn

_WANDB: Final = {"_step": "step", "_runtime": "relative", "_timestamp": "time"}  # its names for what is no metric
AXES: Final = ("step", "relative", "time")


def define(
    defined: dict[str, str], name: Any, step_metric: Any, other: Mapping[str, Any] | None = None
) -> dict[str, str]:
    """`defined` with one more definition; the same object when it says nothing new.

    Raises ``TypeError`` for names that are no text. `other` is wandb's: what of it asks for something is ignored with a warning.
    """
    glob = _text("name", name, "'val/*'")
    x = None if step_metric is None else _text("step_metric", step_metric, "'epoch'")
    ignored = [keyword for keyword, value in (other or {}).items() if value is not None]
    if ignored:
        warn(
            f"define_metric() ignores {', '.join(ignored)}: trackbook keeps last, min and max of each metric in run.summary, "
            "run.summary.min and run.summary.max"
        )
    others = {known: axis for known, axis in defined.items() if known != glob}
    changed = {**others, glob: _WANDB.get(x, x)} if x is not None else defined
    return changed if list(changed.items()) != list(defined.items()) else defined


def as_pairs(defined: Mapping[str, str]) -> list[list[str]]:
    """The definitions as they travel, in the order in which they were made: ``[glob, x]``."""
    return [[glob, x] for glob, x in defined.items()]


def axis_of(pairs: Sequence[Sequence[str]], metric: str) -> str | None:
    """What `metric` is drawn over by default: ``step``, ``relative``, ``time`` or a metric; None where nothing is defined.

    A name in full is meant more than a glob; of several globs the last one holds. A metric is never drawn over itself, so
    that ``define_metric("*", "epoch")`` leaves ``epoch`` as it is.
    """
    others = [(glob, x) for glob, x in pairs if x != metric]
    exact = [x for glob, x in others if glob == metric]
    matching = exact or [x for glob, x in others if glob_matches(glob, metric)]
    return matching[-1] if matching else None


def glob_matches(glob: str, name: str) -> bool:
    return re.fullmatch(".*".join(map(re.escape, glob.split("*"))), name, re.DOTALL) is not None


def _text(what: str, text: Any, example: str) -> str:
    if not isinstance(text, str) or not text:
        shown = "is empty" if text == "" else f"is {text!r}, not a string"
        raise TypeError(f"define_metric(): {what} {shown}; give a metric's name or a glob, such as {example}")
    return str.__str__(text)
