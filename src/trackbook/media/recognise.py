"""Which values of a call of `log` are media: ours, lists of them, and objects of other libraries, known without importing those."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import Any, Final

from .values import Media

MOST_ITEMS: Final = 1_000  # of one list

# By the top-level module of a class: the module here, and the type, that takes its objects.
_TYPES: Final = {
    "PIL": ("image", "Image"),
    "matplotlib": ("image", "Image"),
    "altair": ("documents", "Chart"),
    "plotly": ("documents", "Plotly"),
    "pyecharts": ("documents", "ECharts"),
    "rdkit": ("documents", "Molecule"),
}
_FRAMES: Final = {"pandas", "polars", "pyarrow", "modin", "cudf"}


def as_media(value: Any, *, frames: bool = True) -> Media | list[Media] | None:
    """Return the media of a logged value; None when it is none. With `frames` a dataframe is a table.

    Raises ``TypeError`` or ``ValueError`` for an object of a known library that cannot be one, such as an empty image.
    """
    if isinstance(value, Media):
        return value
    if isinstance(value, (list, tuple)) and value:
        return _all(value)
    return _made(value, frames=frames)


def _all(values: Sequence[Any]) -> list[Media] | None:
    """Return the media of a list; None when not all of it are media."""
    if not all(isinstance(value, Media) or _type_of(value, frames=False) for value in values):
        return None
    if len(values) > MOST_ITEMS:
        raise ValueError(f"{len(values):,} media in one list; at most {MOST_ITEMS:,} are taken")
    made = [value if isinstance(value, Media) else _made(value, frames=False) for value in values]
    return [each for each in made if each is not None]


def _made(value: Any, *, frames: bool) -> Media | None:
    found = _type_of(value, frames=frames)
    if found is None:
        return None
    module, name = found
    made: Media = getattr(importlib.import_module(f"{__package__}.{module}"), name)(value)
    return made


def _type_of(value: Any, *, frames: bool) -> tuple[str, str] | None:
    if type(value).__name__ == "module":
        return _TYPES["matplotlib"] if value.__name__ == "matplotlib.pyplot" else None
    for kind in type(value).__mro__:
        top = kind.__module__.partition(".")[0]
        if frames and top in _FRAMES and hasattr(type(value), "columns"):
            return "table", "Table"
        if top in _TYPES and _is_whole(top, value):
            return _TYPES[top]
    return None


def _is_whole(library: str, value: Any) -> bool:
    """Whether an object of a library is something to look at, and not a part of it such as a colour."""
    if library == "matplotlib":
        return hasattr(value, "savefig") or hasattr(getattr(value, "figure", None), "savefig")
    wanted = {
        "PIL": "tobytes",
        "altair": "to_dict",
        "plotly": "add_trace",
        "pyecharts": "dump_options_with_quotes",
        "rdkit": "GetAtoms",
    }
    return hasattr(value, wanted[library])
