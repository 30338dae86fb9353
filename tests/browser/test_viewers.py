"""Viewers of charts and scenes: they draw on every host, in frames from which hostile files reach nothing."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from PIL import Image
from playwright.sync_api import expect

from browser.lab import PATIENCE, Board
from browser.served import Served
from browser.test_media import look, panel, shown

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser, Frame, Locator, Page, Request

    from browser.lab import Lab

LOGGED = """
import trackbook as tb

ACT = "parent.postMessage('hacked', '*'); parent.document.title = 'hacked'"
EVIL = f'<img src="https://evil.example/x" onerror="{ACT}"><script>{ACT}</script>' \\
    '<meta http-equiv="refresh" content="0;url=https://evil.example/">'

def log_charts():
    for step in range(2):
        tb.log({"charts/bars": tb.ECharts({
            "xAxis": {"type": "category", "data": ["a", "b"]}, "yAxis": {},
            "series": [{"type": "bar", "data": [1 + step, 3], "itemStyle": {"color": "#ff0000"}}],
        })}, step=step)
    tb.log({"charts/evil": tb.ECharts({
        "title": {"text": EVIL, "link": f"javascript:{ACT}", "target": "self"},
        "tooltip": {"trigger": "axis", "formatter": EVIL, "renderMode": "html", "axisPointer": {"type": "shadow"}},
        "toolbox": {"feature": {"dataView": {"lang": [EVIL, EVIL, EVIL]}}},
        "xAxis": {"type": "category", "data": [EVIL, "b"]}, "yAxis": {},
        "graphic": {"type": "image", "style": {"image": "https://evil.example/y"}},
        "series": [{"type": "bar", "data": [1, 3], "itemStyle": {"color": "#ff0000"}}],
    })})
    tb.log({"charts/broken": tb.ECharts({"series": [{"type": "nonsense"}]})})
"""
SCENES = """
import json
import trackbook as tb

def box(path, buffer=None):
    import base64
    import numpy as np
    corners = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)], "<f4")
    faces = [0, 1, 3, 0, 3, 2, 4, 6, 7, 4, 7, 5, 0, 4, 5, 0, 5, 1, 2, 3, 7, 2, 7, 6, 0, 2, 6, 0, 6, 4, 1, 5, 7, 1, 7, 3]
    data = corners.tobytes() + np.array(faces, "<u2").tobytes()
    material = {"pbrMetallicRoughness": {
        "baseColorFactor": [1, 0, 0, 1], "metallicFactor": 0, "baseColorTexture": {"index": 0},
    }}
    path.write_text(json.dumps({
        "asset": {"version": "2.0"}, "scene": 0, "scenes": [{"nodes": [0]}], "nodes": [{"mesh": 0}],
        "meshes": [{"primitives": [{"attributes": {"POSITION": 0}, "indices": 1, "material": 0}]}],
        "materials": [material], "textures": [{"source": 0}], "images": [{"uri": "https://evil.example/texture.png"}],
        "accessors": [
            {"bufferView": 0, "componentType": 5126, "count": 8, "type": "VEC3", "min": [-1, -1, -1], "max": [1, 1, 1]},
            {"bufferView": 1, "componentType": 5123, "count": 36, "type": "SCALAR"},
        ],
        "bufferViews": [
            {"buffer": 0, "byteOffset": 0, "byteLength": 96}, {"buffer": 0, "byteOffset": 96, "byteLength": 72},
        ],
        "buffers": [{"byteLength": len(data), "uri": buffer or "data:;base64," + base64.b64encode(data).decode()}],
    }))
    return tb.Object3D(path)

def log_scenes(folder):
    tb.log({
        "scenes/box": box(folder / "box.gltf"),
        "scenes/elsewhere": box(folder / "elsewhere.gltf", "https://evil.example/box.bin"),
        "scenes/splat": tb.Object3D(folder / "none.splat"),
        "molecules/oxygen": tb.Molecule("2\\n<script>\\nO 0 0 0\\nO 1.2 0 0\\n", file_type="xyz"),
        "molecules/smiles": tb.Molecule.from_smiles("CCO"),
    })
