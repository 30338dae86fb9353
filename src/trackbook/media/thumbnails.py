"""Thumbnails of images and videos: made when they are first asked for, and kept beside the file."""

from __future__ import annotations

import contextlib
import io
from pathlib import Path
from typing import Any, Final

from ..filesystem import replacing
from .files import MediaFiles
from .image import MOST_PIXELS

LONGEST_SIDE: Final = 256
LARGEST: Final = 20_000  # bytes
MIME: Final = "image/webp"
_PICTURES: Final = (".png", ".jpg", ".gif", ".webp", ".bmp")
_VIDEOS: Final = (".mp4", ".m4v", ".mov", ".webm", ".ogv")
_JPEG_QUALITY: Final = 70
_QUALITIES: Final = (80, 60, 40, 20)


def thumbnail(files: MediaFiles, name: str) -> tuple[str, bytes]:
    """Return the type and content of a thumbnail: WebP of at most 256 pixels a side and 20 KB.

    Raises ``ValueError`` for a file of which there is none, ``FileNotFoundError`` when the file is not there.
    """
    path, kept = files.existing(name), files.thumbnail(name)
    with contextlib.suppress(OSError):
        return MIME, kept.read_bytes()
    picture = _picture(path)
    picture = picture.convert("RGBA" if "A" in picture.getbands() or "transparency" in picture.info else "RGB")
    picture.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    data = _small(picture)
    # on a full disk, or in a folder of another user's, it is made again
    with contextlib.suppress(OSError), replacing(kept, kept) as temporary:
        temporary.write_bytes(data)
    return MIME, data


def small_jpeg(data: bytes, side: int) -> bytes:
    """Return a thumbnail as a JPEG of at most `side` pixels a side, on white."""
    import PIL.Image

    with PIL.Image.open(io.BytesIO(data)) as opened:
        picture = opened.convert("RGBA")
    flat = PIL.Image.alpha_composite(PIL.Image.new("RGBA", picture.size, "white"), picture).convert("RGB")
    flat.thumbnail((side, side))
    file = io.BytesIO()
    flat.save(file, "JPEG", quality=_JPEG_QUALITY, optimize=True)
    return file.getvalue()


def _picture(path: Path) -> Any:
    import PIL
    import PIL.Image

    try:
        if path.suffix in _VIDEOS:
            return _first_frame(path)
        if path.suffix not in _PICTURES:
            raise ValueError(f"{path.name} has no thumbnail")
        with PIL.Image.open(path) as picture:
            if picture.width * picture.height > MOST_PIXELS:
                raise ValueError(f"{path.name} has {picture.width} x {picture.height} pixels, too many for a thumbnail")
            picture.draft("RGB", (LONGEST_SIDE, LONGEST_SIDE))
            return picture.copy()
    except (
        PIL.UnidentifiedImageError,
        PIL.Image.DecompressionBombError,
        PIL.Image.DecompressionBombWarning,
        OSError,
        SyntaxError,
    ) as error:
        raise ValueError(f"{path.name} cannot be decoded: {error}") from error


def _first_frame(path: Path) -> Any:
    try:
        import av
    except ImportError:
        raise ValueError(f"the thumbnail of {path.name} needs PyAV") from None
    try:
        with av.open(str(path)) as container:
            frame: Any = next(container.decode(video=0))
            if frame.width * frame.height > MOST_PIXELS:
                raise ValueError(f"{path.name} has {frame.width} x {frame.height} pixels, too many for a thumbnail")
            return frame.to_image()
    except (av.FFmpegError, StopIteration, IndexError) as error:
        raise ValueError(f"{path.name} cannot be decoded: {error}") from error


def _small(picture: Any) -> bytes:
    data = b""
    while True:
        for quality in _QUALITIES:
            file = io.BytesIO()
            picture.save(file, "WEBP", quality=quality, method=2)
            data = file.getvalue()
            if len(data) <= LARGEST:
                return data
        picture = picture.resize((max(1, picture.width // 2), max(1, picture.height // 2)))
