"""Conversion of Vega-Lite to PNG in a separate process, which alone runs the converter for snapshots.

The converter holds the GIL for half a second and keeps a JavaScript engine of 100 MB, which would burden a kernel that trains.
``python png.py`` reads requests, one line of JSON each, and answers each with a line of JSON and the PNG. It needs no network,
because the converter contains Vega, Vega-Lite and fonts.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import subprocess
import sys
import tempfile
import threading
from dataclasses import dataclass
from io import BytesIO
from typing import Any, Final, Self

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


class Converter:
    """The converter's process: started for the first picture, and ended by `close`."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._errors: Any = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def picture(self, spec: dict[str, Any], most: int = MOST_BYTES) -> PictureFile:
        """Return the PNG of a chart, of at most `most` bytes. The first takes about a second, of which this process spends milliseconds."""
        try:
            process = self._process or self._start()
        except OSError as error:
            raise NoPictureError(str(error)) from error
        answer, png = None, b""
        limit = threading.Timer(SECONDS, process.kill)
        limit.start()
        try:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(json.dumps({"spec": spec, "most": most}).encode() + b"\n")
            process.stdin.flush()
            answer = json.loads(process.stdout.readline() or "null")
            png = process.stdout.read(answer["bytes"]) if answer and "bytes" in answer else b""
        except OSError:  # the process has ended
            pass
        finally:
            limit.cancel()
        if answer is None:
            raise NoPictureError(self._why_it_ended())
        if "error" in answer:
            raise NoPictureError(answer["error"])
        return PictureFile(png, answer["width"], answer["height"])

    def close(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    with contextlib.suppress(OSError):  # what was written and not sent, when it has ended
                        pipe.close()
            process.wait()
            self._errors.close()

    def _start(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-P", __file__]  # -P: not the user's folder, which may have a math.py
        flags = getattr(subprocess, "CREATE_NO_WINDOW", 0)
        with contextlib.ExitStack() as opened:
            self._errors = opened.enter_context(tempfile.TemporaryFile())
            self._process = subprocess.Popen(  # noqa: S603  our own program
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._errors, creationflags=flags
            )
            opened.pop_all()  # `close` closes it
        return self._process

    def _why_it_ended(self) -> str:
        assert self._process is not None
        self._process.wait()
        self._errors.seek(0)
        said = self._errors.read().decode(errors="replace").strip().rpartition("\n")[2]
        self.close()
        return said or "the converter ended without a word, or took too long"


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
    for line in sys.stdin.buffer:
        request = json.loads(line)
        answer: dict[str, Any]
        try:
            picture = convert(request["spec"], request["most"])
        except ValueError as error:  # the converter's, for a chart that it cannot draw
            answer, png = {"error": str(error).strip().rpartition("\n")[2]}, b""
        else:
            png = picture.png
            answer = {"width": picture.width, "height": picture.height, "bytes": len(png)}
        sys.stdout.buffer.write(json.dumps(answer).encode() + b"\n" + png)
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
