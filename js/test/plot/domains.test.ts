import { expect, test } from "vitest";
import { domainsOf, naturalRange } from "../../src/plot/domains.ts";
import type { Plot } from "../../src/plot/plot.ts";
import type { PlotRow } from "../../src/plot/plot-rows.ts";
import type { Range } from "../../src/plot/series-window.ts";

const NOTHING = { x: null, y: null };

function plot(
  values: number[],
  { mark = "line", y = false }: { mark?: "line" | "dot"; y?: boolean } = {},
): Plot {
  const rows = values.map((value, x) => {
    const of = Number.isFinite(value) ? mark : String(value);
    return { x, value, smooth: value, mark: of } as PlotRow;
  });
  return {
    kind: "line-step",
    log: { x: false, y },
    traces: [],
    rows,
    remarks: [],
    outliers: null,
    smoothing: 0,
    pressed: 0,
  };
}

const yOf = (of: Plot, x: Range | null = null) => domainsOf(of, { x, y: null }).y;

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
  expect(domainsOf(plot([1, 9]), { x: null, y: [2, 3] })).toEqual({ x: null, y: [2, 3] });
});

test("a range that a logarithmic axis cannot show is ignored", () => {
  const [low, high] = domainsOf(plot([1, 100], { y: true }), { x: null, y: [-1, 3] }).y as Range;
  expect([low < 1, low > 0, high > 100]).toEqual([true, true, true]);
});

test("limits exclude the values beyond them, but not all there are", () => {
  const [low, high] = domainsOf(plot([1, 2, 3, 900]), NOTHING, [1, 3]).y as Range;
  expect([low, high]).toEqual([0.9, 3.1]);
  expect(domainsOf(plot([1, 2, 3]), NOTHING, [0, 10]).y).toBeNull();
  expect(domainsOf(plot([900, 901, 1]), { x: [0, 1], y: null }, [0, 10]).y).toEqual([899.95, 901.05]);
});

test("percents of the machine span 0 to 100 and sizes begin at 0", () => {
  expect([naturalRange("@system/cpu %"), naturalRange("@system/memory GB")]).toEqual([
    [0, 100],
    [0, 0],
  ]);
  expect([naturalRange("@system/gpu 0 W"), naturalRange("val/acc %")]).toEqual([null, null]);
  expect(domainsOf(plot([97, 98]), NOTHING, null, [0, 100]).y).toEqual([0, 100]);
  expect(domainsOf(plot([5, 120]), NOTHING, null, [0, 100]).y).toEqual([0, 126]);
  expect(domainsOf(plot([8, 10]), NOTHING, null, [0, 0]).y).toEqual([0, 10.5]);
  expect(domainsOf(plot([97, 98]), { x: null, y: [97, 98] }, null, [0, 100]).y).toEqual([97, 98]);
});
