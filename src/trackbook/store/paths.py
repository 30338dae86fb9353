"""Names of files and folders, derived from names of projects and runs, which may be any text."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Final, NamedTuple

DEFAULT_PROJECT: Final = "default"
SUFFIX: Final = ".trackbook.db"
JOURNALS: Final = ".journals"
FILES: Final = ".files"
# Names that every file system keeps unchanged. Windows cannot open a file with the name of a device.
_PLAIN: Final = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,58}[a-z0-9])?")
_DEVICE: Final = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?")
# Readers of a Hive dataset guess types: a key must not look like a number or a date, in any base, nor like a constant.
_PLAIN_KEY: Final = re.compile(r"(?=.*[g-z])[a-z0-9](?:[a-z0-9_-]{0,58}[a-z0-9])?")
_CONSTANT: Final = re.compile(r"nan|inf|infinity|null|none|true|false")


class ProjectPaths(NamedTuple):
    """Where a project is: the folder of the project files, and the project's name there."""

    folder: Path
    project: str

    @property
    def file(self) -> Path:
        """The project's file."""
        return self.folder / project_file(self.project)

    @property
    def journals(self) -> Path:
        """The folder of the journals of its runs."""
        return self.folder / journal_folder(self.project)

    @property
    def files(self) -> Path:
        """The folder of the files of its runs, such as media."""
        return self.folder / files_folder(self.project)


def project_file(project: str) -> str:
    """Return the file name of a project."""
    return (project if _is_plain(project) else slug(project)) + SUFFIX


def journal_folder(project: str) -> str:
    """Return the name of the folder that holds the journals of a project's runs."""
    return project_file(project).removesuffix(SUFFIX) + JOURNALS


def files_folder(project: str) -> str:
    """Return the name of the folder that holds the files of a project."""
    return project_file(project).removesuffix(SUFFIX) + FILES


def journal_prefix(run: str) -> str:
    """Return the beginning of the folder names of a run's journals."""
    return digest(run) + "-"


def partition_key(text: str) -> str:
    """Return the value of a Hive partition key that is text to every reader, and the same on every file system."""
    return text if _is_plain(text) and _PLAIN_KEY.fullmatch(text) and not _CONSTANT.fullmatch(text) else slug(text)


def project_names(folder: Path) -> list[str]:
    """Return the names of the projects in a folder, sorted."""
    from .sqlite_file import project_name

    return sorted(name for path in folder.glob(f"*{SUFFIX}") if (name := project_name(path)) is not None)


def slug(text: str) -> str:
    """Return a readable part of `text` and its hash."""
    readable = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:40]
    return f"{readable}~{digest(text)}"


def digest(text: str) -> str:
    """Return 64 bits of the SHA-256 of `text`, in hexadecimal digits."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _is_plain(text: str) -> bool:
    return bool(_PLAIN.fullmatch(text)) and not _DEVICE.fullmatch(text)
