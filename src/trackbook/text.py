"""Wording that errors, tables and boards share: shortened texts, aligned tables, durations, and "did you mean"."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any, Final

_CONTROLS: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_SHOWN: Final = 80  # characters of a value quoted in an error
_NEAREST: Final = 3
_AS_GOOD: Final = 0.1  # by which the similarity of a suggestion may be below the best one
_SIMILAR: Final = 0.6  # difflib's default cut-off: one or two slips in a word
ONE_SLIP: Final = 0.8  # for words that may be another tracker's: wandb's `entity` is not our `reinit`


def shorten(text: str, most: int) -> str:
    """Return `text` in at most `most` characters, the last of which is an ellipsis if some are left out."""
    return text if len(text) <= most else text[: most - 1] + "…"


def shorten_name(name: str, most: int) -> str:
    """Return `name` in at most `most` characters, without some of its middle: runs, paths and metrics often differ at their ends only."""
    if len(name) <= most:
        return name
    end = most // 2
    return f"{name[: most - 1 - end]}…{name[len(name) - end :]}"


def one_line(text: Any, most: int = _SHOWN) -> str:
    """Return `text` on one line, with white space collapsed, in at most `most` characters."""
    return shorten(" ".join(str(text).split()), most)


def nearest(word: object, known: Iterable[str], similar: float = _SIMILAR) -> list[str]:
    """Return the names of `known` that `word` may be a misspelling of: the most similar, and those nearly as similar."""
    import difflib

    near = difflib.get_close_matches(str(word), list(known), _NEAREST, similar)
    ratios = [difflib.SequenceMatcher(a=str(word), b=name).ratio() for name in near]
    return [name for name, ratio in zip(near, ratios, strict=True) if ratio >= ratios[0] - _AS_GOOD]


def did_you_mean(word: object, known: Iterable[str], otherwise: str = "") -> str:
    """Return a question which of `known` was meant by `word`, or `otherwise` when none is similar."""
    near = nearest(word, known)
    return f"did you mean {either(near)}?" if near else otherwise


def either(names: Iterable[str]) -> str:
    """Return names in quotes, joined by "or"."""
    return " or ".join(map(repr, names))


def listed(names: Iterable[str], most: int = 10) -> str:
    """Return the first `most` names in quotes, joined by commas, and how many more there are."""
    known = list(names)
    more = f" and {len(known) - most:,} more" if len(known) > most else ""
    return ", ".join(map(repr, known[:most])) + more


def visible(text: str) -> str:
    """Text with control characters spelled out, so that no name can move a terminal's cursor; newlines and tabs stay."""
    return _CONTROLS.sub(lambda found: f"\\x{ord(found[0]):02x}", text)


def duration(seconds: float) -> str:
    """Seconds in the two largest units: ``3.2 s``, ``4 min 05 s``, ``2 h 07 min``, ``3 d 4 h``."""
    left = max(0.0, seconds)
    minutes, hours, days = int(left // 60), int(left // 3600), int(left // 86400)
    if left < 60:
        return f"{left:.1f} s"
    if days:
        return f"{days} d {hours % 24} h"
    return f"{hours} h {minutes % 60:02} min" if hours else f"{minutes} min {int(left % 60):02} s"


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows of cells as lines: the first column to the left, the others to the right."""
    first, *others = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join([row[0].ljust(first), *(cell.rjust(width) for cell, width in zip(row[1:], others, strict=True))])
        for row in rows
    ]


def ago(passed: float) -> str:
    """Return how long ago something was, in one unit: ``5 s ago``, ``3 h ago``."""
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if passed >= 2 * length:
            return f"{int(passed // length)} {unit} ago"
    return f"{max(0, int(passed))} s ago"


def elapsed(seconds: float) -> str:
    """Return a time span as a board shows it: ``0:05``, ``1:02:03``."""
    whole = max(0, int(seconds))
    hours, minutes = divmod(whole // 60, 60)
    return f"{hours}:{minutes:02}:{whole % 60:02}" if hours else f"{minutes}:{whole % 60:02}"
