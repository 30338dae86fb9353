"""Makes the golden files: what the kernel sends, and the picture that every front end must assemble from it.

`python tests/golden/make.py` writes them. `tests/frames/test_picture.py` makes them again and compares, and `js` reads them.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

FOLDER = Path(__file__).parent
sys.path.insert(0, str(FOLDER.parent))

from trackbook.frames.buckets import Buckets  # noqa: E402
from trackbook.frames.picture import Picture  # noqa: E402
from wire import kernel_picture, packed, plain  # noqa: E402

NOW = 1_800_000_000.0


class Kernel:
    """A picture whose frames are kept in the order in which they are sent."""

    def __init__(self, project: str = "digits") -> None:
        self.picture = Picture(project)
        self.picture.session = "golden"
        self.picture.buckets = Buckets(512)  # small files
        self.messages: list[dict[str, Any]] = []

    def run(self, key: int, name: str, **more: Any) -> None:
        header: Any = {
            "key": key,
            "place": key,
            "id": f"run{key}",
            "name": name,
            "group": None,
            "state": "running",
            "started": NOW - 60,
            "ended": None,
            "done": 0,
            "total": None,
            "rate": None,
            "faded": False,
            "error": None,
            "defined": [],
            "goals": [],
        }
        self.picture.put_run(header | more)

    def points(self, key: int, metric: str, steps: Any, values: Any) -> None:
        at = np.asarray(list(steps), np.int64)
        self.picture.add_points(f"run{key}", metric, at, NOW + at / 8, np.asarray(list(values), np.float64))

    def keyframe(self, budget: int | None = None) -> None:
        keyframe, delta = self.picture.keyframe(NOW, budget), self.picture.delta(NOW)
        self.messages.append({"keyframe": packed(keyframe), "delta": packed(delta)})

    def delta(self) -> None:
        self.messages.append({"delta": packed(self.picture.delta(NOW))})


def empty(kernel: Kernel) -> None:
    kernel.keyframe()


def points(kernel: Kernel) -> None:
    kernel.run(0, "first")
    kernel.keyframe()
    kernel.points(0, "train/loss", range(5), [5, 4, 3, 2, 1])
    kernel.delta()
    kernel.points(0, "train/loss", [9, 7], [0.5, 0.25])
    kernel.points(0, "val/acc", [0], [0.125])
    kernel.delta()
    kernel.run(1, "second", total=10, done=3, rate=1.5, defined=[["val/*", "epoch"], ["train/loss", "time"]])
    kernel.run(0, "first", state="finished", ended=NOW)
    kernel.points(1, "train/loss", range(3), [1e-300, -0.0, 1e300])
    kernel.delta()


def growing(kernel: Kernel) -> None:
    random = np.random.default_rng(1)
    kernel.run(0, "long")
    kernel.points(0, "loss", range(700), random.integers(-99, 99, 700) / 8)
    kernel.keyframe()
    for start in range(700, 4300, 1200):
        kernel.points(0, "loss", range(start, start + 1200), random.integers(-99, 99, 1200) / 8)
        kernel.delta()


def late(kernel: Kernel) -> None:
    random = np.random.default_rng(2)
    steps = random.permutation(3000)[:1500]
    values = random.integers(-20, 20, 1500) / 4  # ties among the extremes
    kernel.run(0, "out of order")
    for part in np.array_split(np.arange(1500), 3):
        kernel.points(0, "loss", steps[part], values[part])
        kernel.delta() if kernel.messages else kernel.keyframe()


def not_finite(kernel: Kernel) -> None:
    values = np.arange(1500) / 4
    values[::3], values[1], values[-1], values[1000:1100] = np.nan, np.inf, -np.inf, np.nan
    kernel.run(0, "diverged")
    kernel.points(0, "short", range(6), [np.nan, np.inf, -np.inf, 1, np.nan, 2])
    kernel.points(0, "long", range(700), values[:700])
    kernel.keyframe()
    kernel.points(0, "long", range(700, 1500), values[700:])
    kernel.delta()


def magnitudes(kernel: Kernel) -> None:
    """Series with values or steps beyond float32 and uint32, and one far from zero."""
    steps = np.arange(2050)
    kernel.run(0, "extreme")
    for metric, scale in (("huge", 1e300), ("tiny", 1e-60), ("plain", 1.0)):
        kernel.points(0, metric, steps, (steps % 64 - 9) * scale)
    kernel.points(0, "far", steps, 2.0**30 + steps % 16 / 8)
    kernel.points(0, "sparse", [0, 2**33, 2**52], [1, 2, 3])
    kernel.keyframe()
    kernel.points(0, "far", range(2050, 2150), [0.0625] * 100)
    kernel.points(0, "plain", range(2050, 2060), [1e200] * 10)
    kernel.delta()


def budgeted(kernel: Kernel) -> None:
    """A keyframe coarser than the kernel's buckets, and deltas that match it."""
    steps = np.arange(3000)
    kernel.run(0, "many")
    for metric in range(4):
        kernel.points(0, f"m{metric}", steps, steps * (7 + metric) % 64 / 8)
    kernel.keyframe(budget=20_000)
    for start in (3000, 4000, 5000):
        kernel.points(0, "m0", range(start, start + 10), range(10))
        kernel.points(0, "m2", [start // 2 + 10**4], [9])
        kernel.delta()


def names(kernel: Kernel) -> None:
    for key, name in enumerate(("__proto__", '"quoted" <b>&amp;', "datum['x']", "ünï😀cødé", "constructor")):
        kernel.run(key, name, group=name)
        kernel.points(key, name, [0], [key])
    kernel.keyframe()
    for key in range(5):
        kernel.points(key, "a/b.c[0]" + "x" * 500, [1], [1])
    kernel.delta()


def out_of_turn(kernel: Kernel) -> None:
    """A delta before its keyframe, and a stale delta after it, change nothing that is newer."""
    kernel.run(0, "raced")
    kernel.points(0, "loss", range(3), [1, 2, 3])
    kernel.keyframe()
    kernel.points(0, "loss", range(3, 6), [4, 5, 6])
    kernel.delta()
    stale = kernel.messages[-1]
    kernel.keyframe()
    second = kernel.messages.pop()
    kernel.points(0, "loss", range(6, 9), [7, 8, 9])
    kernel.delta()
    kernel.messages += [{"keyframe": second["keyframe"]}, stale]


CASES: list[Callable[[Kernel], None]] = [
    empty,
    points,
    growing,
    late,
    not_finite,
    magnitudes,
    budgeted,
    names,
    out_of_turn,
]


def contents(case: Callable[[Kernel], None]) -> dict[str, Any]:
    kernel = Kernel()
    case(kernel)
    seq = kernel.picture.seq
    return {
        "name": case.__name__,
        "frames": kernel.messages,
        "picture": plain(kernel_picture(kernel.picture)) | {"seq": seq},
    }


if __name__ == "__main__":
    for case in CASES:
        text = json.dumps(contents(case), ensure_ascii=True, separators=(",", ":"))
        (FOLDER / f"{case.__name__}.json").write_text(text + "\n")
        print(f"{case.__name__}.json: {len(text)} bytes")
