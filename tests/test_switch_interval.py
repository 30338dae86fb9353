from __future__ import annotations

import sys
from contextlib import ExitStack

import pytest

from trackbook.switch_interval import QUICK, QUICKEST, switching


def test_threads_switch_quickly_meanwhile_and_as_before_afterwards() -> None:
    before = sys.getswitchinterval()
    with switching.every(QUICK):
        assert sys.getswitchinterval() == pytest.approx(QUICK)
        with switching.every(QUICKEST):
            assert sys.getswitchinterval() == pytest.approx(QUICKEST)
        assert sys.getswitchinterval() == pytest.approx(QUICK)
    assert sys.getswitchinterval() == before


def test_of_two_threads_the_first_to_come_may_be_the_first_to_go() -> None:
    before = sys.getswitchinterval()
    first, second = ExitStack(), ExitStack()
    first.enter_context(switching.every(QUICK))
    second.enter_context(switching.every(QUICKEST))
    first.close()
    assert sys.getswitchinterval() == pytest.approx(QUICKEST)
    second.close()
    assert sys.getswitchinterval() == before


def test_an_error_inside_ends_it_too() -> None:
    before = sys.getswitchinterval()
    with pytest.raises(ZeroDivisionError), switching.every(QUICK):
        _ = 1 / 0
    assert sys.getswitchinterval() == before


def test_an_interval_that_is_shorter_already_stays() -> None:
    before = sys.getswitchinterval()
    sys.setswitchinterval(0.00001)
    try:
        with switching.every(QUICKEST):
            assert sys.getswitchinterval() == pytest.approx(0.00001)
    finally:
        sys.setswitchinterval(before)
