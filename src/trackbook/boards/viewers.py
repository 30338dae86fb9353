"""The viewers of charts and scenes of other libraries: scripts that run in frames without an origin, see `js/src/viewers`.

A board asks for one when it first shows such a medium. The page around the frame must allow the script by its hash.
"""

from __future__ import annotations

import importlib.util
import re
from functools import cache
from pathlib import Path
from typing import Final

from ..charts.html_page import script_source
from .built_files import built_file

VIEWERS: Final = {kind: f"viewer-{kind}.js" for kind in ("plotly", "echarts", "molecule", "object3d")}
NO_PLOTLY: Final = (
    "A Plotly figure is drawn by the plotly package, which is not installed where this board's kernel or server runs: "
    "pip install plotly, and restart it."
)


@cache
def viewer(name: str) -> str:
    """Return the script of a viewer. Raises ``ValueError`` for another name, and for Plotly's without the plotly package."""
    if name not in VIEWERS.values():
        raise ValueError(f"there is no asset {name!r}")
    code = built_file(name)
    return f"{in_script(_plotly())}\n;{code}" if name == VIEWERS["plotly"] else code


def in_script(code: str) -> str:
    """Return code that means the same and neither ends nor nests the script element that holds it."""
    return re.sub(r"<(?=!--|/?script)", r"\\x3c", code, flags=re.IGNORECASE)


def _plotly() -> str:
    """Return plotly.js, which the user's plotly package brings along. Raises ``ValueError`` without it."""
    try:
        found = importlib.util.find_spec("plotly")  # does not import it
    except ValueError:  # a stand-in without a spec
        found = None
    for folder in (found and found.submodule_search_locations) or ():
        path = Path(folder, "package_data", "plotly.min.js")
        if path.is_file():
            return path.read_text("utf-8")
    raise ValueError(NO_PLOTLY)


@cache
def sources() -> tuple[str, ...]:
    """Return the scripts of all viewers as a policy names them; those that cannot be had are left out, and say so when asked."""
    found = []
    for name in VIEWERS.values():
        try:
            found.append(script_source(viewer(name)))
        except (ValueError, RuntimeError):  # without plotly, or not built
            continue
    return tuple(found)
