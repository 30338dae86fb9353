"""Charts of users with their rows: in the board's colors, and with the data in place of their names."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from typing import Any, Final

from .board_design import literal
from .plot import PlotRow

DATASET: Final = "points"
NOT_NESTED: Final = ("autosize", "background", "config", "padding")


def with_rows(
    spec: Mapping[str, Any], rows: Iterable[PlotRow], title: str, size: tuple[int, int], *, nested: bool = False
) -> dict[str, Any]:
    """Return a user's chart with its rows; without its configuration if it is nested in the chart of a board."""
    rows = list(rows)
    colors = {row["run"]: row["color"][:7] for row in rows}
    colored: Mapping[str, Any] = _with_run_colors(dict(spec), colors)
    bare = {name: value for name, value in colored.items() if not nested or name not in NOT_NESTED}
    full: dict[str, Any] = _inlined(bare, {DATASET: plain(rows), **spec.get("datasets", {})})
    full.pop("datasets", None)
    if "layer" in full or "mark" in full:
        full = dict(zip(("width", "height"), size, strict=True)) | full
    return {"title": {"text": literal(title), "anchor": "start"}, **full}


def used_only(spec: Mapping[str, Any], rows: Iterable[PlotRow]) -> list[Any]:
    """Return rows with the fields that a chart may use, which its text names."""
    text = json.dumps(spec)
    return [{name: value for name, value in row.items() if name in ("run", "color") or name in text} for row in rows]


def may_load(spec: Mapping[str, Any] | None) -> bool:
    """Whether a chart may load images or follow links: a board's page forbids it, the page of a notebook does not."""
    text = json.dumps(spec)
    return any(word in text for word in ('"image"', '"url"', '"href"'))


def plain(rows: Iterable[PlotRow]) -> list[dict[str, Any]]:
    """Return rows as JSON. Values that are not finite become null; their `mark` names them. A line without dashes has no pattern."""
    return [
        {
            name: None if isinstance(value, float) and not math.isfinite(value) else _short_number(name, value)
            for name, value in row.items()
            if name != "dash" or value
        }
        for row in rows
    ]


def _short_number(name: str, value: Any) -> Any:
    """Round a number to the digits that matter, because a notebook stores all digits."""
    if not isinstance(value, float):
        return value
    if name in ("time", "x"):
        value = round(value, 3)
    elif name == "smooth":
        value = float(f"{value:.12g}")
    return int(value) if value.is_integer() and abs(value) < 2**53 else value


def _with_run_colors(node: Any, colors: Mapping[str, str]) -> Any:
    """Return a spec whose encodings of ``run`` by color have the board's colors, unless they have a scale of their own."""
    if isinstance(node, list):
        return [_with_run_colors(value, colors) for value in node]
    if not isinstance(node, dict):
        return node
    copy = {
        key: value if key in ("data", "datasets") else _with_run_colors(value, colors) for key, value in node.items()
    }
    for channel in ("color", "fill", "stroke"):
        encoding = copy["encoding"].get(channel) if isinstance(copy.get("encoding"), dict) else None
        if isinstance(encoding, dict) and encoding.get("field") == "run":
            encoding.setdefault("scale", {"domain": list(colors), "range": list(colors.values())})
    return copy


def _inlined(node: Any, datasets: Mapping[str, Any]) -> Any:
    """Return a specification with its named datasets replaced by their rows."""
    if isinstance(node, list):
        return [_inlined(item, datasets) for item in node]
    if not isinstance(node, dict):
        return node
    full = {key: _inlined(value, datasets) for key, value in node.items()}
    data = node.get("data")
    if isinstance(data, dict) and "values" not in data and data.get("name") in datasets:
        full["data"] = {**data, "values": datasets[data["name"]]}
        del full["data"]["name"]
    return full
