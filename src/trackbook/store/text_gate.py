"""The gate for all text that enters a store: it masks secrets, bounds lengths, and escapes characters that UTF-8 cannot encode.

Every store passes runs and captured rows through it, so files, exports, boards and pages contain only such text.
"""

from __future__ import annotations

import dataclasses
import itertools
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from ..types import CAPTURED, RunRecord
from .redact import REDACTED, is_secret, is_secret_name, redact

LONGEST_NAME: Final = 1_000  # characters of a run's name, its group, a tag, a key of its config
LONGEST_ERROR: Final = 4_000  # of the error that ended a run; every keyframe of a board contains it
LONGEST_NOTES: Final = 100_000
LONGEST_VALUE: Final = 10_000  # of one text in a config
LONGEST_DOCUMENT_TEXT: Final = 250_000  # of one text in a document, such as a diff
LONGEST_TEXTS: Final = {
    "source": 200_000,  # of an execution of a cell
    "error": 20_000,
    "output": 20_000,
    "title": 1_000,  # of an alert
    "text": 20_000,
    "webhook": 200,
    "caption": 10_000,  # of media
}
MOST_ITEMS: Final = 1_000  # of one list or dict in a config
MOST_VALUES: Final = 20_000  # of a config
DEEPEST: Final = 64  # levels of nesting; deeper values are stored as text


def recorded_text(text: str, most: int) -> str:
    """Return `text` without secrets; if it is longer than `most` characters, also without its middle."""
    dropped = max(0, len(text) - 4 * most)
    if dropped:  # before secrets are masked, for speed: a secret cut in two here is removed by the second cut
        text = f"{text[: 2 * most]}\n{text[-2 * most :]}"
    plain = storable(redact(text))
    if len(plain) <= most:
        return plain
    note = _left_out(dropped + len(plain) - most)
    note = _left_out(dropped + len(plain) - most + len(note))
    kept = max(0, most - len(note))
    head = (kept + 1) // 2
    return f"{plain[:head]}{note}{plain[len(plain) - (kept - head) :]}"


def _left_out(characters: int) -> str:
    return f"\n... {characters:,} characters left out ...\n"


def storable(text: str) -> str:
    """Return `text` with lone surrogates escaped: UTF-8 cannot encode them."""
    return text if text.isascii() else text.encode(errors="backslashreplace").decode()


class Masking:
    """Masks the texts of one JSON value, and bounds the length of each text, list and dict, and the number of all values."""

    def __init__(self, longest: int, most_items: int | None = None) -> None:
        self._longest = longest
        self._most_items = most_items
        self._count = 0

    def __call__(self, value: Any, *, hidden: bool = False, depth: int = 0) -> Any:
        """Return the masked value. `hidden` means that its name is that of a secret."""
        self._count += 1
        if isinstance(value, str):
            return REDACTED if hidden and value else recorded_text(value, self._longest)
        if depth > DEEPEST or (self._most_items is not None and self._count > MOST_VALUES):
            return (
                value
                if value is None or isinstance(value, bool | int | float)
                else recorded_text(str(value), LONGEST_NAME)
            )
        if isinstance(value, Mapping):
            items = dict(itertools.islice(value.items(), self._kept(len(value))))
            found = {_key(name): self._item(name, item, hidden=hidden, depth=depth + 1) for name, item in items.items()}
            return found if len(items) == len(value) else {**found, "...": f"{len(value) - len(items):,} left out"}
        if isinstance(value, list | tuple):
            kept = value[: self._kept(len(value))]
            items_ = [self(item, hidden=hidden, depth=depth + 1) for item in kept]
            return items_ if len(kept) == len(value) else [*items_, f"{len(value) - len(kept):,} left out"]
        return value

    def _kept(self, count: int) -> int:
        """Return how many of `count` items are kept. A note about the others takes the place of one."""
        return count if self._most_items is None or count <= self._most_items else self._most_items - 1

    def _item(self, name: Any, value: Any, *, hidden: bool, depth: int) -> Any:
        name = str(name)[-LONGEST_NAME:]
        if isinstance(value, Mapping | list | tuple):
            return self(value, hidden=hidden or is_secret_name(name), depth=depth)
        return REDACTED if is_secret(name, value) else self(value, hidden=hidden, depth=depth)


def _key(name: Any) -> str:
    name = str(name)
    return name if name.isascii() and name.isidentifier() and len(name) < 16 else recorded_text(name, LONGEST_NAME)


