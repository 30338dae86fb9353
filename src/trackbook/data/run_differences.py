"""The differences between two runs in config, environment, code and results, and their text and HTML."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from ..metrics import logged
from ..store.documents import document
from ..text import one_line, shorten_name
from ..types import CAPTURED

if TYPE_CHECKING:
    from ..store.base import Store
    from ..store.recorded_file import RecordedFile
    from ..types import RunRecord

CELL: Final = "# %%"  # marks the beginning of a cell for editors
_VOLATILE: Final = frozenset({"process.pid", "disk.free_gb", "cpu.mhz"})  # differ at every reading

MOST_METRICS: Final = 60
MOST_LINES: Final = 400  # of code
_WIDEST: Final = 60  # characters of a value
_NARROWEST: Final = 8  # characters of a column, however narrow the terminal is
_SAME: Final = {"config": "the same", "environment": "the same", "code": "the same", "last values": "none yet"}

# Translucent backgrounds, readable in light and dark themes.
_CELL: Final = "text-align: left; padding: 1px 12px 1px 0; vertical-align: top"
_BACKGROUNDS: Final = {
    "+": "background: rgb(46 160 67 / 20%)",
    "-": "background: rgb(248 81 73 / 20%)",
    "@": "opacity: 0.6",
}


class _Absent:
    """The value of a name that one of two runs does not have."""

    def __repr__(self) -> str:
        return "absent"

    def __reduce__(self) -> str:
        return "ABSENT"


ABSENT: Final = _Absent()
Pairs = dict[str, tuple[Any, Any]]


@dataclass(frozen=True)
class Recorded:
    """The data of one run to compare. `environment` and `sources` (of its script and the executed cells) are None if not recorded."""

    label: str
    config: Mapping[str, Any]
    metrics: Mapping[str, float]  # the last value of each
    environment: Mapping[str, Any] | None = None
    sources: Sequence[str] | None = None


@dataclass(frozen=True)
class Differences:
    """Pairs of values of two runs. Names of nested values are joined by dots; a missing value is `ABSENT`."""

    labels: tuple[str, str]
    config: Pairs
    environment: Pairs
    code: str  # a unified diff of the scripts and the executed cells
    metrics: Pairs  # all metrics, including equal ones
    unknown: dict[str, list[str]] = field(default_factory=dict)  # runs without a recorded "environment" or "code"


def label_of(record: RunRecord, runs: Sequence[RunRecord]) -> str:
    """Return the name of a run, with its id where others of `runs` have the same name."""
    alone = [run.name for run in runs].count(record.name) == 1
    return record.name if alone else f"{record.name} ({record.id})"


def recorded(store: Store | RecordedFile, record: RunRecord, label: str) -> Recorded:
    """Return what a comparison needs of a run."""
    place = [*CAPTURED["cells"]].index("source")
    sources = [row[place] for row in store.captured(record.id, "cells") if row[place] is not None]
    if (script := document(store, record.id, "code")) is not None:
        sources.insert(0, script["source"])
    return Recorded(
        label=label,
        config=record.config,
        metrics={name: figures.last for name, figures in logged(store.summary(record.id)).items()},
        environment=document(store, record.id, "environment"),
        sources=sources or None,
    )


def differences(first: Recorded, second: Recorded) -> Differences:
    """Compare two runs."""
    unknown = {
        "environment": [run.label for run in (first, second) if run.environment is None],
        "code": [run.label for run in (first, second) if run.sources is None],
    }
    environment = {} if unknown["environment"] else changed(first.environment, second.environment)
    return Differences(
        labels=(first.label, second.label),
        config=changed(first.config, second.config),
        environment={name: environment[name] for name in sorted(environment.keys() - _VOLATILE)},
        code="" if unknown["code"] else code_diff(first, second),
        metrics=_paired(first.metrics, second.metrics),
        unknown={what: labels for what, labels in unknown.items() if labels},
    )


def changed(first: Any, second: Any) -> Pairs:
    """Return the leaves in which two JSON objects differ, by dotted name."""
    pairs = _paired(dict(leaves(first)), dict(leaves(second)))
    return {name: pair for name, pair in pairs.items() if not _same(*pair)}


def code_diff(first: Recorded, second: Recorded) -> str:
    """Return the unified diff of two runs' scripts and cells, in order of execution; empty if they are equal."""
    import difflib

    one, other = (_program(run.sources or ()) for run in (first, second))
    return "\n".join(difflib.unified_diff(one, other, first.label, second.label, lineterm=""))


def _program(sources: Sequence[str]) -> list[str]:
    return [line for source in sources for line in (CELL, *source.splitlines())]


def _paired(first: Mapping[str, Any], second: Mapping[str, Any]) -> Pairs:
    return {name: (first.get(name, ABSENT), second.get(name, ABSENT)) for name in dict.fromkeys([*first, *second])}


