from __future__ import annotations

import sys

import pytest

from trackbook._switching import QUICK, quick_switching


def fail_while_switching_quickly() -> None:
    with quick_switching():
        with quick_switching():
            pass
        assert sys.getswitchinterval() == pytest.approx(QUICK)
        raise KeyError


def test_the_interpreter_switches_as_before_when_it_is_over() -> None:
    before = sys.getswitchinterval()
    with pytest.raises(KeyError):
        fail_while_switching_quickly()
    assert sys.getswitchinterval() == before
