"""Media on a board, in a notebook and on the page of a server: galleries, steps, players, tables, and hostile content."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from browser.lab import OUTPUT, PATIENCE, Board
from browser.pdf import print_board
from browser.served import Served

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser, Locator, Page

    from browser.lab import Lab

LOGGED = """
import numpy as np
import trackbook as tb

EVIL = "<img src=x onerror=\\"parent.document.title='hacked'\\"><script>parent.document.title='hacked'</script>"
SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="40" height="30" onload="document.title=\\'hacked\\'">' \\
    '<script>document.title="hacked"</script><rect width="40" height="30" fill="teal"/></svg>'


def picture(step, item):
    y, x = np.mgrid[0:180, 0:240]
    return np.stack([(x + 20 * step) % 256, (y + 40 * item) % 256, np.full_like(x, 90)], axis=-1).astype(np.uint8)


def log_media(run, steps=range(3)):
    boxes = {"found": {
        "box_data": [{"position": {"minX": 0.1, "maxX": 0.5, "minY": 0.2, "maxY": 0.7}, "class_id": 1, "scores": {"p": 0.8}}],
        "class_labels": {1: "cat"},
    }}
    mask = np.zeros((180, 240), np.uint8)
    mask[90:] = 1
    masks = {"truth": {"mask_data": mask, "class_labels": {1: "road"}}}
    tone = np.sin(np.arange(8000) / 8).astype(np.float32)
    for step in steps:
        first = tb.Image(picture(step, 0), caption=f"first {step}", boxes=boxes, masks=masks)
        run.log({
            "train/loss": 1 / (1 + step),
            "samples/images": [first, tb.Image(picture(step, 1), caption="second")],
            "samples/sound": tb.Audio(tone, sample_rate=8000),
            "samples/clip": tb.Video(np.stack([picture(frame, step)[:48, :64] for frame in range(12)]), fps=4, format="webm"),
            "samples/note": tb.Markdown(f"# Step {step}\\n\\n{EVIL} [link](javascript:document.title='hacked')"),
            "weights/dense": tb.Histogram(np.random.default_rng(step).normal(size=500)),
        }, step=step)
    faces = [[item, tb.Image(picture(item, 0)[:12, :16])] for item in range(3)]
    run.log({
        "eval/faces": tb.Table(columns=["n", "face"], data=faces),
        "eval/table": tb.Table(columns=["n", "text"], data=[[i, f"{EVIL} {i}"] for i in range(1000)]),
        "eval/page": tb.Html(f"<h1>Hello</h1>{EVIL}<a href='https://example.com'>away</a>"),
        "eval/chat": tb.Trace([{"role": "user", "content": EVIL}, {"role": "assistant", "content": "Hi **there**"}]),
    }, step=2)
"""
REFUSED = "inline event handler violates"  # what the browser says of hostile HTML when it is read to be cleaned
IN_NOTEBOOK = """
run = tb.init("media", "first", capture=False)
log_media(run)
run.finish()
"""
IN_SCRIPT = """
for name in ("first", "second"):
    with tb.init("media", name, capture=False) as run:
        log_media(run)