"""
SCENES_IN_SCRIPT = """
import pathlib, tempfile
folder = pathlib.Path(tempfile.mkdtemp())
(folder / "none.splat").write_bytes(bytes(32))
run = tb.init("scenes", "first", capture=False)
log_scenes(folder)
run.finish()
"""
IN_NOTEBOOK = """
run = tb.init("viewers", "first", capture=False)
log_charts()
run.finish()
"""
# Red pixels, as bars have them.
DRAWN = """
() => [...document.querySelectorAll("canvas")].reduce((sum, canvas) => {
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  for (let i = 0; i < data.length; i += 4) sum += data[i] > 240 && data[i + 1] < 20 && data[i + 3] > 250;
  return sum;
}, 0)
"""
# What a file could do if a viewer had a hole: as it is in the frame, and as the frame's own script.
ATTACK = """
async () => {
  const evil = `<img src="https://evil.example/a" onerror="parent.postMessage('hacked', '*')">`
    + `<iframe srcdoc="<script>parent.parent.postMessage('hacked', '*')</script>"></iframe>`;
  document.body.insertAdjacentHTML("beforeend", evil);
  const script = document.createElement("script");
  script.textContent = "globalThis.ran = true; parent.postMessage('hacked', '*')";
  document.body.append(script);
  const tried = {};
  const attempt = async (name, act) => {
    try { await act(); tried[name] = "done"; } catch (error) { tried[name] = error.name; }
  };
  await attempt("page", () => { parent.document.title = "hacked"; });
  await attempt("cookie", () => document.cookie);
  await attempt("storage", () => localStorage.length);
  await attempt("fetch", () => fetch("https://evil.example/b"));
  await attempt("top", () => { top.location = "https://evil.example/c"; });
  return { ran: Boolean(globalThis.ran), origin, ...tried };
}
"""
NO_WEBGL = """
const { getContext } = HTMLCanvasElement.prototype;
HTMLCanvasElement.prototype.getContext = function (kind, ...rest) {
  return kind.startsWith("webgl") ? null : getContext.call(this, kind, ...rest);
};
"""
HEARD = "() => { window.heard = []; addEventListener('message', ({ data }) => data === 'hacked' && heard.push(data)); }"


def frame_of(found: Locator) -> Frame:
    frame = shown(found).locator("iframe").element_handle().content_frame()
    assert frame
    return frame


def bars(found: Locator) -> int:
    count: int = frame_of(found).evaluate(DRAWN)
    return count


def check_viewers(board: Board) -> None:
    page = board.page
    requested: list[Request] = []
    page.on("request", lambda request: "evil" in request.url and requested.append(request))
    page.evaluate(HEARD)
    title, address = page.title(), page.url
    chart = panel(board, "charts/bars")
    last = bars(chart)
    assert last > 100
    expect(chart.locator("iframe")).to_have_attribute("title", "echarts 1, step 1")
    # another step is drawn by the same frame
    frame = chart.locator("iframe").element_handle()
    chart.locator("input[type=range]").focus()
    page.keyboard.press("Home")
    expect(chart.locator("iframe")).to_have_attribute("title", "echarts 1, step 0")
    page.wait_for_function(
        "(panel) => !panel.querySelector('.tb-media-viewer-place > [role=status]')", arg=chart.element_handle()
    )
    assert frame.evaluate("(frame) => frame.isConnected")
    assert 100 < bars(chart) < last
    # a full screen moves the frame, which loads again
    chart.get_by_role("button", name="Full screen").click()
    expect(page.locator("dialog[open]")).to_have_count(1)
    wait_for_bars(chart, page.locator("dialog[open]"))
    page.keyboard.press("Escape")
    expect(page.locator("dialog[open]")).to_have_count(0)
    wait_for_bars(chart, chart)
    # a file that cannot be drawn
    broken = panel(board, "charts/broken")
    expect(broken).to_contain_text("This file cannot be drawn: there is no series of type nonsense.")
    # a hostile one
    evil = panel(board, "charts/evil")
    assert bars(evil) > 100
    box = evil.locator("iframe").bounding_box()
    assert box
    for share in (0.05, 0.3, 0.7):
        page.mouse.move(box["x"] + box["width"] * share, box["y"] + box["height"] * 0.6)
        page.mouse.click(box["x"] + box["width"] * share, box["y"] + 20)
    found = frame_of(evil).evaluate(ATTACK)
    assert found == {
        "ran": False,
        "origin": "null",
        "page": "SecurityError",
        "cookie": "SecurityError",
        "storage": "SecurityError",
        "fetch": "TypeError",
        "top": "SecurityError",
    }
    assert page.evaluate("() => heard") == []
    assert (page.title(), re.sub(r"[?&]media_step=0$", "", page.url)) == (title, address)
    assert {request.failure for request in requested} == {"csp"}  # the browser names them, and sends none


def wait_for_bars(chart: Locator, place: Locator) -> None:
    expect(place.locator("iframe.tb-media-viewer").first).to_be_visible()
    for _ in range(100):
        handle = place.locator("iframe.tb-media-viewer").first.element_handle()
        frame = handle.content_frame()
        if frame and frame.evaluate(DRAWN) > 100:
            return
        chart.page.wait_for_timeout(100)
    raise AssertionError("the chart is not drawn again")


def test_viewers_in_a_notebook(lab: Lab) -> None:
    lab.write_and_open("viewers", LOGGED, IN_NOTEBOOK)
    lab.set_size(1280, 1000)
    lab.run_to_end(0)
    lab.run_to_end(1)
    board = lab.board(1).wait_for_chart("charts/bars")
    check_viewers(board)
    look(board, "charts/bars", "viewers-lab-light")
    lab.set_theme("dark")
    look(board, "charts/bars", "viewers-lab-dark")
    for refused in ("Content Security Policy", "is sandboxed"):  # the attack
        lab.forgive(refused)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    served = Served(tmp_path_factory.mktemp("viewers"))
    served.run(LOGGED + IN_NOTEBOOK)
    served.run(SCENES + SCENES_IN_SCRIPT)
    yield served
    served.kill()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1280, "height": 1000}, reduced_motion="reduce")
    page = context.new_page()
    page.set_default_timeout(PATIENCE * 1000)
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    context.close()
    assert errors == []


def test_viewers_on_the_page_of_a_server(page: Page, served: Served) -> None:
    page.goto(served.entrance)
    page.goto(served.address("?project=viewers&sidebar=hidden"))
    check_viewers(Board(page.locator(".tb-board").first).wait_for_chart("charts/bars"))


def test_viewers_on_an_exported_page(page: Page, served: Served, tmp_path: Path) -> None:
    path = tmp_path / "viewers.html"
    served.run(f"import trackbook as tb\ntb.export_html({str(path)!r}, 'viewers')")
    page.goto(path.as_uri())
    check_viewers(Board(page.locator(".tb-board").first).wait_for_chart("charts/bars"))


def reds(found: Locator) -> int:
    """Return how many pixels of a frame are red."""
    picture = Image.open(io.BytesIO(shown(found).locator("iframe").screenshot())).convert("RGB")
    return sum(count for count, (r, g, b) in picture.getcolors(1 << 24) or () if r > 90 and g < r / 3 and b < r / 3)


def open_scenes(page: Page, served: Served) -> Board:
    page.goto(served.entrance)
    page.goto(served.address("?project=scenes&sidebar=hidden"))
    return Board(page.locator(".tb-board").first).wait_for_chart("scenes/box")


def test_scenes_and_molecules_are_drawn(page: Page, served: Served) -> None:
    requested: list[Request] = []
    page.on("request", lambda request: "evil" in request.url and requested.append(request))
    board = open_scenes(page, served)
    if not page.evaluate("() => Boolean(document.createElement('canvas').getContext('webgl2'))"):
        pytest.skip("this Chromium has no WebGL")
    box = panel(board, "scenes/box")
    before = reds(box)
    assert before > 1000
    box.locator("iframe").focus()
    for _ in range(5):
        page.keyboard.press("-")
    assert 100 < reds(box) < before / 2
    expect(panel(board, "scenes/elsewhere")).to_contain_text(
        "its data are in another file, “https://evil.example/box.bin”"
    )
    expect(panel(board, "scenes/splat")).to_contain_text(
        "This file cannot be drawn: there is no viewer of splat files."
    )
    expect(panel(board, "molecules/smiles")).to_contain_text("a SMILES text says nothing of places in space")
    assert reds(panel(board, "molecules/oxygen")) > 1000
    look(board, "scenes/box", "viewers-scenes")
    look(board, "molecules/oxygen", "viewers-molecules")
    assert requested == []


def test_browser_without_webgl_says_so_in_the_tile(page: Page, served: Served) -> None:
    page.add_init_script(NO_WEBGL)
    board = open_scenes(page, served)
    for metric in ("scenes/box", "molecules/oxygen"):
        expect(panel(board, metric)).to_contain_text("This file cannot be drawn: this browser has no WebGL here.")
        expect(panel(board, metric).get_by_role("button", name="Download")).to_have_count(1)
