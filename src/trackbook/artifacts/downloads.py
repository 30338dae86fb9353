"""Writing kept files below a folder: whole, checked, and nowhere else."""

from __future__ import annotations

import contextlib
import hashlib
import secrets
from pathlib import Path
from typing import Final

from ..store.content_files import ContentFiles
from .names import inside

_BLOCK: Final = 1 << 20


def write_out(files: ContentFiles, name: str, root: Path, path: str, *, replace: bool = True) -> Path:
    """Write a kept file below `root`, and return where. A file that is there with this content, or without `replace`, is left alone.

    Raises ``ValueError`` for a path that leads out of `root`, ``FileNotFoundError`` when the file is not kept any more, and
    ``OSError`` when its content is damaged; nothing is at `path` then that was not there.
    """
    root.mkdir(parents=True, exist_ok=True)
    target = inside(root, path)
    if target.is_dir() and not target.is_symlink():
        raise IsADirectoryError(f"{target} is a folder; remove it, or choose another root")
    if target.is_file() and not target.is_symlink() and (not replace or is_same(target, name)):
        return target
    temporary = target.parent / f".trackbook-{secrets.token_hex(8)}"
    digest = hashlib.sha256()
    try:
        with files.path(name).open("rb") as source, temporary.open("xb") as copy:
            while block := source.read(_BLOCK):
                digest.update(block)
                copy.write(block)
        is_whole = digest.hexdigest() == name[:64]
        if is_whole:
            temporary.replace(target)  # a link is replaced, and not followed
    finally:
        temporary.unlink(missing_ok=True)
    if not is_whole:
        raise OSError(f"{path} is damaged: {files.path(name)} has other content than its name says")
    return target


def is_same(path: Path, name: str) -> bool:
    """Whether a file has the content that the name of a kept file says."""
    with contextlib.suppress(FileNotFoundError), path.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest() == name[:64]
    return False
