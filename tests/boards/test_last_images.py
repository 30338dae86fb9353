"""The last images of a board, in the snapshot that a saved notebook shows."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import PIL.Image
import pytest

import trackbook as tb
from processes import own_process
from trackbook.api.process import Process
from trackbook.boards import last_images
from trackbook.charts.snapshot import MOST_BYTES

DICE = np.random.default_rng(5)


@pytest.fixture(autouse=True)
def process(monkeypatch: pytest.MonkeyPatch) -> Iterator[Process]:
    with own_process(monkeypatch) as made:
        yield made


def noise(side: int = 300) -> tb.Image:
    return tb.Image(DICE.integers(0, 255, (side, side, 3), np.uint8))


def snapshot(run: tb.Run) -> Any:
    run.finish()
    return tb.board(run.project).snapshot()


def boxes(found: Any) -> dict[str, list[str]]:
    """Return the data URLs of each box by its title."""
    return {
        chart["title"]["subtitle"]: [row["url"] for row in chart["data"]["values"]]
        for chart in found.spec["concat"]
        if "mark" in chart
    }


def picture(url: str) -> Any:
    head, _, data = url.partition(",")
    assert head == "data:image/jpeg;base64"
    return PIL.Image.open(io.BytesIO(base64.b64decode(data)))


def test_snapshot_shows_the_images_of_the_last_step() -> None:
    run = tb.init("p")
    run.log({"loss": 1, "samples/a": tb.Image(np.zeros((4, 4), np.uint8))})
    run.log({"samples/a": [tb.Image(np.full((4, 4), shade, np.uint8)) for shade in (200, 255)]}, step=7)
    found = snapshot(run)
    ((title, urls),) = boxes(found).items()
    assert title == "a · step 7"
    assert [np.asarray(picture(url)).mean() for url in urls] == pytest.approx([200, 255], abs=3)
    assert "charts: loss, samples/a" in found.text
    assert len(found.spec["concat"]) == 2


def test_images_share_the_room() -> None:
    run = tb.init("p")
    run.log({f"i{name}": [noise() for _ in range(8)] for name in range(8)} | {"loss": 1.0})
    found = snapshot(run)
    there = boxes(found)
    assert 2 <= len(there) <= last_images.MOST_BOXES
    assert sum(map(len, (url for urls in there.values() for url in urls))) <= last_images.MOST_BYTES
    assert max(map(len, there.values())) - min(map(len, there.values())) <= 1
    assert any(" of 8" in title for title in there)
    assert len(json.dumps(found.spec)) <= MOST_BYTES


def test_run_of_images_alone_has_a_snapshot() -> None:
    run = tb.init("p")
    run.log({"a": noise(8)})
    assert list(boxes(snapshot(run))) == ["a · step 0"]


def test_what_has_no_picture_is_left_out() -> None:
    run = tb.init("p")
    run.log({"loss": 1, "t": tb.Text("words"), "h": tb.Histogram([1]), "a": noise(8)})
    path = run.media("a")[0].path
    assert path is not None
    path.unlink()
    assert boxes(snapshot(run)) == {}


def test_converter_draws_the_images() -> None:
    from trackbook.charts.png import Converter

    run = tb.init("p")
    run.log({"a": tb.Image(np.stack([np.full((50, 50), 255), np.zeros((50, 50)), np.zeros((50, 50))], 2))})
    with Converter() as converter:
        drawn = converter.picture(snapshot(run).spec)
    colors = np.asarray(PIL.Image.open(io.BytesIO(drawn.png)).convert("RGB")).reshape(-1, 3)
    assert ((colors[:, 0] > 230) & (colors[:, 1] < 40) & (colors[:, 2] < 40)).mean() > 0.1
