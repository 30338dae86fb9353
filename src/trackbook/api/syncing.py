"""`sync`: the upload of whole projects."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final

from .. import settings
from ..tracking.run_options import choose_included
from .process import process
from .projects import existing_here
from .spaces import publish
from .uploads import destination, tell

if TYPE_CHECKING:
    from ..tracking.project import Project

_SDKS: Final = ("docker", "static", "gradio")  # the last is Trackio's word for a Space that takes runs


def sync(
    project: str | None = None,
    *,
    to: str | os.PathLike[str] | None = None,
    include: str | Iterable[str] = (),
    dir: str | os.PathLike[str] | None = None,
    space_id: str | None = None,
    sdk: str = "docker",
    private: bool | None = None,
) -> str:
    """Upload all runs of a project, and return the address of what they were uploaded to.

    Only what is missing there is sent, so it can be interrupted and called again; runs that other processes write, too. Metrics,
    config and media leave this machine, and what `include` names.

    Parameters
    ----------
    project
        By default that of the current or last run.
    to
        ``"https://host"`` of a `trackbook serve`, ``"s3://bucket/path"``, ``"gs://"``, ``"az://"`` or the path of a lake. By default
        where runs of the project were uploaded last, else ``TRACKBOOK_SYNC``.
    include
        Some of ``console``, ``cells``, ``environment`` and ``code``, which may hold secrets.
    dir
        The folder of the project's file, as in `init`.
    space_id
        In place of `to`, a Hugging Face Space: ``"user/space"``, or ``"space"`` for one of your own. It is created if there is none;
        one that is not Trackbook's is refused. Its address is printed and returned.
    sdk
        Of the Space: ``"docker"``, which runs a server that also takes live runs, or ``"static"``, a page and Parquet files, where
        nothing runs. Written again, the page has what the project has then.
    private
        Whether a new Space is private; by default as the Hub does it for you or your organization.

    Raises
    ------
    ValueError
        For a project that does not exist, without a destination or with two, and for another `sdk`.
    ModuleNotFoundError
        Where packages of ``trackbook[remote]``, ``[lake]`` or ``[hub]`` are missing.
    PermissionError
        Where the destination refuses what is sent. The message says what to do.
    OSError
        When the destination cannot be reached for a minute. Nothing is lost.
    """
    if sdk not in _SDKS:
        raise ValueError(f"sync(sdk={sdk!r}): a Space is 'docker', which takes runs, or 'static', which is a page")
    to = destination("sync", "to", to, space_id, private)
    found = existing_here(project) if dir is None else process().project(project, dir)
    found.refresh()
    if not found.store.flush():
        raise OSError(" ".join(found.store.notices))
    if space_id is not None and sdk == "static":
        return publish(found, space_id, choose_included(include), private)
    where = _usual(found) if to is None else to
    return send(found, where, [run.id for run in found.runs()], choose_included(include))


def send_noted(project: Project) -> list[str]:
    """Upload the runs of a project that were to be uploaded, and return the destinations.

    Raises as `sync`, once all destinations were tried.
    """
    from ..store.upload_ledger import UploadLedger

    ledger = UploadLedger(project.store.path, project.name)
    try:
        targets = ledger.targets()
    finally:
        ledger.close()
    failures: list[OSError | ModuleNotFoundError | ValueError] = []
    sent = []
    for where in targets:
        try:
            sent.append(send(project, where))
        except (OSError, ModuleNotFoundError, ValueError) as error:
            failures.append(error)
    for later in failures[1:]:
        tell(str(later))
    if failures:
        raise failures[0]
    return sent


def send(project: Project, where: str, runs: Sequence[str] = (), include: tuple[str, ...] = ()) -> str:
    """Upload `runs`, and all that were to be uploaded there before; return the destination's name. Raises as `sync`."""
    from ..remote.target import TargetError, checked, needs, open_target, shown

    try:
        where = checked(where)
    except TargetError as error:
        raise ValueError(str(error)) from None
    try:
        from ..remote.leaving import said as what
        from ..remote.upload import Upload
        from ..remote.uploader import PATIENCE_SECONDS, send_all
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(needs(where, error), name=error.name) from None
    upload = Upload(project.store.path, project.name, where, open_target, settings.token())
    is_new = where not in upload.ledger.known()
    bar = _Left(shown(where))
    try:
        upload.ledger.follow(runs, where, include)
        if runs:
            tell(f"uploading {project.name!r} to {shown(where)}: {what(include)}")
        count = send_all(upload, bar.show, bar.wait, patience=PATIENCE_SECONDS)
        name = upload.target.name
        bar.end(f"{count} run{'' if count == 1 else 's'} of {project.name!r} brought up to date at {name}")
    except TargetError as error:
        if is_new:  # what refuses the first attempt may be the wrong address
            upload.ledger.forget_target(where)
        if isinstance(error.__cause__, ModuleNotFoundError):
            raise ModuleNotFoundError(str(error), name=error.__cause__.name) from error
        raise PermissionError(str(error)) from error
    except OSError as error:
        raise OSError(
            f"{shown(where)} cannot be reached or is busy ({error}). Nothing is lost: what is left is sent when you call it again"
        ) from error
    finally:
        upload.close()
    return name


def _usual(project: Project) -> str:
    from ..store.upload_ledger import UploadLedger

    ledger = UploadLedger(project.store.path, project.name)
    try:
        where = next(iter(ledger.known()), None) or settings.sync()
    finally:
        ledger.close()
    if where is None:
        raise ValueError(f"project {project.name!r} was not uploaded before: say where, as in sync(to='https://host')")
    return where


class _Left:
    """A line on stderr with the points that are left, written again where that is a terminal."""

    def __init__(self, where: str) -> None:
        self._where = where
        self._shown = ""
        self._waits = False

    def show(self, left: int) -> None:
        text = f"Trackbook: {left:,} points left"
        if text != self._shown and sys.stderr.isatty():
            self._shown = text
            print(f"\r{text}\033[K", end="", file=sys.stderr, flush=True)  # noqa: T201  # what `sync` is called for

    def wait(self, error: BaseException) -> None:
        if not self._waits:
            self._waits = True
            self.end(f"{self._where} cannot be reached or is busy ({error}); it is tried again for a minute")

    def end(self, text: str) -> None:
        if self._shown:
            self._shown = ""
            print("\r\033[K", end="", file=sys.stderr)  # noqa: T201  # likewise
        tell(text)
