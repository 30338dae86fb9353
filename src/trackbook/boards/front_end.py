"""The built front end: its files in the package, and the one model that all boards of a kernel share."""

from __future__ import annotations

import hashlib
import importlib.resources
from functools import cache

import ipywidgets
import traitlets


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


class SharedFrontEnd(ipywidgets.Widget):  # type: ignore[misc]  # ipywidgets has no types
    """A widget without a view that carries the front end's code, once for all boards of a notebook."""

    code = traitlets.Unicode(read_only=True).tag(sync=True)
    version = traitlets.Unicode(read_only=True, help="hash of the code").tag(sync=True)

    @traitlets.default("code")
    def _default_code(self) -> str:
        return built_file("trackbook.js")

    @traitlets.default("version")
    def _default_version(self) -> str:
        return hashlib.sha256(self.code.encode()).hexdigest()[:16]


_model = cache(SharedFrontEnd)


def shared_front_end() -> SharedFrontEnd:
    """Return the model of this kernel. It is made at first use, and again after it was closed."""
    if _model().comm is None:  # closed, as by `ipywidgets.Widget.close_all()`
        _model.cache_clear()
    return _model()
