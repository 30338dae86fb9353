"""`alert` of the current run, and `alerts` of a project."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from ..alerting.levels import AlertLevel, to_level
from ..tracking.run import Run
from .projects import existing
from .run import open_run

if TYPE_CHECKING:
    import polars as pl


def alert(
    title: str,
    text: str | None = None,
    level: AlertLevel | str | None = None,
    wait_duration: float | timedelta | None = None,
    *,
    webhook_url: str | None = None,
    **other: Any,
) -> None:
    """Keep an alert of the current run, show it on its boards, and send it to the webhook of `init`.

    `title`, `text`, `level`, `wait_duration` and `webhook_url` are those of `Run.alert`, and `other` are keywords of other trackers, which are ignored with one warning. Raises ``RuntimeError`` when no run is open.
    """
    open_run("alert()").alert(title, text, level, wait_duration, webhook_url=webhook_url, **other)


def alerts(
    project: str | None = None, run: str | Run | None = None, level: AlertLevel | str | None = None
) -> pl.DataFrame:
    """Return one row for each alert of a project (default: the current or last run's), oldest first.

    Columns: ``run_id``, ``run``, ``number`` (int64, in its run, from 0), ``time`` (UTC), ``level``, ``title``, ``text``, ``step`` (int64, of
    the point that `Run.alert_when` found, else null), ``times`` (int64, how often the title came within its ``wait_duration``), and
    ``webhook``: ``sent``, ``waiting``, why it was not sent, or null without a webhook.

    Parameters
    ----------
    project
        The project's name.
    run
        A run, its id or name: only its alerts.
    level
        The least urgent level: ``"info"`` (the default), ``"warn"`` or ``"error"``.

    Raises
    ------
    ValueError
        For a project, run or level that does not exist.
    """
    least = to_level("info" if level is None else level)
    source = existing(project)
    from ..data.alert_table import alert_table

    source.refresh()
    return alert_table(source.runs() if run is None else [source.find(run)], source.store, least)
