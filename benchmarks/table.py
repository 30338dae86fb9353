"""The table of results: Trackbook's figures, their targets, and their ratio to each peer's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

OURS = "trackbook"


@dataclass(frozen=True)
class Row:
    """One figure and its target."""

    figure: str
    key: str
    title: str
    unit: str
    most: float | None = None
    least: float | None = None
    peers: float | None = None  # at least so many times better than each peer


ROWS = (
    Row("log", "p50_us_1", "`log` of 1 metric, p50", "us", most=1.5, peers=4),
    Row("log", "p99_us_1", "- p99", "us"),
    Row("log", "mean_us_1", "- mean", "us"),
    Row("log", "p50_us_10", "`log` of 10 metrics, p50", "us", most=4, peers=4),
    Row("log", "p99_us_10", "- p99", "us"),
    Row("log", "mean_us_10", "- mean", "us"),
    Row("loop", "slowdown_percent", "a 0.5 ms/step loop logging 10 metrics a step is slowed by", "%", most=2),
    Row("loop", "waited_percent", "- of it waiting for a lock", "%"),
    Row("loop", "noise_percent", "- between the plain loop and itself (noise)", "%"),
    Row("bulk", "seconds", "100k calls x 10 metrics, until all is on disk", "s"),
    Row("bulk", "bytes_per_point", "- bytes a point (random walk)", "B"),
    Row("size", "walk", "bytes a point: random walk, jittered times", "B", most=10),
    Row("size", "smooth", "- smooth values, jittered times", "B", most=4),
    Row("size", "quantised", "- values of 2 decimals, jittered times", "B", most=4),
    Row("million", "points_per_s_10", "points to disk, sustained over 10 M", "/s", least=1e6),
    Row("million", "finish_s_1", "`finish` after 1 M calls of 1 metric", "s", most=1),
    Row("million", "finish_s_10", "`finish` after 1 M calls of 10 metrics", "s", most=1),
    Row("million", "lost_1", "- points lost of 1 M", "", most=0),
    Row("million", "lost_10", "- points lost of 10 M", "", most=0),
    Row("million", "memory_mb_10", "memory at 10 M points, run open, over the empty process", "MB", most=400),
    Row("million", "memory_own_mb_10", "- without mapped files (journal, libraries)", "MB"),
    Row("million", "memory_finished_mb_10", "- run finished", "MB"),
    Row("million", "memory_peak_mb_10", "- the most at any time, `finish` included", "MB"),
    Row("kill", "percent_1hz", "calls recovered after SIGKILL: 1 call a second", "%", least=100),
    Row("kill", "percent_100hz", "- 100 calls a second", "%", least=100),
    Row("kill", "percent_burst", "- as fast as they go", "%", least=100),
    Row("kill", "percent_after", "- right after 10k calls", "%", least=100),
    Row("trials", "lost", "200 random SIGKILLs: calls lost", "", most=0),
    Row("trials", "doubled", "- points doubled", "", most=0),
    Row("trials", "unopened", "- files that do not open", "", most=0),
    Row("sigterm", "percent", "calls recovered after SIGTERM, 10 calls a second", "%", least=100),
    Row("import", "ms", "import", "ms", most=150, peers=3),
    Row("first", "ms", "import, init and first `log`", "ms"),
    Row("reopen", "seconds_1m", "reopen 1 M points, to the first keyframe", "s"),
    Row("reopen", "seconds_10m", "reopen 10 M points, to the first keyframe", "s", most=1),
    Row(
        "scale",
        "ratio_begin_and_end",
        "`init` + `finish` among 10,000 runs, of the time in an empty project",
        "x",
        most=1.2,
    ),
    Row("scale", "runs_s_tables", "`tb.runs()` of 10,000 runs x 20 metrics", "s", most=0.5),
    Row("scale", "sql_s_tables", "`tb.sql` of one metric over 10,000 runs, 10 M points in the file", "s", most=1),
    Row(
        "scale",
        "ratio_wide",
        "`history(wide=True)` of 2,000 metrics x 1,000 steps, of the time of Polars' pivot",
        "x",
        most=1.5,
    ),
    Row("picture", "ms_1000", "kernel thread time a refresh, 30 series, 10 M points, 1,000 calls/s", "ms", most=2),
    Row("picture", "ms_growing_1000", "- from the first call on, a minute long", "ms", most=2),
    Row("picture", "bytes_100", "bytes sent a refresh, 30 series, 10 M points in all, 100 calls/s", "B", most=10_000),
    Row("picture", "bytes_1000", "- 1,000 calls/s", "B"),
    Row("picture", "bytes_largest", "- 10 M steps a series, 1,000 calls/s", "B", most=10_000),
    Row("picture", "bytes_growing_100", "- from the first call on, a minute long, 100 calls/s", "B", most=60_000),
    Row("picture", "bytes_growing_1000", "- from the first call on, a minute long, 1,000 calls/s", "B", most=60_000),
    Row("picture", "keyframe_ms", "full keyframe, 30 series, 10 M points in all", "ms", most=100),
    Row("picture", "keyframe_bytes", "- its bytes", "B", most=1e6),
    Row("picture", "keyframe_ms_largest", "full keyframe, 30 series of 10 M steps each", "ms", most=100),
    Row("picture", "keyframe_bytes_largest", "- its bytes", "B", most=1e6),
    Row("picture", "saved_bytes", "keyframe that a notebook keeps, 30 series", "B", most=150_000),
    Row("board", "percent", "a board in view takes of a loop of 1,000 calls/s (no browser)", "%", most=2),
    Row("detail", "p50_ms", "exact window of a 10 M-point run, cell busy, p50", "ms"),
    Row("detail", "p95_ms", "- p95", "ms", most=300),
    Row("console", "cpu_percent_kernel", "recording the console slows `print` in a kernel by, CPU", "%", most=10),
    Row("console", "us_kernel", "- a line", "us"),
    Row(
        "console",
        "cpu_percent_script",
        "recording the console slows `print` to a terminal in a script by, CPU",
        "%",
        most=10,
    ),
    Row("console", "us_script", "- a line", "us"),
    Row("latency", "p95_ms", "`log` to pixels, JupyterLab, cell busy, 10 metrics at 100 calls/s, p95", "ms", most=250),
    Row("latency", "p50_ms", "- p50", "ms"),
    Row("paint", "first_paint", "board of 1,000 runs x 50 metrics, to its first paint", "ms", most=2000),
    Row("many_runs", "first_paint", "board of 10,000 runs x 20 metrics, to its first charts", "ms", most=2000),
    Row("many_runs", "open", "- its runs panel opened", "ms", most=200),
    Row("many_runs", "all", "- until the kernel has sent all runs, from then on", "ms"),
    Row("many_runs", "sort", "- sorted", "ms", most=200),
    Row("many_runs", "search", "- searched", "ms", most=200),
    Row("draw", "ratio", "drawing 12 charts x 3 runs of 10 M points / of 1 k points", "x", most=1.3),
    Row("draw", "short_ms", "- of 1 k points", "ms"),
    Row(
        "idle",
        "finished_percent",
        "idle: kernel with a finished board in view, over a plain kernel",
        "% of a core",
        most=0.1,
    ),
    Row("idle", "open_percent", "- with an open run that logs nothing", "% of a core", most=0.3),
    Row("heap", "drift_percent", "browser's memory over a run of 30 minutes: the last third grows by", "%", most=5),
    Row("heap", "mb", "- and is", "MB"),
    Row("bundle", "bytes", "the front end, minified", "B", most=1e6),
    Row("bundle", "load_ms", "- loaded and initialised in", "ms", most=1000),
    Row("bundle", "slowest_ms", "- at the slowest", "ms"),
    Row("export", "ratio", "export of 10 M points / a bare `write_parquet`", "x", most=1.5),
)


def number(value: float, unit: str) -> str:
    """Format with three digits and the unit."""
    if unit == "/s":
        return f"{value / 1e6:.2f} M/s" if value >= 1e5 else f"{value / 1e3:.1f} k/s"
    if unit == "%":
        text = f"{value:.1f}"
    elif value == int(value) or abs(value) >= 100:
        text = f"{value:.0f}"
    else:
        text = f"{value:.3g}"
    return text + (unit if unit in ("%", "x") else f" {unit}" if unit else "")


def times_better(row: Row, ours: float, theirs: float) -> float:
    """Return how many times better Trackbook is; below 1 it is worse."""
    better, worse = (theirs, ours) if row.least is None else (ours, theirs)
    return better / worse if worse else float("inf")


def target(row: Row) -> str:
    limits = []
    if row.most is not None:
        limits.append(f"<= {number(row.most, row.unit)}" if row.most else "0")
    if row.least is not None:
        limits.append(f">= {number(row.least, row.unit)}" if row.least != 100 else "100%")
    if row.peers is not None:
        limits.append(f"{row.peers:g}x below each peer")
    return ", ".join(limits)


def verdict(row: Row, ours: float | None, theirs: dict[str, float]) -> str:
    """Return ``met``, or ``missed`` with the difference; empty without a target or a figure."""
    if not target(row):
        return ""
    if ours is None:
        return "not measured"
    if (row.most is not None and ours > row.most) or (row.least is not None and ours < row.least):
        return "**missed**"
    if row.peers is not None:
        near = {name: times_better(row, ours, value) for name, value in theirs.items()}
        near = {name: times for name, times in near.items() if times < row.peers}
        if near:
            return "**missed**: " + ", ".join(f"{times:.1f}x {name}" for name, times in near.items())
        if not theirs:
            return "met, no peer measured"
    return "met"


def cells(row: Row, results: dict[str, Any], names: Sequence[str]) -> list[str]:
    """The row of one figure: its title, target, verdict, Trackbook's figure and each peer's."""
    found = results["figures"].get(row.figure, {})
    values = {name: found[name][row.key] for name in found if row.key in found[name]}
    ours = values.get(OURS)
    theirs = {name: value for name, value in values.items() if name != OURS}
    line = [row.title, target(row), verdict(row, ours, theirs)]
    line.append(_unknown(found, OURS) if ours is None else number(ours, row.unit))
    for name in names:
        if name not in theirs:
            line.append(_unknown(found, name))
            continue
        text = ("~" if found[name].get("reckoned") else "") + number(theirs[name], row.unit)
        if row.unit != "%" and ours is not None:  # of shares "times better" says nothing
            times = times_better(row, ours, theirs[name])
            text += f" ({times:.{1 if times < 10 else 0}f}x)"
        line.append(text)
    return line


def _unknown(found: dict[str, Any], name: str) -> str:
    return "failed" if any(key.startswith("error") for key in found.get(name, {})) else "-"


def markdown(lines: Sequence[Sequence[str]]) -> str:
    """A table whose columns are aligned in the source, too."""
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    padded = [" | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in lines]
    padded.insert(1, " | ".join("-" * width for width in widths))
    return "\n".join(f"| {line} |" for line in padded)


def table(results: dict[str, Any]) -> str:
    """Return the table with its explanations."""
    figures, versions, machine = results["figures"], results["versions"], results["machine"]
    names = [name for name in versions if name != OURS and any(name in found for found in figures.values())]
    heads = ["", "target", "", *(f"{name} {versions[name]}" for name in (OURS, *names))]
    rows = [cells(row, results, names) for row in ROWS if row.figure in figures]
    notes = ["**Quick: less of everything was measured, nothing here is to be quoted.**"] if results["quick"] else []
    notes += [
        (
            f"Measured {results['date']} on {machine['cpu']}, {machine['cores']} cores, {machine['memory_gb']} GB, "
            f"{machine['os']}, Python {machine['python']}; load {machine['load_before']} before and "
            f"{machine['load_after']} after."
        ),
        (
            "In brackets: how many times better Trackbook is. All in one run, in turn, each in fresh processes; medians. "
            "`~`: reckoned from the calls that a slow one did in its time. "
            "`log` is called as fast as it goes, less the cost of reading the clock."
        ),
        "Setup: " + "; ".join(f"{name}: {text}" for name, text in results["settings"].items()) + ".",
        *(f"Not as it should be: {problem}" for problem in results["problems"]),
    ]
    return markdown([heads, *rows]) + "\n\n" + "\n".join(f"- {note}" for note in notes) + "\n"
