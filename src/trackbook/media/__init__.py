"""Media that `log` takes beside numbers: their types, their encoding, and the files that keep them."""

from __future__ import annotations

import importlib
from typing import Any, Final

# The public types, each with the module that has it, which is imported when it is first used.
PLACES: Final = {
    "Audio": "sound",
    "Chart": "documents",
    "ECharts": "documents",
    "EvalTable": "table",
    "Histogram": "histogram",
    "Html": "texts",
    "Image": "image",
    "Markdown": "texts",
    "Molecule": "documents",
    "Object3D": "documents",
    "Plotly": "documents",
    "Table": "table",
    "Text": "texts",
    "Trace": "trace",
    "Video": "video",
}


def media_type(name: str) -> Any:
    """Return the public type of this name, one of `PLACES`."""
    return getattr(importlib.import_module(f".{PLACES[name]}", __name__), name)
