"""Makes the golden rows: what is drawn of a picture, seen in several ways, in Python as in the browser.

`python tests/golden/make_rows.py` writes them. `tests/charts/test_plot.py` makes them again and compares, and `js` draws them.
"""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

FOLDER = Path(__file__).parent / "rows"
sys.path[:0] = [str(FOLDER.parent.parent), str(FOLDER.parent)]

from golden.make import NOW, Kernel  # noqa: E402
from trackbook.charts.plot import DrawSettings, plot_of  # noqa: E402
from trackbook.frames.buckets import Buckets  # noqa: E402
from trackbook.metrics import members  # noqa: E402
from wire import packed  # noqa: E402

FIELDS = ("run", "step", "time", "value", "smooth", "x", "mark", "part", "color", "dash")
PLAIN = DrawSettings()
SMOOTH = dataclasses.replace(PLAIN, smoothing=3)


def points(kernel: Kernel) -> list[DrawSettings]:
    kernel.run(0, "first", state="finished")
    kernel.run(1, "second")
    kernel.run(2, "second", faded=True)
    for key in range(3):
        kernel.points(key, "loss", range(9), [9, 7.5, 8, 3, 4, 2.25, 2, 1.5, 1 + key])
    kernel.points(0, "late", [7, 3, 5], [1, 2, 3])
    return [PLAIN, SMOOTH, dataclasses.replace(SMOOTH, smoothing=20, hidden=frozenset(["run1"]), theme="dark")]


def times(kernel: Kernel) -> list[DrawSettings]:
    kernel.run(0, "first", started=NOW - 10)
    kernel.points(0, "loss", range(4), [1, 2, 3, 4])
    kernel.picture.add_points("run0", "loss", np.array([9]), np.array([NOW - 5.0]), np.array([0.5]))
    kernel.points(0, "@system/cpu %", range(3), [50, 100, 75])
    return [dataclasses.replace(SMOOTH, x_axis=axis) for axis in ("relative", "time", "step")]


def buckets(kernel: Kernel) -> list[DrawSettings]:
    random = np.random.default_rng(3)
    kernel.run(0, "long")
    kernel.points(0, "loss", range(75), random.integers(-99, 99, 75) / 8)
    kernel.points(0, "ties", range(45), random.integers(0, 2, 45))
    looks = [PLAIN, SMOOTH, dataclasses.replace(SMOOTH, columns=4, x_axis="relative")]
    return [*looks, dataclasses.replace(PLAIN, columns=1)]


def not_finite(kernel: Kernel) -> list[DrawSettings]:
    values = np.arange(60) / 4
    values[::7], values[1], values[-1], values[30:38], values[40] = np.nan, np.inf, -np.inf, np.nan, np.inf
    kernel.run(0, "diverged")
    kernel.points(0, "long", range(60), values)
    kernel.points(0, "short", range(6), [np.nan, np.inf, -np.inf, 1, np.nan, 2])
    kernel.points(0, "lonely", range(3), [np.nan, 1, np.inf])
    kernel.points(0, "none", range(3), [np.nan] * 3)
    kernel.points(0, "zeros", range(50), [0.0] * 50)
    return [PLAIN, SMOOTH, dataclasses.replace(SMOOTH, columns=3)]


def axes(kernel: Kernel) -> list[DrawSettings]:
    kernel.run(0, "first", defined=[["late", "time"], ["*", "epoch"]])
    kernel.run(1, "without epochs")
    for key in range(2):
        kernel.points(key, "loss", range(75), [(step * 7 % 13 - key) / 8 for step in range(75)])
        kernel.points(key, "late", range(4, 12), [1, -2, 4, 1024, 2, 3, 1, 2])
    kernel.points(0, "epoch", range(2, 75, 3), range(25))
    logs = dataclasses.replace(SMOOTH, x_log=True, y_log=True, x_axis="relative")
    clipped = dataclasses.replace(SMOOTH, clip_outliers="always", smoothing_kind="exponential", columns=5)
    return [PLAIN, logs, clipped, dataclasses.replace(PLAIN, y_log=True), dataclasses.replace(PLAIN, x_axis="lo")]


def logarithms(kernel: Kernel) -> list[DrawSettings]:
    kernel.run(0, "negative")
    kernel.points(0, "points", range(9), [2, 1, -1, -2, 3, 4, 0, 5, np.nan])
    waves = [(-20 if 20 <= step % 50 < 35 else 4) + step * 7 % 13 - 6 for step in range(160)]
    kernel.points(0, "buckets", range(160), waves)
    logs = dataclasses.replace(PLAIN, y_log=True)
    return [
        logs,
        dataclasses.replace(logs, columns=9),
        dataclasses.replace(logs, x_log=True, columns=6),
        dataclasses.replace(logs, smoothing=1),
        dataclasses.replace(logs, smoothing=2, smoothing_kind="exponential"),
    ]


