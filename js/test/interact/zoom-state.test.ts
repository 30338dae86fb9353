import { expect, test } from "vitest";
import { ZoomState } from "../../src/interact/zoom-state.ts";

const everywhere = () => [0, 100] as const;

test("linked, a window of x is that of all charts of the same axis; one of y is the chart's", () => {
  const windows = new ZoomState();
  windows.set("loss", "step", true, { x: [2, 5], y: [0, 1] });
  expect(windows.of("loss", "step", true, everywhere)).toEqual({ x: [2, 5], y: [0, 1] });
  expect(windows.of("acc", "step", true, everywhere)).toEqual({ x: [2, 5], y: null });
  expect(windows.of("acc", "time", true, everywhere)).toEqual({ x: null, y: null });
});

test("unlinked, each chart has its own", () => {
  const windows = new ZoomState();
  windows.set("loss", "step", false, { x: [2, 5], y: null });
  expect(windows.of("loss", "step", false, everywhere).x).toEqual([2, 5]);
  expect(windows.of("acc", "step", false, everywhere).x).toBeNull();
});

test("a chart with nothing in a linked window shows all it has", () => {
  const windows = new ZoomState();
  windows.set("loss", "step", true, { x: [200, 500], y: null });
  expect(windows.of("val/loss", "step", true, everywhere).x).toBeNull();
});

test("what says the same is the same object, so that charts need not look", () => {
  const windows = new ZoomState();
  windows.set("loss", "step", true, { x: [2, 5], y: null });
  expect(windows.of("loss", "step", true, everywhere)).toBe(windows.of("loss", "step", true, everywhere));
});

test("reset shows everything", () => {
  const windows = new ZoomState();
  windows.set("loss", "step", true, { x: [2, 5], y: [1, 2] });
  expect(windows.isZoomed).toBe(true);
  windows.reset();
  expect([windows.isZoomed, windows.of("loss", "step", true, everywhere)]).toEqual([
    false,
    { x: null, y: null },
  ]);
});
