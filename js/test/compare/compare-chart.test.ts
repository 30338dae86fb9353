// @vitest-environment happy-dom
import { expect, test, vi } from "vitest";
import { CompareChart } from "../../src/compare/compare-chart.ts";

const drawn = vi.hoisted(() => vi.fn());
vi.mock("../../src/charts/vega-view.ts", () => ({
  createVegaView: () => ({ view: { width: () => {}, finalize: () => {} }, draw: drawn }),
}));
vi.mock("../../src/charts/vega-box.ts", () => ({
  VegaBox: class {
    element = document.createElement("div");
    contentFor = (_: unknown, make: (box: HTMLElement) => unknown) => make(this.element);
    destroy() {}
  },
  resizeView() {},
}));

test("what lies over the chart follows each update, also where the chart itself stays as it is", async () => {
  const chart = new CompareChart({} as never, new AbortController().signal);
  for (const side of ["clientWidth", "clientHeight"])
    Object.defineProperty(chart.element, side, { value: 100 });
  const over = vi.fn();
  chart.onDrawn = over;
  const update = () => {
    chart.update([{ x: 1 }], {}, "light");
    return new Promise(resolve => setTimeout(resolve, 50));
  };
  await update();
  await update();
  expect([drawn.mock.calls.length, over.mock.calls.length]).toEqual([1, 2]);
});