def outliers(kernel: Kernel) -> list[DrawSettings]:
    kernel.picture.buckets = Buckets(120)  # of fewer rows, two outliers would be many
    for key, length in enumerate((120, 1100)):  # points, and buckets
        kernel.run(key, f"run {key}")
        values = np.round(64 * 3 * np.exp(-np.arange(length) / 60) + np.arange(length) % 7) / 64
        values[:2] = 800, 801
        kernel.points(key, "start", range(length), values)
        kernel.points(key, "end", range(length), values[::-1])
    always = dataclasses.replace(PLAIN, clip_outliers="always", columns=20)
    return [dataclasses.replace(PLAIN, columns=20), always, dataclasses.replace(always, y_log=True)]


def bars(kernel: Kernel) -> list[DrawSettings]:
    for key in range(12):
        kernel.run(key, f"run {key % 3}" if key < 6 else f"__proto__{key}", state="finished")
        kernel.points(key, "f1", [0], [np.nan if key == 4 else key % 5])
    kernel.run(12, "still running")
    kernel.points(12, "one", [3], [0.5])
    return [PLAIN]


def options(kernel: Kernel) -> list[DrawSettings]:
    for key in range(2):
        kernel.run(key, "constructor" if key else "first", goals=[["own", "max"], ["o*", "min"]])
        for metric in ("own", "other", "val/acc", "plain"):
            kernel.points(key, metric, range(60), [(step * 7 % 13 - key) / 8 for step in range(60)])
        kernel.points(key, "loss", range(4), [np.nan, 3, 2 + key, np.inf])
    kernel.points(0, "nothing loss", range(3), [np.nan] * 3)
    marked = dataclasses.replace(
        PLAIN,
        best_marks=True,
        reference_lines={"*": [0.5, -1, 9], "plain": []},
        y_ranges={"ow*": [None, 1], "val/*": [-5, 5], "plain": [99, None], "loss": [-1, None]},
    )
    return [marked, dataclasses.replace(marked, y_log=True, x_log=True), dataclasses.replace(marked, smoothing=2)]


def many(kernel: Kernel) -> list[DrawSettings]:
    for key in range(24):
        kernel.run(key, f"run {key}", state="finished", goals=[["best", "max"]])
        kernel.points(key, "best", range(3), [1, 30 - abs(key - 7), 2])
        kernel.points(key, "plain", range(3), [1, key, 2])
        kernel.points(key, "single", [0], [key])
    return [PLAIN, dataclasses.replace(PLAIN, best_marks=True, hidden=frozenset(f"run{key}" for key in range(3)))]


CASES: list[Callable[[Kernel], list[DrawSettings]]] = [
    points,
    times,
    buckets,
    not_finite,
    axes,
    logarithms,
    outliers,
    bars,
    options,
    many,
]

METRICS = ["lr", "train/loss", "train/acc", "val/loss", "a.c", "val/\n<b>", "__proto__", "@system/cpu %"]
MEMBERS = [
    ("train/loss", []),
    ("train/own", []),
    ("own", []),
    ("other/own", []),
    ("own", ["*loss"]),
    ("train/loss", ["val/*", "lr"]),
    ("own", ["a?c"]),
    ("own", ["[a].c"]),
    ("__proto__", []),
    ("own", ["@system/*"]),
    ("@system/own", []),
]


def contents(case: Callable[[Kernel], list[DrawSettings]]) -> dict[str, Any]:
    kernel = Kernel()
    picture = kernel.picture
    picture.buckets = Buckets(10)  # small files
    looks = case(kernel)
    views = [
        _view(look) | {"plots": [_plot(plot_of(picture, metric, look)) for metric in picture.metrics]} for look in looks
    ]
    return {"keyframe": packed(picture.keyframe(NOW)), "views": views}


def membership() -> list[Any]:
    return [
        {"name": name, "globs": globs, "metrics": METRICS, "members": members(name, globs, METRICS)}
        for name, globs in MEMBERS
    ]


def _view(look: DrawSettings) -> dict[str, Any]:
    view = dataclasses.asdict(look) | {"hidden": sorted(look.hidden)}
    del view["options"]  # parameters of the charts: no row depends on them
    return view


def _plot(plot: Any) -> dict[str, Any]:
    return {
        "metric": plot.metric,
        "bars": plot.bars,
        "window": plot.window,
        "columns": {name: [_plain(row[name]) for row in (plot.longest if plot.bars else plot.rows)] for name in FIELDS},
    }


def _plain(value: Any) -> Any:
    """Return NaN, the infinities and -0 as text, since JSON cannot represent them."""
    if isinstance(value, float) and (not np.isfinite(value) or str(value) == "-0.0"):
        return str(value).replace("nan", "NaN").replace("inf", "Infinity")
    return value


if __name__ == "__main__":
    files = {case.__name__: contents(case) for case in CASES} | {"members": membership()}
    FOLDER.mkdir(exist_ok=True)
    for name, content in files.items():
        text = json.dumps(content, ensure_ascii=True, separators=(",", ":"))
        (FOLDER / f"{name}.json").write_text(text + "\n")
        print(f"rows/{name}.json: {len(text)} bytes")
