"""A front end in Python for tests, which assembles frames by the rules of `trackbook.frames.protocol`, without numpy."""

from __future__ import annotations

import base64
import math
import struct
from typing import Any

from trackbook.frames.protocol import BUCKET_COLUMNS, NUMBERED, PLAIN, POINT_COLUMNS, VERSION, SeriesHeader

Row = dict[str, float]
CORNERS = ("first", "min", "max", "last")


class FrontEnd:
    """Receives frames as the browser's model does, and keeps the picture that it would draw."""

    def __init__(self) -> None:
        self.keyframe: Any = None
        self.delta: Any = None
        self.picture: dict[str, Any] | None = None

    def receive(self, **traits: Any) -> None:
        self.keyframe = traits.get("keyframe") or self.keyframe
        self.delta = traits.get("delta") or self.delta
        if self.keyframe is None or self.keyframe["header"]["version"] != VERSION:
            return
        header = self.keyframe["header"]
        picture = _whole(self.keyframe)
        if self.delta is not None:
            change = self.delta["header"]
            fits = change["session"] == header["session"] and change["version"] == header["version"]
            if fits and change["base"] == header["seq"]:
                picture = _applied(picture, self.delta)
        if self.picture is None or self.picture["session"] != header["session"] or picture["seq"] > self.picture["seq"]:
            self.picture = picture


def kernel_picture(picture: Any) -> dict[str, Any]:
    """Return the picture of a front end that received every frame of a `trackbook.frames.picture.Picture`."""
    widths = {key: 1 << int(picture._sent[series.number]) for key, series in picture.series.items()}
    whole = _whole(picture.keyframe(0.0))
    return {**whole, "series": {key: _widened(*series, widths[key]) for key, series in whole["series"].items()}}


def _widened(width: int, rows: dict[float, Row], wide: int) -> tuple[int, dict[float, Row]]:
    while width < wide:
        width, rows = width * 2, _doubled(rows, width)
    return width, rows


def _whole(frame: Any) -> dict[str, Any]:
    header = frame["header"]
    return {
        "session": header["session"],
        "seq": header["seq"],
        "project": header["project"],
        "runs": {run["key"]: run for run in header["runs"]},
        "metrics": list(header["metrics"]),
        "series": all_rows(header["series"], frame["data"]),
    }


def all_rows(headers: list[Any], data: bytes) -> dict[tuple[int, int], tuple[int, dict[float, Row]]]:
    """Return the width and the rows of each series, by run and metric."""
    found, at = {}, 0
    for series in (SeriesHeader(*header) for header in headers):
        found[series.run, series.metric] = (series.width, _rows(series, data, at))
        if series.layout == PLAIN:
            at += series.rows * 8 * len(_columns(series))
        else:
            row = 16 if series.width == 1 else 72 if series.layout == NUMBERED else 64
            at += 24 + series.rows * row
    assert at == len(data)
    return found


def _columns(series: SeriesHeader) -> tuple[str, ...]:
    return POINT_COLUMNS if series.width == 1 else BUCKET_COLUMNS


def _rows(series: SeriesHeader, data: bytes, at: int) -> dict[float, Row]:
    names, width, read = _columns(series), series.width, struct.unpack_from
    if series.layout == PLAIN:
        numbers = [read(f"<{len(names)}d", data, at + row * 8 * len(names)) for row in range(series.rows)]
        rows = [dict(zip(names, row, strict=True)) for row in numbers]
    elif width == 1:
        _, first, base = read("<3d", data, at)
        packed = [read("<dIf", data, at + 24 + row * 16) for row in range(series.rows)]
        rows = [{"step": first + step, "time": base + time, "value": value} for value, step, time in packed]
    else:
        head = read("<3d", data, at)
        rows = [_bucket(head, width, read("<IIffIffIffIffIff", data, at + 24 + row * 64)) for row in range(series.rows)]
        for number, row in enumerate(rows):
            found = row["count"] if row["max"] <= 0 else 0.0, 0.0
            if series.layout == NUMBERED:
                found = read("<2I", data, at + 24 + len(rows) * 64 + number * 8)
            row["not_positive"], row["not_finite"] = map(float, found)
    return {row[names[0]]: row for row in rows}


def _bucket(head: tuple[float, ...], width: int, words: tuple[float, ...]) -> Row:
    offset, first, base = head
    bucket = first + words[0]
    count = int(words[1]) & (1 << 29) - 1
    row = {"bucket": bucket, "count": float(count), "mask": float(int(words[1]) >> 29), "mean": offset + words[2]}
    row["m2"] = words[3] * words[3] * count if count else 0.0
    for name, (step, time, value) in zip(CORNERS, zip(words[4::3], words[5::3], words[6::3], strict=True), strict=True):
        known = count or name in ("first", "last")
        row[f"{name}_step"] = bucket * width + step if known else math.nan
        row[f"{name}_time"], row[name] = base + time, offset + value
    return row


