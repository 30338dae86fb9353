"""Vega-Lite to PNG, in a process of its own: the only importer of vl_convert.

The converter holds the GIL for half a second and keeps a JavaScript engine of 100 MB; a kernel that trains shall have
neither. ``python _picture_file.py`` reads a request (JSON) and writes the answer: a line of JSON, then the PNG. Needs no
network: the converter carries Vega, Vega-Lite and its fonts.
"""

from __future__ import annotations

import json
import math
import os
import struct
import subprocess
import sys
import zlib
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

MOST_BYTES: Final = 80_000  # 107 KB in base64
SCALE: Final = 1.5  # pixels of the file to a pixel of the page; fewer until it fits
SECONDS: Final = 60
COLORS: Final = 256


@dataclass(frozen=True)
class PictureFile:
    png: bytes
    width: int  # pixels of the page
    height: int


class NoPictureError(RuntimeError):
    """The converter is missing, or failed; says what it said."""


def picture_file(spec: dict[str, Any], most: int = MOST_BYTES) -> PictureFile:
    """The PNG of a chart, of at most `most` bytes. Takes about a second, of which this process spends milliseconds."""
    command = [sys.executable, "-P", __file__]  # -P: a numpy.py in the user's folder is none of our business
    request = json.dumps({"spec": spec, "most": most}).encode()
    flags = getattr(subprocess, "CREATE_NO_WINDOW", 0)
    try:
        done = subprocess.run(  # noqa: S603  our own program
            command, input=request, capture_output=True, check=False, timeout=SECONDS, creationflags=flags
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NoPictureError(str(error)) from error
    if done.returncode:
        raise NoPictureError(done.stderr.decode(errors="replace").strip().rpartition("\n")[2] or "no reason given")
    size, _, png = done.stdout.partition(b"\n")
    return PictureFile(png, **json.loads(size))


def convert(spec: dict[str, Any], most: int) -> PictureFile:
    """The same, here and now."""
    import vl_convert

    svg = vl_convert.vegalite_to_svg(spec, allowed_base_urls=[])
    scale = SCALE
    while True:
        pixels = _pixels(vl_convert.svg_to_png(svg, scale=scale))
        png = _indexed(pixels)
        if len(png) <= most or scale < 0.1:
            break
        scale *= 0.9 * math.sqrt(most / len(png))
    height, width = pixels.shape[:2]
    return PictureFile(png, round(width / scale), round(height / scale))


# The converter's files are true colour with alpha, quickly packed: five times the size of a palette's.

Pixels = NDArray[np.uint8]
SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
SUB: Final = 1  # the filter in which each pixel is the difference from its left neighbour


def _pixels(png: bytes) -> Pixels:
    """Height x width x 3 of the converter's PNG."""
    at, packed, (width, height) = len(SIGNATURE), b"", (0, 0)
    while at < len(png):
        length, kind = struct.unpack_from(">I4s", png, at)
        if kind == b"IHDR":
            width, height, *form = struct.unpack_from(">IIBBBBB", png, at + 8)
            if form != [8, 6, 0, 0, 0]:
                raise ValueError(f"the converter writes PNGs of another form: {form}")
        elif kind == b"IDAT":
            packed += png[at + 8 : at + 8 + length]
        at += length + 12
    rows = np.frombuffer(zlib.decompress(packed), np.uint8).reshape(height, 1 + 4 * width)
    if np.any(rows[:, 0] != SUB):
        raise ValueError("the converter filters its PNGs in another way")
    pixels: Pixels = np.cumsum(rows[:, 1:].reshape(height, width, 4), axis=1, dtype=np.uint8)[:, :, :3]
    return pixels


def _indexed(pixels: Pixels) -> bytes:
    """A PNG with a palette of the most frequent colours, of which every other takes the nearest."""
    height, width = pixels.shape[:2]
    packed = pixels.reshape(-1, 3).astype(np.int32) @ np.array([1 << 16, 1 << 8, 1], np.int32)
    colors, index, counts = np.unique(packed, return_inverse=True, return_counts=True)
    channels = np.stack([colors >> 16, colors >> 8 & 255, colors & 255], axis=1)
    frequent = np.argsort(-counts, kind="stable")[:COLORS]
    nearest = np.empty(len(colors), np.uint8)
    for start in range(0, len(colors), 1024):
        apart = channels[start : start + 1024, None, :] - channels[None, frequent, :]
        nearest[start : start + 1024] = (apart**2).sum(axis=2).argmin(axis=1)
    rows = np.zeros((height, 1 + width), np.uint8)  # filter 0: a palette's indices have no differences
    rows[:, 1:] = nearest[index.reshape(-1)].reshape(height, width)
    header = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    palette = channels[frequent].astype(np.uint8).tobytes()
    data = zlib.compress(rows.tobytes(), 9)
    return SIGNATURE + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in ((b"IHDR", header), (b"PLTE", palette), (b"IDAT", data), (b"IEND", b""))
    )


def main() -> None:
    if hasattr(os, "nice"):
        os.nice(10)  # training goes first
    request = json.load(sys.stdin.buffer)
    picture = convert(request["spec"], request["most"])
    size = json.dumps({"width": picture.width, "height": picture.height})
    sys.stdout.buffer.write(size.encode() + b"\n" + picture.png)


if __name__ == "__main__":
    main()
