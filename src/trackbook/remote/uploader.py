"""Background uploads: a thread for each destination, which sends what the local store has, for as long as the process lives.

Nothing waits for it. What it has not sent is in the local store, for the next process.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, Literal

import tenacity

from ..store.upload_ledger import Standing
from ..tracking.run_options import UPLOAD_SECONDS
from ..types import SyncState
from . import attempts
from .attempts import Rounds, error_of
from .target import TargetBusy, TargetError, open_target, shown
from .upload import Opened, Upload

PACE_SECONDS: Final = 0.25  # between two looks at the file while runs are open
IDLE_SECONDS: Final = 5.0  # likewise, when no run is open here
REFUSED_SECONDS: Final = 300.0  # after which a target that refused is asked again
TOLD_AFTER: Final = 3  # attempts: a single failure is not worth a word
PATIENCE_SECONDS: Final = 60.0  # of whoever waits for a target that fails
BUILD_SECONDS: Final = 1_200.0  # that a target may take to be built
_MOST_FAILURES: Final = 3  # runs of a project that are tried in one round, each of which may wait for an answer

logger = logging.getLogger("trackbook")

Tell = Callable[[str], None]
Show = Callable[[SyncState], None]


class Following:
    """The upload of a run that this process writes."""

    def __init__(self, uploader: Uploader, upload: Upload, run_id: str, name: str, tell: Tell) -> None:
        self.upload = upload
        self.run_id = run_id
        self.name = name
        self.tell = tell
        self.has_ended = False
        self.told: int | None = None  # points left, as who waited for it was told
        self.state = SyncState(uploader.name, "uploading", 0, None)
        self.round = 0  # in which the state was looked up
        self._uploader = uploader

    def end(self) -> None:
        """Note that the run has ended: it is followed until it is uploaded."""
        self.has_ended = True
        self._uploader.start()

    def wait(self, seconds: float | None = None, show: Show = lambda _: None) -> SyncState:
        """Wait until the run is uploaded, and return its state. `show` gets each state on the way.

        Return early after `seconds`, when the target refuses it, and when the target fails for a minute.
        """
        state = self._uploader.wait(self, seconds, show)
        self.told = state.left
        return state


class Uploader:
    """Uploads to one destination."""

    def __init__(self, where: str, token: str | None = None, opened: Opened = open_target) -> None:
        self.where = where
        self.name = shown(where)
        self._token = token
        self._opened = opened
        self._uploads: dict[Path, Upload] = {}
        self._followed: list[Following] = []
        self._to_note: list[tuple[Following, tuple[str, ...]]] = []  # in the file, which was busy
        self._refused: dict[Path, float] = {}  # until when
        self._failing: set[tuple[Path, str]] = set()  # runs, by project file
        self._fails_since: float | None = None
        self._told: set[str] = set()
        self._changed = threading.Condition()
        self._rounds = Rounds(self._note_failure)
        self._begun = self._finished = 0  # rounds
        self._waiting = 0  # callers of `wait`
        self._thread: threading.Thread | None = None

    def upload(self, path: Path, project: str) -> Upload:
        """Return the upload of a project file, made at the first call."""
        with self._changed:
            if path not in self._uploads:
                self._uploads[path] = Upload(path, project, self.where, self._opened, self._token)
            return self._uploads[path]

    def follow(
        self,
        path: Path,
        project: str,
        run_id: str,
        *,
        name: str = "",
        include: Sequence[str] = (),
        seconds: float = UPLOAD_SECONDS,
        tell: Tell = lambda _: None,
    ) -> Following:
        """Upload a run from now on. That it is to be uploaded is in the file when this returns, unless the file is busy."""
        upload = self.upload(path, project)
        upload.seconds[run_id] = seconds
        followed = Following(self, upload, run_id, name, tell)
        with self._changed:
            self._followed.append(followed)
        try:
            upload.ledger.follow([run_id], self.where, include)
        except OSError:
            self._to_note.append((followed, tuple(include)))
        self.start()
        return followed

    def start(self) -> None:
        """Send what is left of every run that the project files note. Called again, look at once."""
        with self._changed:
            if self._thread is None and not self._rounds.stopping.is_set():
                self._thread = threading.Thread(target=self._work, name="trackbook-uploader", daemon=True)
                self._thread.start()
        self._rounds.wake()

    def wait(self, followed: Following, seconds: float | None, show: Show) -> SyncState:
        """See `Following.wait`. Meanwhile batches follow each other at once."""
        state = self._wait(followed, seconds, show)
        left = {each.run_id: each.left for each in remaining(followed.upload)}
        return state if state.state == "synced" else state._replace(left=left.get(followed.run_id, state.left))

    def _wait(self, followed: Following, seconds: float | None, show: Show) -> SyncState:
        until = None if seconds is None else time.monotonic() + seconds
        with self._changed:
            self._waiting += 1
            begun = self._begun
            self._rounds.wake()
            try:
                while True:
                    state = followed.state
                    show(state)
                    now = time.monotonic()
                    is_new = self._finished > begun  # a round that was under way may have read less than there is now
                    if is_new and state.state in ("synced", "refused"):
                        return state
                    if (until is not None and now >= until) or self._rounds.stopping.is_set():
                        return state
                    fails_since = self._fails_since if state.state == "waiting" else None
                    if fails_since is not None and now - fails_since > PATIENCE_SECONDS:
                        return state
                    self._changed.wait(0.5 if until is None else min(0.5, until - now))
            finally:
                self._waiting -= 1

    def stop(self, seconds: float = 0.0) -> list[Following]:
        """Send what can be sent within `seconds`, unless the target fails, and end; return the runs that are not uploaded."""
        until = time.monotonic() + seconds
        for followed in list(self._followed):
            rest = until - time.monotonic()
            if followed.state.state != "waiting" and rest > 0:
                self.wait(followed, rest, lambda _: None)
        self._rounds.stop()
        unsent = [followed for followed in self._followed if followed.state.state != "synced"]
        left = _left(unsent)
        for followed in unsent:  # a round that did not end has not said how much there is
            followed.state = followed.state._replace(left=left.get(followed.run_id, followed.state.left))
        return unsent

    def join(self, seconds: float) -> None:
        """Wait until the thread has ended, after `stop`."""
        if self._thread is not None:
            self._thread.join(seconds)

    # --- the thread

    def _work(self) -> None:
        tries = self._rounds.attempts()
        while not self._rounds.stopping.is_set():
            try:
                rest = tries(self._round)
            except OSError:  # it is to stop
                break
            except Exception:
                logger.exception("trackbook: the upload to %s failed; it will be tried again", self.name)
                rest = attempts.LONGEST_WAIT
            self._rounds.sleep(rest)
        for upload in list(self._uploads.values()):
            with upload.lock:
                upload.close()

    def _round(self) -> float:
        """Send a batch of each run that has something to send; return the seconds until the next look.

        What fails delays no other project: its ``OSError`` is raised at the end.
        """
        self._begun += 1
        is_more = False
        failure: OSError | None = None
        with self._changed:
            uploads = list(self._uploads.items())
        for path, upload in uploads:
            try:
                self._note_followed(upload)
                if time.monotonic() < self._refused.get(path, 0.0) and not self._waiting:
                    continue
                with upload.lock:
                    is_more |= self._send(upload)
                self._refused.pop(path, None)
            except TargetError as error:
                self._refuse(path, error)
            except OSError as error:
                failure = failure or error
        if failure is not None:
            raise failure
        self._fails_since = None
        self._finish_round()
        if is_more and self._waiting:
            return 0.0
        return PACE_SECONDS if is_more or self._followed else IDLE_SECONDS

    def _finish_round(self) -> None:
        with self._changed:
            self._finished = self._begun
            self._changed.notify_all()

    def _note_followed(self, upload: Upload) -> None:
        for noted in [each for each in self._to_note if each[0].upload is upload]:
            followed, include = noted
            upload.ledger.follow([followed.run_id], self.where, include)
            self._to_note.remove(noted)

    def _send(self, upload: Upload) -> bool:
        """Send a batch of each run; return whether more is to be sent at once. Runs that failed are the last in the next round."""
        is_more = False
        failures: list[OSError] = []
        for standing in sorted(upload.pending(), key=lambda one: (upload.path, one.run_id) in self._failing):
            if self._rounds.stopping.is_set() or len(failures) == _MOST_FAILURES:
                break
            run = upload.path, standing.run_id
            try:
                is_more |= upload.send(standing, hurry=bool(self._waiting))
                self._failing.discard(run)
            except OSError as error:
                self._failing.add(run)
                failures.append(error)
        if upload.note is not None and self._followed and "note" not in self._told:
            self._told.add("note")
            self._followed[-1].tell(upload.note)
        pending = {standing.run_id: standing for standing in upload.pending()}
        for followed in [one for one in self._followed if one.upload is upload]:
            self._note_state(followed, pending.get(followed.run_id))
        if failures:
            raise failures[0]
        return is_more

    def _note_state(self, followed: Following, standing: Standing | None) -> None:
        at = followed.upload.sent_at(followed.run_id)
        is_done = standing is None or (standing.sent == standing.here and standing.sent_revision == standing.revision)
        left = 0 if standing is None else standing.left
        followed.state = SyncState(self.name, "synced" if is_done else "uploading", left, at)
        followed.round = self._begun
        if standing is None and followed.has_ended:
            with self._changed:
                self._followed.remove(followed)

    def _refuse(self, path: Path, error: TargetError) -> None:
        self._refused[path] = time.monotonic() + REFUSED_SECONDS
        self._fail("refused", str(error), [one for one in self._followed if one.upload.path == path])

    def _note_failure(self, attempt: tenacity.RetryCallState) -> None:
        error = error_of(attempt)
        self._fails_since = self._fails_since or time.monotonic()
        why = f"{self.name} cannot be reached or is busy ({error})"
        is_told = attempt.attempt_number >= TOLD_AFTER and not _is_expected(attempt)
        failed = [
            one for one in self._followed if one.round < self._begun or (one.upload.path, one.run_id) in self._failing
        ]
        self._fail("waiting", why, failed, tell=is_told)
        self._finish_round()

    def _fail(
        self, state: Literal["waiting", "refused"], why: str, followed: Sequence[Following], *, tell: bool = True
    ) -> None:
        left = _left(followed)
        for one in followed:
            one.state = one.state._replace(state=state, problem=why, left=left.get(one.run_id, one.state.left))
        if tell and followed and state not in self._told:
            self._told.add(state)
            when = "as soon as that is possible" if state == "waiting" else "once that is done"
            followed[-1].tell(
                f"{why}. Nothing is lost: runs stay on this machine too, and are uploaded {when}, also later by `trackbook sync`"
            )


def _is_expected(attempt: tenacity.RetryCallState) -> bool:
    error = error_of(attempt)
    return isinstance(error, TargetBusy) and error.is_expected


def send_all(
    upload: Upload,
    show: Callable[[int], None] = lambda _: None,
    note: Callable[[BaseException], None] = lambda _: None,
    *,
    patience: float = PATIENCE_SECONDS,
) -> int:
    """Send everything that is noted for one target, and return the number of runs.

    `show` gets the number of points that are left, `note` each failure after which the target is asked again. Raises `TargetError`, and the target's ``OSError`` when it fails for `patience`
    seconds, or for `BUILD_SECONDS` where it is known to pass.
    """

    def note_failure(attempt: tenacity.RetryCallState) -> None:
        error = error_of(attempt)
        if error is not None and not _is_expected(attempt):
            note(error)

    tries = tenacity.Retrying(
        retry=tenacity.retry_if_exception_type(OSError),
        wait=attempts.pause,
        before_sleep=note_failure,
        stop=lambda attempt: (
            (attempt.seconds_since_start or 0.0) > (BUILD_SECONDS if _is_expected(attempt) else patience)
        ),
        reraise=True,
    )
    with upload.lock:
        runs = [each.run_id for each in upload.pending()]
        is_more = set(runs)
        while is_more:
            pending = [each for each in upload.pending() if each.run_id in is_more]
            show(sum(each.left for each in pending))
            sent = {each.run_id: tries(upload.send, each, hurry=True) for each in pending}
            is_more = {run for run, more in sent.items() if more}
        show(0)
    return len(runs)


def _left(followed: Sequence[Following]) -> dict[str, int]:
    """Return how many points are left, by run."""
    return {each.run_id: each.left for upload in {one.upload for one in followed} for each in remaining(upload)}


def remaining(upload: Upload) -> list[Standing]:
    """Return the runs of which something is left; none while the file is busy."""
    try:
        return upload.pending()
    except OSError:
        return []
