"""Colors, dash patterns and Vega-Lite configuration of the board's charts, in JSON that the front end also reads."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any, Final, Literal

Theme = Literal["light", "dark"]
FOLDER: Final = Path(__file__).parent / "vega_lite"


@functools.cache
def theme() -> Any:
    """Return the colors of both themes, and the dash patterns."""
    return json.loads((FOLDER / "theme.json").read_text(encoding="utf-8"))


def config(name: Theme) -> dict[str, Any]:
    """Return the Vega-Lite configuration of all charts in a theme, without fonts and backgrounds, which the page sets."""
    colors = theme()[name]
    return {
        "view": {"stroke": None},
        "axis": {
            "domain": False,
            "gridColor": colors["grid"],
            "labelColor": colors["label"],
            "labelFontSize": 11,
            "labelPadding": 6,
            "tickColor": colors["frame"],
            "ticks": False,
        },
        "axisX": {
            "domain": True,
            "domainColor": colors["frame"],
            "grid": False,
            "labelBound": False,  # which would leave ticks without labels
            "labelFlush": 16,  # pixels from the ends within which labels stay inside
            "labelOverlap": True,
            "labelSeparation": 6,
            "ticks": True,
            "tickSize": 4,
            "labelPadding": 4,
            "tickCount": 5,
        },
        "text": {"color": colors["text"], "fontSize": 11},
        "axisY": {"labelFontSize": 11},
    }
