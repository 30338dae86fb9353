"""Images: of arrays, tensors, PIL, figures and files, with the boxes and masks that wandb has."""

from __future__ import annotations

import dataclasses
import io
import struct
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from .overlays import as_boxes, as_masks
from .uncompressed import MARK, picture_of, uncompressed
from .values import Encoded, File, Media, as_array, bad, checked_content, given, head_of, is_path, path_of

MOST_PIXELS: Final = 89_000_000  # Pillow warns from 89,478,486 on, and warnings cannot be switched off for one thread
LARGEST_IMAGE: Final = 200_000_000  # bytes of a file
MIMES: Final = {
    "PNG": (".png", "image/png"),
    "JPEG": (".jpg", "image/jpeg"),
    "GIF": (".gif", "image/gif"),
    "WEBP": (".webp", "image/webp"),
    "BMP": (".bmp", "image/bmp"),
}
_FORMATS: Final = {"png": "PNG", "jpg": "JPEG", "jpeg": "JPEG", "webp": "WEBP", "gif": "GIF", "bmp": "BMP"}
_PLAIN_MODES: Final = {"1", "L", "LA", "P", "RGB", "RGBA", "I;16"}  # which PNG has
_OPTIONS: Final[dict[str, dict[str, Any]]] = {
    "PNG": {"compress_level": 3},
    "JPEG": {"quality": 90},
    "WEBP": {"quality": 90},
}
_EXPECTED: Final = (
    "a path, the bytes of a file, a PIL image, a matplotlib figure, or an array of shape (height, width), (height, width, 3) or (height, width, 4), "
    "of torch (channels, height, width)"
)
# What Pillow raises for a file that is damaged, or of a format that it knows in part
BROKEN: Final = (OSError, SyntaxError, RuntimeError, EOFError, ArithmeticError, struct.error, zlib.error)
_NEARLY: Final = 1e-3  # floats so far outside of their range are cut off: rounding, not another range


class Image(Media):
    """An image.

    Parameters
    ----------
    data
        A path (copied as it is; an SVG, too), the bytes of such a file, a PIL image, a matplotlib figure, or an array or tensor of any library: (height, width),
        (height, width, channels) with 1, 3 or 4 channels, of torch also (channels, height, width) and a batch, which becomes a grid.
        Integers from 0 to 255, bools, or floats from 0 to 1, from -1 to 1, or from 0 to 255. Floats of torch in another range, such as those of
        an input that was standardised, are stretched to it, as wandb does.
    mode
        A PIL mode, such as ``"L"``, to which the image is converted. Trackio's second argument, a caption, is taken for one.
    caption
        A text below the image.
    classes, boxes, masks
        As wandb has them: boxes and masks by group, such as ``{"predictions": {"mask_data": array, "class_labels": {1: "cat"}}}``.
    file_type
        ``"png"``, ``"jpg"`` or ``"webp"``; a file is kept in its own format.
    normalize
        False takes floats for values from 0 to 255, whatever their range.
    size
        The longest side in pixels, or (width, height), to which the image is shrunk.

    Raises
    ------
    TypeError, ValueError, FileNotFoundError
        For anything else, and an image of more than 89 million pixels.
    """

    kind = "image"

    def __init__(
        self,
        data: Any = None,
        mode: str | None = None,
        caption: str | None = None,
        *,
        classes: Any = None,
        boxes: Mapping[str, Any] | None = None,
        masks: Mapping[str, Any] | None = None,
        file_type: str | None = None,
        normalize: bool = True,
        size: int | tuple[int, int] | None = None,
        grouping: Any = None,  # a keyword of wandb's
        **other: Any,
    ) -> None:
        if mode is not None and caption is None and not _is_mode(mode):
            mode, caption = None, mode
        super().__init__(caption)
        data = given(self, data, other, "data_or_path", "value")
        self._quick: Encoded | None = None
        quick: File | None = None
        format_ = self._format(file_type)
        if is_path(data):
            file, (width, height) = self._copied(path_of(self, data, LARGEST_IMAGE), mode, format_, size)
        elif isinstance(data, bytes):
            file, (width, height) = self._copied(checked_content(self, data, LARGEST_IMAGE), mode, format_, size)
        else:
            picture = self._fitted(self._picture(data, normalize=normalize), mode, size)
            quick = uncompressed(picture) if format_ in (None, "PNG") else None
            file, (width, height) = (quick, picture.size) if quick else encoded(picture, format_ or "PNG")
        about: dict[str, Any] = {"width": width, "height": height}
        if boxes:
            about["boxes"] = as_boxes(boxes, classes, width, height)
        found = as_masks(masks, classes, width, height) if masks else {}
        if found:
            about["masks"] = {group: {"labels": labels, "file": part.name} for group, (labels, part) in found.items()}
        parts = [part for _, part in found.values()]
        if quick is None:
            self._keep(file, about, parts)
        else:
            self._quick = Encoded(self.kind, file, about | {MARK: True}, self.caption, parts)

    def encode_quickly(self) -> Encoded:
        return self.encode() if self._quick is None else self._quick

    def encode(self) -> Encoded:
        if self._encoded is None and self._quick is not None and self._quick.file is not None:
            about = {name: value for name, value in self._quick.about.items() if name != MARK}
            self._encoded = dataclasses.replace(self._quick, file=compressed(self._quick.file), about=about)
        return super().encode()

    def _format(self, file_type: str | None) -> str | None:
        if file_type is None:
            return None
        if str(file_type).lower().lstrip(".") not in _FORMATS:
            raise ValueError(f"Image: file_type={file_type!r} is not one of {', '.join(_FORMATS)}")
        return _FORMATS[str(file_type).lower().lstrip(".")]

    def _copied(
        self, content: Path | bytes, mode: str | None, format_: str | None, size: Any
    ) -> tuple[File, tuple[int, int]]:
        if b"<svg" in head_of(content).lower() or (isinstance(content, Path) and content.suffix.lower() == ".svg"):
            return File(content, ".svg", "image/svg+xml"), (0, 0)
        with _opened(self, content) as picture:
            kept = MIMES.get(str(picture.format))
            if kept is not None and mode is None and size is None and format_ in (None, picture.format):
                return File(content, *kept), picture.size
            try:
                return encoded(self._fitted(picture, mode, size), format_ or "PNG")
            except BROKEN as error:
                raise ValueError(f"Image: {_called(content)} cannot be decoded: {error}") from error

    def _picture(self, data: Any, *, normalize: bool) -> Any:
        import PIL.Image

        if isinstance(data, PIL.Image.Image):
            _check_size(self, data.size)
            return data
        if (figure := as_figure(data)) is not None:
            return drawn(figure)
        array = as_array(data)
        if array is None:
            bad(self, data, _EXPECTED)
        if hasattr(data, "detach"):
            array = _channels_last(array)
            array = _stretched(array) if normalize else array
        return from_array(self, array, normalize=normalize)

    def _fitted(self, picture: Any, mode: str | None, size: Any) -> Any:
        if size is not None:
            sides = (size, size) if isinstance(size, int) else tuple(size)
            if len(sides) != 2 or not all(isinstance(side, int) and side > 0 for side in sides):
                raise ValueError(f"Image: size={size!r} is neither a number of pixels nor (width, height)")
            picture = picture.copy()
            picture.thumbnail(sides)
        return picture if mode is None or picture.mode == mode else picture.convert(mode)


