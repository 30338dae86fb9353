"""Texts, Markdown and HTML."""

from __future__ import annotations

import os
from typing import Any, ClassVar, Final

from ..store.redact import redact
from .values import LARGEST_TEXT, File, Kind, Media, bad, given, path_of

_LONGEST_PATH: Final = 1_000


class Text(Media):
    """A text, shown as it is. `data` is a string, or a number that becomes one. Raises ``TypeError`` or ``ValueError``."""

    kind: ClassVar[Kind] = "text"
    _suffix: ClassVar[str] = ".txt"
    _mime: ClassVar[str] = "text/plain"

    def __init__(self, data: Any = None, caption: str | None = None, **other: Any) -> None:
        super().__init__(caption)
        data = given(self, data, other, "data_or_path", "value", "text", "markdown")
        if isinstance(data, (bool, int, float)):
            data = str(data)
        if not isinstance(data, str):
            data = self._read(data)
        if len(data) > LARGEST_TEXT:
            raise ValueError(f"{type(self).__name__}: {len(data):,} characters; at most {LARGEST_TEXT:,} are taken")
        text = redact(data)
        self._keep(File(text.encode(errors="backslashreplace"), self._suffix, self._mime), {"characters": len(text)})

    def _read(self, data: Any) -> str:
        """Return the text of what is not a string: a path, or an open file."""
        if isinstance(data, os.PathLike):
            return path_of(self, data, LARGEST_TEXT).read_text("utf-8", errors="replace")
        found = data.read() if hasattr(data, "read") else None
        if isinstance(found, bytes):
            found = found.decode(errors="replace")
        if not isinstance(found, str):
            bad(self, data, "a string, a `pathlib.Path` or an open file")
        return found


class Markdown(Text):
    """A text in Markdown. `data` is a string, a `pathlib.Path` or an open file. Raises ``TypeError`` or ``ValueError``."""

    kind = "markdown"
    _suffix = ".md"
    _mime = "text/markdown"


class Html(Text):
    """A page of HTML, shown in a frame of its own that reaches neither the notebook nor the network.

    `data` is a string, a path that ends in ``.html``, a `pathlib.Path` or an open file. Raises ``TypeError`` or ``ValueError``.
    """

    kind = "html"
    _suffix = ".html"
    _mime = "text/html"

    def __init__(
        self,
        data: Any = None,
        caption: str | bool | None = None,  # wandb's second argument is `inject`
        *,
        inject: Any = None,  # a keyword of wandb's
        data_is_not_path: bool = False,
        **other: Any,
    ) -> None:
        text = None if isinstance(caption, bool) else caption
        data = given(self, data, other, "data_or_path", "value")
        if (
            not data_is_not_path
            and isinstance(data, str)
            and len(data) < _LONGEST_PATH
            and data.lower().endswith((".html", ".htm"))
        ):
            data = path_of(self, data, LARGEST_TEXT)
        super().__init__(data, text)
