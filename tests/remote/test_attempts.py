from __future__ import annotations

import tenacity

from trackbook.remote import attempts
from trackbook.remote.target import TargetBusy


def longest_of(error: Exception, number: int, seconds: float) -> float:
    """The longest of many waits after an attempt with this number, some time after the first."""
    attempt = tenacity.RetryCallState(None, None, (), {})  # type: ignore[arg-type]
    attempt.attempt_number = number
    attempt.set_exception((type(error), error, None))
    assert attempt.outcome_timestamp is not None
    attempt.start_time = attempt.outcome_timestamp - seconds
    return max(attempts.pause(attempt) for _ in range(500))


def test_server_that_restarts_is_asked_again_soon() -> None:
    away = ConnectionRefusedError("nobody listens")
    assert 0.5 < longest_of(away, 8, 10.0) <= attempts.RESTART_WAIT
    assert longest_of(away, 8, 40.0) > 30.0
    assert longest_of(TargetBusy("slow down"), 8, 10.0) > 30.0
    assert longest_of(OSError("a lake failed"), 8, 10.0) > 30.0


def test_the_wait_is_as_long_as_the_target_asks() -> None:
    attempt = tenacity.RetryCallState(None, None, (), {})  # type: ignore[arg-type]
    attempt.set_exception((TargetBusy, TargetBusy("busy", retry_after=7.0), None))
    assert attempts.pause(attempt) == 7.0
    attempt.set_exception((TargetBusy, TargetBusy("busy", retry_after=1e9), None))
    assert attempts.pause(attempt) == attempts.LONGEST_ASKED
