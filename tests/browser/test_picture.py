"""The README's picture: a cell that trains, from the empty board to the finished runs, written by `make picture`."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import nbformat
import pytest
from PIL import Image
from playwright.sync_api import FloatRect, ViewportSize

from browser.conftest import page_of
from browser.lab import OUTPUT, Lab

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser

    from browser.server import JupyterServer

QUICKSTART = Path(__file__).parents[2] / "notebooks" / "quickstart.ipynb"
WIDTH, SCALE = 1200, 1.125  # of the picture, and its pixels to a CSS pixel
EDGE = 4  # CSS pixels of the notebook's own frame above the cell
COLORS = 96
BYTES = 1_500_000
FRAMES = 60  # of the training, which takes SECONDS in the picture however long it took
SECONDS, HOVER_SECONDS, STILL_SECONDS = 9.0, 2.0, 4.0

# What the cell calls. It begins to train when the empty board was filmed; the pause stands for data and a network of the usual size.
HELPERS = """
import time
from pathlib import Path

def batches(rng, size=32):
    while not Path("filmed").exists():
        time.sleep(0.05)
    for batch in np.array_split(rng.permutation(len(x)), len(x) // size):
        yield np.roll(x[batch], rng.integers(-1, 2, size=2), axis=(1, 2)), y[batch]
    time.sleep(0.1)

def train(network, images, labels, lr):
    return cross_entropy(train_step(network, images, labels, lr), labels)

def validate(network):
    _, log_p = forward(network, x_val)
    return cross_entropy(log_p, y_val), accuracy(log_p, y_val)
"""
CELL = """
for lr in (0.005, 0.02, 0.1):
    rng = np.random.default_rng(1)
    network = new_network(rng)
    tb.init(project="digits", name=f"lr {lr}", config={"lr": lr})

    for epoch in tb.track(range(30)):
        for images, labels in batches(rng):
            tb.log({"train/loss": train(network, images, labels, lr)})
        val_loss, val_accuracy = validate(network)
        tb.log({"val/loss": val_loss, "val/accuracy": val_accuracy})
    tb.finish()
""".strip()
# The cell alone, in a font that most readers have: nothing that JupyterLab shows of the pointer's or the cursor's place.
STAGE = """
body { --jp-ui-font-family: 'Helvetica Neue', Arial, sans-serif; --jp-content-font-family: 'Helvetica Neue', Arial, sans-serif; }
.jp-cell-menu, .jp-cell-toolbar, .jp-Collapser { display: none !important; }
.jp-Notebook .jp-Cell { border-color: transparent !important; box-shadow: none !important; }
"""


@pytest.fixture
def lab(browser: Browser, server: JupyterServer, request: pytest.FixtureRequest) -> Iterator[Lab]:
    context = browser.new_context(
        viewport=ViewportSize(width=1300, height=1000), reduced_motion="reduce", device_scale_factor=SCALE
    )
    yield from page_of(context, server, request)
    context.close()


def test_cell_that_trains_is_filmed_from_empty_board_to_finished(lab: Lab, server: JupyterServer) -> None:
    cells = {cell.id: cell.source for cell in nbformat.read(QUICKSTART, as_version=4).cells}
    lab.write_and_open("film", *(cells[name] for name in ("imports", "data", "model")), HELPERS, CELL, "")
    lab.page.add_style_tag(content=STAGE)
    for number in range(4):
        lab.run_to_end(number)
    stage = Stage(lab, number=4)

    board = lab.board(4)
    begin = [stage.shot()]
    lab.run(4)
    board.root.wait_for()
    lab.page.keyboard.press("Escape")
    stage.to_top()
    begin.append(stage.shot())
    assert board.metrics() == []

    (server.root / "filmed").touch()
    film = []
    while lab.is_busy(4):
        if len(board.runs()) == 2 and board.root.locator("input.tb-smoothing").input_value() == "0":
            board.smooth(3)  # while the cell is busy
        film.append(stage.shot())
    lab.wait_until_done(4)
    lab.wait_for_quiet()
    film.append(stage.shot())
    board.chart("train/loss").hover()
    lab.page.locator(".tb-tooltip").wait_for()
    end = [stage.shot(), film[-1]]
    assert len(board.rows("val/accuracy")) == 3 * 30

    path = OUTPUT / "trackbook.gif"
    save(begin, film, end, path)
    with Image.open(path) as saved:
        assert saved.width == WIDTH
        assert saved.n_frames > 10
    assert path.stat().st_size < BYTES


class Stage:
    """One cell on a page of the picture's width."""

    def __init__(self, lab: Lab, number: int) -> None:
        self.lab, self.number = lab, number
        lab.set_size(1300 + round(WIDTH / SCALE - self.box()["width"]), 1000)
        self.to_top()

    def box(self) -> dict[str, float]:
        return self.lab.cell(self.number).evaluate("(cell) => cell.getBoundingClientRect().toJSON()")

    def to_top(self) -> None:
        self.lab.cell(self.number).evaluate("(cell) => cell.scrollIntoView({ block: 'start' })")

    def shot(self) -> Image.Image:
        box = self.box()
        clip = FloatRect(x=box["x"], y=box["y"] + EDGE, width=box["width"], height=box["height"] - EDGE)
        picture = self.lab.page.screenshot(clip=clip)
        return Image.open(BytesIO(picture)).convert("RGB")


def save(begin: list[Image.Image], film: list[Image.Image], end: list[Image.Image], path: Path) -> None:
    """Write a GIF of the still page before the training, `FRAMES` frames of the training, and two pictures of its end."""
    kept = [*begin, *(film[round(number * (len(film) - 1) / (FRAMES - 1))] for number in range(FRAMES)), *end]
    size = (WIDTH, max(frame.height for frame in kept))
    frames = [Image.new("RGB", size, "white") for _ in kept]
    for frame, picture in zip(frames, kept, strict=True):
        frame.paste(picture)
    palette = frames[-1].quantize(COLORS)
    colors = palette.getpalette() or []
    for at in range(0, len(colors), 3):
        if min(colors[at : at + 3]) > 240:
            colors[at : at + 3] = [255] * 3  # else Pillow takes a neighbour of white for white
    palette.putpalette(colors)
    first, *others = [frame.quantize(palette=palette, dither=Image.Dither.NONE) for frame in frames]
    seconds = [1.0] * len(begin) + [SECONDS / FRAMES] * FRAMES + [HOVER_SECONDS, STILL_SECONDS]
    milliseconds = [round(1000 * each) for each in seconds]
    first.save(path, save_all=True, append_images=others, duration=milliseconds, loop=0, optimize=True)
