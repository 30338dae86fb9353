from __future__ import annotations

import warnings
from pathlib import Path

import pytest

import trackbook
from trackbook import user_warnings
from trackbook.user_warnings import WELL_AGAIN_SECONDS, Findings, TrackbookWarning, said_by, warn


def test_a_warning_points_at_the_line_that_called_us() -> None:
    with pytest.warns(TrackbookWarning, match="half of it") as warned:
        warn("half of it")
    assert warned[0].filename == __file__


def test_a_warning_from_deep_within_points_at_the_line_that_called_us() -> None:
    inside = compile(
        "def deep(warn):\n    warn('x')\ndef call(warn):\n    deep(warn)\n",
        f"{Path(trackbook.__file__).parent}/x.py",
        "exec",
    )
    names: dict[str, object] = {}
    exec(inside, names)
    with pytest.warns(TrackbookWarning) as warned:
        names["call"](warn)  # type: ignore[operator]
    assert warned[0].filename == __file__


def test_warning_location_compares_whole_folder_names() -> None:
    path = f"{Path(trackbook.__file__).parent}-experiments/train.py"
    with pytest.warns(TrackbookWarning) as warned:
        exec(compile("warn('x')", path, "exec"), {"warn": warn})
    assert warned[0].filename == path


def test_warnings_can_be_silenced_as_users_warnings() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        warn("nothing to hear")
    assert issubclass(trackbook.TrackbookWarning, UserWarning)


def test_messages_of_a_call_are_passed_on_and_those_after_it_are_warnings() -> None:
    heard: list[str] = []

    def call(number: int, *, sign: int) -> int:
        warn("inside")
        return number * sign

    assert said_by(heard.append, call, 2, sign=-1) == -2
    with pytest.raises(KeyboardInterrupt):
        said_by(heard.append, raise_interrupt)
    with pytest.warns(TrackbookWarning, match="after"):
        warn("after")
    assert heard == ["inside"]


def raise_interrupt() -> None:
    raise KeyboardInterrupt


# --- findings ---------------------------------------------------------------------------------------------------------


def test_finding_is_reported_once() -> None:
    findings = Findings()
    findings.note(["a", "b", "a"])
    with pytest.warns(TrackbookWarning) as warned:
        findings.say()
    findings.note(["b"])
    findings.say()
    assert [str(warning.message) for warning in warned] == ["a", "b"]


def test_failing_disk_is_reported_once_until_it_recovers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = 1000.0
    monkeypatch.setattr(user_warnings.time, "monotonic", lambda: now)
    findings = Findings()
    findings.note_failures(["the journal", "the store"])
    findings.note_failures([])
    now += WELL_AGAIN_SECONDS / 2
    findings.note_failures(["the store"])
    now += WELL_AGAIN_SECONDS / 2
    findings.note_failures(["the store"])
    assert list(findings.to_say) == ["the journal"]
    findings.note_failures([])
    now += WELL_AGAIN_SECONDS
    findings.note_failures(["the store"])
    assert list(findings.to_say) == ["the journal", "the store"]
