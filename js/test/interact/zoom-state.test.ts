import { expect, test, vi } from "vitest";
import { ZoomState } from "../../src/interact/zoom-state.ts";

const everywhere = () => [0, 100] as const;

test("linked charts with the same x axis share x, never y", () => {
  const windows = new ZoomState();
  windows.set("loss", "step", true, { x: [2, 5], y: [0, 1] });
  expect(windows.of("loss", "step", true, everywhere)).toEqual({ x: [2, 5], y: [0, 1] });
  expect(windows.of("acc", "step", true, everywhere)).toEqual({ x: [2, 5], y: null });
  expect(windows.of("acc", "time", true, everywhere)).toEqual({ x: null, y: null });
});

test("unlinked charts have their own zoom", () => {
  const windows = new ZoomState();
  windows.set("loss", "step", false, { x: [2, 5], y: null });
  expect(windows.of("loss", "step", false, everywhere).x).toEqual([2, 5]);
  expect(windows.of("acc", "step", false, everywhere).x).toBeNull();
});

test("a chart without data in the shared range is not zoomed", () => {
  const windows = new ZoomState();
  windows.set("loss", "step", true, { x: [200, 500], y: null });
  expect(windows.of("val/loss", "step", true, everywhere).x).toBeNull();
});

test("an unchanged zoom is the same object", () => {
  const windows = new ZoomState();
  windows.set("loss", "step", true, { x: [2, 5], y: null });
  expect(windows.of("loss", "step", true, everywhere)).toBe(windows.of("loss", "step", true, everywhere));
});

test("reset removes all zoom", () => {
  const windows = new ZoomState();
  windows.set("loss", "step", true, { x: [2, 5], y: [1, 2] });
  expect(windows.isZoomed).toBe(true);
  windows.reset();
  expect([windows.isZoomed, windows.of("loss", "step", true, everywhere)]).toEqual([
    false,
    { x: null, y: null },
  ]);
});

test("an open end of the shared range is where the data of a chart end", () => {
  const windows = new ZoomState();
  windows.share("step", [20, Number.POSITIVE_INFINITY]);
  expect(windows.of("loss", "step", true, everywhere).x).toEqual([20, 100]);
  expect(windows.of("loss", "step", true, everywhere)).toBe(windows.of("loss", "step", true, everywhere));
  expect(windows.of("loss", "step", true, () => [0, 200]).x).toEqual([20, 200]);
  expect(windows.of("acc", "step", true, () => [0, 10]).x).toBeNull();
  expect(windows.of("new", "step", true, () => null).x).toBeNull();
});

test("every change of the zoom is announced", () => {
  const [windows, heard] = [new ZoomState(), vi.fn()];
  windows.addEventListener("change", heard);
  windows.share("step", [2, 5]);
  windows.set("loss", "step", true, { x: [3, 4], y: null });
  expect(windows.shared("step")).toEqual([3, 4]);
  windows.reset();
  expect([heard.mock.calls.length, windows.shared("step")]).toEqual([3, null]);
});
