"""A pytest plugin that ends a run that stands still, after it said what each of its processes does.

xdist waits for ever for a worker that holds the GIL for good, and for a dead one whose forked child holds its pipes:
no time limit of a test ends these.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time

import psutil
import pytest

STALLED = 900.0  # seconds without a result of any test; the slowest test of all takes a third of it


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--stalled", type=float, default=STALLED, help="seconds without a result after which a run is ended"
    )


def pytest_configure(config: pytest.Config) -> None:
    is_worker = hasattr(config, "workerinput")
    if not is_worker and config.getoption("numprocesses", None):
        config.pluginmanager.register(Guard(max(config.getoption("stalled"), 1.5 * (config.getoption("timeout") or 0))))


class Guard:
    """Watches the results that workers report."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._last = time.monotonic()
        self._began = time.time()
        self._starting = 0  # workers that have not collected the tests yet, which may take as long as a test
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="stalled", daemon=True)

    def pytest_sessionstart(self) -> None:
        self._thread.start()

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_newgateway(self) -> None:
        self._starting += 1

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self) -> None:
        self._starting -= 1
        self._last = time.monotonic()

    def pytest_runtest_logreport(self) -> None:
        self._last = time.monotonic()

    def pytest_sessionfinish(self) -> None:
        self._ended.set()

    def _watch(self) -> None:
        while not self._ended.wait(self._seconds / 100):
            if time.monotonic() - self._last > self._seconds * (10 if self._starting > 0 else 1):
                self._end_workers()
                self._last = time.monotonic()

    def _end_workers(self) -> None:
        """End the workers and all that they began, so that xdist names their tests and goes on."""
        workers = self._workers()
        members = {one.pid: one for worker in workers for one in (worker, *_children(worker))}
        said = "".join(f"  {_described(one)}\n" for one in members.values())
        sys.stderr.write(f"\nno test has ended for {self._seconds:g} s; these processes are ended:\n{said}")
        sys.stderr.flush()
        for worker in workers:  # one after the other, because they write to the same place
            _end(worker, signal.SIGABRT)  # at which pytest's faulthandler writes the stacks of all threads
            psutil.wait_procs([worker], timeout=10)
        for one in members.values():
            _end(one, getattr(signal, "SIGKILL", signal.SIGTERM))

    def _workers(self) -> list[psutil.Process]:
        """Return xdist's workers and their forked children, also those whose parent is dead."""
        found = []
        for one in psutil.process_iter(["cmdline", "create_time"]):
            is_of_execnet = any("exec(eval(sys.stdin.readline()))" in word for word in one.info["cmdline"] or ())
            if is_of_execnet and one.info["create_time"] >= self._began - 1 and _is_in_our_group(one.pid):
                found.append(one)
        return found


def _is_in_our_group(pid: int) -> bool:
    try:
        return not hasattr(os, "getpgid") or os.getpgid(pid) == os.getpgrp()
    except ProcessLookupError:
        return False


def _children(worker: psutil.Process) -> list[psutil.Process]:
    try:
        found: list[psutil.Process] = worker.children(recursive=True)
    except psutil.NoSuchProcess:
        return []
    return found


def _described(one: psutil.Process) -> str:
    try:
        about = one.as_dict(["ppid", "status", "cpu_times", "num_threads", "cmdline"])
    except psutil.NoSuchProcess:
        return f"{one.pid} has ended"
    spent = about["cpu_times"].user + about["cpu_times"].system
    words = " ".join(about["cmdline"] or ())[:300]
    return f"{one.pid} of {about['ppid']}: {about['status']}, {spent:.0f} s, {about['num_threads']} threads: {words}"


def _end(one: psutil.Process, by: int) -> None:
    try:
        one.send_signal(by)
    except psutil.NoSuchProcess:
        return
