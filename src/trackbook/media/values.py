"""What all media have in common: a kind, a caption, and their content as files."""

from __future__ import annotations

import functools
import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Final, Literal, NoReturn

from ..settings import user_path
from ..text import one_line
from ..user_warnings import warn_once

Kind = Literal[
    "image",
    "audio",
    "video",
    "text",
    "markdown",
    "html",
    "table",
    "histogram",
    "trace",
    "chart",
    "object3d",
    "molecule",
    "echarts",
    "plotly",
]
LARGEST_FILE: Final = 2_000_000_000  # bytes
LARGEST_TEXT: Final = 20_000_000  # characters
LONGEST_CAPTION: Final = 10_000

INSTALL: Final = "pip install 'trackbook[media]'"


class MissingEncoderError(Exception):
    """A library that encodes this value is not installed. `log` says so once, and leaves the value out."""


@dataclass(frozen=True)
class File:
    """The content of one file: bytes, or a file of the user's that is copied."""

    content: bytes | Path
    suffix: str  # with its dot
    mime: str

    @functools.cached_property
    def digest(self) -> str:
        """The SHA-256 of the content."""
        if isinstance(self.content, bytes):
            return hashlib.sha256(self.content).hexdigest()
        with self.content.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    @property
    def name(self) -> str:
        """The name by content, as `store.content_files` gives it."""
        return self.digest + self.suffix

    @property
    def size(self) -> int:
        return len(self.content) if isinstance(self.content, bytes) else self.content.stat().st_size


@dataclass(frozen=True)
class Encoded:
    """A value as it is recorded. `file` is None when `about` says it all; `parts` are further files that `about` names."""

    kind: Kind
    file: File | None
    about: dict[str, Any] = field(default_factory=dict)
    caption: str | None = None
    parts: Sequence[File] = ()

    @property
    def files(self) -> list[File]:
        """All files that this value needs."""
        return [*([self.file] if self.file else []), *self.parts]

    def described(self) -> dict[str, Any]:
        """Return what `about` says, with the names of the parts."""
        names = list(dict.fromkeys(part.name for part in self.parts))
        about: dict[str, Any] = masked(self.about)
        return about | ({"files": names} if names else {})


class Media:
    """A value that `log` records as a file. Bad content raises where the value is made, with what was expected."""

    kind: ClassVar[Kind]

    def __init__(self, caption: Any = None) -> None:
        self.caption = as_caption(caption, self)
        self._encoded: Encoded | MissingEncoderError | None = None

    def encode(self) -> Encoded:
        """Return the value as it is recorded. Raises `MissingEncoderError` when a library for that is not installed."""
        if isinstance(self._encoded, MissingEncoderError):
            raise self._encoded
        if self._encoded is None:
            raise NotImplementedError
        return self._encoded

    def encode_quickly(self) -> Encoded:
        """Return the value as `log` records it first, perhaps with an image that is not compressed. Raises as `encode`."""
        return self.encode()

    def _keep(self, file: File | None, about: Mapping[str, Any] | None = None, parts: Sequence[File] = ()) -> None:
        self._encoded = Encoded(self.kind, file, dict(about or {}), self.caption, parts)

    def __repr__(self) -> str:
        said = "" if self.caption is None else f" {one_line(self.caption)!r}"
        return f"<trackbook {type(self).__name__}{said}>"


def as_caption(caption: Any, of: object) -> str | None:
    """Return a caption. Raises ``TypeError`` for one that is no text, ``ValueError`` for one that is too long."""
    if caption is None or caption == "":
        return None
    if not isinstance(caption, str):
        if isinstance(caption, (int, float)):
            return str(caption)
        raise TypeError(f"{name_of(of)}: caption={one_line(repr(caption))} is {type(caption).__name__}; give a string")
    if len(caption) > LONGEST_CAPTION:
        raise ValueError(f"{name_of(of)}: a caption has at most {LONGEST_CAPTION:,} characters, not {len(caption):,}")
    return caption.encode(errors="backslashreplace").decode()


def name_of(media: object) -> str:
    return type(media).__name__


