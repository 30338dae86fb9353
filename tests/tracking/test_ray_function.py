"""Runs that a function leaves open which Ray calls in a thread of its own, with stand-ins for what calls it there."""

from __future__ import annotations

import queue
import sys
import threading
import time
from collections.abc import Callable
from types import ModuleType
from typing import Any, Final

import pytest

import trackbook as tb

# Ray's: `ThreadRunner` of Ray Train, and `RunnerThread` of Ray Tune and of Ray Train before version 2.51.
OF_RAY: Final = """
import threading

class ThreadRunner:
    error = None

    def start(self, target):
        def run_target():
            try:
                target()
            except BaseException as error:
                self.error = error
        self.thread = threading.Thread(target=run_target)
        self.thread.start()

    def get_error(self):
        return None if self.error is None else WithTraceback(self.error)

class WithTraceback(Exception):
    def __init__(self, error):
        self._base_exc = error

class StartTraceback(Exception):
    pass

class RunnerThread(threading.Thread):
    def _propagate_exception(self, error):
        self.errors.put(error)

    def run(self):
        try:
            self._target()
        except SystemExit as error:
            if error.code != 0:
                self._propagate_exception(error)
        except BaseException as error:
            self._propagate_exception(error)
"""


@pytest.fixture
def ray(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    monkeypatch.setitem(sys.modules, "ray", ModuleType("ray"))
    names: dict[str, Any] = {"__name__": "ray.stand_in"}
    exec(OF_RAY, names)  # its functions are of a module of that name
    return names


def in_train(ray: dict[str, Any], function: Callable[[], None]) -> BaseException | None:
    runner = ray["ThreadRunner"]()
    runner.start(function)
    runner.thread.join()
    found: BaseException | None = runner.error
    return found


def in_tune(ray: dict[str, Any], function: Callable[[], None]) -> BaseException | None:
    thread = ray["RunnerThread"](target=function)
    thread.errors = queue.Queue()
    thread.start()
    thread.join()
    found: BaseException | None = thread.errors.get_nowait() if thread.errors.qsize() else None
    return found


def in_a_thread(ray: dict[str, Any], function: Callable[[], None]) -> None:
    thread = threading.Thread(target=function)
    thread.start()
    thread.join()


def training(error: BaseException | None = None) -> Callable[[], None]:
    def train() -> None:
        tb.init("p", name="trained")
        tb.log({"loss": 1})
        if error is not None:
            raise error

    return train


@pytest.mark.parametrize("call", [in_train, in_tune])
@pytest.mark.parametrize(
    ("error", "ending"),
    [
        (None, ("finished", None)),
        (ValueError("no"), ("failed", "ValueError: no")),
        (KeyboardInterrupt(), ("interrupted", "KeyboardInterrupt")),
        (SystemExit(0), ("finished", None)),
        (SystemExit(3), ("failed", "SystemExit: 3")),
    ],
    ids=repr,
)
def test_run_left_open_ends_as_the_function_that_ray_called(
    ray: dict[str, Any],
    call: Callable[[dict[str, Any], Callable[[], None]], BaseException | None],
    error: BaseException | None,
    ending: tuple[str, str | None],
) -> None:
    told = call(ray, training(error))
    assert told is error or isinstance(error, SystemExit)  # Ray is told it as before
    run = tb.get_run("trained", "p")
    assert (run.state, run.record.error) == ending
    assert tb.run is None
    assert run.history("loss")["value"].to_list() == [1]


def test_ray_tune_waits_until_the_run_has_ended(ray: dict[str, Any]) -> None:
    begun = threading.Event()

    def train() -> None:
        tb.init("p", name="trained")
        begun.set()
        time.sleep(0.2)

    thread = ray["RunnerThread"](target=train)
    thread.start()
    begun.wait()
    thread.join(timeout=0)  # as Ray does before it kills the process
    assert tb.get_run("trained", "p").state == "finished"


def test_error_is_the_functions_rather_than_its_wrapper(ray: dict[str, Any]) -> None:
    def train() -> None:
        try:
            training(ValueError("no"))()
        except ValueError as error:
            raise ray["StartTraceback"] from error

    assert isinstance(in_tune(ray, train), ray["StartTraceback"])
    assert tb.get_run("trained", "p").record.error == "ValueError: no"


def test_run_of_another_thread_stays_open(ray: dict[str, Any]) -> None:
    with tb.init("p", name="main") as main:
        in_a_thread(ray, training())
        in_train(ray, lambda: tb.log({"loss": 2}))
        assert main.state == tb.get_run("trained", "p").state == "running"
    tb.get_run("trained", "p").finish()


@pytest.mark.parametrize("call", [in_train, in_tune])
def test_run_that_the_function_ended_keeps_its_state(
    ray: dict[str, Any], call: Callable[[dict[str, Any], Callable[[], None]], None]
) -> None:
    def train() -> None:
        tb.init("p", name="first").finish("interrupted")
        tb.init("p", name="second")
        raise ValueError("no")

    call(ray, train)
    assert dict(tb.runs("p").select("name", "state").iter_rows()) == {"first": "interrupted", "second": "failed"}
