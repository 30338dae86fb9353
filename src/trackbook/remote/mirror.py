"""A project of another machine as a store here: a thread follows its records, and the points of the runs that somebody looks at."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

from ..store import check_stored
from ..store.memory import MemoryStore
from ..store.writer_process import UPLOADED
from ..types import Cursor, RunRecord, Writer
from . import wire
from .attempts import Rounds, error_of
from .http_client import Client
from .target import TargetError

if TYPE_CHECKING:
    import polars as pl
    import tenacity

LIVE_SECONDS: Final = 0.5  # between two looks at a project with running runs
QUIET_SECONDS: Final = 5.0  # at one without
MANY_POINTS: Final = 100_000  # of one answer, after which the next is asked for at once


class News(NamedTuple):
    """What changed in a project."""

    runs: list[RunRecord]  # that are new or changed
    ids: list[str] | None  # of all runs, None when none was deleted
    writers: dict[str, Writer]


class Reader(Protocol):
    """Reads one project of another machine. Raises as `target.Target`."""

    @property
    def name(self) -> str:
        """How messages call it, without secrets."""

    def news(self) -> News:
        """Return what changed since the last call; at the first one everything."""

    def since(self, run_id: str, cursor: Cursor) -> tuple[pl.DataFrame, Cursor]:
        """Return the next points of a run, and the cursor after them. Of another generation: all points from the first on."""

    def close(self) -> None:
        """Release connections."""


class ServerReader:
    """Reads a project of `trackbook serve`."""

    def __init__(self, where: str, project: str, token: str | None) -> None:
        self._client = Client(where, project, token)
        self._since: str | None = None

    @property
    def name(self) -> str:
        """The address, without secrets."""
        return self._client.name

    def news(self) -> News:
        """See `Reader`."""
        asked = {} if self._since is None else {"since": self._since}
        found = self._client.get("api/runs/news", **asked)
        with self._understood():
            since, ids = str(found["since"]), found["ids"]
            writers = {
                run: Writer(str(host), UPLOADED, 0, "", float(seen)) for run, (host, seen) in found["writers"].items()
            }
            news = News([*map(check_stored.record, found["runs"])], ids if ids is None else [*map(str, ids)], writers)
        self._since = since
        return news

    def since(self, run_id: str, cursor: Cursor) -> tuple[pl.DataFrame, Cursor]:
        """See `Reader`."""
        where: dict[str, Any] = {"run": run_id, "generation": cursor.generation, "ordinal": cursor.ordinal}
        try:
            head, points = wire.unpack(self._client.get_bytes("api/runs/points", **where))
        except ValueError as error:
            raise ConnectionError(f"the answer was cut short: {error}") from error
        with self._understood():
            return points, wire.cursor(head["end"])

    @contextlib.contextmanager
    def _understood(self) -> Iterator[None]:
        """Raise `TargetError` for an answer of another form."""
        try:
            yield
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise TargetError(f"{self.name} answers in an unknown form, as of another version: {error!r}") from error

    def close(self) -> None:
        """See `Reader`."""
        self._client.close()


class MirrorStore(MemoryStore):
    """The project's runs in memory. Points of a run are there once somebody has asked for them."""

    def __init__(self) -> None:
        super().__init__()
        self.wanted: dict[str, Cursor] = {}  # what is here of the runs that were asked for
        self.on_want: Callable[[], None] = lambda: None

    def want(self, run_id: str) -> None:
        """Follow the points of a run from now on."""
        if run_id not in self.wanted and self.run(run_id) is not None:
            self.wanted[run_id] = Cursor()
            self.on_want()

    def since(self, run_id: str, cursor: Cursor, most: int | None = None) -> tuple[pl.DataFrame, Cursor]:
        """See `Store`."""
        self.want(run_id)
        return super().since(run_id, cursor, most)

    def read(self, run_id: str, metrics: Sequence[str] | None = None, whole: bool = False) -> pl.DataFrame:
        """See `Store`."""
        self.want(run_id)
        return super().read(run_id, metrics, whole)


class Mirror:
    """Keeps a `MirrorStore` as its project is, until it is stopped."""

    def __init__(self, reader: Reader) -> None:
        self._rounds = Rounds(self._note_failure)
        self.store = MirrorStore()
        self.store.on_want = self._rounds.wake
        self._reader = reader
        self._thread = threading.Thread(target=self._work, name="trackbook-mirror", daemon=True)

    def start(self, shown: int) -> None:
        """Read the records, and points of the newest `shown` runs, and follow the project from now on. Raises as `target.Target`."""
        try:
            self._look()
            for run in self.store.latest(shown):
                self.store.want(run.id)
            self._look()
        except BaseException:
            self._reader.close()
            raise
        self._thread.start()

    def stop(self) -> None:
        """Stop to follow."""
        self._rounds.stop()

    def join(self, seconds: float) -> None:
        """Wait until the thread has ended, after `stop`."""
        self._thread.join(seconds)

    def _work(self) -> None:
        attempts = self._rounds.attempts()
        while not self._rounds.stopping.is_set():
            try:
                rest = attempts(self._look)
                self.store.notices = []
            except OSError:  # it is to stop
                break
            except TargetError as error:
                self.store.notices = [f"{error}. What was read before is shown."]
                rest = QUIET_SECONDS
            self._rounds.sleep(rest)
        self._reader.close()

    def _note_failure(self, attempt: tenacity.RetryCallState) -> None:
        error = error_of(attempt)
        self.store.notices = [
            f"{self._reader.name} cannot be reached or is busy ({error}). What was read before is shown."
        ]

    def _look(self) -> float:
        """Take what is new; return the seconds until the next look."""
        news, store = self._reader.news(), self.store
        for record in news.runs:
            store.put_run(record)
        for run, writer in news.writers.items():
            store.sign(run, writer)
        if news.ids is not None:
            for run in {record.id for record in store.runs()}.difference(news.ids):
                store.delete(run)
                store.wanted.pop(run, None)
        is_behind = False
        for run, cursor in list(store.wanted.items()):
            points, end = self._reader.since(run, cursor)
            if end.generation != cursor.generation and cursor.ordinal:
                store.cut(run, -1)
            store.append(run, points)
            store.wanted[run] = end
            is_behind |= len(points) >= MANY_POINTS
        if is_behind:
            return 0.0
        return LIVE_SECONDS if store.running() else QUIET_SECONDS
