"""Videos: files as they are, and arrays of frames as MP4, WebM or GIF."""

from __future__ import annotations

import importlib.util
import io
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

from .image import MOST_PIXELS, as_bytes, grid
from .values import (
    INSTALL,
    File,
    Media,
    MissingEncoderError,
    as_array,
    bad,
    given,
    head_of,
    is_path,
    path_of,
    suffix_of,
    within,
)

MIMES: Final = {
    ".mp4": "video/mp4",
    ".m4v": "video/mp4",
    ".mov": "video/quicktime",
    ".webm": "video/webm",
    ".ogv": "video/ogg",
    ".ogg": "video/ogg",
    ".gif": "image/gif",
}
MOST_FRAMES: Final = 20_000
_CODECS: Final = {"mp4": ("libx264", "h264"), "webm": ("libvpx-vp9", "libvpx")}
_FORMATS: Final = ("mp4", "webm", "gif")
_EXPECTED: Final = "a path, or frames of shape (time, channels, height, width) or (time, height, width, channels)"


class Video(Media):
    """A video.

    Parameters
    ----------
    data
        A path to an MP4, WebM, Ogg, MOV or GIF file, which is copied, or frames (time, channels, height, width), as wandb has them, or
        (time, height, width, channels), of uint8 or floats from 0 to 1. Several videos (count, time, ...) become a grid.
    caption
        A text below the player.
    fps
        Frames a second, of an array.
    format
        Of an array: ``"mp4"`` or ``"webm"``, which need ``pip install 'trackbook[media]'``, or ``"gif"``. By default MP4 where it can be
        encoded, else GIF.

    Raises
    ------
    TypeError, ValueError, FileNotFoundError
        For anything else.
    """

    kind = "video"

    def __init__(
        self,
        data: Any = None,
        caption: str | None = None,
        fps: float | None = None,
        format: str | None = None,
        **other: Any,
    ) -> None:
        super().__init__(caption)
        data = given(self, data, other, "data_or_path", "value")
        if is_path(data):
            self._keep(*_copied(path_of(self, data)))
            return
        if format is not None and format not in _FORMATS:
            raise ValueError(f"Video: format={format!r} is not one of {', '.join(_FORMATS)}")
        rate = float(within(self, "fps", 4 if fps is None else fps, 0.01, 1000, example="fps=30"))
        frames = self._frames(data)
        chosen = format or ("mp4" if importlib.util.find_spec("av") else "gif")
        about = {"width": frames.shape[2], "height": frames.shape[1], "frames": len(frames), "fps": rate}
        try:
            content = _gif(frames, rate) if chosen == "gif" else _encoded(frames, rate, chosen)
        except MissingEncoderError as missing:
            self._encoded = missing
            return
        self._keep(File(content, f".{chosen}", MIMES[f".{chosen}"]), about | {"duration": len(frames) / rate})

    def _frames(self, data: Any) -> Any:
        """Return frames (time, height, width, 3) of uint8."""
        import numpy as np

        array = as_array(data)
        if array is None or array.ndim not in (4, 5) or not array.size:
            bad(self, data, _EXPECTED)
        if array.shape[-3] in (1, 3, 4):
            array = np.moveaxis(array, -3, -1)
        elif array.shape[-1] not in (1, 3, 4):
            bad(self, array, f"{_EXPECTED}, with 1, 3 or 4 channels")
        if array.ndim == 5:
            array = np.stack([grid(each) for each in np.moveaxis(array, 1, 0)])
        if len(array) > MOST_FRAMES or array.shape[1] * array.shape[2] > MOST_PIXELS:
            raise ValueError(f"Video: {array.shape} is more than {MOST_FRAMES:,} frames or {MOST_PIXELS:,} pixels")
        array = as_bytes(self, array)
        return array.repeat(3, axis=3) if array.shape[3] == 1 else array[:, :, :, :3]


def _copied(path: Path) -> tuple[File, dict[str, Any]]:
    suffix, head = suffix_of(path), head_of(path)
    if suffix not in MIMES:
        raise ValueError(
            f"Video: {path} ends in {suffix or 'nothing'}; browsers play {', '.join(MIMES)}, so convert it to MP4"
        )
    beginnings = {".webm": b"\x1a\x45\xdf\xa3", ".gif": b"GIF8", ".ogg": b"OggS", ".ogv": b"OggS"}
    beginning = beginnings.get(suffix)
    if not (head.startswith(beginning) if beginning else head[4:8] in {b"ftyp", b"moov", b"mdat", b"wide", b"free"}):
        raise ValueError(f"Video: {path} is not a file of type {MIMES[suffix]}: it begins with {head[:8]!r}")
    return File(path, suffix, MIMES[suffix]), {}


def _gif(frames: Any, fps: float) -> bytes:
    import PIL.Image

    first, *others = [PIL.Image.fromarray(frame) for frame in frames]
    file = io.BytesIO()
    first.save(file, "GIF", save_all=True, append_images=others, duration=max(20, round(1000 / fps)), loop=0)
    return file.getvalue()


def _encoded(frames: Any, fps: float, format_: str) -> bytes:
    try:
        import av
        import av.error
    except ImportError:
        raise MissingEncoderError(f"Video of type {format_} needs PyAV: {INSTALL}; or log it as format='gif'") from None
    import numpy as np

    height, width = frames.shape[1] % 2, frames.shape[2] % 2
    if height or width:  # these codecs take even sizes
        frames = np.pad(frames, ((0, 0), (0, height), (0, width), (0, 0)), mode="edge")
    codec = next((name for name in _CODECS[format_] if name in av.codecs_available), None)
    if codec is None:
        raise MissingEncoderError(f"this PyAV encodes no {format_}: {INSTALL}; or log it as format='gif'")
    file = io.BytesIO()
    with av.open(file, "w", format=format_) as container:
        stream: Any = container.add_stream(codec, rate=Fraction(fps).limit_denominator(1000))
        stream.height, stream.width = frames.shape[1:3]
        stream.pix_fmt = "yuv420p"
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), format="rgb24")))
        container.mux(stream.encode())
    return file.getvalue()
