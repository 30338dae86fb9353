"""The kernel side of one view: what it has been told, and what it is to be told next. It does no I/O."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ._actions import ACTIONS
from ._frames import Picture
from ._protocol import Frame, RunHeader
from ._types import ENDED, Cursor, RunRecord
from .store._interface import Store

SMALLEST_KEYFRAME_STEP = 16_384  # bytes: under this a delta is cheaper to repeat than a keyframe to make
SHOWN_RUNS = 10  # the newest runs of a project that a board shows unasked: as many as there are colours
POINTS_AT_ONCE = 1_000_000  # read of a long run, so that its past takes little memory
RATE_SECONDS = 10.0
RECHECK_SECONDS = 1.0  # a run that has ended may still be resumed by another process


@dataclass
class _Member:
    key: int
    faded: bool
    cursor: Cursor = field(default_factory=Cursor)
    largest_step: int = -1
    progress: deque[tuple[float, int]] = field(default_factory=deque)
    record: RunRecord | None = None
    checked: float = float("-inf")


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
        self._keyframe_bytes = 0
        self._cut_back = False
        self._removed = False

    @property
    def id(self) -> str:
        return self._picture.session

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
            self._cut_back = self._removed = True

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
        news.append(self._removed)
        self._removed = False
        notices = self.store.notices
        if notices != self._picture.notices:
            self._picture.notices = list(notices)
            news.append(True)
        return any(news)

    def keyframe(self) -> tuple[Frame, Frame]:
        """The whole picture, and the empty delta on top of it."""
        keyframe = self._picture.keyframe(time.time())
        self._keyframe_bytes = len(keyframe["data"])
        self._cut_back = False
        return keyframe, self.delta()

    def delta(self) -> Frame:
        """All that changed since the last keyframe, whether it was sent or not."""
        return self._picture.delta(time.time())

    def frames(self) -> tuple[Frame | None, Frame]:
        """The next frames to send: a delta, and the keyframe it stands on when that is a new one."""
        if not self._cut_back:
            delta = self.delta()
            if len(delta["data"]) <= max(SMALLEST_KEYFRAME_STEP, self._keyframe_bytes // 4):
                return None, delta
        return self.keyframe()

    def answer(self, question: Mapping[str, Any]) -> tuple[dict[str, Any], list[bytes]]:
        """What the front end asked for, with its buffers; ``error`` says why it cannot be had."""
        if self.act is not None and question.get("ask") in ACTIONS:
            return self.act(question), []
        return {"error": f"a board cannot answer {question.get('ask')!r}"}, []

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
        while self._pull_points(run_id, member) >= POINTS_AT_ONCE:
            pass
        member.record, earlier = record, member.record
        header = _header(record, member, _rate(member, record, now))
        self._picture.put_run(header)
        return member.cursor != start or record != earlier or self._cut_back

    def _pull_points(self, run_id: str, member: _Member) -> int:
        """Reads the next points of a run; how many ordinals it went on."""
        points, cursor = self.store.since(run_id, member.cursor, POINTS_AT_ONCE)
        gone_on = cursor.ordinal
        if cursor.generation == member.cursor.generation:
            gone_on -= member.cursor.ordinal
        else:
            self._picture.clear_run(run_id)
            member.largest_step = -1
            self._cut_back = True
        member.cursor = cursor
        for (metric,), part in points.partition_by("metric", as_dict=True, include_key=False).items():
            steps = part["step"].to_numpy()
            self._picture.add_points(run_id, str(metric), steps, part["time"].to_numpy(), part["value"].to_numpy())
            member.largest_step = max(member.largest_step, int(steps.max()))
        return gone_on


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
    }