"""


def panel(board: Board, metric: str) -> Locator:
    """Scroll to a panel, and wait until it shows something."""
    found = board.chart(metric)
    found.scroll_into_view_if_needed()
    board.page.wait_for_function("(panel) => Number(panel.dataset.drawn) > 0", arg=found.element_handle())
    return found


def shown(found: Locator, count: int = 1) -> Locator:
    """Wait until some tiles or blocks show their content, and return them."""
    content = found.locator("[data-shown]")
    found.page.wait_for_function(
        "([panel, count]) => panel.querySelectorAll('[data-shown]').length >= count",
        arg=[found.element_handle(), count],
    )
    return content


def look(board: Board, metric: str, name: str) -> None:
    group = panel(board, metric).locator("xpath=ancestor::section[contains(@class, 'tb-group')][1]")
    group.screenshot(path=OUTPUT / f"{name}.png", animations="disabled")


def images(found: Locator) -> list[tuple[int, int]]:
    sizes: list[tuple[int, int]] = found.locator(".tb-media-tile img").evaluate_all(
        "(images) => images.map((image) => [image.naturalWidth, image.naturalHeight])"
    )
    return [(width, height) for width, height in sizes]


def check_media(board: Board, runs: int) -> None:
    """Go through the panels as a reader does."""
    page = board.page
    gallery = panel(board, "samples/images")
    shown(gallery, 2 * runs)
    expect(gallery.locator(".tb-media-tile")).to_have_count(2 * runs)
    assert all(width > 0 and height * 4 == width * 3 for width, height in images(gallery))
    expect(gallery.locator(".tb-media-tile").first).to_contain_text("first 2")
    # the slider chooses the step of all panels, by the keyboard
    gallery.locator("input[type=range]").focus()
    page.keyboard.press("Home")
    expect(gallery.locator(".tb-media-tile").first).to_contain_text("first 0")
    expect(panel(board, "samples/note").locator("[role=heading]").last).to_have_text("Step 0")
    gallery.get_by_role("button", name="Newest step").click()
    expect(gallery.locator(".tb-media-tile").first).to_contain_text("first 2")
    # boxes and masks
    expect(gallery.locator(".tb-media-box")).to_have_count(runs)
    gallery.get_by_role("button", name="Masks and boxes").click()
    gallery.get_by_label("cat").uncheck()
    expect(gallery.locator(".tb-media-box")).to_have_count(0)
    expect(gallery.locator(".tb-media-mask")).to_have_count(runs)
    page.keyboard.press("Escape")
    # one image, large, and its neighbour
    gallery.locator(".tb-media-tile").first.click()
    large = gallery.locator("dialog[open]")
    expect(large).to_have_accessible_name(large_name("first 2", runs))
    page.keyboard.press("ArrowRight")
    expect(large).to_have_accessible_name(large_name("second" if runs == 1 else "first 2", runs, other=True))
    page.keyboard.press("Escape")
    expect(large).to_have_count(0)
    # all steps
    gallery.get_by_role("button", name="All steps").click()
    expect(gallery.locator(".tb-media-tile").first).to_contain_text("step 2")
    gallery.get_by_role("button", name="All steps").click()
    check_players(board, runs)
    check_table(board)
    # the histogram
    histogram = panel(board, "weights/dense")
    expect(histogram.locator("canvas")).to_have_count(1)
    histogram.get_by_role("button", name="All steps").click()
    expect(histogram.get_by_role("button", name="All steps")).to_have_attribute("aria-pressed", "true")
    # documents and the trace
    expect(panel(board, "eval/page").frame_locator("iframe").first.locator("h1")).to_have_text("Hello")
    expect(panel(board, "eval/chat").locator(".tb-media-message")).to_have_count(2 * runs)
    assert "hacked" not in page.title()


def check_table(board: Board) -> None:
    """Sort, filter and download a table."""
    table = panel(board, "eval/table")
    expect(table.locator("[role=cell]").first).to_have_text("0")
    table.locator(".tb-media-sort").first.dblclick()
    expect(table.locator("[role=cell]").first).to_have_text("999")
    table.get_by_label("Filter rows").first.fill("> 77")
    expect(table.locator("[role=status]").first).to_have_text("11 of 1,000 rows")
    table.hover()
    count, saves = (table.locator(part).first.bounding_box() for part in ("[role=status]", ".tb-media-saves"))
    assert count is not None
    assert saves is not None
    assert count["x"] + count["width"] <= saves["x"] or saves["y"] + saves["height"] <= count["y"]
    with board.page.expect_download() as download:
        table.get_by_role("button", name="Download as CSV").first.click()
    assert download.value.suggested_filename == "eval-table-2-0.csv"
    names, *lines = download.value.path().read_text().splitlines()
    assert [names, len(lines), lines[0][:2]] == ["n,text", 1000, "0,"]


def check_players(board: Board, runs: int) -> None:
    """Play a sound and a video by the keyboard."""
    page = board.page
    sound = panel(board, "samples/sound")
    sound.get_by_role("button", name="Play").first.focus()
    page.keyboard.press("Enter")
    expect(sound.get_by_role("button", name="Pause")).to_have_count(1)
    page.keyboard.press("Enter")
    expect(sound.get_by_role("button", name="Pause")).to_have_count(0)
    # one video plays in its panel, several are tiles, and play when they are opened
    clips = panel(board, "samples/clip")
    if runs > 1:
        clips.locator(".tb-media-tile").first.click()
    clip = clips.locator("video").first
    page.wait_for_function("(video) => video.readyState >= 2 && video.videoWidth === 64", arg=clip.element_handle())
    clip.focus()
    was = clip.evaluate("(video) => video.paused")
    for paused in (not was, was):
        page.keyboard.press(" ")
        page.wait_for_function("([video, paused]) => video.paused === paused", arg=[clip.element_handle(), paused])
    page.keyboard.press("Escape")


def faint(board: Board) -> list[str]:
    """Return faint texts, with the chart of the loss in view: one that is far from view is drawn in another theme only when it is seen."""
    board.chart("train/loss").scroll_into_view_if_needed()
    board.wait_for_quiet()
    return board.faint()


def large_name(caption: str, runs: int, *, other: bool = False) -> str:
    run = "second" if other else "first"
    return f"{caption}, {run}, step 2" if runs > 1 else f"{caption}, step 2"


def test_media_in_a_notebook(lab: Lab) -> None:
    lab.write_and_open("media", LOGGED, IN_NOTEBOOK)
    lab.set_size(1280, 1000)
    lab.run_to_end(0)
    lab.run_to_end(1)
    board = lab.board(1).wait_for_chart("samples/images")
    check_media(board, 1)
    look(board, "samples/images", "media-lab-light")
    lab.set_theme("dark")
    look(board, "samples/images", "media-lab-dark")
    look(board, "eval/table", "media-lab-dark-table")
    assert faint(board) == []
    lab.set_theme("dark high contrast")
    look(board, "samples/images", "media-lab-contrast")
    assert faint(board) == []


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    served = Served(tmp_path_factory.mktemp("media"))
    served.run(LOGGED + IN_SCRIPT)
    yield served
    served.kill()


@pytest.fixture
def page(browser: Browser, served: Served) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1280, "height": 1000}, reduced_motion="reduce")
    page = context.new_page()
    page.set_default_timeout(PATIENCE * 1000)
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda message: message.type == "error" and errors.append(message.text))
    page.goto(served.entrance)
    page.goto(served.address("?project=media&sidebar=hidden"))
    yield page
    context.close()
    assert [error for error in errors if REFUSED not in error] == []


def test_media_on_the_page_of_a_server(page: Page) -> None:
    board = Board(page.locator(".tb-board").first).wait_for_chart("samples/images")
    check_media(board, 2)
    for width in (700, 950, 1280):
        page.set_viewport_size({"width": width, "height": 1000})
        look(board, "samples/images", f"media-served-{width}")


def test_step_of_media_stays_when_the_page_is_loaded_again(page: Page) -> None:
    board = Board(page.locator(".tb-board").first).wait_for_chart("samples/images")
    panel(board, "samples/images").get_by_role("button", name="Previous step").click()
    expect(panel(board, "samples/images").locator(".tb-media-tile").first).to_contain_text("first 1")
    page.wait_for_url("**media_step=1*")
    page.reload()
    gallery = panel(Board(page.locator(".tb-board").first).wait_for_chart("samples/images"), "samples/images")
    expect(gallery.locator(".tb-media-tile").first).to_contain_text("first 1")
    gallery.locator("input[type=range]").focus()
    page.keyboard.press("Home")
    page.wait_for_url("**media_step=0*")  # while the slider has the focus
    gallery.get_by_role("button", name="Newest step").click()
    expect(gallery.locator(".tb-media-tile").first).to_contain_text("first 2")


def test_media_on_an_exported_page(browser: Browser, served: Served, tmp_path: Path) -> None:
    path = tmp_path / "media.html"
    served.run(f"import trackbook as tb\ntb.export_html({str(path)!r}, 'media')")
    context = browser.new_context(viewport={"width": 1280, "height": 1000})
    page = context.new_page()
    page.set_default_timeout(PATIENCE * 1000)
    page.goto(path.as_uri())
    check_media(Board(page.locator(".tb-board").first).wait_for_chart("samples/images"), 2)
    context.close()


MATRICES = """
import trackbook as tb

