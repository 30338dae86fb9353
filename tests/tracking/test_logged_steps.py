from __future__ import annotations

from array import array

import pytest

from trackbook.tracking import logged_steps
from trackbook.tracking.logged_steps import LoggedSteps


class Metric:
    """A metric's steps as a store has them, and how often they were read."""

    def __init__(self, *steps: int) -> None:
        self.steps = set(steps)
        self.reads: list[int] = []
        self.is_readable = True
        self.known = LoggedSteps(self._read)

    def _read(self, _: str, first: int) -> array[int] | None:
        self.reads.append(first)
        return array("q", sorted(step for step in self.steps if step >= first)) if self.is_readable else None

    def log(self, step: int) -> bool:
        """Log a point; return whether its step was taken."""
        taken = self.known.has("loss", step)
        self.steps.add(step)
        self.known.add(["loss"], step)
        return taken


def test_step_is_taken_once_it_was_logged() -> None:
    metric = Metric(0, 10, 20)
    assert [metric.log(step) for step in (10, 5, 5, 20, 19, 19)] == [True, False, True, True, False, True]


def test_steps_are_read_once_until_later_ones_are_asked_for() -> None:
    metric = Metric(*range(100))
    assert all(metric.log(step) for step in range(100))
    assert metric.reads == [0]
    metric.steps.update(range(100, 200))
    assert all(metric.log(step) for step in range(200))
    assert metric.reads == [0, 100]


@pytest.mark.parametrize("most", [0, 3, 1000])
def test_many_steps_are_kept_apart_or_in_order(monkeypatch: pytest.MonkeyPatch, most: int) -> None:
    monkeypatch.setattr(logged_steps, "MOST_APART", most)
    metric = Metric(*range(0, 100, 2))
    assert [metric.log(step) for step in range(98, -1, -1)] == [step % 2 == 0 for step in range(98, -1, -1)]
    assert all(metric.log(step) for step in range(99))


def test_what_cannot_be_read_now_is_asked_for_again() -> None:
    metric = Metric(1)
    metric.is_readable = False
    assert not metric.known.has("loss", 1)
    metric.is_readable = True
    assert metric.known.has("loss", 1)
