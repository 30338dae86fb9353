"""The kernel side of one view: what it has been told, and what it is to be told next. It does no I/O."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from ..frames.picture import SERIES_BYTES, Picture
from ..frames.protocol import Frame, RunHeader
from ..metrics import as_pairs, is_system
from ..store.base import Store
from ..types import ENDED, Cursor, RunRecord
from .run_actions import ACTIONS
from .run_details import ABOUT, about
from .zoom import detail

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray

SMALLEST_BUDGET, LARGEST_BUDGET = 250_000, 1_000_000  # bytes of a keyframe: 128 and 512 buckets for 30 series
SAVED_BUDGET = 150_000  # of the one that a notebook keeps: 60 buckets for 30 series
SENT_A_REFRESH = 60_000  # bytes: where frames cost more, keyframes become coarser, until the picture grows more slowly
SMALLEST_KEYFRAME_STEP = 16_384  # bytes sent: for less a keyframe is not worth the while
SHOWN_RUNS = 10  # the newest runs of a project that a board shows unasked: as many as there are colours
POINTS_AT_ONCE = 1_000_000  # read of a long run, so that its past takes little memory
RATE_SECONDS = 10.0
RECHECK_SECONDS = 1.0  # a run that has ended may still be resumed by another process

_Read: TypeAlias = "Callable[[], tuple[pl.DataFrame, Cursor]]"


@dataclass
class _Member:
    key: int
    faded: bool
    cursor: Cursor = field(default_factory=Cursor)
    largest_step: int = -1
    progress: deque[tuple[float, int]] = field(default_factory=deque)
    record: RunRecord | None = None
    checked: float = float("-inf")
    # of series, by code of the metric
    numbers: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    apart: NDArray[np.bool_] = field(default_factory=lambda: np.empty(0, np.bool_))  # whether that is a system metric


class Session:
    """Follows runs of a store, and turns what is new into frames. With `follow` it also takes up every run to come."""

    def __init__(self, project: str, store: Store, *, follow: bool = False) -> None:
        self.store = store
        self.follow = follow
        self._looked = float("-inf")
        self._picture = Picture(project)
        self._members: dict[str, _Member] = {}
        self._keys: dict[str, int] = {}  # a run that comes back has its colour again
        self.act: Callable[[Mapping[str, Any]], dict[str, Any]] | None = None
        self.open_here: Callable[[], list[str]] = list  # the ids of runs that this process writes
        self._removed = False
        self._fresh: list[tuple[NDArray[Any], ...]] = []  # points on their way into the picture
        self._budget = LARGEST_BUDGET
        self._spent = 0  # bytes sent since the keyframe, and in how many frames
        self._frames = 0
        self._keyframe_due = False  # something can only be told by one
        self._coarse = False  # the keyframe was made to be kept; deltas need a finer one

    @property
    def id(self) -> str:
        return self._picture.session

    @property
    def picture(self) -> Picture:
        """What the view may draw, as it was pulled last."""
        return self._picture

    @property
    def seq(self) -> int:
        """The number of the newest frame."""
        return self._picture.seq

    @property
    def run_names(self) -> list[str]:
        return [run["name"] for run in self._picture.runs.values()]

    @property
    def running(self) -> bool:
        return any(run["state"] == "running" for run in self._picture.runs.values())

    def add_run(self, run_id: str, *, faded: bool = False) -> None:
        """Follows one more run; its colour comes with its position. A run it follows already stays as it is."""
        if run_id not in self._members:
            key = self._keys.setdefault(run_id, len(self._keys))
            self._members[run_id] = _Member(key, faded)

    def remove_run(self, run_id: str) -> None:
        """Follows a run no longer."""
        if self._members.pop(run_id, None) is not None and run_id in self._picture.runs:
            self._picture.remove_run(run_id)
            self._keyframe_due = self._removed = True

    @property
    def run_ids(self) -> list[str]:
        """The runs it follows."""
        return list(self._members)

    def recheck(self) -> None:
        """The next `pull` looks also at runs that have ended."""
        for member in self._members.values():
            member.checked = float("-inf")

    def pull(self) -> bool:
        """Reads what is new in the store; True when a frame would say something new."""
        now = time.monotonic()
        if self.follow and now - self._looked >= RECHECK_SECONDS:
            self._looked = now
            for run in self.store.runs()[-SHOWN_RUNS:]:
                self.add_run(run.id)
        news = [self._pull_run(run_id, member, now) for run_id, member in self._members.items()]
        self._take_in()
        news.append(self._removed)
        self._removed = False
        notices = self.store.notices
        if notices != self._picture.notices:
            self._picture.notices = list(notices)
            news.append(True)
        return any(news)

    def keyframe(self, budget: int | None = None) -> tuple[Frame, Frame]:
        """The whole picture, in about `budget` bytes, and the empty delta on top of it."""
        keyframe = self._picture.keyframe(time.time(), self._budget if budget is None else budget)
        self._spent, self._frames = 0, 0
        self._keyframe_due = self._coarse = False
        return keyframe, self.delta()

    def saved_keyframe(self) -> tuple[Frame, Frame]:
        """The keyframe that a notebook keeps. What comes after it, if anything does, stands on a finer one."""
        frames = self.keyframe(SAVED_BUDGET)
        self._coarse = self._picture.size() > SAVED_BUDGET
        return frames

    def delta(self) -> Frame:
        """All that changed since the last keyframe, whether it was sent or not."""
        return self._picture.delta(time.time())

    def frames(self) -> tuple[Frame | None, Frame]:
        """The next frames to send: a delta, and the keyframe it stands on when that is a new one.

        Deltas grow with all that came since their keyframe. It is cheapest to begin anew when they have cost as much as
        a keyframe does.
        """
        if not self._keyframe_due and not self._coarse:
            delta = self.delta()
            self._spent += _bytes(delta)
            self._frames += 1
            keyframe = min(self._picture.size(), self._budget)
            if self._spent <= max(SMALLEST_KEYFRAME_STEP, keyframe):
                return None, delta
            self._adapt((self._spent + keyframe) / self._frames)
        return self.keyframe()

    def answer(self, question: Mapping[str, Any]) -> tuple[dict[str, Any], list[bytes]]:
        """What the front end asked for, with its buffers; ``error`` says why it cannot be had.

        The question ``keyframe`` is answered by the next frames.
        """
        if question.get("ask") == "detail":
            return detail(self._picture, self.store, question)
        if question.get("ask") in ABOUT:
            return about(self.store, question), []
        if question.get("ask") == "keyframe":
            self._keyframe_due = True
            return {}, []
        if self.act is not None and question.get("ask") in ACTIONS:
            return self.act(question), []
        return {"error": f"a board cannot answer {question.get('ask')!r}"}, []

    @property
    def keyframe_due(self) -> bool:
        """Whether the next frames are a keyframe."""
        return self._keyframe_due

    def _adapt(self, sent: float) -> None:
        """Coarser keyframes while frames of so many bytes are too large, finer ones when there is room."""
        if sent > SENT_A_REFRESH:
            self._budget = max(SMALLEST_BUDGET, self._budget // 2)
        elif 2 * sent < SENT_A_REFRESH:
            self._budget = min(LARGEST_BUDGET, self._budget * 2)

    def _pull_run(self, run_id: str, member: _Member, now: float) -> bool:
        settled = member.record is not None and member.record.state in ENDED
        if settled and now - member.checked < RECHECK_SECONDS:
            return False
        member.checked = now
        record = self.store.run(run_id)
        if record is None:
            return False
        if member.record is None:
            self._picture.put_run(_header(record, member))
        start = member.cursor
        read: _Read = partial(self.store.since, run_id, member.cursor, POINTS_AT_ONCE)
        while self._note_points(run_id, member, *read()) >= POINTS_AT_ONCE:
            read = self._take_in_and_read(run_id, member.cursor)
        member.record, earlier = record, member.record
        header = _header(record, member, _rate(member, record, now))
        self._picture.put_run(header)
        return member.cursor != start or record != earlier or self._keyframe_due

    def _take_in_and_read(self, run_id: str, cursor: Cursor) -> _Read:
        """Of a long past the next points are read while those that are here are worked on."""
        read: _Read = partial(self.store.since, run_id, cursor, POINTS_AT_ONCE)
        with ThreadPoolExecutor(1) as reader:
            with suppress(RuntimeError):  # the interpreter is about to end, and starts no more threads
                read = reader.submit(read).result
            self._take_in()
        return read

    def _note_points(self, run_id: str, member: _Member, points: pl.DataFrame, cursor: Cursor) -> int:
        """Takes note of points of a run, and how far they go; how many ordinals that is."""
        gone_on = cursor.ordinal
        if cursor.generation == member.cursor.generation:
            gone_on -= member.cursor.ordinal
        else:
            self._picture.clear_run(run_id)
            member.largest_step = -1
            self._keyframe_due = True
        member.cursor = cursor
        if len(points):
            step = points["step"].to_numpy()
            self._fresh.append(
                (self._numbers(run_id, member, points), step, points["time"].to_numpy(), points["value"].to_numpy())
            )
            counted = step[~member.apart[points["metric"].to_physical().to_numpy()]]
            member.largest_step = max(member.largest_step, int(counted.max(initial=-1)))
        return gone_on

    def _numbers(self, run_id: str, member: _Member, points: pl.DataFrame) -> NDArray[np.int64]:
        """The number of the series of each point."""
        codes = points["metric"].to_physical().to_numpy()
        largest = int(codes.max())
        if largest >= len(member.numbers):
            member.numbers = np.append(member.numbers, np.full(largest + 1, -1))
            member.apart = np.append(member.apart, np.zeros(largest + 1, np.bool_))
        numbers: NDArray[np.int64] = member.numbers[codes]
        if numbers.min() < 0:
            new, where = np.unique(codes[numbers < 0], return_index=True)
            order = np.argsort(where)  # of first appearance
            names = points["metric"].gather(np.flatnonzero(numbers < 0)[where[order]]).cast(str).to_list()
            member.numbers[new[order]] = [self._picture.number(run_id, name) for name in names]
            member.apart[new[order]] = [is_system(name) for name in names]
            numbers = member.numbers[codes]
        return numbers

    def _take_in(self) -> None:
        if self._fresh:
            fresh = self._fresh[0] if len(self._fresh) == 1 else map(np.concatenate, zip(*self._fresh, strict=True))
            self._picture.add(*fresh)
            self._fresh.clear()


def _bytes(frame: Frame) -> int:
    return len(frame["data"]) + SERIES_BYTES * len(frame["header"]["series"])


def _done(record: RunRecord, member: _Member) -> int:
    return member.largest_step + 1 if record.done is None else record.done


def _rate(member: _Member, record: RunRecord, now: float) -> float | None:
    """Steps a second over the last ten seconds, None while nothing moves."""
    if record.state in ENDED:
        return None
    samples = member.progress
    samples.append((now, _done(record, member)))
    while samples[0][0] < now - RATE_SECONDS and len(samples) > 2:
        samples.popleft()
    seconds, steps = samples[-1][0] - samples[0][0], samples[-1][1] - samples[0][1]
    return float(f"{steps / seconds:.3g}") if seconds > 0 and steps > 0 else None


def _header(record: RunRecord, member: _Member, rate: float | None = None) -> RunHeader:
    return {
        "key": member.key,
        "id": record.id,
        "name": record.name,
        "group": record.group,
        "state": record.state,
        "started": record.started,
        "ended": record.ended,
        "done": _done(record, member),
        "total": record.total,
        "rate": rate,
        "faded": member.faded,
        "error": record.error,
        "defined": as_pairs(record.defined),
    }
