from __future__ import annotations

import subprocess
import sys
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import vl_convert
from PIL import Image

from trackbook.charts import png
from trackbook.charts.png import Converter, NoPictureError, convert

CHART = {
    "$schema": "https://vega.github.io/schema/vega-lite/v5.json",
    "data": {"values": [{"x": 0, "y": 1}, {"x": 1, "y": 3}, {"x": 2, "y": 2}]},
    "mark": "line",
    "encoding": {"x": {"field": "x", "type": "quantitative"}, "y": {"field": "y", "type": "quantitative"}},
    "width": 200,
    "height": 100,
    "background": "#ffffff",
}


def test_pngs_are_made_one_after_another_in_another_process() -> None:
    with Converter() as converter:
        first, second = converter.picture(CHART), converter.picture({**CHART, "width": 400})
    assert first.png.startswith(b"\x89PNG")
    assert second.png.startswith(b"\x89PNG")
    assert 190 < second.width - first.width < 210


def test_a_palette_keeps_the_colors() -> None:
    drawn = vl_convert.svg_to_png(vl_convert.vegalite_to_svg(CHART), scale=png.SCALE)
    expected = np.asarray(Image.open(BytesIO(drawn)).convert("RGB"), int)
    packed = convert(CHART, 80_000).png
    got = np.asarray(Image.open(BytesIO(packed)).convert("RGB"), int)
    assert np.abs(got - expected).max() <= 16
    assert len(packed) < len(drawn) / 2


def test_a_large_picture_gets_fewer_pixels_at_the_same_size() -> None:
    whole = convert(CHART, 80_000)
    small = convert(CHART, len(whole.png) // 2)
    assert len(small.png) <= len(whole.png) // 2
    assert abs(small.width - whole.width) <= 3


def test_an_invalid_chart_says_why_and_the_next_is_drawn() -> None:
    with Converter() as converter:
        with pytest.raises(NoPictureError, match=r"\w"):
            converter.picture({"mark": {"type": "no such mark"}, "encoding": 5})
        assert converter.picture(CHART).png


def test_a_converter_that_is_missing_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "vl_convert.py").write_text("raise ImportError('no vl_convert here')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with Converter() as converter, pytest.raises(NoPictureError, match="no vl_convert here"):
        converter.picture(CHART)


def test_a_process_that_cannot_start_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise PermissionError("not here")

    monkeypatch.setattr(subprocess, "Popen", refuse)
    with Converter() as converter, pytest.raises(NoPictureError, match="not here"):
        converter.picture(CHART)


def test_colors_beyond_the_palette_become_similar_colors() -> None:
    ramp = np.stack(np.broadcast_arrays(np.arange(256)[:, None], np.arange(256)[None, :] // 16, 7), axis=2)
    pixels = ramp.astype(np.uint8)
    got = np.asarray(Image.open(BytesIO(png._with_palette(Image.fromarray(pixels)))).convert("RGB"), int)
    assert got.shape == (256, 256, 3)
    assert np.abs(got - pixels).max() <= 16
    assert len(np.unique(got.reshape(-1, 3), axis=0)) <= 256


def test_the_pictures_process_imports_neither_numpy_nor_trackbook() -> None:
    code = (
        f"import runpy, sys; runpy.run_path({png.__file__!r}); assert not {{'numpy', 'trackbook'}} & sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-P", "-c", code], check=True)