def given(media: object, value: Any, other: dict[str, Any], *aliases: str) -> Any:
    """Return the content under the name that another tracker gives it; warn once of keywords that have no effect."""
    for alias in aliases:
        if alias in other:
            found = other.pop(alias)
            value = found if value is None else value
    if other:
        warn_once(f"{name_of(media)}() ignores {', '.join(sorted(other))}: trackbook has no use for them")
    if value is None:
        raise TypeError(f"{name_of(media)}() needs a value, and got None")
    return value


def bad(media: object, value: Any, expected: str, error: Exception | None = None) -> NoReturn:
    """Raise ``TypeError`` that says what was expected instead of `value`."""
    shape = getattr(value, "shape", None)
    kind = f"{type(value).__module__}.{type(value).__name__}".removeprefix("builtins.")
    shown = f"{kind} of shape {tuple(shape)}" if isinstance(shape, tuple) else f"{one_line(repr(value))} ({kind})"
    raise TypeError(f"{name_of(media)}: {shown} is not what it takes; give {expected}") from error


def within(media: object, what: str, value: Any, low: float, high: float, *, example: str) -> Any:
    """Return a number between two others. Raises ``TypeError`` or ``ValueError``."""
    if isinstance(value, bool) or not hasattr(value, "__float__"):
        raise TypeError(
            f"{name_of(media)}: {what}={one_line(repr(value))} is not a number; give one, such as {example}"
        )
    if not low <= value <= high:
        raise ValueError(f"{name_of(media)}: {what}={value} is not between {low} and {high:,}; give {example}")
    return value


def masked(content: Any) -> Any:
    """Return a JSON value without the secrets in it, those under the names of secrets included."""
    from ..store.text_gate import Masking

    return Masking(LARGEST_TEXT)(content)


def is_path(value: Any) -> bool:
    return isinstance(value, (str, os.PathLike))


def path_of(media: object, value: str | os.PathLike[str], largest: int = LARGEST_FILE) -> Path:
    """Return the path of a file that is there, is a file, and is not larger than `largest` bytes.

    Raises ``FileNotFoundError`` or ``ValueError``.
    """
    path = user_path(value)
    try:
        is_file, size = path.is_file(), path.stat().st_size
    except (OSError, ValueError) as error:  # a text that is no path may be too long for one, or contain a zero
        raise FileNotFoundError(f"{name_of(media)}: there is no file {one_line(str(value))!r}") from error
    if not is_file:
        raise ValueError(f"{name_of(media)}: {path} is not a file")
    if size > largest:
        raise ValueError(f"{name_of(media)}: {path} has {size:,} bytes; at most {largest:,} are taken")
    if not size:
        raise ValueError(f"{name_of(media)}: {path} is empty")
    return path


def checked_content(media: object, content: bytes, largest: int = LARGEST_FILE) -> bytes:
    """Return the bytes of a file, which are some and at most `largest`. Raises ``ValueError``."""
    if not 0 < len(content) <= largest:
        raise ValueError(f"{name_of(media)}: {len(content):,} bytes; from 1 to {largest:,} are taken")
    return content


def head_of(content: Path | bytes) -> bytes:
    """Return the first bytes of a file, which say of what kind it is."""
    if isinstance(content, bytes):
        return content[:64]
    with content.open("rb") as file:
        return file.read(64)


def suffix_of(path: Path) -> str:
    return path.suffix.lower()


def as_array(value: Any) -> Any:
    """Return a numpy array of an array of any library, None for what is not one. Tensors are moved to the CPU."""
    import numpy as np

    if hasattr(value, "detach") and hasattr(value, "cpu"):  # torch
        value = value.detach().cpu()
        if str(getattr(value, "dtype", "")) == "torch.bfloat16":
            value = value.float()
        return value.numpy()
    if isinstance(value, np.ndarray):
        return np.asarray(value)
    if hasattr(value, "numpy") and hasattr(value, "shape"):  # tensorflow
        return np.asarray(value.numpy())
    if hasattr(value, "__array__") or isinstance(value, (list, tuple)):
        try:
            found = np.asarray(value)
        except (TypeError, ValueError):
            return None
        return found if found.dtype.kind in "biufc" else None
    return None
