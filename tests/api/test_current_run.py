"""The current run belongs to the thread or asyncio task that began it, and is inherited by those that they start."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

import trackbook as tb
from processes import own_process
from trackbook.api.process import Process


@pytest.fixture(autouse=True)
def process(monkeypatch: pytest.MonkeyPatch) -> Iterator[Process]:
    with own_process(monkeypatch) as made:
        yield made


def values(name: str) -> list[float]:
    return tb.get_run(name, "p").history()["value"].to_list()


def states() -> dict[str, str]:
    return dict(tb.runs("p").select("name", "state").iter_rows())


def in_thread(work: Callable[[], object]) -> None:
    """Do `work` in a separate thread, and raise its exception."""
    with ThreadPoolExecutor(1) as pool:
        pool.submit(work).result()


def test_two_threads_log_to_their_own_runs() -> None:
    both, done = threading.Barrier(2), threading.Barrier(2)

    def objective(name: str, value: float) -> None:
        tb.init("p", name)
        tb.log({"v": value})
        both.wait(10)
        tb.log({"v": value + 1})
        tb.config["name"] = name
        done.wait(10)
        tb.finish()

    with ThreadPoolExecutor(2) as pool:
        for future in [pool.submit(objective, name, value) for name, value in (("a", 1.0), ("b", 10.0))]:
            future.result()
    assert (values("a"), values("b")) == ([1.0, 2.0], [10.0, 11.0])
    assert states() == {"a": "finished", "b": "finished"}
    assert [tb.get_run(name, "p").config["name"] for name in "ab"] == ["a", "b"]


def test_init_in_a_thread_does_not_end_another_threads_run() -> None:
    run = tb.init("p", "main")
    in_thread(lambda: tb.init("p", "other").finish())
    assert run.state == "running"
    tb.log({"v": 1})
    assert values("main") == [1.0]


def test_init_ends_the_run_that_the_same_thread_left_open() -> None:
    """As a pool's worker does with its next trial."""
    with ThreadPoolExecutor(1) as pool:
        pool.submit(tb.init, "p", "first").result()
        with pytest.warns(tb.TrackbookWarning, match="'first' was still open"):
            pool.submit(tb.init, "p", "second").result()
    assert states() == {"first": "finished", "second": "running"}


def test_thread_without_a_run_logs_to_the_main_threads_run() -> None:
    tb.init("p", "main")
    in_thread(lambda: tb.init("p", "other"))
    in_thread(lambda: tb.log({"v": 1}))
    assert values("main") == [1.0]


def test_thread_without_a_run_logs_to_the_only_open_run() -> None:
    in_thread(lambda: tb.init("p", "other"))
    tb.log({"v": 1})
    assert values("other") == [1.0]


def test_thread_beside_several_open_runs_gets_an_error() -> None:
    in_thread(lambda: tb.init("p", "a"))
    in_thread(lambda: tb.init("p", "b"))
    assert tb.run is None
    with pytest.raises(RuntimeError, match=r"which run: 'a', 'b' are open, each begun by another thread.*copy_context"):
        tb.log({"v": 1})
    assert states() == {"a": "running", "b": "running"}


def test_thread_with_a_copied_context_logs_to_its_starters_run() -> None:
    in_thread(lambda: tb.init("p", "elsewhere"))

    def starter() -> None:
        tb.init("p", "mine")
        context = contextvars.copy_context()
        in_thread(lambda: context.run(tb.log, {"v": 1}))

    in_thread(starter)
    assert (values("mine"), values("elsewhere")) == ([1.0], [])


def test_tasks_log_to_their_own_runs() -> None:
    async def train(name: str, value: float, mine: asyncio.Event, other: asyncio.Event) -> None:
        tb.init("p", name)
        mine.set()
        await other.wait()
        tb.log({"v": value})
        await asyncio.create_task(log_later(value + 1))
        tb.finish()

    async def log_later(value: float) -> None:
        tb.log({"v": value})

    async def both() -> None:
        one, two = asyncio.Event(), asyncio.Event()
        await asyncio.gather(train("a", 1.0, one, two), train("b", 10.0, two, one))

    asyncio.run(both())
    assert (values("a"), values("b")) == ([1.0, 2.0], [10.0, 11.0])
    assert states() == {"a": "finished", "b": "finished"}


def test_task_that_begins_a_run_leaves_its_starters_open() -> None:
    async def child() -> None:
        tb.init("p", "child")
        tb.log({"v": 2})
        tb.finish()

    async def parent() -> None:
        tb.init("p", "parent")
        await asyncio.create_task(child())
        tb.log({"v": 1})

    asyncio.run(parent())
    assert (values("parent"), values("child")) == ([1.0], [2.0])


def test_init_ends_the_run_of_a_task_that_is_done() -> None:
    """As in a notebook whose cells are tasks, executed one after the other."""

    async def cell(name: str) -> None:
        tb.init("p", name)

    asyncio.run(cell("first"))
    with pytest.warns(tb.TrackbookWarning, match="'first' was still open"):
        asyncio.run(cell("second"))
    assert states() == {"first": "finished", "second": "running"}


def test_run_returned_by_reinit_may_be_inherited() -> None:
    run = tb.init("p", "main")
    in_thread(lambda: None if tb.init("p", reinit="return_previous") is run else pytest.fail("another run"))
    assert states() == {"main": "running"}
