"""The arguments of `trackbook.init`, validated."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final, Literal

from .. import settings
from ..alerting.webhook import Webhook, to_webhook
from ..ids import new_id
from ..types import OnBadValue, Resume, RunRecord, StepBy, Stop
from .config import Config
from .logged_values import as_tags, check_text, check_title, to_seconds, to_step

Mode = Literal["local", "disabled"]
Reinit = Literal["finish_previous", "create_new", "return_previous"]

SYSTEM_SECONDS: Final = 10.0  # between two points of a system metric
UPLOAD_SECONDS: Final = 0.5  # between two batches of a live run, whose file gets new points once a second
INCLUDED: Final = (
    "console",
    "cells",
    "environment",
    "code",
)  # uploaded only if `include` says so: they may hold secrets
CAPTURES: Final = ("cells", "console", "environment", "system")


@dataclass(frozen=True, slots=True)
class RunOptions:
    """What a project needs to know to open a run. Made once, by `run_options` from the keywords of `trackbook.init`."""

    record: RunRecord  # of the run when it is new; a resumed run keeps its own id, name and start
    by_id: bool = False  # the user gave the id
    resume: Resume = "never"
    resume_from: int | None = None
    force: bool = False  # resume also a run whose process may live
    reinit: Reinit = "finish_previous"
    disabled: bool = False
    all_ranks: bool = False
    display: bool | None = None
    stop_raises: bool = False  # `log` raises `Stopped` once the run is asked to stop
    skip_bad_values: bool = False  # `log` warns of values that are not numbers, and records the rest
    captures: tuple[str, ...] = ()
    save_code: bool = True  # sources and diffs may be recorded
    system_seconds: float = SYSTEM_SECONDS  # from one point of a system metric to the next
    webhook: Webhook | None = None  # where alerts are sent
    sync: str | None = None  # where the run is uploaded to
    include: tuple[str, ...] = ()  # some of `INCLUDED`
    upload_seconds: float = UPLOAD_SECONDS  # between two batches


def run_options(
    *,
    name: str | None = None,
    group: str | None = None,
    config: Any = None,
    tags: Iterable[str] | str | None = None,
    notes: str | None = None,
    id: str | None = None,
    resume: Resume = "never",
    step_by: StepBy = "metric",
    mode: Mode = "local",
    display: bool | None = None,
    total: int | None = None,
    resume_from: int | None = None,
    force: bool = False,
    all_ranks: bool = False,
    stop: Stop = "flag",
    on_bad_value: OnBadValue = "raise",
    capture: bool | str | Iterable[str] | None = None,
    save_code: bool | None = None,
    system_seconds: float | None = None,
    reinit: Reinit = "finish_previous",
    webhook_url: str | None = None,
    webhook_min_level: str | None = None,
    sync: str | os.PathLike[str] | None = None,
    include: str | Iterable[str] = (),
    upload_seconds: float | None = None,
) -> RunOptions:
    """Validate the keywords of `trackbook.init`, in Trackbook's own words, but for `project` and `dir`.

    Raises ``TypeError`` and ``ValueError``.
    """
    name, group = _name("run name", name) or "", _name("group", group)
    job = settings.job() if all_ranks else None
    if job is not None:
        group = group or name or job
        name = f"{name} rank {settings.rank()}".lstrip()
    record = RunRecord(
        id=_name("run id", id) or new_id(),
        name=name,
        started=time.time(),
        group=group,
        tags=as_tags(tags),
        notes=_text("notes", notes),
        config=Config(config).to_json(),
        step_by=step_by,
        total=None if total is None else to_step(total, "total"),
    )
    return RunOptions(
        record=record,
        by_id=bool(id),
        resume="must" if resume_from is not None and resume == "never" else resume,
        resume_from=None if resume_from is None else to_step(resume_from, "resume_from"),
        force=force,
        reinit=reinit,
        disabled=mode == "disabled",
        all_ranks=all_ranks,
        display=display,
        stop_raises=stop == "raise",
        skip_bad_values=on_bad_value == "warn",
        captures=choose(settings.capture() if capture is None else capture),
        save_code=save_code is not False,
        system_seconds=SYSTEM_SECONDS if system_seconds is None else to_seconds(system_seconds, "system_seconds"),
        webhook=to_webhook(
            settings.webhook_url() if webhook_url is None else webhook_url,
            settings.webhook_min_level() if webhook_min_level is None else webhook_min_level,
        ),
        sync=(settings.sync() if sync is None else os.fspath(sync)) or None,
        include=choose_included(include),
        upload_seconds=UPLOAD_SECONDS if upload_seconds is None else to_seconds(upload_seconds, "upload_seconds"),
    )


def choose(given: bool | str | Iterable[str]) -> tuple[str, ...]:
    """Return the captures chosen by `given`: all, none, or those it names. Raises ``ValueError`` for an unknown name."""
    if given in (True, "all"):
        return CAPTURES
    if given in (False, "none"):
        return ()
    if not isinstance(given, Iterable):
        raise TypeError(f"capture={given!r}: give True, False or some of {', '.join(CAPTURES)}")
    names = [name.strip() for name in given.split(",")] if isinstance(given, str) else list(given)
    for name in names:
        if name not in CAPTURES:
            raise ValueError(f"capture={given!r}: what can be captured is {', '.join(CAPTURES)}; or all, or none")
    return tuple(names)


def choose_included(include: str | Iterable[str]) -> tuple[str, ...]:
    """Return what an upload includes beside metrics, config and media. Raises ``ValueError`` for an unknown name."""
    names = [name.strip() for name in include.split(",")] if isinstance(include, str) else list(include)
    for name in names:
        if name and name not in INCLUDED:
            raise ValueError(f"include={include!r}: what an upload can include is {', '.join(INCLUDED)}")
    return tuple(name for name in INCLUDED if name in names)


def _name(what: str, name: Any) -> str | None:
    return None if name is None or name == "" else check_title(what, name)


def _text(what: str, text: Any) -> str | None:
    """Check an optional text. None and the empty text, which argparse passes, mean that it is not given."""
    return None if text is None or text == "" else check_text(what, text)
