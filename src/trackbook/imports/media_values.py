"""Media of other trackers as ours: made of their descriptions, and of the files that these name."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from ..media import media_type
from ..media.values import Encoded, MissingEncoderError

# What a description or a file may raise when it is damaged, missing, or of an unknown form
UNREADABLE: Final = (
    OSError,
    TypeError,
    ValueError,
    KeyError,
    IndexError,
    AttributeError,
    ArithmeticError,
    RecursionError,
    MissingEncoderError,
)
_FILES: Final = {  # by the kind of a file, as trackers call it
    "image": "Image",
    "audio": "Audio",
    "video": "Video",
    "text": "Text",
    "html": "Html",
    "object3d": "Object3D",
    "molecule": "Molecule",
}


def below(root: Path, name: str) -> Path:
    """Return the path of a file below `root`. Raises ``ValueError`` for a name that leads elsewhere, also by a link."""
    path = (root / name).resolve()
    if not path.is_relative_to(root.resolve()):
        raise ValueError(f"{name!r} leads out of {root}")
    return path


def file_medium(kind: str, root: Path, name: str, caption: str | None = None) -> Encoded:
    """Return the medium of a file below `root`. Raises one of `UNREADABLE`, also for a name that leads elsewhere."""
    encoded: Encoded = media_type(_FILES[kind])(below(root, name), caption=caption or None).encode()
    return encoded


def of_wandb(about: Mapping[str, Any], root: Path) -> list[Encoded]:
    """Return the media of a description of wandb's, whose files are below `root`. Raises one of `UNREADABLE`."""
    kind = about["_type"]
    if kind == "images/separated":
        captions: Sequence[Any] = about.get("captions") or [None] * len(about["filenames"])
        return [file_medium("image", root, *pair) for pair in zip(about["filenames"], captions, strict=True)]
    if kind == "table-file":
        table = json.loads(below(root, about["path"]).read_text("utf-8"))
        return [media_type("Table")(columns=table["columns"], data=table["data"]).encode()]
    if kind == "histogram":
        packed: Mapping[str, Any] = about.get("packedBins") or {}
        bins = about.get("bins") or [packed["min"] + packed["size"] * edge for edge in range(packed["count"] + 1)]
        return [media_type("Histogram")(np_histogram=(about["values"], bins)).encode()]
    return [file_medium(kind.removesuffix("-file"), root, about["path"], about.get("caption"))]


def of_trackio(about: Mapping[str, Any], root: Path) -> list[Encoded]:
    """Return the medium of a description of Trackio's, whose files are below `root`. Raises one of `UNREADABLE`."""
    kind = str(about["_type"]).removeprefix("trackio.")
    if kind == "markdown":
        return [media_type("Markdown")(about["_value"]).encode()]
    if kind == "histogram":
        return [media_type("Histogram")(np_histogram=(about["values"], about["bins"])).encode()]
    if kind == "table":
        rows = about["_value"]
        names = list(dict.fromkeys(name for row in rows for name in row))
        return [media_type("Table")(columns=names, data=[[row.get(name) for name in names] for row in rows]).encode()]
    return [file_medium(kind, root, about["file_path"], about.get("caption"))]
