"""Images as uncompressed PNG files, which are made in a thirtieth of the time: `log` writes these, and they are compressed later."""

from __future__ import annotations

import secrets
import struct
import zlib
from collections.abc import Iterator
from typing import Any, Final

from .values import File

MARK: Final = "uncompressed"  # in the description of such an image
SMALLEST: Final = 4096  # bytes of pixels: fewer are compressed at once
LARGEST: Final = 32 << 20

_SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
_COLOUR_TYPES: Final = {"L": 0, "RGB": 2, "LA": 4, "RGBA": 6}  # by mode of PIL's
_HEAD_BYTES: Final = len(_SIGNATURE) + 12 + 13  # signature and first chunk
_KEPT: Final = ("icc_profile", "transparency")  # what PIL writes into a PNG beside pixels


def uncompressed(picture: Any) -> File | None:
    """Return a PIL image as an uncompressed PNG; None for one that has more than plain pixels of 8 bits, or is too small or too large."""
    picture.load()  # some formats have another mode then
    colour_type = _COLOUR_TYPES.get(picture.mode)
    (width, height), channels = picture.size, len(picture.getbands())
    if colour_type is None or not SMALLEST <= width * height * channels <= LARGEST:
        return None
    if any(name in picture.info for name in _KEPT):
        return None
    import numpy as np

    lines = np.zeros((height, 1 + width * channels), np.uint8)  # the first byte of a line names its filter: none
    lines[:, 1:] = np.frombuffer(picture.tobytes(), np.uint8).reshape(height, -1)
    head = _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, colour_type, 0, 0, 0))
    content = _SIGNATURE + head + _chunk(b"IDAT", zlib.compress(lines.data, 0)) + _chunk(b"IEND", b"")
    return File(content, ".png", "image/png")


def picture_of(content: bytes) -> Any:
    """Return an uncompressed PNG as a PIL image. `PIL.Image.open` would heed limits that the program sets for what it opens itself."""
    import numpy as np
    import PIL.Image

    chunks = dict(_chunks(content))
    width, height, _, colour_type = struct.unpack_from(">IIBB", chunks[b"IHDR"])
    mode = next(mode for mode, number in _COLOUR_TYPES.items() if number == colour_type)
    lines = np.frombuffer(zlib.decompress(chunks[b"IDAT"]), np.uint8).reshape(height, -1)
    return PIL.Image.frombytes(mode, (width, height), lines[:, 1:].tobytes())


def with_own_name(file: File) -> File:
    """Return the same image as a file that no other process has, so that it can be removed without a look at them."""
    assert isinstance(file.content, bytes)
    mark = _chunk(b"tEXt", b"Comment\0" + secrets.token_hex(16).encode())
    return File(file.content[:_HEAD_BYTES] + mark + file.content[_HEAD_BYTES:], file.suffix, file.mime)


def _chunks(content: bytes) -> Iterator[tuple[bytes, memoryview]]:
    view, at = memoryview(content), len(_SIGNATURE)
    while at < len(content):
        size, kind = struct.unpack_from(">I4s", content, at)
        yield kind, view[at + 8 : at + 8 + size]
        at += size + 12


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(data, zlib.crc32(kind)))
