"""The figures: each a function from the lab to the numbers of every contestant."""

from __future__ import annotations

import math
import signal
import statistics
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lab import Figures, Lab, TrialError, environment_of, folder_bytes
from notebooks import bundle, draw, heap, idle, latency, many_runs, paint

if TYPE_CHECKING:
    from peers import Entrant

Result = dict[str, Any]

BULK_CALLS = 100_000
MILLION = 1_000_000
PATIENCE_SECONDS = 15.0  # for a slow contestant's bulk; its time for all calls is then reckoned from those it did
SIDE_BY_SIDE = 10
KILLS = 200
IMPORT = "import time; begin = time.perf_counter(); import {}; print('RESULT', time.perf_counter() - begin)"


def imports(lab: Lab) -> Result:
    """`import` in fresh interpreters."""

    def measure(entrant: Entrant) -> Figures:
        return {"ms": lab.result(entrant, [entrant.python, "-c", IMPORT.format(entrant.name)]) * 1e3}

    for entrant in lab.entrants:  # once unmeasured: byte code, and the machine's memory of the files
        try:
            measure(entrant)
        except TrialError:
            lab.say(f"import: {entrant.name} failed to warm up")
    return lab.alternate("import", 9, measure)


def first(lab: Lab) -> Result:
    """Import, init and the first call."""
    return lab.alternate("first log", 3, lambda entrant: lab.run(entrant, "first_log", folder=lab.fresh()))


def log(lab: Lab) -> Result:
    """The cost of each call, with 1 and with 10 metrics."""
    calls = 2_000 if lab.quick else 20_000
    results: Result = {}
    for metrics in (1, 10):
        found = lab.alternate(
            f"log of {metrics}",
            3,
            lambda entrant, metrics=metrics: lab.run(
                entrant, "log_calls", folder=lab.fresh(), metrics=metrics, calls=calls, seconds=4, timeout=60
            ),
        )
        _join(results, found, f"_{metrics}")
    return results


def bulk(lab: Lab) -> Result:
    """100k calls of 10 metrics until all is on disk, read back in another process; and the bytes it takes."""
    calls = 5_000 if lab.quick else BULK_CALLS
    verified: set[str] = set()

    def measure(entrant: Entrant) -> Figures:
        folder = lab.fresh()
        found: Figures = lab.run(
            entrant, "bulk", folder=folder, metrics=10, calls=calls, seconds=PATIENCE_SECONDS, timeout=120
        )
        done = int(found["calls"])
        found["reckoned"] = done < calls
        found["seconds"] = found["log_s"] * calls / done + found["finish_s"] * (calls / done)
        found["bytes_per_point"] = folder_bytes(folder) / (done * 10)
        if entrant.name not in verified:
            verified.add(entrant.name)
            check = lab.run(entrant, "verify_bulk", folder=folder, metrics=10, calls=done, timeout=120)
            if check["right"] != check["expected"] or check["points"] != check["expected"]:
                lab.problem(
                    f"bulk: of {check['expected']} points {entrant.name} has {check['points']}, {check['right']} right"
                )
        lab.forget(folder)
        return found

    return lab.alternate("bulk", 2, measure)


def size(lab: Lab) -> Result:
    """Trackbook's bytes a point by the kind of values, with the times of steps of about 10 ms."""
    results: Figures = {}
    calls = 5_000 if lab.quick else BULK_CALLS
    for shape in ("walk", "smooth", "quantised"):
        folder = lab.fresh()
        try:
            lab.run(
                lab.trackbook,
                "bulk",
                folder=folder,
                metrics=10,
                calls=calls,
                seconds=PATIENCE_SECONDS,
                shape=shape,
                jittered_clock=True,
            )
        except TrialError as error:
            lab.problem(f"size: {shape}: {error}")
            continue
        results[shape] = folder_bytes(folder) / (10 * calls)
        lab.forget(folder)
        lab.say(f"size: {shape}")
    return {"trackbook": results}


@dataclass(frozen=True)
class Stream:
    """Calls at `rate` a second (0: as fast as they go), ended by a signal after a random time from `least` to `most` seconds."""

    rate: float
    least: float | None = None  # None: it ends itself, after its last call
    most: float = 0
    calls: int = 50_000_000
    how: signal.Signals = signal.SIGKILL