def _is_mode(mode: Any) -> bool:
    return mode in {"1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr", "LAB", "HSV", "I", "F", "I;16"}


def as_figure(value: Any) -> Any:
    """Return the figure of a matplotlib figure, axes or `pyplot`; None for anything else. Imports nothing."""
    name = getattr(value, "__name__", "") if type(value).__name__ == "module" else ""
    if name == "matplotlib.pyplot":
        return value.gcf()
    if not any(kind.__module__.startswith("matplotlib.") for kind in type(value).__mro__):
        return None
    if hasattr(value, "savefig"):
        return value
    found = getattr(value, "figure", None)
    return found if hasattr(found, "savefig") else None


def drawn(figure: Any) -> Any:
    """Return a matplotlib figure as a PIL image."""
    import PIL.Image

    file = io.BytesIO()
    figure.savefig(file, format="png", bbox_inches="tight")
    return PIL.Image.open(file)


def _called(content: Path | bytes) -> str:
    return f"a file of {len(content):,} bytes" if isinstance(content, bytes) else str(content)


def _opened(media: Media, content: Path | bytes) -> Any:
    """Open a file as a PIL image, of which only the head is read. Raises ``ValueError`` when it is none, or has too many pixels."""
    import PIL.Image

    def stream() -> Path | io.BytesIO:
        return io.BytesIO(content) if isinstance(content, bytes) else content

    try:
        with PIL.Image.open(stream()) as trial:
            _check_size(media, trial.size)
            trial.verify()
        return PIL.Image.open(stream())
    except (PIL.Image.DecompressionBombError, PIL.Image.DecompressionBombWarning) as error:
        raise ValueError(
            f"{type(media).__name__}: {_called(content)} has too many pixels: {error}; log a smaller one"
        ) from error
    except BROKEN as error:
        raise ValueError(
            f"{type(media).__name__}: {_called(content)} is not an image that can be read: {error}"
        ) from error


def _check_size(media: Media, size: tuple[int, int]) -> None:
    if size[0] * size[1] > MOST_PIXELS:
        raise ValueError(
            f"{type(media).__name__}: {size[0]:,} x {size[1]:,} pixels are more than {MOST_PIXELS:,}; log a smaller one"
        )
    if not size[0] * size[1]:
        raise ValueError(f"{type(media).__name__}: an image of {size[0]} x {size[1]} pixels is empty")


