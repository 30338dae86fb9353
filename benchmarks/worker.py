"""What runs in a contestant's own process: `python worker.py CONTESTANT TASK JSON` prints its figures as one line of JSON.

Only the standard library, so that it runs beside any tracker.
"""

from __future__ import annotations

import importlib
import json
import math
import mmap
import os
import random
import resource
import signal
import statistics
import struct
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, cast

if TYPE_CHECKING:
    from contestants._protocol import Contestant, Log

ROWS = 100_000  # made beforehand and repeated, so that making values is not part of a figure
RESULT = "RESULT "


def rows(shape: str, metrics: int, calls: int) -> list[dict[str, float]]:
    """The values of `calls` calls: ``index``, ``walk`` (random), ``smooth`` (a decaying loss) or ``quantised`` (2 decimals)."""
    chance = random.Random(7)  # noqa: S311  # no secret
    names = [f"group{m % 3}/metric{m}" for m in range(metrics)]
    if shape == "index":
        return [dict.fromkeys(names, float(i)) for i in range(calls)]
    if shape == "smooth":
        return [{name: 0.1 + (1 + m) * math.exp(-i / 20_000) for m, name in enumerate(names)} for i in range(calls)]
    if shape == "quantised":
        return [{name: round(chance.random(), 2) for name in names} for _ in range(calls)]
    values = dict.fromkeys(names, 0.0)
    made = []
    for _ in range(calls):
        values = {name: value + chance.gauss(0, 1) for name, value in values.items()}
        made.append(values)
    return made


def first_log(contestant: Contestant, folder: Path) -> dict[str, float]:
    """Return the time from the start to the first returned call."""
    begin = time.perf_counter()
    log = contestant.start(folder)
    log({"loss": 1.0})
    seconds = time.perf_counter() - begin
    contestant.finish()
    return {"ms": seconds * 1e3}


def log_calls(contestant: Contestant, folder: Path, metrics: int, calls: int, seconds: float) -> dict[str, float]:
    """Each call by itself, less what reading the clock costs; fewer than `calls` of them when `seconds` are over."""
    clock = time.perf_counter_ns
    floor = statistics.median(-clock() + clock() for _ in range(10_000))
    data = rows("walk", metrics, calls)
    log = contestant.start(folder)
    for row in data[:20]:
        log(row)
    taken = []
    end = time.monotonic() + seconds
    for row in data[20:]:
        begin = clock()
        log(row)
        taken.append(clock() - begin)
        if taken[-1] > 50_000 and time.monotonic() > end:  # a look at the clock that quick calls do not pay for
            break
    contestant.finish()
    net = sorted(max(0, t - floor) / 1e3 for t in taken)
    return {
        "p50_us": statistics.median(net),
        "p99_us": net[int(len(net) * 0.99)],
        "mean_us": statistics.fmean(net),
        "calls": len(net),
        "timer_floor_ns": floor,
    }


def bulk(
    contestant: Contestant,
    folder: Path,
    *,
    metrics: int,
    calls: int,
    seconds: float,
    shape: str = "walk",
    jittered_clock: bool = False,
) -> dict[str, float]:
    """Measure calls at full speed and the end of the run; fewer than `calls` if `seconds` are over."""
    empty = _memory_mb()
    if jittered_clock:
        time.time = _jittered_clock()
    data = rows(shape, metrics, min(calls, ROWS))
    empty = {key: value + _memory_mb()["own_mb"] - empty["own_mb"] for key, value in empty.items()}  # with the rows
    log = contestant.start(folder)
    begin = time.perf_counter()
    done = _repeat(log, data, calls, begin + seconds)
    logged = time.perf_counter()
    before_finish = _memory_mb()
    contestant.finish()
    end = time.perf_counter()
    finished = _memory_mb()
    return {
        "calls": done,
        "log_s": logged - begin,
        "finish_s": end - logged,
        "seconds": end - begin,
        "points_per_s": done * metrics / (end - begin),
        "memory_mb": before_finish["rss_mb"] - empty["rss_mb"],
        "memory_own_mb": before_finish["own_mb"] - empty["own_mb"],
        "memory_finished_mb": finished["rss_mb"] - empty["rss_mb"],
        "memory_peak_mb": finished["peak_mb"] - empty["rss_mb"],
    }


