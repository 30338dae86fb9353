"""The built front end: its files as they lie in the package, and the one model that all boards of a kernel share."""

from __future__ import annotations

import hashlib
import importlib.resources
from functools import cache

import ipywidgets
import traitlets


@cache
def front_end(file: str) -> str:
    """The text of a built file (a file-backed `_esm` would keep every board alive: anywidget #929)."""
    path = importlib.resources.files("trackbook") / "_static" / file
    try:
        return path.read_text("utf-8")
    except FileNotFoundError:
        raise RuntimeError(
            f"trackbook's front end ({path}) is not built; run `make setup` in the source checkout, or install the wheel"
        ) from None


class FrontEnd(ipywidgets.Widget):  # type: ignore[misc]  # ipywidgets has no types
    """A widget without a view that carries the front end, so that a notebook has it once, however many boards it has."""

    code = traitlets.Unicode(read_only=True).tag(sync=True)
    version = traitlets.Unicode(read_only=True, help="another for each code").tag(sync=True)

    @traitlets.default("code")
    def _default_code(self) -> str:
        return front_end("trackbook.js")

    @traitlets.default("version")
    def _default_version(self) -> str:
        return hashlib.sha256(self.code.encode()).hexdigest()[:16]


_model = cache(FrontEnd)


def shared_front_end() -> FrontEnd:
    """The model of this kernel, made when it is first asked for and again when somebody closed it."""
    if _model().comm is None:  # `ipywidgets.Widget.close_all()`
        _model.cache_clear()
    return _model()
