// @vitest-environment happy-dom
import { expect, test, vi } from "vitest";
import type { Chart } from "../src/chart.ts";
import { zoomByDrag } from "../src/zoom.ts";

/** A chart whose x is the pixel. */
function chart() {
  const plotElement = document.createElement("div");
  plotElement.setPointerCapture = () => {};
  const [zoomed, ends] = [vi.fn(), new AbortController()];
  zoomByDrag({ plotElement, xAt: (at: number) => at } as unknown as Chart, zoomed, ends.signal);
  const point = (type: string, clientX = 0, more: PointerEventInit = {}) =>
    plotElement.dispatchEvent(new PointerEvent(type, { clientX, pointerId: 1, ...more }));
  return { zoomed, ends, point, brush: plotElement.querySelector(".tb-brush") as HTMLElement };
}

test("a drag zooms to what it spans, in either direction", () => {
  const { zoomed, point, brush } = chart();
  point("pointerdown", 80);
  point("pointermove", 20);
  expect([brush.hidden, brush.style.width]).toEqual([false, "60px"]);
  point("pointerup", 20);
  expect(zoomed.mock.calls).toEqual([[[20, 80]]]);
  expect(brush.hidden).toBe(true);
});

test("a click, another button and a finger do not", () => {
  const { zoomed, point } = chart();
  for (const more of [{ button: 2 }, { pointerType: "touch" }]) {
    point("pointerdown", 10, more);
    point("pointerup", 90, more);
  }
  point("pointerdown", 10);
  point("pointerup", 12);
  expect(zoomed).not.toHaveBeenCalled();
});

test("a double-click shows everything again", () => {
  const { zoomed, point } = chart();
  point("dblclick");
  expect(zoomed).toHaveBeenCalledWith(null);
});

test("nothing is heard once the view is closed", () => {
  const { zoomed, ends, point } = chart();
  ends.abort();
  point("dblclick");
  expect(zoomed).not.toHaveBeenCalled();
});
