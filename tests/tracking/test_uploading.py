"""What is said of uploads: on boards, and at the end of a run."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from trackbook.tracking.uploading import said, summed_up
from trackbook.types import SyncState

SYNCED = SyncState("https://host", "synced", 0, 97.0)
LATE = SYNCED._replace(state="uploading", left=1_200, at=80.0)
WAITING = LATE._replace(state="waiting", problem="https://host cannot be reached or is busy (refused)")


def uploads(*states: SyncState) -> Any:
    return [SimpleNamespace(state=state) for state in states]


@pytest.mark.parametrize(
    ("states", "said", "problems"),
    [
        ([], None, []),
        ([SYNCED], {"at": 97, "left": 0}, []),
        ([LATE._replace(at=None)], {"at": None, "left": 1_200}, []),
        ([LATE, SYNCED], {"at": 97, "left": 1_200}, []),
        ([WAITING, WAITING, SYNCED], None, ["Not uploaded: https://host cannot be reached or is busy (refused)."]),
    ],
)
def test_boards_say_how_far_uploads_are(states: list[SyncState], said: Any, problems: list[str]) -> None:
    assert summed_up(uploads(*states)) == (said, problems)


def test_the_end_of_a_run_says_what_is_left() -> None:
    assert said("a", SYNCED) == "run 'a' is at https://host"
    assert said("a", WAITING) == (
        "1,200 points of run 'a' are not at https://host yet (https://host cannot be reached or is busy (refused)); "
        "`trackbook sync` sends the rest"
    )