for name in ("cnn", "vit"):
    with tb.init(project="matrices", name=name) as run:
        run.log({"eval/confusion": tb.plot.confusion_matrix([0, 1, 2] * 9, [0, 1, 1] * 9, class_names=["cat", "dog", "bird"])})
tb.export_html(%r, "matrices")
"""


def test_the_first_of_two_charts_is_whole_and_the_name_of_the_next_is_in_sight(
    browser: Browser, served: Served, tmp_path: Path
) -> None:
    path = tmp_path / "matrices.html"
    served.run(MATRICES % str(path))
    context = browser.new_context(viewport={"width": 1280, "height": 1000})
    page = context.new_page()
    page.set_default_timeout(PATIENCE * 1000)
    page.goto(path.as_uri())
    expect(page.locator(".tb-media-block canvas")).to_have_count(2)
    bottom = page.locator(".tb-media-stack").evaluate("(stack) => stack.getBoundingClientRect().bottom")
    assert page.locator(".tb-media-block canvas").first.evaluate("(it) => it.getBoundingClientRect().bottom") <= bottom
    assert page.locator(".tb-media-run", has_text="vit").evaluate("(it) => it.getBoundingClientRect().bottom") <= bottom
    context.close()


def test_pointer_in_a_chart_chooses_the_step_of_the_media(page: Page) -> None:
    board = Board(page.locator(".tb-board").first).wait_for_chart("samples/images")
    gallery = panel(board, "samples/images")
    shown(gallery, 4)
    plot = board.chart("train/loss").locator(".tb-plot")
    plot.scroll_into_view_if_needed()
    box = plot.bounding_box()
    assert box
    page.mouse.move(box["x"] + 45, box["y"] + box["height"] / 2)
    expect(gallery.locator(".tb-media-tile").first).to_contain_text("first 0")
    page.mouse.move(5, 5)
    expect(gallery.locator(".tb-media-tile").first).to_contain_text("first 2")
    # and the slider moves the crosshair
    gallery.locator("input[type=range]").evaluate(
        "(range) => { range.value = 1; range.dispatchEvent(new Event('input')); }"
    )
    expect(board.chart("train/loss").locator(".tb-crosshair")).to_be_visible()


DELETED = """
import os, shutil
from pathlib import Path