def kill(lab: Lab) -> Result:
    """SIGKILL: right after 10,000 calls, and in the midst of calls at 1 Hz, at 100 Hz and as fast as they go."""
    results: Result = {}
    for name, stream in (
        ("1hz", Stream(1, 6, 7)),
        ("100hz", Stream(100, 3, 4)),
        ("burst", Stream(0, 1, 2)),
        ("after", Stream(0, calls=2_000 if lab.quick else 10_000)),
    ):
        _join(results, _recovered(lab, f"kill, {name}", stream), f"_{name}")
    return results


def terminate(lab: Lab) -> Result:
    """SIGTERM, as a cluster sends it, to a loop of 10 calls a second."""
    return _recovered(lab, "SIGTERM", Stream(10, 3, 4, how=signal.SIGTERM))


def trials(lab: Lab) -> Result:
    """200 SIGKILLs of Trackbook, at random moments of streams from 1 Hz to as fast as they go."""
    begin = time.monotonic()
    rates = [0.0 if i % 4 == 0 else math.exp(lab.chance.uniform(0, math.log(3000))) for i in range(KILLS)]
    streams = [Stream(rate, 0, 4 if 0 < rate < 10 else 1.5) for rate in rates[: 10 if lab.quick else KILLS]]
    checks: list[dict[str, Any]] = []
    for at in range(0, len(streams), 50):  # what they leave is read and removed in between
        made = _interrupt(lab, "200 kills", [(lab.trackbook, stream) for stream in streams[at : at + 50]], SIDE_BY_SIDE)
        checks += _checks(lab, "200 kills", lab.trackbook, made[lab.trackbook.name])
        lab.say(f"200 kills: {len(checks)} ({time.monotonic() - begin:.0f} s)")
    return {
        "trackbook": {
            "trials": len(checks),
            "returned": sum(check["returned"] for check in checks),
            "lost": sum(check["returned"] - check["recovered"] for check in checks),
            "doubled": sum(check["doubled"] for check in checks),
            "unopened": sum(bool(check.get("error")) for check in checks),
            "not_lost_state": sum(check.get("state") != "lost" for check in checks),
        }
    }


def loop(lab: Lab) -> Result:
    """A loop of 0.5 ms steps that logs 10 metrics a step."""
    rounds, seconds = (1, 0.3) if lab.quick else (15, 1.0)
    order = [*lab.entrants[:4], lab.trackbook, *lab.entrants[4:], lab.trackbook]  # its few percent are near the noise
    return lab.alternate(
        "loop",
        1,
        lambda entrant: lab.run(entrant, "loop", folder=lab.fresh(), rounds=rounds, seconds=seconds, timeout=180),
        order,
    )


def million(lab: Lab) -> Result:
    """A million calls, of 1 and of 10 metrics: to disk and finished, nothing lost, and the memory it takes."""
    results: Result = {}
    for metrics in (1, 10):
        found = lab.alternate("a million calls", 3, lambda _, metrics=metrics: _million(lab, metrics), [lab.trackbook])
        _join(results, found, f"_{metrics}")
    return results


def reopen(lab: Lab) -> Result:
    """A run of 1 M and of 10 M points in a fresh process, to its first keyframe."""
    results: Result = {}
    for name, calls in (("1m", BULK_CALLS), ("10m", MILLION)):
        folder = _long_run(lab, 5_000 if lab.quick else calls)
        found = (
            lab.alternate(
                "reopen " + name, 3, lambda e, folder=folder: lab.run(e, "reopen", folder=folder), [lab.trackbook]
            )
            if folder
            else {"trackbook": {"error": "there is no such run to reopen"}}
        )
        _join(results, found, f"_{name}")
    return results


def export(lab: Lab) -> Result:
    """10 M points to Parquet, against a bare `write_parquet`."""
    folder = _long_run(lab, 5_000 if lab.quick else MILLION)
    if folder is None:
        return {"trackbook": {"error": "there is no run to export"}}
    return lab.alternate(
        "export", 1, lambda e: lab.run(e, "export", folder=folder, rounds=7, timeout=180), [lab.trackbook]
    )


