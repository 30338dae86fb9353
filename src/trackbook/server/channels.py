"""Channels, each of which publishes the same runs to all its viewers. A viewer is one page."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from ..boards.frame_source import FrameSource
from ..boards.publisher import Publisher
from ..boards.questions import Answer, Question
from ..boards.run_actions import Actions
from ..text import listed
from .wire import trait_part

if TYPE_CHECKING:
    from ..pump import Pump
    from ..tracking.project import Project

GRACE_SECONDS: Final = 30.0  # that a channel outlives its last viewer: a reloaded page comes back
UNWATCHED_SECONDS: Final = 1.0  # between two ticks of a channel that nobody watches
_FIRST: Final[tuple[str, ...]] = ("keyframe", "delta")  # a delta applies to the keyframe before it


class Viewer:
    """The values that a page has not received yet: only the newest of each trait, so that a slow page delays nothing.

    Used only by the server's event loop.
    """

    def __init__(self) -> None:
        self._pending: dict[str, bytes] = {}
        self._news = asyncio.Event()

    def offer(self, parts: dict[str, bytes]) -> None:
        """Note the newest parts by trait."""
        if "keyframe" in parts:
            self._pending.pop("delta", None)
        self._pending.update(parts)
        self._news.set()

    async def take(self) -> bytes:
        """Wait for something to send, and return all of it as one message."""
        await self._news.wait()
        self._news.clear()
        pending, self._pending = self._pending, {}
        names = [name for name in _FIRST if name in pending]
        names += [name for name in pending if name not in _FIRST]
        return b"".join(pending[name] for name in names)


class Watched(NamedTuple):
    """What a channel shows of a project: these runs, or the newest ones and those that follow (None)."""

    project: str
    runs: tuple[str, ...] | None
    selected: tuple[str, ...] = ()
    drawn: str = ""  # the setting `drawn_runs`
    baseline: str = ""


class Channel:
    """A publisher and its viewers. Ticked by the pump; viewers get their messages on the event loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop, project: Project, watched: Watched, actions: Actions) -> None:
        self._loop = loop
        self._project = project
        self._viewers: set[Viewer] = set()
        self._kept: dict[str, bytes] = {}  # the newest part of each trait, for those who join
        self._unsent: dict[str, bytes] = {}
        self._depth = 0
        self._is_gone = False
        self._names: list[str] = []  # of the runs that the page is about, as they were last
        source = FrameSource(project.name, project.store, follow=watched.runs is None, points=project.live_points())
        for run_id in watched.runs or ():
            source.add_run(run_id)
        self.publisher = Publisher(source, self._publish, message=self._message, actions=actions)
        self.publisher.shows_all_runs = True
        self.publisher.recover = project.recover_for_board
        if watched.selected:
            self.publisher.select(watched.selected)
        if watched.drawn:
            self.publisher.draw(watched.drawn)
        if watched.baseline:
            self.publisher.compare_with(watched.baseline)

    def __len__(self) -> int:
        return len(self._viewers)

    def join(self, viewer: Viewer) -> None:
        """Send a viewer the picture that the others have, and news from then on. Not for the event loop: the first one reads the store."""
        with self.publisher.lock:
            if not self._kept:
                self._kept = {name: trait_part(name, value) for name, value in self.publisher.opening().items()}
            self._loop.call_soon_threadsafe(self._welcome, viewer, dict(self._kept))

    def leave(self, viewer: Viewer) -> None:
        self._viewers.discard(viewer)
        if not self._viewers:
            self._project.boards.discard(self)

    def answer(self, question: Question) -> Answer:
        """Answer a question of a viewer. Not for the event loop."""
        return self.publisher.answer(question)

    def tick(self, now: float) -> float:
        """Publish news while there are viewers."""
        if not self._viewers:
            return UNWATCHED_SECONDS
        if not self.publisher.source.follow:
            self._names = self.publisher.source.run_names or self._names
        wait = self.publisher.tick(now)
        if not self._is_gone and (gone := self._gone()):
            self._is_gone = True
            self._publish("gone", gone)
        return wait

    def _gone(self) -> str:
        """Return what was deleted of that which the page is about; empty while it is there."""
        if not self._project.exists:
            return f"Project {self._project.name!r} was deleted."
        if self._names and not self.publisher.source.run_ids:
            return f"Run {listed(self._names)} was deleted."
        return ""

    def _welcome(self, viewer: Viewer, parts: dict[str, bytes]) -> None:
        self._viewers.add(viewer)
        self._project.boards.add(self)  # what this process logs is handed over at the pace of a board
        viewer.offer(parts)
        self.publisher.acknowledge()
        self.publisher.on_wake()

    def _publish(self, trait: str, value: Any, /) -> None:
        part = trait_part(trait, value)
        self._kept[trait] = part
        self._unsent[trait] = part
        if not self._depth:
            self._send()

    @contextmanager
    def _message(self) -> Iterator[None]:
        self._depth += 1
        try:
            yield
        finally:
            self._depth -= 1
            if not self._depth:
                self._send()

    def _send(self) -> None:
        parts, self._unsent = self._unsent, {}
        if parts:
            self._loop.call_soon_threadsafe(self._deliver, parts)

    def _deliver(self, parts: dict[str, bytes]) -> None:
        for viewer in self._viewers:
            viewer.offer(parts)


class Channels:
    """The channels of a server, each made when its first viewer comes, and released some time after its last one left."""

    def __init__(self, pump: Pump) -> None:
        self._pump = pump
        self._channels: dict[Watched, Channel] = {}
        self._lock = threading.Lock()

    def join(self, watched: Watched, viewer: Viewer, make: Callable[[], Channel]) -> Channel:
        """Add a viewer to the channel of `watched`, made by `make` if it does not exist. Not for the event loop."""
        with self._lock:
            channel = self._channels.get(watched)
            if channel is None:
                channel = self._channels[watched] = make()
                channel.publisher.on_wake = partial(self._pump.add, channel)
        channel.join(viewer)
        return channel

    def leave(self, channel: Channel, viewer: Viewer, loop: asyncio.AbstractEventLoop) -> None:
        channel.leave(viewer)
        if not channel:
            loop.call_later(GRACE_SECONDS, self._release, channel)

    def _release(self, channel: Channel) -> None:
        if not channel:
            with self._lock:
                self._channels = {key: other for key, other in self._channels.items() if other is not channel}
            self._pump.remove(channel)
