"""Named JSON documents stored with a run: "environment", "code", "notebook". Each is a row of the table ``facts``."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from .check_stored import json_value

if TYPE_CHECKING:
    from .base import Store
    from .recorded_file import RecordedFile

PROJECT: Final = ""  # in place of a run's id, for documents of the project


def put_document(store: Store, run_id: str, name: str, content: Mapping[str, Any]) -> None:
    """Store a document. It replaces the document of the same name."""
    store.put_captured(run_id, "facts", [(name, _dump(content))])


def document(store: Store | RecordedFile, run_id: str, name: str) -> dict[str, Any] | None:
    """Return the document of this name, None when it is missing or damaged."""
    found = next((json_value(value) for key, value in store.captured(run_id, "facts") if key == name), None)
    return found if isinstance(found, dict) else None


def _dump(content: Mapping[str, Any]) -> str:
    """Return JSON with lone surrogates escaped: file names may contain them, text in SQLite cannot."""
    text = json.dumps(content, ensure_ascii=False)
    return text if text.isascii() else re.sub("[\ud800-\udfff]", lambda half: f"\\\\u{ord(half[0]):04x}", text)