def picture(lab: Lab) -> Result:
    """The kernel's cost of a board of 30 series: a refresh, its bytes, the keyframe, at 10 M points and while it grows."""
    points, seconds = (300_000, 3) if lab.quick else (10_000_000, 60)  # two keyframes at 100 calls a second
    results = _pictures(lab, "pictures", folder=lab.fresh(), points=points, seconds=seconds)
    for rate in (100, 1000):
        _join(results, _pictures(lab, "growing", folder=lab.fresh(), rate=rate, seconds=seconds), f"_growing_{rate}")
    _join(results, _pictures(lab, "largest"), "_largest")
    return results


def scale(lab: Lab) -> Result:
    """A project of 10,000 runs, beside an empty one; a run of 2,000 metrics, beside Polars' own pivot."""
    runs, full, empty = (200 if lab.quick else 10_000), lab.fresh() / "full", lab.fresh() / "empty"
    results: Result = {}
    tasks: list[tuple[str, dict[str, Any]]] = [
        ("fill_project", {"folder": full, "runs": runs}),
        ("begin_and_end", {"full": full, "empty": empty, "rounds": 20}),
        ("tables", {"folder": full}),
        ("wide", {"folder": empty, "metrics": 2_000, "steps": 20 if lab.quick else 1_000}),
    ]
    for task, arguments in tasks:
        found = lab.alternate(
            task,
            1 if task == "fill_project" else 3,
            lambda e, task=task, arguments=arguments: lab.run(e, task, module="scale", timeout=600, **arguments),
            [lab.trackbook],
        )
        if task != "fill_project":
            _join(results, found, f"_{task}")
    return results


def board(lab: Lab) -> Result:
    """The share of a loop of 1,000 calls a second that a visible board takes."""
    return _pictures(lab, "board", folder=lab.fresh(), seconds=3 if lab.quick else 30)


def detail(lab: Lab) -> Result:
    """Windows of a run of 10 M points, while a cell computes."""
    folder = _long_run(lab, 5_000 if lab.quick else MILLION)
    if folder is None:
        return {"trackbook": {"error": "there is no run to look into"}}
    return _pictures(lab, "detail", folder=folder, questions=10 if lab.quick else 60)


def console(lab: Lab) -> Result:
    """The cost of console recording for a print, in a kernel and in a script on a terminal."""
    lines, count = (10_000, 2) if lab.quick else (100_000, 10)
    results: Result = {}
    for task in ("in_a_kernel", "in_a_script"):
        found = lab.alternate(
            task,
            3,
            lambda e, task=task: lab.run(
                e, task, module="console", folder=lab.fresh(), lines=lines, count=count, timeout=300
            ),
            [lab.trackbook],
        )
        _join(results, found, "")
    return results


def viewed(lab: Lab) -> Result:
    """A server with 100 viewers of one live run, and its list of 1,000 projects."""
    import viewers

    def measure(entrant: Entrant) -> Figures:
        folder = lab.fresh()
        environment = environment_of(entrant, folder) | {"TRACKBOOK_DIR": str(folder)}
        few = lab.quick
        found = viewers.many_viewers(
            entrant.python, folder, environment, 3 if few else 20, 10 if few else viewers.VIEWERS
        )
        folder = lab.fresh()
        environment = environment_of(entrant, folder) | {"TRACKBOOK_DIR": str(folder)}
        return found | viewers.many_projects(entrant.python, folder, environment, 50 if few else viewers.PROJECTS)

    return lab.alternate("viewers", 1, measure, [lab.trackbook])


FIGURES: dict[str, Callable[[Lab], Result]] = {
    "import": imports,
    "first": first,
    "log": log,
    "bulk": bulk,
    "size": size,
    "loop": loop,
    "million": million,
    "reopen": reopen,
    "export": export,
    "scale": scale,
    "picture": picture,
    "board": board,
    "detail": detail,
    "console": console,
    "viewers": viewed,
    "latency": latency,
    "paint": paint,
    "many_runs": many_runs,
    "draw": draw,
    "idle": idle,
    "heap": heap,
    "bundle": bundle,
    "kill": kill,
    "sigterm": terminate,
    "trials": trials,
}


