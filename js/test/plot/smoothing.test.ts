import { expect, test } from "vitest";
import type { Series } from "../../src/frames/series.ts";
import { exponentialAverage, movingAverage, smoother } from "../../src/plot/smoothing.ts";

function points(values: number[]): Series {
  const step = Float64Array.from(values.keys());
  const columns = { step, time: step, value: Float64Array.from(values) };
  return { kind: "points", run: 0, metric: 0, width: 1, rows: values.length, columns };
}

const ones = (n: number) => new Float64Array(n).fill(1);
const smoothed = (values: number[], n: number, weights = ones(values.length)) => [
  ...movingAverage(Float64Array.from(values), weights, n),
];

test("0 turns smoothing off", () => {
  expect(smoother(points([1, 5, 2]), { amount: 0, kind: "mean" })).toBeNull();
});

test("n averages 2n + 1 rows, fewer at the ends", () => {
  expect(smoothed([0, 3, 6, 9, 30], 1)).toEqual([1.5, 3, 6, 15, 19.5]);
});

test("rows are weighted by their number of points", () => {
  expect(smoothed([0, 10], 1, Float64Array.of(3, 1))).toEqual([2.5, 2.5]);
});

test("rows without a finite value are skipped", () => {
  expect(smoothed([2, Number.NaN, 4], 1, Float64Array.of(1, 0, 1))).toEqual([2, 3, 4]);
});

test("a huge value affects only its own window", () => {
  expect(smoothed([1e300, 1, 2, 3], 1)[3]).toBe(2.5);
});

test("the average of a constant is exact", () => {
  const values = new Float64Array(400).fill(1e-3);
  expect(new Set(movingAverage(values, new Float64Array(400).fill(1), 12))).toEqual(new Set([1e-3]));
});

test("the exponential average decays by n / (n + 1) and uses no later row", () => {
  const smoothed = exponentialAverage(Float64Array.of(4, 1, Number.NaN, 1), Float64Array.of(1, 1, 0, 1), 1);
  expect([...smoothed]).toEqual([4, 2, 2, (4 / 8 + 1 / 4 + 1) / (1 / 8 + 1 / 4 + 1)]);
});

test("the exponential average of a constant is exact", () => {
  const values = new Float64Array(400).fill(1e-3);
  expect(new Set(exponentialAverage(values, ones(400), 12))).toEqual(new Set([1e-3]));
});

test("between steps the smoothed line is interpolated", () => {
  const trend = smoother(points([0, 3, 6]), { amount: 1, kind: "mean" }) as (step: number) => number;
  expect([0, 0.5, 1, 2, 7].map(trend)).toEqual([1.5, 2.25, 3, 4.5, 4.5]);
});

test("rows merged to fit a frame count as several", () => {
  const values = [1, 5, 1, 5, 1];
  const as = (coarser: number) =>
    smoother({ ...points(values), coarser } as Series, { amount: 4, kind: "mean" });
  expect(as(0)?.(2)).toBeCloseTo(13 / 5);
  expect(as(2)?.(2)).toBeCloseTo(11 / 3);
  expect(as(4)?.(2)).toBe(1);
});