def leaves(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the leaves of nested objects and lists of objects; a list of plain values is a leaf."""
    inside: Any = None
    if isinstance(value, Mapping):
        inside = value.items()
    elif isinstance(value, list) and any(isinstance(item, Mapping) for item in value):
        inside = enumerate(value)
    if inside is None or (name and not value):
        yield name, value
        return
    for key, item in inside:
        yield from leaves(item, f"{name}.{key}" if name else str(key))


def _same(first: Any, second: Any) -> bool:
    """Whether values are equal for a reader: 1 equals 1.0 but not True, and NaN equals NaN."""
    if first is ABSENT or second is ABSENT:
        return False
    if json.dumps(first) == json.dumps(second):
        return True
    return bool(first == second) and isinstance(first, bool) == isinstance(second, bool)


# --- as text and HTML -------------------------------------------------------------------------------------------------


def as_text(found: Differences, width: int | None = None) -> str:
    """Return the differences as aligned columns, then the diff of the code. The columns fit into so many characters."""
    sections = list(_sections(found))
    table = [("", *found.labels), *(row for _, pairs, _ in sections for row in _rows(pairs))]
    most = _widths([max(map(len, column)) for column in zip(*table, strict=True)], width)

    def line(row: tuple[str, ...]) -> str:
        cells = (f"{shorten_name(text, room):<{room}}" for text, room in zip(row, most, strict=True))
        return f"  {'  '.join(cells)}"

    lines = [line(table[0])]
    for title, pairs, remark in sections:
        lines += [title + (f": {remark}" if remark else ""), *map(line, _rows(pairs))]
    lines += ["code" + (f": {_remark(found, 'code')}" if _remark(found, "code") else "")]
    return "\n".join(line.rstrip() for line in [*lines, *(f"  {line}" for line in _code(found))])


def _widths(natural: list[int], width: int | None) -> list[int]:
    """Return the widths of name and two values: those of a table that fits, else a third for the name and the rest for the values."""
    spaces = 6
    if width is None or sum(natural) + spaces <= width:
        return natural
    values = min(max(natural[1:]), (width - spaces) // 3)
    return [max(_NARROWEST, min(natural[0], width - spaces - 2 * values)), *[max(_NARROWEST, values)] * 2]


def as_html(found: Differences) -> str:
    """Return the differences as a table and a block of code, with all text escaped, without scripts and style sheets."""
    parts = [f"<table><thead><tr><th></th>{''.join(_cell('th', label) for label in found.labels)}</tr></thead><tbody>"]
    for title, pairs, remark in _sections(found):
        parts += [f'<tr><th colspan="3" style="{_CELL}">{_heading(title, remark)}</th></tr>']
        parts += [f"<tr>{''.join(_cell('td', text) for text in row)}</tr>" for row in _rows(pairs)]
    parts += [
        f'<tr><th colspan="3" style="{_CELL}">{_heading("code", _remark(found, "code"))}</th></tr></tbody></table>'
    ]
    lines = [
        f'<span style="{_BACKGROUNDS.get(line[:1], "")}">{_escaped(line)}</span>'
        for line in map(str.rstrip, _code(found))
    ]
    return "".join(parts) + (f'<pre style="line-height: 1.4">{"<br>".join(lines)}</pre>' if lines else "")


def _sections(found: Differences) -> Iterator[tuple[str, Pairs, str]]:
    """Yield title, pairs and remark of each table. The remark says why a table is empty or incomplete."""
    yield "config", found.config, _remark(found, "config")
    yield "environment", found.environment, _remark(found, "environment")
    shown = dict(list(found.metrics.items())[:MOST_METRICS])
    left_out = len(found.metrics) - len(shown)
    yield (
        "last values",
        shown,
        f"the first {len(shown)} of {len(found.metrics)}" if left_out else _remark(found, "last values"),
    )


def _remark(found: Differences, what: str) -> str:
    if what in found.unknown:
        return f"not recorded for {' and '.join(found.unknown[what])}"
    some = {"config": found.config, "environment": found.environment, "code": found.code, "last values": found.metrics}
    return "" if some[what] else _SAME[what]


def _rows(pairs: Pairs) -> list[tuple[str, str, str]]:
    return [
        (shorten_name(one_line(name, len(name)), _WIDEST), _brief(first), _brief(second))
        for name, (first, second) in pairs.items()
    ]


def _code(found: Differences) -> list[str]:
    lines = found.code.splitlines()
    cut = len(lines) - MOST_LINES
    return lines if cut <= 0 else [*lines[:MOST_LINES], f"... {cut:,} more lines"]


def _brief(value: Any) -> str:
    if value is ABSENT:
        return "-"
    if isinstance(value, float):
        return f"{value:.6g}"
    text = str(value)
    if (lines := text.strip().count("\n")) > 0:
        return f"{lines + 1:,} lines"
    return shorten_name(one_line(text, len(text)), _WIDEST)


def _escaped(text: str) -> str:
    import html

    return html.escape(text)


def _heading(title: str, remark: str) -> str:
    return title + (f': <span style="font-weight: normal">{_escaped(remark)}</span>' if remark else "")


def _cell(tag: str, text: str) -> str:
    return f'<{tag} style="{_CELL}">{_escaped(text)}</{tag}>'
