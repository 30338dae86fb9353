"""SwanLab's calls that log one medium: ``log_image("sample", pixels, caption="x")``."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Final

from ..media import media_type

# Each call, and the type that it logs.
CALLS: Final = {
    f"log_{name.lower()}": name
    for name in ("Audio", "ECharts", "Html", "Image", "Molecule", "Object3D", "Text", "Video")
}

Log = Callable[..., Any]


def call(name: str, log: Log) -> Callable[..., Any]:
    """Return the call of this name, one of `CALLS`, that logs by `log`."""
    return partial(_log, CALLS[name], log)


def _log(kind: str, log: Log, /, key: str, data: Any = None, *given: Any, step: int | None = None, **named: Any) -> Any:
    """Log `data`, or each item of a list, under the name `key`, with the keywords of its type."""
    make = media_type(kind)
    is_list = isinstance(data, list) and bool(data) and not isinstance(data[0], (int, float, list, tuple))
    media = [make(each, *given, **named) for each in data] if is_list else make(data, *given, **named)
    return log({key: media}, step)
