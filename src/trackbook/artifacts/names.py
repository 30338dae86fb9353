"""Names of artifacts, of their versions, and of the files in them: what is allowed, and where a file may be written."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import Any, Final, NamedTuple

LATEST: Final = "latest"
_NAME: Final = re.compile(r"[A-Za-z0-9_.-]{1,128}")
_VERSION: Final = re.compile(r"v(0|[1-9][0-9]{0,8})")
_DRIVE: Final = re.compile(r"[A-Za-z]:")
_LONGEST_PATH: Final = 1_000  # characters


class Wanted(NamedTuple):
    """What a text such as ``project/name:v3`` asks for. Without a version it is the latest."""

    project: str | None
    name: str
    version: str  # "v3", or an alias


def check_name(name: Any, what: str = "artifact") -> str:
    """Return the name of an artifact, or an alias. Raises ``TypeError`` and ``ValueError``."""
    if not isinstance(name, str):
        raise TypeError(f"the name of an {what} is text, not {type(name).__name__}")
    if not _NAME.fullmatch(name) or set(name) == {"."}:
        raise ValueError(f"{name[:80]!r} is no name of an {what}: use letters, digits, dots, dashes and underscores")
    return name


def plain_name(text: str) -> str:
    """Return a name of an artifact like `text`, which may be any file's name."""
    return re.sub(r"[^A-Za-z0-9_.-]+", "-", text).strip("-.")[:128] or "files"


def check_aliases(aliases: Iterable[str] | str | None) -> list[str]:
    """Return aliases, without ``latest``, which every newest version has. Raises ``TypeError`` and ``ValueError``."""
    given = [aliases] if isinstance(aliases, str) else list(aliases or ())
    found = [check_name(alias, "alias") for alias in dict.fromkeys(given)]
    for alias in found:
        if _VERSION.fullmatch(alias):
            raise ValueError(f"{alias!r} is no alias: v0, v1 and so on are versions, which are counted by themselves")
    return [alias for alias in found if alias != LATEST]


def parse(text: Any) -> Wanted:
    """Parse ``name``, ``name:v3``, ``name:alias``, with a project, or an entity and a project, before it."""
    if not isinstance(text, str):
        raise TypeError(f"an artifact is asked for by a text such as 'model:v3', not by {type(text).__name__}")
    path, _, version = text.partition(":")
    above, _, name = path.rpartition("/")
    project = above.rpartition("/")[2] or None
    return Wanted(project, check_name(name), check_name(version, "alias") if version else LATEST)


def check_path(path: Any) -> str:
    """Return the path of a file in an artifact or a run, with slashes. Raises ``ValueError`` for one that leads out of its folder."""
    text = path.as_posix() if isinstance(path, Path) else path
    if not isinstance(text, str):
        raise TypeError(f"the path of a file is text, not {type(path).__name__}")
    parts = text.split("/")
    is_good = 0 < len(text) <= _LONGEST_PATH and text.isprintable() and "\\" not in text and not _DRIVE.match(text)
    if not is_good or any(part in ("", ".", "..") for part in parts):
        raise ValueError(
            f"{text[:80]!r} is no path of a file in an artifact: give a relative one with slashes, without '..'"
        )
    return text


def inside(root: Path, path: str) -> Path:
    """Return where a file of this path belongs below `root`, and make its folder.

    Raises ``ValueError`` where that is not below `root`, as through a link that is there.
    """
    home = root.resolve()
    target = home.joinpath(*PurePosixPath(check_path(path)).parts)
    folder = home
    for part in target.relative_to(home).parts[:-1]:
        folder /= part
        folder.mkdir(exist_ok=True)
        if not folder.resolve().is_relative_to(home):
            raise ValueError(f"{folder} is a link that leads out of {home}, where nothing is written")
    return target