def encoded(picture: Any, format_: str) -> tuple[File, tuple[int, int]]:
    """Return a PIL image as a file, and its width and height."""
    if (format_ == "JPEG" and picture.mode not in {"L", "RGB"}) or picture.mode not in _PLAIN_MODES:
        has_alpha = format_ != "JPEG" and picture.mode in {"RGBa", "La", "PA"}
        picture = picture.convert("RGBA" if has_alpha else "RGB")
    file = io.BytesIO()
    picture.save(file, format_, **_OPTIONS.get(format_, {}))
    return File(file.getvalue(), *MIMES[format_]), picture.size


def compressed(file: File) -> File:
    """Return an uncompressed image as it is kept."""
    assert isinstance(file.content, bytes)
    return encoded(picture_of(file.content), "PNG")[0]


def from_array(media: Media, array: Any, *, normalize: bool = True) -> Any:
    """Return an array of shape (height, width) or (height, width, channels) as a PIL image."""
    import PIL.Image

    if array.ndim == 3 and array.shape[2] == 1:
        array = array[:, :, 0]
    if array.ndim == 4:
        raise ValueError(
            f"{type(media).__name__}: an array of shape {array.shape} is several images; log a list of them"
        )
    if array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] not in (3, 4)):
        swapped = array.ndim == 3 and array.shape[0] in (1, 3, 4)
        remedy = "; its channels are first: array.transpose(1, 2, 0) has them last" if swapped else ""
        raise ValueError(
            f"{type(media).__name__}: an array of shape {array.shape} is not an image of shape (height, width), (height, width, 3) or "
            f"(height, width, 4){remedy}"
        )
    _check_size(media, (array.shape[1], array.shape[0]))
    return PIL.Image.fromarray(as_bytes(media, array, normalize=normalize))


def as_bytes(media: Media, array: Any, *, normalize: bool = True) -> Any:
    """Return an array of pixels as uint8. Raises ``ValueError`` for values outside of the ranges that `Image` names."""
    import numpy as np

    if array.dtype == np.uint8:
        return np.ascontiguousarray(array)
    if array.dtype.kind == "b":
        return np.where(array, 255, 0).astype(np.uint8)
    if array.dtype.kind not in "iuf":
        raise TypeError(f"{type(media).__name__}: pixels of dtype {array.dtype}; give uint8, bool or floats")
    low, high = (float(array.min()), float(array.max())) if array.size else (0.0, 0.0)
    if array.dtype.kind == "f" and normalize and low >= -1 - _NEARLY and high <= 1 + _NEARLY:
        array = array if low >= -_NEARLY else (array + 1) / 2
        return np.rint(np.clip(array, 0, 1) * 255).astype(np.uint8)
    if array.dtype.kind == "f" and not normalize:
        array, low, high = np.nan_to_num(np.clip(array, 0, 255)), 0, 255
    if not (low >= 0 and high <= 255):  # false for NaN
        raise ValueError(
            f"{type(media).__name__}: pixels from {low:g} to {high:g}; give integers from 0 to 255, or floats from 0 to 1, from -1 to 1 or "
            "from 0 to 255, such as (x - x.min()) / (x.max() - x.min())"
        )
    return np.rint(array).astype(np.uint8)


def _stretched(array: Any) -> Any:
    """Return floats of a range that no image has as floats from 0 to 1; others as they are."""
    if array.dtype.kind != "f" or not array.size:
        return array
    low, high = float(array.min()), float(array.max())
    is_known = (low >= 0 and high <= 255) or (low >= -1 - _NEARLY and high <= 1 + _NEARLY)
    return array if is_known or not high - low < float("inf") else (array - low) / ((high - low) or 1)


def _channels_last(array: Any) -> Any:
    """Return a tensor of torch, whose channels are first, with its channels last; a batch as a grid."""
    import numpy as np

    if array.ndim == 4 and array.shape[1] in (1, 3, 4):
        return grid(np.moveaxis(array, 1, 3))
    if array.ndim == 3 and array.shape[0] in (1, 3, 4):
        return np.moveaxis(array, 0, 2)
    return array


def grid(images: Any, gap: int = 2) -> Any:
    """Return images of one size (count, height, width, channels) as one, in rows of at most 8."""
    import numpy as np

    count, height, width, channels = images.shape
    columns = min(8, count)
    rows = -(-count // columns)
    whole = np.zeros((rows * (height + gap) - gap, columns * (width + gap) - gap, channels), images.dtype)
    for number, image in enumerate(images):
        top, left = number // columns * (height + gap), number % columns * (width + gap)
        whole[top : top + height, left : left + width] = image
    return whole
