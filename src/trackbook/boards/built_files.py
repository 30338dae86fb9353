"""The built files of the front end, in the package."""

from __future__ import annotations

import importlib.resources
from functools import cache


@cache
def built_file(name: str) -> str:
    """Return the text of a built file. A file-backed `_esm` would keep every board alive (anywidget #929)."""
    path = importlib.resources.files("trackbook") / "_static" / name
    try:
        return path.read_text("utf-8")
    except FileNotFoundError:
        raise RuntimeError(
            f"trackbook's front end ({path}) is not built; run `make setup` in the source checkout, or install the wheel"
        ) from None
