"""Audio: files as they are, and samples as WAV, FLAC or Ogg."""

from __future__ import annotations

import io
import wave
from pathlib import Path
from typing import Any, Final

from ..user_warnings import warn_once
from .values import (
    INSTALL,
    File,
    Media,
    MissingEncoderError,
    as_array,
    bad,
    checked_content,
    given,
    head_of,
    is_path,
    path_of,
    suffix_of,
    within,
)

MIMES: Final = {
    ".wav": "audio/wav",
    ".mp3": "audio/mpeg",
    ".ogg": "audio/ogg",
    ".oga": "audio/ogg",
    ".opus": "audio/ogg",
    ".flac": "audio/flac",
    ".m4a": "audio/mp4",
    ".aac": "audio/aac",
    ".webm": "audio/webm",
}
_BEGINNINGS: Final = {
    "audio/wav": (b"RIFF",),
    "audio/mpeg": (b"ID3", b"\xff\xfb", b"\xff\xf3", b"\xff\xf2", b"\xff\xfa"),
    "audio/ogg": (b"OggS",),
    "audio/flac": (b"fLaC",),
    "audio/aac": (b"\xff\xf1", b"\xff\xf9", b"ID3"),
    "audio/webm": (b"\x1a\x45\xdf\xa3",),
}
_USUAL_RATE: Final = 44_100
_MOST_SAMPLES: Final = 500_000_000
_CODECS: Final = {"flac": ("FLAC", "PCM_16"), "ogg": ("OGG", "VORBIS")}


class Audio(Media):
    """A sound.

    Parameters
    ----------
    data
        A path to a WAV, MP3, Ogg, FLAC, M4A, AAC or WebM file, which is copied, the bytes of such a file, or samples of shape (samples,) or (samples, channels):
        floats from -1 to 1, or integers of 16 or 32 bits.
    sample_rate
        Samples a second, of samples; without it 44,100, with one warning. Trackio's second argument, a caption, is taken for one.
    caption
        A text below the player.
    file_type
        Of samples, also as Trackio's ``format=``: ``"wav"``, or ``"flac"`` or ``"ogg"``, which need ``pip install 'trackbook[media]'``; of
        bytes also ``"mp3"`` and so on.

    Raises
    ------
    TypeError, ValueError, FileNotFoundError
        For anything else.
    """

    kind = "audio"

    def __init__(
        self,
        data: Any = None,
        sample_rate: float | str | None = None,
        caption: str | None = None,
        *,
        file_type: str | None = None,
        **other: Any,
    ) -> None:
        if isinstance(sample_rate, str) and caption is None:
            sample_rate, caption = None, sample_rate
        super().__init__(caption)
        file_type = file_type or other.pop("format", None) or "wav"
        data = given(self, data, other, "data_or_path", "value")
        if is_path(data):
            self._keep(*_copied(path_of(self, data)))
            return
        if isinstance(data, bytes):
            self._keep(*_checked(checked_content(self, data), f".{file_type}", f"a file of {len(data):,} bytes"))
            return
        if file_type not in ("wav", *_CODECS):
            raise ValueError(f"Audio: file_type={file_type!r} is not one of wav, {', '.join(_CODECS)}")
        samples = self._samples(data)
        if sample_rate is None:
            warn_once(f"Audio() takes samples for {_USUAL_RATE:,} a second, because sample_rate= is not given")
            sample_rate = _USUAL_RATE
        rate = int(within(self, "sample_rate", sample_rate, 1, 768_000, example="sample_rate=44100"))
        about = {"duration": len(samples) / rate, "rate": rate, "channels": samples.shape[1]}
        try:
            content = _wav(samples, rate) if file_type == "wav" else _compressed(samples, rate, file_type)
        except MissingEncoderError as missing:
            self._encoded = missing
            return
        self._keep(File(content, f".{file_type}", MIMES[f".{file_type}"]), about)

    def _samples(self, data: Any) -> Any:
        """Return samples of 16 bits, of shape (samples, channels)."""
        import numpy as np

        array = as_array(data)
        if array is None or array.ndim not in (1, 2) or array.dtype.kind not in "iuf" or not array.size:
            bad(self, data, "a path, or samples of shape (samples,) or (samples, channels)")
        if array.ndim == 2 and array.shape[0] <= 8 < array.shape[1]:
            array = array.T  # channels first, as torchaudio has them
        array = array.reshape(len(array), -1)
        if array.shape[1] > 8 or array.size > _MOST_SAMPLES:
            raise ValueError(f"Audio: samples of shape {array.shape}; give (samples, channels) with at most 8 channels")
        if array.dtype.kind == "f":
            if not np.isfinite(array).all():
                raise ValueError("Audio: some samples are not finite; give floats from -1 to 1")
            return np.rint(np.clip(array, -1, 1) * 32_767).astype("<i2")
        if array.dtype == np.int32:
            return (array >> 16).astype("<i2")
        if array.dtype == np.uint8:
            return ((array.astype(np.int16) - 128) << 8).astype("<i2")
        if array.min() < -32_768 or array.max() > 32_767:
            raise ValueError(
                f"Audio: samples of {array.dtype} beyond 16 bits; give floats from -1 to 1, int16 or int32"
            )
        return array.astype("<i2")


def _wav(samples: Any, rate: int) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setparams((samples.shape[1], 2, rate, len(samples), "NONE", ""))
        writer.writeframes(samples.tobytes())
    return file.getvalue()


def _compressed(samples: Any, rate: int, file_type: str) -> bytes:
    try:
        import soundfile
    except (ImportError, OSError):  # OSError: without its library of C
        raise MissingEncoderError(f"Audio of type {file_type} needs soundfile: {INSTALL}") from None
    file = io.BytesIO()
    format_, subtype = _CODECS[file_type]
    soundfile.write(file, samples, rate, format=format_, subtype=subtype)
    return file.getvalue()


def _copied(path: Path) -> tuple[File, dict[str, Any]]:
    return _checked(path, suffix_of(path), str(path))


def _checked(content: Path | bytes, suffix: str, called: str) -> tuple[File, dict[str, Any]]:
    if suffix not in MIMES:
        raise ValueError(f"Audio: {called} ends in {suffix or 'nothing'}; give one of {', '.join(MIMES)}")
    mime, head = MIMES[suffix], head_of(content)
    if not (head[4:8] == b"ftyp" if mime == "audio/mp4" else head.startswith(_BEGINNINGS[mime])):
        raise ValueError(f"Audio: {called} is not a file of type {mime}: it begins with {head[:8]!r}")
    about = {}
    if suffix == ".wav":
        try:
            with wave.open(io.BytesIO(content) if isinstance(content, bytes) else str(content), "rb") as reader:
                rate = reader.getframerate()
                about = {"duration": reader.getnframes() / rate, "rate": rate, "channels": reader.getnchannels()}
        except (wave.Error, EOFError, RuntimeError, ZeroDivisionError):
            # samples of floats, or compressed ones: browsers play them, and `wave` does not read them; of a damaged file as much as they can
            pass
    return File(content, suffix, mime), about