import numpy as np
import trackbook as tb

with tb.init("deleted") as run:
    run.log({"image": tb.Image(np.zeros((8, 8, 3), np.uint8))})
(folder,) = Path(os.environ["TRACKBOOK_DIR"]).glob("*.files")
shutil.rmtree(folder)
"""


def test_image_in_a_table_opens_and_is_as_large_as_its_row(page: Page) -> None:
    board = Board(page.locator(".tb-board").first).wait_for_chart("samples/images")
    table = panel(board, "eval/faces")
    image = table.locator("[role=cell] img").first
    expect(image).to_have_class(re.compile("tb-media-pixels"))
    assert image.evaluate("(image) => image.getBoundingClientRect().height") == 64
    image.click()
    large = table.locator("dialog[open]")
    expect(large).to_have_accessible_name("image 1, first, step 2")
    page.keyboard.press("ArrowRight")
    expect(large).to_have_accessible_name("image 2, first, step 2")
    page.keyboard.press("Escape")
    expect(table.locator("[role=cell] button").nth(1)).to_be_focused()


def test_large_image_goes_to_other_steps_and_is_dragged(page: Page) -> None:
    board = Board(page.locator(".tb-board").first).wait_for_chart("samples/images")
    gallery = panel(board, "samples/images")
    shown(gallery, 4)
    gallery.locator(".tb-media-tile").first.click()
    large = gallery.locator("dialog[open]")
    page.keyboard.press("ArrowDown")
    expect(large).to_have_accessible_name("first 1, first, step 1")
    expect(large.locator("img")).to_have_attribute("alt", "first 1, first, step 1")
    page.keyboard.press("+")
    stage = large.locator(".tb-media-stage")
    before = stage.evaluate("(stage) => [stage.scrollLeft, stage.scrollTop]")
    box = stage.bounding_box()
    assert box
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x - 60, y - 40)
    page.mouse.up()
    assert stage.evaluate("(stage) => [stage.scrollLeft, stage.scrollTop]") == [before[0] + 60, before[1] + 40]
    page.keyboard.press("Escape")
    expect(gallery.locator("output:visible")).to_have_text("step 1")


def test_tile_says_that_its_file_was_deleted(browser: Browser, tmp_path: Path) -> None:
    served = Served(tmp_path)
    served.run(DELETED)
    page = browser.new_context(viewport={"width": 1280, "height": 1000}).new_page()
    page.goto(served.entrance)
    page.goto(served.address("?project=deleted&sidebar=hidden"))
    tile = page.locator(".tb-media-picture").first
    note = tile.locator(".tb-media-problem")
    expect(note).to_contain_text("it was deleted")
    bottoms = [each.evaluate("(it) => it.getBoundingClientRect().bottom") for each in (note, tile)]
    assert bottoms[0] <= bottoms[1]
    page.context.close()
    served.kill()


def test_all_runs_of_a_gallery_are_on_the_printed_page(page: Page) -> None:
    board = Board(page.locator(".tb-board").first).wait_for_chart("samples/images")
    shown(panel(board, "samples/images"), 4)
    printed = print_board(page, "media-print")
    first, second, *_ = (piece for pieces in printed.parts["tile"] for piece in pieces)
    assert (first.page, round(first.top)) == (second.page, round(second.top))
    assert abs((first.right - first.left) - (second.right - second.left)) < 1