def _applied(picture: dict[str, Any], frame: Any) -> dict[str, Any]:
    header = frame["header"]
    series = dict(picture["series"])
    for key, (wide, changed) in all_rows(header["series"], frame["data"]).items():
        width, rows = _widened(*series.get(key, (wide, {})), wide)
        series[key] = (width, {**rows, **changed})
    return {
        **picture,
        "seq": header["seq"],
        "runs": picture["runs"] | {run["key"]: run for run in header["runs"]},
        "metrics": picture["metrics"] + header["metrics"],
        "series": series,
    }


def _doubled(rows: dict[float, Row], width: int) -> dict[float, Row]:
    doubled: dict[float, Row] = {}
    for row in (rows[place] for place in sorted(rows)):
        bucket = _bucket_of_point(row) if width == 1 else row
        place = bucket["bucket"] // 2
        left = doubled.get(place)
        doubled[place] = {**(bucket if left is None else _joined(left, bucket)), "bucket": place}
    return doubled


def _bucket_of_point(point: Row) -> Row:
    value = point["value"]
    finite = math.isfinite(value)
    row = {"bucket": point["step"], "count": float(finite), "mean": value if finite else math.nan, "m2": 0.0}
    row["mask"] = 0.0 if finite else 1.0 if math.isnan(value) else 2.0 if value > 0 else 4.0
    row["not_positive"], row["not_finite"] = float(finite and value <= 0), float(not finite)
    for name in CORNERS:
        known = finite or name in ("first", "last")
        row[f"{name}_step"] = point["step"] if known else math.nan
        row[f"{name}_time"] = point["time"] if known else math.nan
        row[name] = value if known else math.nan
    return row


def _joined(a: Row, b: Row) -> Row:
    """Merge two neighbouring rows, `a` before `b`."""

    def take(name: str, row: Row) -> Row:
        return {column: row[column] for column in (f"{name}_step", f"{name}_time", name)}

    count = a["count"] + b["count"]
    parts = [row for row in (a, b) if row["count"]]
    mean = sum(row["count"] * row["mean"] for row in parts) / count if count else math.nan
    m2 = sum(row["m2"] + row["count"] * (row["mean"] - mean) ** 2 for row in parts)
    low = b if b["count"] and not a["min"] <= b["min"] else a
    high = b if b["count"] and not a["max"] >= b["max"] else a
    mask = float(int(a["mask"]) | int(b["mask"]))
    return {
        "bucket": math.nan,
        "count": count,
        "mean": mean,
        "m2": m2,
        "mask": mask,
        **{name: a[name] + b[name] for name in ("not_positive", "not_finite")},
        **take("first", a),
        **take("min", low),
        **take("max", high),
        **take("last", b),
    }


def plain(picture: dict[str, Any]) -> dict[str, Any]:
    """Return a picture as JSON values, as in the golden files."""
    return {
        "seq": picture["seq"],
        "project": picture["project"],
        "runs": [picture["runs"][key] for key in sorted(picture["runs"])],
        "metrics": picture["metrics"],
        "series": [
            {
                "run": run,
                "metric": metric,
                "width": width,
                "columns": {
                    name: [_plain_number(rows[place][name]) for place in sorted(rows)]
                    for name in (POINT_COLUMNS if width == 1 else BUCKET_COLUMNS)
                },
            }
            for (run, metric), (width, rows) in sorted(picture["series"].items())
        ],
    }


def packed(frame: Any) -> dict[str, Any]:
    """Return a frame as in the golden files."""
    return {"header": frame["header"], "data": base64.b64encode(frame["data"]).decode()}


def _plain_number(number: float) -> float | str:
    if math.isfinite(number):
        return float(number)
    return "NaN" if math.isnan(number) else "Infinity" if number > 0 else "-Infinity"


def assert_same(got: Any, expected: Any, where: str = "") -> None:
    """Assert equality within float32's precision, since a front end merges values that were rounded one by one."""
    if isinstance(expected, dict):
        assert got.keys() == expected.keys(), where
        for key, item in expected.items():
            assert_same(got[key], item, f"{where}/{key}")
    elif isinstance(expected, list):
        assert len(got) == len(expected), where
        for place, (one, other) in enumerate(zip(got, expected, strict=True)):
            assert_same(one, other, f"{where}[{place}]")
    elif isinstance(expected, float) and isinstance(got, float):
        assert math.isclose(got, expected, rel_tol=1e-5 if "/m2[" in where else 3e-7, abs_tol=1e-9), where
    else:
        assert got == expected, where
