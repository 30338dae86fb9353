from __future__ import annotations

import logging
import math
import signal
import threading
import time

import pytest

from trackbook.pump import INTERVAL, Pump


class Member:
    """Counts its ticks, and fails in those of `failing`."""

    def __init__(self, failing: set[int] | None = None, rest: float = INTERVAL) -> None:
        self.rest = rest
        self.ticks = 0
        self.times: list[float] = []
        self.failing = failing or set()
        self.ticked = threading.Semaphore(0)

    def tick(self, now: float) -> float:
        self.ticks += 1
        self.times.append(now)
        self.ticked.release()
        if self.ticks in self.failing:
            raise OSError(f"tick {self.ticks}")
        return self.rest

    def wait(self, ticks: int) -> None:
        for _ in range(ticks):
            assert self.ticked.acquire(timeout=10)


def test_members_are_ticked_until_they_are_removed() -> None:
    pump, member, other = Pump(), Member(), Member()
    pump.add(member)
    pump.add(other)
    member.wait(2)
    pump.remove(member)
    other.wait(2)  # a round that began before the removal has ended
    ticks = member.ticks
    other.wait(3)
    assert member.ticks == ticks
    pump.remove(other)


def test_a_member_added_twice_is_ticked_once_a_round() -> None:
    pump, member, other = Pump(), Member(), Member()
    pump.add(member)
    pump.add(member)
    pump.add(other)
    other.wait(4)
    assert abs(member.ticks - other.ticks) <= 1
    pump.remove(member)
    pump.remove(other)


def test_a_pump_without_members_sleeps_and_wakes_for_the_next() -> None:
    pump, member = Pump(), Member()
    pump.add(member)
    member.wait(1)
    pump.remove(member)
    later = Member()
    pump.add(later)
    later.wait(1)
    pump.remove(later)


def test_members_are_told_the_same_time_in_a_round() -> None:
    pump, member, other = Pump(), Member(), Member()
    pump.add(member)
    pump.add(other)
    other.wait(3)
    pump.remove(member)
    pump.remove(other)
    assert set(other.times[:3]) <= set(member.times)


def test_each_member_is_ticked_as_often_as_it_asks() -> None:
    pump, patient, eager = Pump(), Member(rest=3600.0), Member()
    pump.add(patient)
    patient.wait(1)
    pump.add(eager)  # which wakes it
    eager.wait(3)
    assert patient.ticks == 2
    pump.remove(eager)
    pump.remove(patient)


def test_member_added_again_is_ticked_at_once() -> None:
    pump, member = Pump(), Member(rest=3600.0)
    pump.add(member)
    member.wait(1)
    pump.add(member)
    member.wait(1)
    pump.remove(member)


def test_a_member_with_nothing_due_is_removed_and_the_thread_ends() -> None:
    pump, member = Pump(), Member(rest=math.inf)
    pump.add(member)
    thread = pump._thread
    assert thread is not None
    thread.join(10)
    assert not thread.is_alive()
    assert member.ticks == 1
    pump.add(member)
    member.wait(2)


def test_member_added_while_it_is_dismissed_stays() -> None:
    pump = Pump()

    class Renewed(Member):
        def tick(self, now: float) -> float:
            super().tick(now)
            if self.ticks == 1:
                pump.add(self)
            return math.inf if self.ticks < 3 else INTERVAL

    member, other = Renewed(), Member()
    pump.add(other)
    pump.add(member)
    member.wait(2)
    pump.remove(member)
    pump.remove(other)


def test_failing_member_is_logged_once_and_tried_again(caplog: pytest.LogCaptureFixture) -> None:
    pump, member, other = Pump(), Member(failing={1, 2, 4}), Member()
    with caplog.at_level(logging.ERROR, "trackbook"):
        pump.add(member)
        pump.add(other)
        member.wait(6)
        other.wait(5)
    pump.remove(member)
    pump.remove(other)
    # once for ticks 1 and 2, and once more after tick 3 was well
    assert len(caplog.records) == 2
    assert "it will be tried again" in caplog.records[0].getMessage()


def test_a_pump_that_stops_waits_for_the_tick_under_way() -> None:
    began, goes_on, ended = threading.Event(), threading.Event(), threading.Event()

    class Slow(Member):
        def tick(self, now: float) -> float:
            began.set()
            goes_on.wait(10)
            ended.set()
            return super().tick(now)

    pump, member = Pump(), Slow()
    pump.add(member)
    assert began.wait(10)
    threading.Timer(0.2, goes_on.set).start()
    pump.stop()
    assert ended.is_set()
    assert member.ticks == 1
    pump.stop()
    other = Member()
    pump.add(other)
    other.wait(2)
    pump.stop()
    assert member.ticks == 1


def test_thread_that_the_system_refuses_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    pump, member = Pump(), Member()
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        with pytest.raises(RuntimeError):
            pump.add(member)
    pump.stop()
    pump.add(member)
    member.wait(1)
    pump.stop()


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="Windows has no timer that sends signals")
def test_signal_handler_adds_a_member_at_any_moment() -> None:
    pump, member = Pump(), Member(rest=3600.0)
    handled = 0

    def handle(*_: object) -> None:
        nonlocal handled
        handled += 1
        pump.add(member)

    before = signal.signal(signal.SIGALRM, handle)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.0001, 0.0001)
        until = time.monotonic() + 1
        while time.monotonic() < until:
            pump.add(member)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert handled > 100
    pump.stop()
    assert pump._thread is None


def test_signal_handler_adds_a_member_while_the_thread_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    pump, member, other = Pump(), Member(), Member()
    start = threading.Thread.start

    def handle(thread: threading.Thread) -> None:
        pump.add(other)
        start(thread)

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", handle)
        pump.add(member)
    member.wait(1)
    other.wait(1)
    pump.stop()


def test_the_pump_does_not_keep_the_process_alive() -> None:
    pump, member = Pump(), Member()
    pump.add(member)
    assert pump._thread is not None
    assert pump._thread.daemon
    pump.remove(member)