def recorded_run(run: RunRecord, known: tuple[RunRecord, RunRecord] | None = None) -> RunRecord:
    """Return the record of a run as a store keeps it.

    `known` is an earlier record and its result: fields that are still the same objects are not masked again.
    """
    earlier, passed = known or (None, None)
    changed: dict[str, Any] = {}
    for name, pass_ in _FIELDS.items():
        value = getattr(run, name)
        if value:
            is_known = earlier is not None and getattr(earlier, name) is value
            found = getattr(passed, name) if is_known else pass_(value)
            if found != value:
                changed[name] = found
    return dataclasses.replace(run, **changed) if changed else run


def _masked_config(config: Mapping[str, Any]) -> Any:
    return Masking(LONGEST_VALUE, MOST_ITEMS)(config)


_FIELDS: Final[dict[str, Callable[[Any], Any]]] = {
    "name": lambda text: recorded_text(text, LONGEST_NAME),
    "group": lambda text: recorded_text(text, LONGEST_NAME),
    "tags": lambda tags: tuple(dict.fromkeys(recorded_text(tag, LONGEST_NAME) for tag in tags)),
    "notes": lambda text: recorded_text(text, LONGEST_NOTES),
    "error": lambda text: recorded_text(text, LONGEST_ERROR),
    "config": _masked_config,
    "summary": _masked_config,
}


class RunGate:
    """Masks the records of runs of one store. Of a run that is put again only changed fields are masked."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[RunRecord, RunRecord]] = {}

    def __call__(self, run: RunRecord) -> RunRecord:
        passed = recorded_run(run, self._known.pop(run.id, None))
        if run.state == "running":
            self._known[run.id] = (run, passed)
        return passed


def recorded_rows(table: str, rows: Iterable[Sequence[Any]]) -> list[tuple[Any, ...]]:
    """Return rows of a table of `CAPTURED` as a store keeps them."""
    if table == "console":
        return _console_rows([tuple(row) for row in rows])
    if table == "facts":
        return [(row[0], _document(row[1])) for row in rows]
    bounds = {place: LONGEST_TEXTS[column] for place, column in enumerate(CAPTURED[table]) if column in LONGEST_TEXTS}
    return [_passed(row, bounds) for row in rows]


def _passed(row: Sequence[Any], bounds: Mapping[int, int]) -> tuple[Any, ...]:
    return tuple(
        value if not isinstance(value, str) else recorded_text(value, bounds[i]) if i in bounds else storable(value)
        for i, value in enumerate(row)
    )


def _document(text: Any) -> Any:
    if not isinstance(text, str):
        return text
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):  # written by other software
        return recorded_text(text, LONGEST_DOCUMENT_TEXT)
    dumped = json.dumps(Masking(LONGEST_DOCUMENT_TEXT)(document), ensure_ascii=False)
    return dumped if dumped.isascii() else re.sub("[\ud800-\udfff]", lambda half: f"\\\\u{ord(half[0]):04x}", dumped)


def _console_rows(rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Mask lines of a console together: a private key spans several."""
    if not rows:
        return rows
    if not all(isinstance(row[2], str) for row in rows):  # written by other software
        return [_passed(row, {2: LONGEST_DOCUMENT_TEXT}) for row in rows]
    texts = [storable(row[2]) for row in rows]
    whole = "\n".join(texts)
    shown = redact(whole)
    if shown == whole and all(text == row[2] for text, row in zip(texts, rows, strict=True)):
        return rows
    if whole.count("\n") != len(rows) - 1:  # a line contains newlines: written by other software
        return [(*row[:2], redact(text), *row[3:]) for row, text in zip(rows, texts, strict=True)]
    masked_texts = _as_many(texts, shown.split("\n"))
    return [(*row[:2], text, *row[3:]) for row, text in zip(rows, masked_texts, strict=True)]


def _as_many(lines: list[str], shown: list[str]) -> list[str]:
    """Return as many lines as before, where a secret of several lines was replaced by one."""
    if len(shown) == len(lines):
        return shown
    pairs = zip(lines, shown, strict=False), zip(reversed(lines), reversed(shown), strict=False)
    above, below = (sum(1 for _ in itertools.takewhile(lambda pair: pair[0] == pair[1], each)) for each in pairs)
    below = min(below, len(shown) - above)
    return [*lines[:above], *[REDACTED] * (len(lines) - above - below), *lines[len(lines) - below :]]
