"""What differs between two runs: settings, environment, code, results."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

CELL: Final = "# %%"  # what editors know as the beginning of a cell
_PASSING: Final = frozenset({"process.pid", "disk.free_gb", "cpu.mhz"})  # of no run: others at the next look


class _Absent:
    """Stands for what one of two runs does not have."""

    def __repr__(self) -> str:
        return "absent"

    def __reduce__(self) -> str:
        return "ABSENT"


ABSENT: Final = _Absent()
Pairs = dict[str, tuple[Any, Any]]


@dataclass(frozen=True)
class Recorded:
    """What is known of one run; `environment` and `sources` (of its cells, as executed) are None where nothing was recorded."""

    label: str
    config: Mapping[str, Any]
    metrics: Mapping[str, float]  # the last value of each
    environment: Mapping[str, Any] | None = None
    sources: Sequence[str] | None = None


@dataclass(frozen=True)
class Differences:
    """Two runs, the first's part first. What is nested has names joined by a dot; what a run lacks is `ABSENT`."""

    labels: tuple[str, str]
    config: Pairs
    environment: Pairs
    code: str  # a unified diff of the executed cells
    metrics: Pairs  # all of them, equal ones too
    unknown: dict[str, list[str]] = field(default_factory=dict)  # of which runs there is no "environment", no "code"


def differences(first: Recorded, second: Recorded) -> Differences:
    unknown = {
        "environment": [run.label for run in (first, second) if run.environment is None],
        "code": [run.label for run in (first, second) if run.sources is None],
    }
    environment = {} if unknown["environment"] else changed(first.environment, second.environment)
    return Differences(
        labels=(first.label, second.label),
        config=changed(first.config, second.config),
        environment={name: environment[name] for name in sorted(environment.keys() - _PASSING)},
        code="" if unknown["code"] else code_diff(first, second),
        metrics=_paired(first.metrics, second.metrics),
        unknown={what: labels for what, labels in unknown.items() if labels},
    )


def changed(first: Any, second: Any) -> Pairs:
    """What two JSON objects do not have in common."""
    pairs = _paired(dict(_flat(first)), dict(_flat(second)))
    return {name: pair for name, pair in pairs.items() if not _same(*pair)}


def code_diff(first: Recorded, second: Recorded) -> str:
    """The unified diff of the code of two runs, cell by cell in the order of execution; empty where it is the same."""
    import difflib

    one, other = (_program(run.sources or ()) for run in (first, second))
    return "\n".join(difflib.unified_diff(one, other, first.label, second.label, lineterm=""))


def _program(sources: Sequence[str]) -> list[str]:
    return [line for source in sources for line in (CELL, *source.splitlines())]


def _paired(first: Mapping[str, Any], second: Mapping[str, Any]) -> Pairs:
    return {name: (first.get(name, ABSENT), second.get(name, ABSENT)) for name in dict.fromkeys([*first, *second])}


def _flat(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """The leaves of nested objects and lists of objects; lists of plain values are leaves."""
    inside: Any = None
    if isinstance(value, Mapping):
        inside = value.items()
    elif isinstance(value, list) and any(isinstance(item, Mapping) for item in value):
        inside = enumerate(value)
    if inside is None or (name and not value):
        yield name, value
        return
    for key, item in inside:
        yield from _flat(item, f"{name}.{key}" if name else str(key))


def _same(first: Any, second: Any) -> bool:
    """Equal as a reader sees it: 1 is 1.0, but not True, and NaN is NaN."""
    if first is ABSENT or second is ABSENT:
        return False
    if json.dumps(first) == json.dumps(second):
        return True
    return bool(first == second) and isinstance(first, bool) == isinstance(second, bool)
