"""The kernel side of a board, without a transport: what is published when, and the answers to the front end's questions."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Protocol

from ..charts.column_colors import column_colors
from ..pump import INTERVAL
from ..switch_interval import QUICK, QUICKEST, switching
from . import all_points, drawn_runs, media_answers, questions, run_changes, run_details, zoom_detail
from .drawn_runs import DrawnRuns
from .frame_source import FrameSource
from .last_images import last_images
from .media_index import MediaIndex
from .questions import DONE, Answer, AnswerTable, Question
from .run_actions import Actions, NoActions
from .runs_table import KEPT_BYTES, TABLE_SECONDS, RunsTable

if TYPE_CHECKING:
    from ..charts.snapshot_images import ImageBox
    from .view_state import View

ACKNOWLEDGED_SECONDS: Final = 0.1
UNACKNOWLEDGED_SECONDS: Final = 0.2
SILENT_SECONDS: Final = 1.0
# A front end that keeps up acknowledges four times a second, later when the kernel is busy.
PATIENCE_SECONDS: Final = 0.6
SILENT_AFTER: Final = 60.0
IDLE_SECONDS: Final = 0.5  # the slowest pace of an open run
IDLER: Final = 20  # the interval after a pause in logging is the pause divided by this
QUIET_SECONDS: Final = 5.0  # without points, after which a kernel without a running cell is idle
# Points of a long run that are read before its charts are first drawn, and before each refresh until all are.
FIRST_POINTS: Final = 1_000_000
MOST_POINTS: Final = 2_000_000
BEAT_SECONDS: Final = 10.0  # `js/src/frames/heartbeat.ts` waits for several beats


class Publish(Protocol):
    """The transport: sends the new value of a trait to the front end."""

    def __call__(self, trait: str, value: Any, /) -> None: ...


class Publisher:
    """Decides which traits a board's front end gets and when, and answers its questions. Independent of widgets and servers.

    The published traits are ``keyframe``, ``delta``, ``table``, ``cells``, ``alerts``, ``media``, ``open_runs``, ``idle_since``,
    ``synced`` and ``beat``; `Snapshots` publishes ``still``. The context `message` is entered around traits that are to be sent
    together. Code that sets or reads the transport's traits holds `lock`.
    """

    def __init__(
        self,
        source: FrameSource,
        publish: Publish,
        *,
        message: Callable[[], AbstractContextManager[Any]] = nullcontext,
        actions: Actions | None = None,
    ) -> None:
        self.source = source
        self.lock = threading.RLock()
        self.on_wake: Callable[[], None] = lambda: None  # called when this publisher has to be ticked again
        self.before_reading: Callable[[], None] = lambda: None  # moves points just logged into the store
        self.recover: Callable[[float], Sequence[str]] = (
            lambda _: ()
        )  # recovers runs of dead processes, and returns notices
        self.shows_all_runs = False  # whether the runs panel, compare or a grouping needs the table of all runs
        self.publish = publish
        self._message = message
        self._actions = NoActions("the runs of this board cannot be changed") if actions is None else actions
        self._media = MediaIndex(source.store)
        self._answers = self._answer_table()
        self._table = RunsTable(source.id, source.store)
        self._due = 0.0
        self._sent_at = 0.0
        self._logged = 0  # points logged so far
        self._logged_at = 0.0  # when that number changed last
        self._logged_time = 0.0  # the same in seconds UTC
        self._beat = 0
        self._notices: Sequence[str] = ()  # of the last recovery
        self._unsent = False  # whether `delta` gave one view news that the others have not got
        self._unseen_since: float | None = None
        self._cells_due = True
        self._cells_of: list[str] = []
        self._last: dict[str, Any] = {
            "idle_since": None,
            "alerts": [],
            "synced": None,
        }  # small traits as the front end has them
        self._rule = DrawnRuns()
        self._rule_due = 0.0
        self._selected: list[str] = []
        self._baseline = ""
        self._deleted: deque[str] = deque()

    # --- publishing

    def opening(self) -> dict[str, Any]:
        """Return the initial values of the traits."""
        with self.lock:
            self.source.pull(FIRST_POINTS)
            keyframe, delta = self.source.keyframe()
            small = {
                "open_runs": self._actions.open_runs,
                "media": self._media_news(None),
                "alerts": run_details.newest_alerts(self.source.store, self.source.run_ids),
            }
            self._last |= small
            return {"keyframe": keyframe, "delta": delta, "table": self._table.table(self.source.run_ids), **small}

    def tick(self, now: float) -> float:
        """Publish news, at most as often as the front end keeps up. Called by the pump."""
        if self._shows_others:
            self._notices = self.recover(now)
        if now >= self._due and self.lock.acquire(blocking=False):
            try:
                with switching.every(QUICK):
                    self._publish_news(now)
            finally:
                self.lock.release()
        return max(INTERVAL, self._due - now)

    def _publish_news(self, now: float) -> None:
        self._due = now + self._pace(now)
        while self._deleted:
            self.source.remove_run(self._deleted.popleft())
        if self._rule.changes and now >= self._rule_due:
            self._rule_due = now + TABLE_SECONDS
            self._choose()
        self._publish_synced()
        if self.source.pull(MOST_POINTS) or self._unsent:
            self._publish_frames(*self.source.frames())
            self._sent_at = now
            if self.source.logged != self._logged:
                self._logged, self._logged_at, self._logged_time = self.source.logged, now, time.time()
            self._due = now if self.source.is_behind else now + self._pace(now)
        elif self.source.running and now - self._sent_at >= BEAT_SECONDS:
            self._beat += 1
            self.publish("beat", self._beat)
            self._sent_at = now
            self._cells_due = True  # no event announces the cells and alerts of another process
        self._publish_changed("idle_since", self._idle_since(now))
        self._publish_changed("media", self._media_news(now))
        table = self._table.news(now, self._table_runs)
        if table is not None:
            self.publish("table", table)
        if self._cells_due or self._cells_of != self.source.run_ids:
            self._publish_cells()

    def settle(self, *, kept: bool = False) -> None:
        """Publish everything as a keyframe: at the end of a run or cell, for the saved notebook.

        With `kept`, a program executes the notebook, so the table of runs is cut to a size fit for a notebook.
        """
        with self.lock:
            self.source.pull()
            with self._message():
                self._publish_synced()
                self._publish_cells()
                self._publish_changed("media", self._media_news(None))
                self._publish_frames(*self.source.saved_keyframe())
                self.publish("table", self._table.table(self._table_runs, KEPT_BYTES if kept else None))

    def delta(self) -> Any:
        """Return a fresh delta on the published keyframe to one view; others get the news at the next tick."""
        with self.lock:
            self._unsent |= self.source.pull(MOST_POINTS)
            return self.source.delta()

    def pull(self) -> None:
        """Read all points logged so far; the front end gets them at the next tick."""
        self.before_reading()
        with self.lock:
            self._unsent |= self.source.pull()

    def _publish_frames(self, keyframe: Any, delta: Any) -> None:
        if self._unseen_since is None:
            self._unseen_since = time.monotonic()
        self._unsent = False
        with self._message():
            if keyframe is not None:
                self.publish("keyframe", keyframe)
            self.publish("delta", delta)
            self._publish_changed("open_runs", self._actions.open_runs)

    def _idle_since(self, now: float) -> float | None:
        """Return since when neither a cell of this kernel runs nor a thread of it logs; None while one does."""
        since = self._actions.idle_since
        if since is None or now - self._logged_at < QUIET_SECONDS:
            return None
        return round(max(since, self._logged_time), 1)

    def _media_news(self, now: float | None) -> dict[str, Any]:
        """Return which media the board's runs have, as they were read at most a second ago."""
        running = [run["id"] for run in self.source.picture.runs.values() if run["state"] == "running"]
        try:
            return self._media.news(now, self.source.run_ids, running)
        except OSError:  # the store's notices say so, and the next look may succeed
            known: dict[str, Any] = self._last.get("media", {"metrics": {}})
            return known

    def last_images(self) -> list[ImageBox]:
        """Return the newest images of the board's runs, small, for its snapshot."""
        with self.lock:
            self._media_news(None)
            return last_images(self.source.store, self._media, self.source.run_ids)

    def _publish_synced(self) -> None:
        synced, problems = self._actions.synced()
        self.source.more_notices = [*problems, *self._notices]
        self._publish_changed("synced", synced)

    def _publish_cells(self) -> None:
        self._cells_due = False
        self._cells_of = self.source.run_ids
        self._publish_changed("cells", run_details.cell_spans(self.source.store, self._cells_of))
        self._publish_changed("alerts", run_details.newest_alerts(self.source.store, self._cells_of))

    def _publish_changed(self, trait: str, value: Any) -> None:
        if self._last.get(trait) != value:
            self._last[trait] = value
            self.publish(trait, value)

    # --- the pace

    def _pace(self, now: float) -> float:
        return max(self.interval(now), min((now - self._logged_at) / IDLER, IDLE_SECONDS))

    def interval(self, now: float) -> float:
        """Return the seconds until the next refresh, fewer for a front end that acknowledges."""
        if not self.source.running:
            return SILENT_SECONDS
        unseen = 0.0 if self._unseen_since is None else now - self._unseen_since
        if unseen < PATIENCE_SECONDS:
            return ACKNOWLEDGED_SECONDS
        return UNACKNOWLEDGED_SECONDS if unseen < SILENT_AFTER else SILENT_SECONDS

    def acknowledge(self) -> None:
        """Note that the front end has seen the newest frame."""
        self._unseen_since = None

    @property
    def awake(self) -> bool:
        """Whether there may be news: a run is open, not uploaded or not read to its end yet, or the front end shows all runs.

        A failed run may still be open: the next `log` continues it.
        """
        is_open = not self._open_here.isdisjoint(self.source.run_ids)
        is_open |= self._actions.is_uploading
        return (
            self.source.is_behind
            or self.source.running
            or is_open
            or self.source.follow
            or self.shows_all_runs
            or self._rule.changes
        )

    @property
    def _shows_others(self) -> bool:
        """Whether a run is running, as far as the picture knows, that another process writes."""
        running = {run["id"] for run in self.source.picture.runs.values() if run["state"] == "running"}
        return not running <= self._open_here

    @property
    def _open_here(self) -> set[str]:
        return set(self._actions.open_runs)

    def wake(self) -> None:
        """Publish again at the next tick, after reading everything anew."""
        self._due = 0.0
        self._cells_due = True
        self._media.forget()
        self._table.hurry()
        self.source.recheck()
        self.on_wake()

    # --- the shown runs

    @property
    def _table_runs(self) -> list[str] | None:
        return None if self.shows_all_runs else self.source.run_ids

    def show_all_runs(self, wanted: bool) -> None:
        """Publish the table of all runs of the project, or only of the board's own runs."""
        self.shows_all_runs = wanted
        if wanted:
            self.wake()

    def add_run(self, run_id: str) -> None:
        """Show one more run."""
        with self.lock:
            self.source.add_run(run_id)
            self._due = 0.0
            self._cells_due = True
        self.on_wake()

    def draw(self, rule: str) -> None:
        """Draw the runs that a rule names, as the setting ``drawn_runs`` has it."""
        self._rule = drawn_runs.parse(rule)
        self._choose()
        self.wake()

    def select(self, runs: Sequence[str]) -> None:
        """Show these runs beside the board's others, and no longer the ones that were selected before."""
        self._selected = list(runs)
        self._choose()
        self.wake()

    def compare_with(self, run: str) -> None:
        """Show the baseline, a run's id, beside the others, and no longer the one before; empty for none."""
        self._baseline = run
        self._choose()
        self.wake()

    def _choose(self) -> None:
        with suppress(OSError):  # the store's notices say so, and the next choice may succeed
            baseline = [self._baseline] if self._baseline and self.source.store.run(self._baseline) else []
            self.source.draw(self._named(), [*self._selected, *baseline])

    def _named(self) -> list[str] | None:
        """Return the runs that the rule names now; None: the board's own."""
        rule = self._rule
        if rule.what == "own":
            return None
        if rule.what == "top":
            return self._table.ranked(rule.sort)[: rule.count]
        return [] if rule.what == "selected" else [run.id for run in self.source.store.latest(rule.count)]

    def colors(self, view: View) -> dict[str, str]:
        """Return the colors of runs by id: those chosen by hand, and those of the column ``color_by``."""
        chosen: dict[str, str] = view.run_colors
        if not view.color_by or view.group_by:
            return chosen
        return column_colors(self._table.values(view.color_by)) | chosen

    def forget(self, run_id: str) -> None:
        """Stop showing a deleted run from the next tick on. Takes no lock, so that one board may call it on another."""
        self._deleted.append(run_id)
        self._due = 0.0
        self._table.hurry()
        self.on_wake()

    def note_cells(self) -> None:
        """Publish the executions of cells and the alerts at the next tick, because a cell has begun or an alert came."""
        self._cells_due = True

    # --- questions

    def answer(self, question: Question) -> Answer:
        """Answer a question of the front end."""
        with switching.every(QUICKEST), self.lock:
            return questions.answer(self._answers, question)

    def add_answers(self, answers: AnswerTable) -> None:
        """Answer further questions."""
        with self.lock:
            self._answers |= answers

    def _answer_table(self) -> AnswerTable:
        source = self.source
        actions = self._actions.answers()
        return {
            "keyframe": self._answer_keyframe,
            "detail": partial(zoom_detail.detail, source.picture, source.points),
            **all_points.answers(source.store, self.pull),
            **run_details.answers(source.store),
            **media_answers.answers(source.store, self._media),
            "changes": partial(run_changes.changes, source.store),
            **{name: partial(self._act, action) for name, action in actions.items()},
        }

    def _answer_keyframe(self, _: Question) -> Answer:
        self._publish_frames(*self.source.keyframe())
        return DONE

    def _act(self, action: Callable[[Question], Answer], question: Question) -> Answer:
        """Change a run, and publish the change at once. A deleted run is removed from the board."""
        answer = action(question)
        if question["ask"] == "delete" and "error" not in answer[0]:
            self.forget(question["run"])
        self.wake()
        return answer