def _pictures(lab: Lab, task: str, **arguments: Any) -> Result:
    def measure(entrant: Entrant) -> Figures:
        found: Figures = lab.run(entrant, task, module="pictures", timeout=180, **arguments)
        return found

    return lab.alternate(task, 1, measure, [lab.trackbook])


def _join(results: Result, found: Result, suffix: str) -> None:
    """Add the figures of one case to those of others."""
    for name, figures in found.items():
        results.setdefault(name, {}).update({key + suffix: value for key, value in figures.items()})


def _recovered(lab: Lab, what: str, stream: Stream) -> Result:
    """The share of the calls that returned which is found on disk, over three rounds."""
    order = [(entrant, stream) for _ in range(1 if lab.quick else 3) for entrant in lab.entrants]
    made = _interrupt(lab, what, order, SIDE_BY_SIDE if stream.rate else 2)
    results: Result = {}
    for entrant in lab.entrants:
        try:
            checks = _checks(lab, what, entrant, made[entrant.name])
        except TrialError as error:
            results[entrant.name] = {"error": str(error)}
            lab.problem(f"{what}: {entrant.name} {error}")
            continue
        shares = [check["recovered"] / check["returned"] * 100 for check in checks]
        results[entrant.name] = {
            "percent": statistics.fmean(shares),
            "worst_percent": min(shares),
            "returned": sum(check["returned"] for check in checks),
            "lost": sum(check["returned"] - check["recovered"] for check in checks),
            "doubled": sum(check["doubled"] for check in checks),
        }
    lab.say(f"{what}: done")
    return results


Trials = list[tuple[str, int]]  # folder, and calls that returned


def _interrupt(lab: Lab, what: str, order: Sequence[tuple[Entrant, Stream]], at_once: int) -> dict[str, Trials]:
    """Run streams, several at once, and end each by its signal."""
    made: dict[str, Trials] = {entrant.name: [] for entrant, _ in order}

    def trial(entrant: Entrant, stream: Stream) -> None:
        after = None if stream.least is None else lab.chance.uniform(stream.least, stream.most)
        try:
            trial = lab.interrupted_stream(entrant, rate=stream.rate, calls=stream.calls, after=after, how=stream.how)
        except TrialError as error:
            lab.problem(f"{what}, {stream.rate:.0f} Hz: {entrant.name} {error}")
        else:
            made[entrant.name].append(trial)

    with ThreadPoolExecutor(at_once) as pool:
        list(pool.map(trial, *zip(*order, strict=True)))
    return made


def _checks(lab: Lab, what: str, entrant: Entrant, trials: Trials) -> list[dict[str, Any]]:
    """Return what is found in the folders of trials, and remove the folders. Raises ``TrialError``."""
    if not trials:
        raise TrialError("gave no trial to read back")
    checks: list[dict[str, Any]] = lab.run(entrant, "verify_streams", trials=trials, timeout=240)
    for folder, _ in trials:
        lab.forget(folder)
    for check in checks:
        if check.get("error"):
            lab.problem(f"{what}: what {entrant.name} left cannot be read: {check['error']}")
    return checks


def _million(lab: Lab, metrics: int) -> Figures:
    calls = 20_000 if lab.quick else MILLION
    folder = lab.fresh()
    found: Figures = lab.run(
        lab.trackbook, "bulk", folder=folder, metrics=metrics, calls=calls, seconds=100, timeout=180
    )
    check = lab.run(
        lab.trackbook, "verify_bulk", folder=folder, metrics=metrics, calls=int(found["calls"]), timeout=180
    )
    size = folder_bytes(folder) / check["expected"]
    lab.forget(folder)
    return found | {"lost": check["expected"] - check["right"], "bytes_per_point": size}


_long_runs: dict[int, Path] = {}


def _long_run(lab: Lab, calls: int) -> Path | None:
    """The folder of a finished run of so many calls of 10 metrics, made once."""
    if calls not in _long_runs:
        folder = lab.fresh() / "store"
        folder.mkdir()
        try:
            lab.run(lab.trackbook, "bulk", folder=folder, metrics=10, calls=calls, seconds=150, timeout=200)
        except TrialError as error:
            lab.problem(f"a run of {calls * 10} points: {error}")
            return None
        _long_runs[calls] = folder
    return _long_runs[calls]
