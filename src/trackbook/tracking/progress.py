"""The progress of a run that `track` counts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

from .logged_values import to_step
from .run_writer import RunWriter

T = TypeVar("T")


def counted(writer: RunWriter, iterable: Iterable[T], total: int | None) -> Iterator[T]:
    """Yield the items of `iterable`, and count them as the run's progress. Of nested loops only the outermost counts."""
    if writer.is_counting:
        yield from iterable
        return
    expected = to_step(total, "total") if total is not None else _length(iterable) or writer.total
    writer.is_counting = True
    writer.done, writer.total = 0, expected
    done = 0
    try:
        for item in iterable:
            yield item
            done += 1
            writer.done = done
    finally:
        writer.is_counting = False


def _length(iterable: Iterable[Any]) -> int | None:
    """Return the ``len`` of an iterable, None without one. A loader of streamed data has a ``__len__`` that raises."""
    try:
        return len(iterable)  # type: ignore[arg-type]  # it may have one
    except (TypeError, AttributeError, NotImplementedError, OverflowError):
        return None
