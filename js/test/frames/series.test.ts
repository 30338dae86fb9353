import { describe, expect, test } from "vitest";
import {
  type BucketSeries,
  bucketsOf,
  double,
  overlay,
  type PointSeries,
  type Series,
  sameSeries,
} from "../../src/frames/series.ts";

function points(...rows: [step: number, value: number][]): PointSeries {
  const step = Float64Array.from(rows, ([at]) => at);
  const columns = {
    step,
    time: step.map(at => at + 0.5),
    value: Float64Array.from(rows, ([, value]) => value),
  };
  return { kind: "points", run: 0, metric: 0, width: 1, rows: rows.length, columns };
}

function widen(series: Series, width: number): BucketSeries {
  let wide = double(series);
  while (wide.width < width) wide = double(wide);
  return wide;
}

const column = (series: BucketSeries, name: keyof BucketSeries["columns"]) => [...series.columns[name]];

describe("doubling", () => {
  test("makes points into buckets of two steps, aligned at 0", () => {
    const wide = double(points([1, 5], [2, 3], [3, 4], [6, 1]));
    expect(wide.width).toBe(2);
    expect(column(wide, "bucket")).toEqual([0, 1, 3]);
    expect(column(wide, "count")).toEqual([1, 2, 1]);
    expect(column(wide, "first")).toEqual([5, 3, 1]);
    expect(column(wide, "last")).toEqual([5, 4, 1]);
  });

  test("repeatedly keeps the extremes with their steps and times", () => {
    const wide = widen(points([0, 2], [1, 9], [2, -3], [3, 4], [4, 7]), 4);
    expect(column(wide, "max")).toEqual([9, 7]);
    expect(column(wide, "max_step")).toEqual([1, 4]);
    expect(column(wide, "min")).toEqual([-3, 7]);
    expect(column(wide, "min_time")).toEqual([2.5, 4.5]);
  });

  test("keeps mean and m2 as computed from all points", () => {
    const values = [3, 1, 4, 1, 5, 9, 2, 6];
    const wide = widen(points(...values.map((value, step): [number, number] => [step, value])), 8);
    const mean = values.reduce((a, b) => a + b) / 8;
    expect(wide.columns.mean[0]).toBeCloseTo(mean, 12);
    expect(wide.columns.m2[0]).toBeCloseTo(
      values.reduce((sum, x) => sum + (x - mean) ** 2, 0),
      12,
    );
  });

  test("at once gives the buckets of repeated doubling", () => {
    const rows = Array.from({ length: 50 }, (_, i): [number, number] => [3 * i, (i * 7) % 11]);
    rows[9][1] = Number.NaN;
    const [once, often] = [bucketsOf(points(...rows), 16), widen(points(...rows), 16)];
    expect([once.width, once.rows]).toEqual([16, often.rows]);
    for (const name of ["bucket", "count", "mask", "first", "min_step", "max", "last_time"] as const)
      expect(column(once, name)).toEqual(column(often, name));
    for (const [row, mean] of often.columns.mean.entries())
      expect(once.columns.mean[row]).toBeCloseTo(mean, 12);
  });

  test("keeps the first of equal extremes", () => {
    const wide = double(points([0, 1], [1, 1]));
    expect([wide.columns.min_step[0], wide.columns.max_step[0]]).toEqual([0, 0]);
  });

  test("records non-finite values in the mask, not in the mean", () => {
    const wide = widen(points([0, Number.NaN], [1, 2], [2, Infinity], [3, -Infinity]), 4);
    expect(column(wide, "mask")).toEqual([1 | 2 | 4]);
    expect([wide.columns.count[0], wide.columns.mean[0], wide.columns.m2[0]]).toEqual([1, 2, 0]);
    expect([wide.columns.first[0], wide.columns.last[0]]).toEqual([Number.NaN, -Infinity]);
  });

  test("gives a bucket with only NaN no mean and no extremes", () => {
    const { columns } = double(points([0, Number.NaN], [1, Number.NaN]));
    expect([columns.mean[0], columns.min[0], columns.max_step[0]]).toEqual([
      Number.NaN,
      Number.NaN,
      Number.NaN,
    ]);
    expect(columns.count[0]).toBe(0);
  });

  test("keeps an empty series empty", () => {
    expect(double(points())).toMatchObject({ rows: 0, width: 2 });
  });
});

describe("applying a delta to its keyframe", () => {
  test("inserts and replaces by step", () => {
    const result = overlay(points([0, 1], [2, 1], [4, 1]), points([1, 7], [2, 8], [9, 9])) as PointSeries;
    expect([...result.columns.step]).toEqual([0, 1, 2, 4, 9]);
    expect([...result.columns.value]).toEqual([1, 7, 8, 1, 9]);
  });

  test("doubles the keyframe to the delta's width, then replaces by bucket", () => {
    const base = points([0, 1], [1, 2], [4, 3]);
    const top = widen(points([4, 3], [5, 30]), 4);
    const result = overlay(base, top) as BucketSeries;
    expect(result.width).toBe(4);
    expect(column(result, "bucket")).toEqual([0, 1]);
    expect(column(result, "last")).toEqual([2, 30]);
  });

  test("does not change the keyframe", () => {
    const base = points([0, 1]);
    overlay(base, points([0, 2]));
    expect([...base.columns.value]).toEqual([1]);
  });

  test("refuses buckets finer than the keyframe's", () => {
    expect(() => overlay(double(points([0, 1])), points([0, 1]))).toThrow("finer");
  });
});

test("series with equal numbers, including NaN, are the same", () => {
  expect(sameSeries(points([0, Number.NaN]), points([0, Number.NaN]))).toBe(true);
  expect(sameSeries(points([0, 1]), points([0, 2]))).toBe(false);
  expect(sameSeries(points([0, 1]), points([0, 1], [1, 1]))).toBe(false);
  expect(sameSeries(points([0, 1]), double(points([0, 1])))).toBe(false);
});
