"""The manifest of a version: its files and references. Its digest is that of the version, so equal content is one version."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

from .names import check_path

_DIGEST_LENGTH: Final = 64


class Entry(NamedTuple):
    """A file of an artifact, or a reference to one elsewhere."""

    path: str  # in the artifact, with slashes
    digest: str  # SHA-256 of the content; of a reference, of its text
    size: int | None = None  # bytes; None for a reference
    ref: str | None = None  # where it is, if it is not kept here

    @property
    def is_reference(self) -> bool:
        """Whether the content is elsewhere."""
        return self.ref is not None


def reference(path: str, ref: str, checksum: str | None = None) -> Entry:
    """Return the entry of a reference. What it refers to is not read."""
    return Entry(check_path(path), hashlib.sha256(f"{ref}\n{checksum or ''}".encode()).hexdigest(), None, ref)


def to_json(entries: Iterable[Entry]) -> bytes:
    """Return the manifest as it is kept, the same for the same content."""
    rows = sorted([entry.path, entry.digest, entry.size, entry.ref] for entry in entries)
    return json.dumps({"files": rows}, ensure_ascii=True, separators=(",", ":")).encode()


def from_json(data: bytes) -> dict[str, Entry]:
    """Return the entries by path. Raises ``ValueError`` for a manifest that is damaged, or holds a path that leads elsewhere."""
    found = json.loads(data)
    rows = found.get("files") if isinstance(found, Mapping) else None
    if not isinstance(rows, list):
        raise ValueError("the manifest of an artifact is damaged")  # noqa: TRY004  # a damaged file is a ValueError
    entries = [_entry(row) for row in rows]
    return {entry.path: entry for entry in entries}


def _entry(row: Any) -> Entry:
    if not isinstance(row, list) or len(row) != len(Entry._fields):
        raise ValueError("the manifest of an artifact is damaged")
    path, digest, size, ref = row
    is_digest = isinstance(digest, str) and len(digest) == _DIGEST_LENGTH
    if not is_digest or not isinstance(size, int | None) or not isinstance(ref, str | None):
        raise ValueError(f"the manifest of an artifact is damaged at {path!r}")
    return Entry(check_path(path), digest, size, ref)
