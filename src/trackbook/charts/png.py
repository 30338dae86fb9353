"""Conversion of Vega-Lite to PNG in a separate process, which alone runs the converter for snapshots.

The converter holds the GIL for half a second and keeps a JavaScript engine of 100 MB, which would burden a kernel that trains.
``python png.py`` reads a request (JSON) and writes the answer: a line of JSON, then the PNG. It needs no network, because the
converter contains Vega, Vega-Lite and fonts.
"""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from dataclasses import dataclass
from io import BytesIO
from typing import Any, Final

from PIL import Image

MOST_BYTES: Final = 80_000  # 107 KB in base64
SCALE: Final = 1.5  # pixels of the file for each pixel of the page; reduced until the file is small enough
SECONDS: Final = 60
COLORS: Final = 256


@dataclass(frozen=True)
class PictureFile:
    png: bytes
    width: int  # pixels of the page
    height: int


class NoPictureError(RuntimeError):
    """The converter is missing or failed; the message is the converter's."""


def picture_file(spec: dict[str, Any], most: int = MOST_BYTES) -> PictureFile:
    """Return the PNG of a chart, of at most `most` bytes. Takes about a second, but only milliseconds of this process."""
    command = [sys.executable, "-P", __file__]  # -P: do not import from the user's folder, which may contain a math.py
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
    """Convert a chart in this process."""
    import vl_convert

    svg = vl_convert.vegalite_to_svg(spec, allowed_base_urls=[])
    scale = SCALE
    while True:
        drawn = Image.open(BytesIO(vl_convert.svg_to_png(svg, scale=scale))).convert("RGB")
        png = _with_palette(drawn)
        if len(png) <= most or scale < 0.1:
            break
        scale *= 0.9 * math.sqrt(most / len(png))
    return PictureFile(png, round(drawn.width / scale), round(drawn.height / scale))


def _with_palette(picture: Image.Image) -> bytes:
    """Return the PNG of a picture in 256 colors, a fifth of the size of the converter's true color."""
    packed = BytesIO()
    picture.quantize(COLORS, dither=Image.Dither.NONE).save(packed, "PNG", optimize=True)
    return packed.getvalue()


def main() -> None:
    if hasattr(os, "nice"):
        os.nice(10)  # training has priority
    request = json.load(sys.stdin.buffer)
    picture = convert(request["spec"], request["most"])
    size = json.dumps({"width": picture.width, "height": picture.height})
    sys.stdout.buffer.write(size.encode() + b"\n" + picture.png)


if __name__ == "__main__":
    main()
