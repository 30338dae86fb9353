"""Uncompressed images: the same pixels as the compressed ones, and names of their own."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import PIL.Image
import pytest

import trackbook as tb
from trackbook.media.image import compressed
from trackbook.media.uncompressed import LARGEST, MARK, SMALLEST, uncompressed, with_own_name
from trackbook.media.values import File

SHAPES = {"L": (50, 90), "LA": (50, 90, 2), "RGB": (50, 90, 3), "RGBA": (50, 90, 4)}


def picture(mode: str) -> Any:
    pixels = np.random.default_rng(1).integers(0, 9, SHAPES[mode], np.uint8)
    return PIL.Image.frombytes(mode, (90, 50), pixels.tobytes())


def opened(file: File | None) -> Any:
    assert file is not None
    assert isinstance(file.content, bytes)
    found = PIL.Image.open(io.BytesIO(file.content))
    found.load()
    return found


@pytest.mark.parametrize("mode", SHAPES)
def test_image_keeps_its_pixels_uncompressed_and_compressed(mode: str) -> None:
    made = uncompressed(given := picture(mode))
    assert made is not None
    for file in (made, with_own_name(made), compressed(made), compressed(with_own_name(made))):
        assert (opened(file).mode, opened(file).tobytes()) == (mode, given.tobytes())
    assert compressed(with_own_name(made)).name == compressed(made).name == tb.Image(given).encode().files[0].name


def test_image_that_has_another_mode_once_it_is_loaded() -> None:
    file = io.BytesIO()
    PIL.Image.new("RGB", (64, 64), (1, 2, 3)).save(file, "ICNS")
    image = PIL.Image.open(file)
    assert image.mode == "RGBA"
    made = uncompressed(image)
    assert image.mode == "RGB"
    assert (opened(made).mode, opened(made).tobytes()) == ("RGB", image.tobytes())


def test_limit_of_the_program_on_what_it_opens_is_for_others(monkeypatch: pytest.MonkeyPatch) -> None:
    made = uncompressed(given := picture("RGB"))
    assert made is not None
    monkeypatch.setattr(PIL.Image, "MAX_IMAGE_PIXELS", 90 * 50 // 4)
    file = compressed(made)
    monkeypatch.undo()
    assert opened(file).tobytes() == given.tobytes()


def test_each_name_of_its_own_is_another() -> None:
    made = uncompressed(picture("RGB"))
    assert made is not None
    assert len({made.name, with_own_name(made).name, with_own_name(made).name}) == 3


@pytest.mark.parametrize(
    "other",
    [
        picture("RGB").convert("1"),
        picture("RGB").convert("P"),
        picture("RGB").convert("CMYK"),
        PIL.Image.new("I;16", (90, 50)),
        PIL.Image.new("L", (SMALLEST - 1, 1)),
        PIL.Image.new("L", (LARGEST // 1024 + 1, 1024)),
    ],
    ids=lambda image: f"{image.mode} {image.size}",
)
def test_other_images_are_compressed_at_once(other: Any) -> None:
    assert uncompressed(other) is None


@pytest.mark.parametrize("what", [{"icc_profile": b"x"}, {"transparency": 3}])
def test_image_with_more_than_pixels_is_compressed_at_once(what: dict[str, Any]) -> None:
    image = picture("L")
    image.info.update(what)
    assert uncompressed(image) is None


def test_image_says_that_it_is_uncompressed_only_then() -> None:
    image = tb.Image(picture("RGB"), caption="x")
    quick, final = image.encode_quickly(), image.encode()
    assert quick.about == {"width": 90, "height": 50, MARK: True}
    assert final.about == {"width": 90, "height": 50}
    assert quick.caption == final.caption == "x"
    assert quick.files[0].size > final.files[0].size > 0
    for other in (tb.Image([[1]]), tb.Image(picture("RGB"), file_type="jpg"), tb.Text("a")):
        assert other.encode_quickly() is other.encode()


def test_pixels_are_those_at_the_call() -> None:
    for pixels in (np.zeros((64, 64), np.uint8), np.zeros((64, 64, 4), np.uint8)):
        image = tb.Image(pixels)
        pixels[:] = 255
        assert opened(image.encode().file).getextrema() in ((0, 0), ((0, 0),) * 4)