def _repeat(log: Log, data: list[dict[str, float]], calls: int, end: float) -> int:
    for first in range(0, calls, len(data)):
        for at, row in enumerate(data[: calls - first]):
            log(row)
            if not at % 100 and time.perf_counter() > end:
                return first + at + 1
    return calls


def _jittered_clock() -> Callable[[], float]:
    """Return a clock that advances by about 10 ms at each reading, as the steps of a training do."""
    chance = random.Random(8)  # noqa: S311  # no secret
    now = 1_750_000_000.0

    def look() -> float:
        nonlocal now
        now += 0.01 * chance.lognormvariate(0, 0.3)
        return now

    return look


def _memory_mb() -> dict[str, float]:
    """Return this process's memory: total, without mapped files, and the peak."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024) / 1e6
    try:
        _, resident, shared, *_ = map(int, Path("/proc/self/statm").read_text().split())
    except OSError:
        return {"rss_mb": peak, "own_mb": peak, "peak_mb": peak}
    page = resource.getpagesize() / 1e6
    return {"rss_mb": resident * page, "own_mb": (resident - shared) * page, "peak_mb": peak}


def stream(
    contestant: Contestant,
    folder: Path,
    *,
    counter: str,
    rate: float,
    calls: int,
    seconds: float,
    then_kill: bool = False,
) -> dict[str, float]:
    """Calls at `rate` a second (0: as fast as they go), the number of those that returned kept where a SIGKILL leaves it.

    Ends after `calls` of them, or `seconds`.
    """
    with Path(counter).open("wb") as file:
        file.write(bytes(8))
    with Path(counter).open("r+b") as file:
        returned = mmap.mmap(file.fileno(), 8)
    log = contestant.start(folder)
    pack = struct.Struct("<Q").pack_into
    end = time.monotonic() + seconds
    for i in range(calls):
        log({"a": float(i), "b": float(i), "c": float(i)})
        pack(returned, 0, i + 1)
        if rate:
            time.sleep(1 / rate)
        if not i % 16 and time.monotonic() > end:
            break
    if then_kill:
        os.kill(os.getpid(), signal.SIGKILL)
    contestant.finish()
    return {"calls": calls}


def loop(contestant: Contestant, folder: Path, rounds: int, seconds: float) -> dict[str, float]:
    """How much longer a pure-Python loop of 0.5 ms steps takes that logs 10 metrics a step, against the same loop in between.

    A shared machine changes its speed by several percent from one second to the next, and a core that has rested is quicker for
    a while: so stretches follow one another without rests, plain, logged, logged and plain, and each such round gives one ratio.
    What the plain loop waits, which it does only for what was logged before, is charged to the logged one.
    """
    size = 1000
    while _work_seconds(size) < 0.5e-3:
        size = int(size * 1.05)
    log = contestant.start(folder)
    log({"first": 1.0})  # what a tracker loads and starts then is paid once, not by the step
    time.sleep(1.2)
    found = []
    for _ in range(rounds):
        one, two, three, four = (_steps(seconds, size, each) for each in (None, log, log, None))
        plain, logged = _mean(one, four), _mean(two, three)
        found.append(
            {
                "slowdown_percent": ((logged.seconds + plain.slept) / (plain.seconds - plain.slept) - 1) * 100,
                "waited_percent": (logged.slept + plain.slept) / (plain.seconds - plain.slept) * 100,
                "noise_percent": abs(four.seconds / one.seconds - 1) * 100,
                "step_ms": plain.seconds * 1e3,
            }
        )
    contestant.finish()
    return {name: statistics.median(each[name] for each in found) for name in found[0]}


def _work(size: int) -> float:
    loss = 1.0
    for i in range(size):
        loss = loss * 0.999 + i * 1e-6
    return loss


def _work_seconds(size: int) -> float:
    begin = time.perf_counter()
    for _ in range(20):
        _work(size)
    return (time.perf_counter() - begin) / 20


class _Step(NamedTuple):
    """The mean duration of a step."""

    seconds: float
    slept: float  # of them


def _mean(one: _Step, other: _Step) -> _Step:
    return _Step((one.seconds + other.seconds) / 2, (one.slept + other.slept) / 2)


def _steps(seconds: float, size: int, log: Log | None) -> _Step:
    """Run steps for so many seconds."""
    names = [f"train/metric{m}" for m in range(10)]
    slept = _slept()
    begin = now = time.perf_counter()
    steps = 0
    while now < begin + seconds:
        loss = _work(size)
        if log is not None:
            log(dict.fromkeys(names, loss))
        steps += 1
        now = time.perf_counter()
    return _Step((now - begin) / steps, (_slept() - slept) / steps)


def _slept() -> float:
    """Seconds up to now that this thread neither ran nor waited for a core: it sleeps only to wait for the interpreter's lock, or
    the tracker's. Where the machine does not tell, 0.
    """
    try:
        ran, waited, _ = Path(f"/proc/self/task/{threading.get_native_id()}/schedstat").read_text().split()
    except OSError:
        return 0.0
    return time.perf_counter() - (int(ran) + int(waited)) / 1e9


def verify_bulk(contestant: Contestant, folder: Path, metrics: int, calls: int, shape: str = "walk") -> dict[str, int]:
    """How many points there are on disk, and how many of them are in their place and right."""
    found = contestant.read_back(folder)
    expected = rows(shape, metrics, min(calls, ROWS))
    right = 0
    for name, values in found.items():
        for i, value in enumerate(values[:calls]):
            wanted = expected[i % len(expected)][name]
            right += abs(value - wanted) <= 1e-6 * max(1.0, abs(wanted))  # some keep float32
    return {"points": sum(map(len, found.values())), "right": right, "expected": metrics * calls}


def verify_streams(contestant: Contestant, trials: list[tuple[str, int]]) -> list[dict[str, Any]]:
    """For each folder and number of calls that returned: how many of them are whole on disk, how many points are double."""
    return [_verify_stream(contestant, Path(folder), returned) for folder, returned in trials]


def _verify_stream(contestant: Contestant, folder: Path, returned: int) -> dict[str, Any]:
    try:
        found = contestant.read_back(folder)
    except Exception as error:  # noqa: BLE001  # a file that does not open is a figure, too
        return {"returned": returned, "recovered": 0, "doubled": 0, "error": f"{type(error).__name__}: {error}"}
    whole = set.intersection(*(set(map(round, found.get(name, []))) for name in "abc"))
    state = getattr(contestant, "state", None)
    return {
        "returned": returned,
        "recovered": len(whole & set(range(returned))),
        "doubled": sum(len(values) - len(set(values)) for values in found.values()),
        "state": state(folder) if state else None,
    }


TASKS: dict[str, Callable[..., Any]] = {
    task.__name__: task for task in (first_log, log_calls, bulk, stream, loop, verify_bulk, verify_streams)
}


def main(name: str, task: str, arguments: str) -> None:
    contestant = cast("Contestant", importlib.import_module(f"contestants.{name}"))
    given = json.loads(arguments)
    if "folder" in given:
        given["folder"] = Path(given["folder"])
    run = TASKS[task] if task in TASKS else getattr(importlib.import_module(given.pop("module", "own")), task)
    result = run(contestant, **given)
    print(RESULT + json.dumps(result), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
