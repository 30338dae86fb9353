from __future__ import annotations

import sys
from contextlib import ExitStack

import pytest

from trackbook.switch_interval import QUICK, QUICKEST, switching


def test_switch_interval_is_short_meanwhile_and_restored() -> None:
    before = sys.getswitchinterval()
    with switching.every(QUICK):
        assert sys.getswitchinterval() == pytest.approx(QUICK)
        with switching.every(QUICKEST):
            assert sys.getswitchinterval() == pytest.approx(QUICKEST)
        assert sys.getswitchinterval() == pytest.approx(QUICK)
    assert sys.getswitchinterval() == before


def test_overlapping_threads_restore_the_interval() -> None:
    before = sys.getswitchinterval()
    first, second = ExitStack(), ExitStack()
    first.enter_context(switching.every(QUICK))
    second.enter_context(switching.every(QUICKEST))
    first.close()
    assert sys.getswitchinterval() == pytest.approx(QUICKEST)
    second.close()
    assert sys.getswitchinterval() == before


def test_interval_is_restored_after_an_error() -> None:
    before = sys.getswitchinterval()
    with pytest.raises(ZeroDivisionError), switching.every(QUICK):
        _ = 1 / 0
    assert sys.getswitchinterval() == before


def test_an_interval_that_somebody_sets_meanwhile_is_kept() -> None:
    before = sys.getswitchinterval()
    try:
        with switching.every(QUICK):
            sys.setswitchinterval(0.002)
            with switching.every(QUICKEST):
                assert sys.getswitchinterval() == pytest.approx(QUICKEST)
            assert sys.getswitchinterval() == pytest.approx(QUICK)
        assert sys.getswitchinterval() == pytest.approx(0.002)
    finally:
        sys.setswitchinterval(before)


def test_an_interval_that_is_shorter_already_stays() -> None:
    before = sys.getswitchinterval()
    sys.setswitchinterval(0.00001)
    try:
        with switching.every(QUICKEST):
            assert sys.getswitchinterval() == pytest.approx(0.00001)
    finally:
        sys.setswitchinterval(before)
