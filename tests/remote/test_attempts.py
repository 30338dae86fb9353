from __future__ import annotations

import tenacity

from trackbook.remote import attempts
from trackbook.remote.target import TargetBusy


def test_the_wait_is_as_long_as_the_target_asks() -> None:
    attempt = tenacity.RetryCallState(None, None, (), {})  # type: ignore[arg-type]
    attempt.set_exception((TargetBusy, TargetBusy("busy", retry_after=7.0), None))
    assert attempts.pause(attempt) == 7.0
    attempt.set_exception((TargetBusy, TargetBusy("busy", retry_after=1e9), None))
    assert attempts.pause(attempt) == attempts.LONGEST_ASKED
