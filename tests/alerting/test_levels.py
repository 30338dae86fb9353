from __future__ import annotations

import enum

import pytest

from trackbook.alerting.levels import AlertLevel, reaches, to_level


class Foreign(enum.Enum):
    ERROR = "ERROR"


@pytest.mark.parametrize(
    ("said", "level"),
    [("info", "info"), ("WARN", "warn"), ("Warning", "warn"), (AlertLevel.ERROR, "error"), (Foreign.ERROR, "error")],
)
def test_level_is_read_in_any_case(said: object, level: str) -> None:
    assert to_level(said) == level


@pytest.mark.parametrize("said", ["loud", "", None, 3, []])
def test_other_level_is_refused(said: object) -> None:
    with pytest.raises(ValueError, match=r"level is 'info', 'warn', 'error', not"):
        to_level(said)


def test_levels_rise() -> None:
    assert [reaches(level, "warn") for level in ("info", "warn", "error", "of a later version")] == [
        False,
        True,
        True,
        True,
    ]
