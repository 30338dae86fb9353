import { expect, test } from "vitest";
import { domainsOf } from "../../src/plot/domains.ts";
import type { Plot } from "../../src/plot/plot.ts";
import type { PlotRow } from "../../src/plot/rows.ts";
import type { Range } from "../../src/plot/slices.ts";

const NOTHING = { x: null, y: null };

function plot(
  values: number[],
  { mark = "line", y = false }: { mark?: "line" | "dot"; y?: boolean } = {},
): Plot {
  const rows = values.map((value, x) => {
    const of = Number.isFinite(value) ? mark : String(value);
    return { x, value, smooth: value, mark: of } as PlotRow;
  });
  return { kind: "line-step", log: { x: false, y }, traces: [], rows, remarks: [] };
}

const yOf = (of: Plot, x: Range | null = null) => domainsOf(of, { x, y: null }, false).y;

test("y follows the data, except for a single value and for single dots", () => {
  expect(yOf(plot([1, 2]))).toBeNull();
  expect(yOf(plot([4, 4]))).toEqual([3.8, 4.2]);
  expect(yOf(plot([1, 2], { mark: "dot" }))).toEqual([0.95, 2.05]);
  expect(yOf(plot([Number.NaN]))).toBeNull();
});

test("zoomed along x, y spans the visible values", () => {
  expect(yOf(plot([100, 1, 2]), [0.5, 9])).toEqual([0.95, 2.05]);
  expect(yOf(plot([100, 1]), [5, 9])).toBeNull();
});

test("zoomed along y, y spans the zoom", () => {
  expect(domainsOf(plot([1, 9]), { x: null, y: [2, 3] }, true)).toEqual({ x: null, y: [2, 3], outside: 0 });
});

test("a range that a logarithmic axis cannot show is ignored", () => {
  const [low, high] = domainsOf(plot([1, 100], { y: true }), { x: null, y: [-1, 3] }, false).y as Range;
  expect([low < 1, low > 0, high > 100]).toEqual([true, true, true]);
});

test("clipped outliers are counted", () => {
  const of = plot([...Array.from({ length: 200 }, (_, i) => Math.sin(i)), 1e6]);
  expect(domainsOf(of, NOTHING, false).y).toBeNull();
  const { y, outside } = domainsOf(of, NOTHING, true);
  expect([(y as Range)[1] < 3, outside]).toEqual([true, 1]);
});

test("without outliers nothing is clipped", () => {
  const of = plot(Array.from({ length: 200 }, (_, i) => Math.sin(i)));
  expect(domainsOf(of, NOTHING, true)).toEqual({ x: null, y: null, outside: 0 });
});
