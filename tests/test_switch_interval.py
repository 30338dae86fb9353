from __future__ import annotations

import multiprocessing
import os
import sys
import threading
from contextlib import ExitStack

import pytest

from trackbook.api.process import process
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


def _use_in_child(usual: float) -> None:
    assert sys.getswitchinterval() == usual
    with switching.every(QUICKEST):
        assert sys.getswitchinterval() == pytest.approx(QUICKEST)
    assert sys.getswitchinterval() == usual


@pytest.mark.skipif(not hasattr(os, "fork"), reason="Windows does not fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_forked_child_has_the_usual_interval() -> None:
    process()  # which knows of forks
    before = sys.getswitchinterval()
    child = multiprocessing.get_context("fork").Process(target=_use_in_child, args=(before,))
    began, goes_on = threading.Event(), threading.Event()

    def work() -> None:
        with switching.every(QUICK), switching._lock:
            began.set()
            goes_on.wait(20)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        assert began.wait(10)
        child.start()
        child.join(10)
        assert child.exitcode == 0
    finally:
        goes_on.set()
        thread.join()
        child.kill()
