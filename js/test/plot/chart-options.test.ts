import { expect, test } from "vitest";
import type { Series } from "../../src/frames/series.ts";
import { type ChartOptions, goalOf, USUAL_OPTIONS, valueFor } from "../../src/plot/chart-options.ts";
import { domainsOf } from "../../src/plot/domains.ts";
import { styleRuns } from "../../src/plot/palette.ts";
import { plotOf } from "../../src/plot/plot.ts";
import { run } from "../fixtures.ts";

test("a setting of a chart by its name counts more than one by a glob, a later glob more than an earlier one", () => {
  const settings = { "*": [1], "val/*": [2], "val/acc": [3] };
  expect(["val/acc", "val/loss", "lr"].map(chart => valueFor(settings, chart))).toEqual([[3], [2], [1]]);
  expect(valueFor({}, "lr")).toEqual([]);
});

test("the goal is what the runs define, else what the name says", () => {
  const goals: [string, string][] = [
    ["*", "max"],
    ["val/loss", "min"],
  ];
  expect(goalOf("val/loss", [{ goals }])).toBe("min");
  expect(goalOf("train/loss", [{ goals }])).toBe("max");
  expect(["train/loss", "val/accuracy", "lr"].map(metric => goalOf(metric, [{}]))).toEqual([
    "min",
    "max",
    null,
  ]);
});

function plot(lines: number[][], options: Partial<ChartOptions> = {}, log = false) {
  const styles = styleRuns(
    lines.map((_, key) => run(key)),
    "light",
  );
  const series = lines.map((values, key) => {
    const step = Float64Array.from(values, (_, i) => i);
    const columns = { step, time: step, value: Float64Array.from(values) };
    return { kind: "points", run: key, metric: 0, width: 1, rows: values.length, columns } as Series;
  });
  const smoothing = { amount: 0, kind: "mean" as const };
  const settings = {
    styles,
    hidden: new Set<string>(),
    smoothing,
    clipOutliers: "auto" as const,
    options: {},
  };
  const axes = { x: "step", log: { x: false, y: log }, xSeries: [] };
  const content = { series, fine: [], settings, axes, zoom: { x: null, y: null } };
  return plotOf(content, 300, { ...USUAL_OPTIONS, ...options });
}
const marks = (of: ReturnType<typeof plot>, mark: string) =>
  of.rows.filter(row => row.mark === mark).map(({ run: label, step, value }) => [label, step, value]);

test("the best value of all runs is marked where it was logged", () => {
  const values = [
    [3, 1, 2],
    [4, 5, 0.5],
  ];
  expect(marks(plot(values, { goal: "min", marksBest: true }), "best")).toEqual([["run-1", 2, 0.5]]);
  expect(marks(plot(values, { goal: "max", marksBest: true }), "best")).toEqual([["run-1", 1, 5]]);
  expect(marks(plot(values, { goal: null, marksBest: true }), "best")).toEqual([]);
  expect(marks(plot(values, { goal: "min" }), "best")).toEqual([]);
});

test("reference lines are rows of no run, and a logarithm has no line at zero", () => {
  expect(marks(plot([[1, 2]], { lines: [0, 1.5] }), "reference").map(([, , value]) => value)).toEqual([
    0, 1.5,
  ]);
  expect(marks(plot([[1, 2]], { lines: [0, 1.5] }, true), "reference").map(([, , value]) => value)).toEqual([
    1.5,
  ]);
  expect(plot([[1, 2]], { lines: [1.5] }).traces).toHaveLength(1);
});

test("the ends of the y axis are those that were set, the others follow the data", () => {
  const zoom = { x: null, y: null };
  const ends = (yRange: (number | null)[]) => domainsOf(plot([[1, 4, 2]]), zoom, null, null, yRange).y;
  expect(ends([])).toBe(null);
  expect(ends([0, 10])).toEqual([0, 10]);
  expect(ends([null, 10])).toEqual([1, 10]);
  expect(ends([-5, null])).toEqual([-5, 4]);
  expect(domainsOf(plot([[1, 4]]), { x: null, y: [2, 3] }, null, null, [0, 10]).y).toEqual([2, 3]);
});
