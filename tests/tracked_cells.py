"""What is checked of a notebook whose last cell trains: it is executed plain, and under ``%%track`` alone."""

from __future__ import annotations

import re
from typing import Any

import pytest

import trackbook as tb
from public_cells import LIBRARIES, Cell
from shells import Shell


class Executed:
    """A notebook after its cells: the output of the last one, its result and the notebook's variables."""

    def __init__(self, shell: Shell, cell: Cell, head: str = "", libraries: str = LIBRARIES) -> None:
        shell.ip.reset(new_session=False)
        for source in (libraries, cell.setup):
            shell.run(source).raise_error()
        shell._capsys.readouterr()
        self.result = shell.run(*([head] if head else []), cell.source)
        said = shell._capsys.readouterr()
        self.output = "\n".join(line for line in said.out.splitlines() if not line.startswith("%%track"))
        self.namespace = shell.ip.user_ns
        self.values = {name: repr(value) for name, value in self.namespace.items() if _is_plain(value)}

    def curve(self, wanted: str) -> list[float]:
        if wanted.startswith("re:"):
            return [float(found) for found in re.findall(wanted.removeprefix("re:"), self.output)]
        return [float(value) for value in eval(wanted, self.namespace)]


def check_curves(shell: Shell, cell: Cell, libraries: str = LIBRARIES) -> None:
    """Check that ``%%track`` alone draws what the author looks at, and at most as much again."""
    executed = Executed(shell, cell, "%%track", libraries)
    executed.result.raise_error()
    points = shell.points()
    metrics = {metric: values for metric, values in points.items() if metric not in axes()}
    for metric, wanted in cell.curves.items():
        assert metrics.get(metric) == pytest.approx(executed.curve(wanted), abs=1e-6), (metric, metrics)
    assert len(metrics) <= 2 * len(cell.curves), list(metrics)


def check_unchanged(shell: Shell, cell: Cell, libraries: str = LIBRARIES) -> None:
    """Check that a tracked cell prints what the plain one prints, and leaves the same variables and result."""
    plain, tracked = Executed(shell, cell, "", libraries), Executed(shell, cell, "%%track", libraries)
    changing = re.compile(rf"{cell.times}|0x[0-9a-f]+|^Out\[\d+\]", re.MULTILINE)
    said = [changing.sub("", one.output) for one in (plain, tracked)]
    assert said[0] == said[1], "\n---\n".join(said)
    hidden = {"In", "Out", "start_time", "ms_per_batch"}
    ours = {key: value for key, value in tracked.values.items() if key not in hidden and not key.startswith("_")}
    assert ours == {key: value for key, value in plain.values.items() if key not in hidden and not key.startswith("_")}
    assert changing.sub("", repr(plain.result.result)) == changing.sub("", repr(tracked.result.result))


def axes() -> set[str]:
    return set(tb.get_run().record.defined.values())


def _is_plain(value: Any) -> bool:
    return isinstance(value, (int, float, str, list, dict)) and "0x" not in repr(value)[:10_000]
