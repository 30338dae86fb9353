"""The last images of a board in its snapshot: a box for each name, of the size of a chart."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

MOST_IN_A_BOX: Final = 8


@dataclass(frozen=True)
class ImageBox:
    """The newest images of one name, as data URLs, with a line about them."""

    name: str
    about: str
    urls: Sequence[str]


def image_chart(box: ImageBox, heading: dict[str, Any], width: int, height: int) -> dict[str, Any]:
    """Return a chart that shows the images of a box in rows, each as large as the box allows."""
    urls = box.urls[:MOST_IN_A_BOX]
    rows = 1 if len(urls) <= 3 else 2
    columns = math.ceil(len(urls) / rows)
    side = min(width // columns, height // rows)
    values = [
        {"url": url, "x": (number % columns + 0.5) * side, "y": (number // columns + 0.5) * side}
        for number, url in enumerate(urls)
    ]
    scales = {
        name: {
            "field": name,
            "type": "quantitative",
            "axis": None,
            "scale": {"domain": ends, "nice": False, "zero": False},
        }
        for name, ends in (("x", [0, width]), ("y", [height, 0]))
    }
    return {
        "title": heading,
        "width": width,
        "height": height,
        "view": {"stroke": None},
        "data": {"values": values},
        "mark": {"type": "image", "width": side - 4, "height": side - 4, "aspect": True, "tooltip": None},
        "encoding": {"url": {"field": "url", "type": "nominal"}, **scales},
    }
