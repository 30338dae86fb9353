"""The built front end, as it lies in the package."""

from __future__ import annotations

import importlib.resources
from functools import cache


@cache
def front_end(file: str) -> str:
    """The text of a built file (a file-backed `_esm` would keep every board alive: anywidget #929)."""
    path = importlib.resources.files(__package__) / "_static" / file
    try:
        return path.read_text("utf-8")
    except FileNotFoundError:
        raise RuntimeError(
            f"trackbook's front end ({path}) is not built; run `make setup` in the source checkout, or install the wheel"
        ) from None
