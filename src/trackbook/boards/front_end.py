"""The one model with the front end that all boards of a kernel share."""

from __future__ import annotations

import hashlib
from functools import cache

import ipywidgets
import traitlets

from .built_files import built_file


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
