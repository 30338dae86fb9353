"""Two runs side by side, as text and as HTML."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from .diff import ABSENT, Differences, Pairs

MOST_METRICS: Final = 60
MOST_LINES: Final = 400  # of code
_WIDEST: Final = 60  # characters of a value
_SAME: Final = {"config": "the same", "environment": "the same", "code": "the same", "last values": "none yet"}

# Colours by what is behind them, so that they are read on light and on dark grounds.
_CELL: Final = "text-align: left; padding: 1px 12px 1px 0; vertical-align: top"
_GROUNDS: Final = {
    "+": "background: rgb(46 160 67 / 20%)",
    "-": "background: rgb(248 81 73 / 20%)",
    "@": "opacity: 0.6",
}


def as_text(found: Differences) -> str:
    """Plain text of aligned columns, then the code's unified diff."""
    sections = list(_sections(found))
    rows = [row for _, pairs, _ in sections for row in _rows(pairs)]
    names = max([len(name) for name, *_ in rows], default=0)
    firsts = max([len(first) for _, first, _ in rows] + [len(found.labels[0])])
    lines = [f"{'':<{names + 2}}  {found.labels[0]:<{firsts}}  {found.labels[1]}"]
    for title, pairs, remark in sections:
        lines += [title + (f": {remark}" if remark else "")]
        lines += [f"  {name:<{names}}  {first:<{firsts}}  {second}" for name, first, second in _rows(pairs)]
    lines += ["code" + (f": {_remark(found, 'code')}" if _remark(found, "code") else "")]
    return "\n".join(line.rstrip() for line in [*lines, *(f"  {line}" for line in _code(found))])


def as_html(found: Differences) -> str:
    """The same as a table and a block of code. Every text is escaped; there is no script and no style sheet."""
    parts = [f"<table><thead><tr><th></th>{''.join(_cell('th', label) for label in found.labels)}</tr></thead><tbody>"]
    for title, pairs, remark in _sections(found):
        parts += [f'<tr><th colspan="3" style="{_CELL}">{_heading(title, remark)}</th></tr>']
        parts += [f"<tr>{''.join(_cell('td', text) for text in row)}</tr>" for row in _rows(pairs)]
    parts += [
        f'<tr><th colspan="3" style="{_CELL}">{_heading("code", _remark(found, "code"))}</th></tr></tbody></table>'
    ]
    lines = [
        f'<span style="{_GROUNDS.get(line[:1], "")}">{_escaped(line)}</span>' for line in map(str.rstrip, _code(found))
    ]
    return "".join(parts) + (f'<pre style="line-height: 1.4">{"<br>".join(lines)}</pre>' if lines else "")


def _sections(found: Differences) -> Iterator[tuple[str, Pairs, str]]:
    """Of each table its title, what is in it, and what to say where that is nothing, or not all."""
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
        return f"not recorded of {' and '.join(found.unknown[what])}"
    some = {"config": found.config, "environment": found.environment, "code": found.code, "last values": found.metrics}
    return "" if some[what] else _SAME[what]


def _rows(pairs: Pairs) -> list[tuple[str, str, str]]:
    return [(_line(name), _brief(first), _brief(second)) for name, (first, second) in pairs.items()]


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
    return _line(text)


def _line(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _WIDEST else line[: _WIDEST - 1] + "…"


def _escaped(text: str) -> str:
    import html

    return html.escape(text)


def _heading(title: str, remark: str) -> str:
    return title + (f': <span style="font-weight: normal">{_escaped(remark)}</span>' if remark else "")


def _cell(tag: str, text: str) -> str:
    return f'<{tag} style="{_CELL}">{_escaped(text)}</{tag}>'
