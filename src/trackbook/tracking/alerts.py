"""`Run.alert` and `Run.alert_when`."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from ..alerting.levels import AlertLevel, to_level
from ..alerting.webhook import to_webhook
from ..metrics import GOALS
from ..user_warnings import warn_once
from .endings import in_words
from .logged_values import check_text, to_seconds
from .other_trackers import say_ignored

if TYPE_CHECKING:
    from .run import Run

WAIT_SECONDS: Final = 60.0  # in which a title that comes again only counts, as in wandb


def alert(
    self: Run,
    title: str,
    text: str | None = None,
    level: AlertLevel | str | None = None,
    wait_duration: float | timedelta | None = None,
    *,
    webhook_url: str | None = None,
    **other: Any,
) -> None:
    """Keep an alert in the project, show it on the boards, and send it to the webhook, if `init` or the environment named one.

    It is durable when this returns. The webhook is served by another thread, which tries again where a service is busy or away. A process
    that can only log to the run, such as a forked child, leaves all but that to the process that writes the run.

    Parameters
    ----------
    title
        A short text. An alert whose title came less than `wait_duration` ago only counts: ``times`` in `trackbook.alerts`.
    text
        More about it.
    level
        ``"info"``, ``"warn"`` (the default) or ``"error"``; also `AlertLevel`.
    wait_duration
        Seconds, or a ``timedelta``; by default 60 seconds.
    webhook_url
        Send this alert there in place of the run's webhook. A process that can only log to the run cannot; it warns once.
    other
        Keywords of other trackers, which are ignored with one warning.

    Raises
    ------
    TypeError, ValueError
        For a title that is empty or no text, another level, an address that is none, and a negative wait.
    RuntimeError
        When the run has ended.
    """
    writer = self._writer
    say_ignored("alert", other)
    title, level = check_text("title", title), to_level(AlertLevel.WARN if level is None else level)
    if not isinstance(text, str | None):
        raise TypeError(f"alert(text={text!r}): text is a string")
    wait = seconds_of(wait_duration)
    if webhook_url is not None:
        to_webhook(webhook_url)
    is_open = not self.ended
    if writer.is_apart:
        is_open = writer.alerts.note(title, text or "", level, wait=wait, webhook_url=webhook_url)
    elif is_open and writer.alerts.add(title, text or "", level, wait=wait, webhook_url=webhook_url):
        writer.store.flush()
    if not is_open:
        raise RuntimeError(
            f"run {self.name!r} {in_words(self.state)} and takes no more alerts; call trackbook.init(...) first"
        )


def seconds_of(wait: Any) -> float:
    if wait is None:
        return WAIT_SECONDS
    if isinstance(wait, timedelta):
        wait = wait.total_seconds()
    return 0.0 if wait == 0 else to_seconds(wait, "wait_duration")


def alert_when(
    self: Run,
    metric: str,
    *,
    above: float | None = None,
    below: float | None = None,
    nan: bool = False,
    no_improvement: int | None = None,
    goal: str | None = None,
    title: str | None = None,
    level: AlertLevel | str | None = None,
    wait_duration: float | timedelta | None = None,
) -> None:
    """Alert when a metric leaves its bounds, is not a number, or no longer improves.

    Points are checked where they are stored, once a second or somewhat later, so `log` is as fast as without rules. A condition alerts
    when it begins to hold, and again only after it did not hold. Points from before the call are not looked at.

    Parameters
    ----------
    metric
        The name of a metric, or a glob such as ``"val/*"``; each metric is looked at for itself.
    above, below
        Alert at a value above or below.
    nan
        Alert at NaN and at the infinities.
    no_improvement
        Alert after so many points without a new best value.
    goal
        ``"min"`` or ``"max"``: which value is the best; by default as `define_metric` says, else by the metric's name, else ``"min"``.
    title, level, wait_duration
        As of `alert`; the title is by default the condition, such as ``"loss above 10"``.

    Raises
    ------
    TypeError, ValueError
        Without a condition, for a bound that is no number, a `no_improvement` below 1, and what `alert` does not take.
    RuntimeError
        When the run has ended.
    """
    writer = self._writer
    from .alert_rules import Conditions  # loads Polars

    rule = Conditions(
        metric=check_text("metric", metric),
        above=_bound("above", above),
        below=_bound("below", below),
        nan=bool(nan),
        patience=_patience(no_improvement),
        goal=_goal(goal),
        title=None if title is None else check_text("title", title),
        level=to_level(AlertLevel.WARN if level is None else level),
        wait=seconds_of(wait_duration),
    )
    if rule.above is None and rule.below is None and not rule.nan and rule.patience is None:
        raise ValueError(f"alert_when({metric!r}) needs a condition: above=, below=, nan=True or no_improvement=")
    if writer.is_apart:
        warn_once(
            f"alert_when() does nothing in a process that can only log to run {writer.name!r}; call it in its parent"
        )
        return
    if self.ended:
        raise RuntimeError(
            f"run {self.name!r} {in_words(self.state)} and takes no more points; call trackbook.init(...) first"
        )
    writer.alerts.add_rule(rule)


def _bound(what: str, bound: Any) -> float | None:
    if bound is None:
        return None
    if isinstance(bound, bool) or not isinstance(bound, (int, float)):
        raise TypeError(f"alert_when({what}={bound!r}): {what} is a number")
    if math.isnan(bound):
        raise ValueError(f"alert_when({what}=nan): no value is {what} NaN; use nan=True")
    return float(bound)


def _patience(points: Any) -> int | None:
    if points is None:
        return None
    if isinstance(points, bool) or not isinstance(points, int):
        raise TypeError(f"alert_when(no_improvement={points!r}): no_improvement is a number of points")
    if points < 1:
        raise ValueError(f"alert_when(no_improvement={points}): no_improvement is a number of points from 1")
    return points


def _goal(goal: Any) -> str | None:
    if goal is not None and (not isinstance(goal, str) or goal not in GOALS):
        raise ValueError(f"alert_when(goal={goal!r}): goal is 'min' or 'max'")
    return None if goal is None else GOALS[goal]
