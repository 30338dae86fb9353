// @vitest-environment happy-dom
import { expect, test, vi } from "vitest";
import type { Chart } from "../../src/charts/chart.ts";
import { PixelAxis } from "../../src/charts/plot-area.ts";
import { addZoomGestures, dragShape, rangeBetween } from "../../src/interact/zoom-gestures.ts";
import type { Zoom } from "../../src/plot/plot.ts";
import type { Range } from "../../src/plot/series-window.ts";

/** An axis of 100 pixels where value and pixel are equal. */
function axis(): PixelAxis {
  const scale = Object.assign((value: number) => value, {
    invert: (pixel: number) => pixel,
    copy: () => scale,
  });
  return new PixelAxis(0, 100, scale);
}

function chart(zoom: Zoom = { x: null, y: null }) {
  const plotElement = document.createElement("div");
  plotElement.setPointerCapture = () => {};
  const [zoomed, ends] = [vi.fn(), new AbortController()];
  const axes = { x: axis(), y: axis(), contains: () => true };
  const holds = ([from, to]: Range) => from <= 0 && to >= 100;
  addZoomGestures({ plotElement, axes, zoom, holds } as unknown as Chart, zoomed, ends.signal);
  const point = (type: string, clientX = 0, clientY = 0, more: PointerEventInit = {}) =>
    plotElement.dispatchEvent(new PointerEvent(type, { clientX, clientY, pointerId: 1, ...more }));
  const drag = (from: [number, number], to: [number, number], more: PointerEventInit = {}) => {
    point("pointerdown", ...from, more);
    point("pointermove", ...to, more);
    point("pointerup", ...to, more);
  };
  const wheel = (deltaY: number, more: WheelEventInit = {}) => {
    const turn = { deltaX: 0, deltaY, deltaMode: 0, clientX: 50, ...more };
    const event = Object.assign(new Event("wheel", { cancelable: true }), turn); // happy-dom's WheelEvent has no modifier keys
    plotElement.dispatchEvent(event);
    return event.defaultPrevented;
  };
  return { zoomed, ends, point, drag, wheel, brush: plotElement.querySelector(".tb-brush") as HTMLElement };
}

test.each([
  [3, 3, null],
  [60, 3, "x"],
  [-60, 15, "x"],
  [3, 60, "y"],
  [15, -60, "y"],
  [60, 40, "box"],
  [300, 25, "box"],
])("a drag of %i by %i selects %s", (width, height, shape) => {
  expect(dragShape(width, height)).toBe(shape);
});

test("a horizontal drag in either direction zooms x and shows its range", () => {
  const { zoomed, point, brush } = chart();
  point("pointerdown", 80, 10);
  point("pointermove", 20, 12);
  expect([brush.hidden, brush.style.width, brush.dataset.shape]).toEqual([false, "60px", "x"]);
  point("pointerup", 20, 12);
  expect(zoomed.mock.calls).toEqual([[{ x: [20, 80], y: null }]]);
  expect(brush.hidden).toBe(true);
});

test("a vertical drag zooms y only, a diagonal one zooms both", () => {
  const { zoomed, drag } = chart({ x: [1, 2], y: null });
  drag([50, 10], [52, 60]);
  drag([10, 10], [60, 60]);
  expect(zoomed.mock.calls).toEqual([[{ x: [1, 2], y: [10, 60] }], [{ x: [10, 60], y: [10, 60] }]]);
});

test("a click, another button and touch do not zoom", () => {
  const { zoomed, drag } = chart();
  for (const more of [{ button: 2 }, { pointerType: "touch" }]) drag([10, 10], [90, 10], more);
  drag([10, 10], [12, 12]);
  expect(zoomed).not.toHaveBeenCalled();
});

test("Shift-drag pans", () => {
  const { zoomed, drag } = chart({ x: [0, 100], y: null });
  drag([50, 50], [40, 50], { shiftKey: true });
  expect(zoomed.mock.calls).toEqual([[{ x: [10, 110], y: null }]]);
});

test("the wheel alone is left to the notebook", () => {
  const { zoomed, wheel } = chart();
  expect(wheel(-100)).toBe(false);
  expect(zoomed).not.toHaveBeenCalled();
});

test("Ctrl- or Cmd-wheel zooms around the pointer", () => {
  const { zoomed, wheel } = chart();
  for (const more of [{ ctrlKey: true }, { metaKey: true }]) expect(wheel(-100, more)).toBe(true);
  const [[{ x }], again] = zoomed.mock.calls;
  expect(x[0]).toBeCloseTo(50 - 50 * Math.exp(-0.2));
  expect(x[1]).toBeCloseTo(50 + 50 * Math.exp(-0.2));
  expect(again).toEqual([{ x, y: null }]);
});

test("zooming out beyond the data resets x", () => {
  const { zoomed, wheel } = chart({ x: [10, 90], y: null });
  wheel(100, { ctrlKey: true });
  expect(zoomed).toHaveBeenCalledWith({ x: null, y: null });
});

test("Shift-wheel pans", () => {
  const { zoomed, wheel } = chart();
  wheel(30, { shiftKey: true });
  expect(zoomed).toHaveBeenCalledWith({ x: [30, 130], y: null });
});

test("a double-click resets the zoom", () => {
  const { zoomed, point } = chart();
  point("dblclick");
  expect(zoomed).toHaveBeenCalledWith(null);
});

test("a range below float precision is ignored", () => {
  expect([rangeBetween(axis(), 5, 5), rangeBetween(axis(), 5, 6)]).toEqual([null, [5, 6]]);
});

test("a closed view ignores gestures", () => {
  const { zoomed, ends, point, wheel } = chart();
  ends.abort();
  point("dblclick");
  wheel(1, { ctrlKey: true });
  expect(zoomed).not.toHaveBeenCalled();
});
