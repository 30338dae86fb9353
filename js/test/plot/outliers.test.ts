import { expect, test } from "vitest";
import { double, type Series } from "../../src/frames/series.ts";
import {
  countLeftOfZero,
  countOutside,
  countSpecial,
  formatAtLeast,
  leftOut,
  padded,
  rangeWithoutOutliers,
} from "../../src/plot/outliers.ts";

function points(values: readonly number[]): Series {
  const step = Float64Array.from(values, (_, i) => i);
  const columns = { step, time: step, value: Float64Array.from(values) };
  return { kind: "points", run: 0, metric: 0, width: 1, rows: values.length, columns };
}

function buckets(values: readonly number[], doublings: number): Series {
  let series = points(values);
  for (let i = 0; i < doublings; i++) series = double(series);
  return series;
}

const start = Array.from({ length: 400 }, (_, i) => (i < 4 ? 800 : 3 * Math.exp(-i / 60) + (i % 7) / 70));

test("values that press all others into a tenth of the axis are left out", () => {
  const [low, high] = rangeWithoutOutliers([points(start)], false, "auto") as [number, number];
  expect([low >= 0, high > 2, high < 4]).toEqual([true, true, true]);
  expect(rangeWithoutOutliers([points(start)], false, "never")).toBeNull();
  expect(rangeWithoutOutliers([points(start)], true, "auto")).toBeNull();
});

test("a run's latest value is left out only if that was asked for", () => {
  const end = points([...start].reverse());
  expect(rangeWithoutOutliers([end], false, "auto")).toBeNull();
  expect(rangeWithoutOutliers([end], false, "always")).not.toBeNull();
});

test("data without outliers, constants and a few values stay whole", () => {
  for (const values of [start.slice(4), start.map(() => 4), [800, 1, 2, 3], [Number.NaN], []])
    expect(rangeWithoutOutliers([points(values)], false, "auto")).toBeNull();
});

test("all values are counted, not those drawn", () => {
  expect(countOutside([points(start)], [0, 10])).toEqual({ atLeast: 4, exact: true });
  expect(countOutside([buckets(start, 2), points([11])], [0, 10])).toEqual({ atLeast: 5, exact: true });
  expect(countOutside([points([Number.NaN, Number.POSITIVE_INFINITY])], [0, 1]).atLeast).toBe(0);
});

test("a bucket with values on both sides counts the known ones, and the text says so", () => {
  const count = countOutside([buckets(start, 5)], [0, 10]);
  expect(count.exact).toBe(false);
  expect([count.atLeast > 0, count.atLeast <= 4]).toEqual([true, true]);
  expect(formatAtLeast(count)).toBe(`${count.atLeast}+`);
  expect(formatAtLeast({ atLeast: 4, exact: true })).toBe("4");
});

const mixed = Array.from({ length: 300 }, (_, i) =>
  i % 7 === 0 ? Number.NaN : i % 11 === 0 ? -Infinity : i % 5 === 0 ? -i : i % 3 === 0 ? 0 : i,
);
const notPositive = mixed.filter(value => Number.isFinite(value) && value <= 0).length;
const notFinite = mixed.filter(value => !Number.isFinite(value)).length;

test.each([0, 1, 3, 6, 9])(
  "values without a logarithm are counted exactly in buckets of 2^%i steps",
  doublings => {
    const series = [doublings ? buckets(mixed, doublings) : points(mixed), points([-1, 1, Number.NaN])];
    expect(countSpecial(series, "not_positive")).toBe(notPositive + 1);
    expect(countSpecial(series, "not_finite")).toBe(notFinite + 1);
  },
);

test("points at x ≤ 0 are counted, and exactly over steps", () => {
  const xOf = ({ step }: { step: number }) => step;
  const shifted = ({ step }: { step: number }) => step - 10;
  const lines = [points(mixed), buckets(mixed, 3)].map(own => ({ own, xOf }));
  expect(countLeftOfZero(lines, true)).toEqual({ atLeast: 2, exact: true });
  expect(countLeftOfZero([{ own: points(mixed), xOf: shifted }], false)).toEqual({
    atLeast: 11,
    exact: true,
  });
  expect(countLeftOfZero([{ own: buckets(mixed, 3), xOf: shifted }], false)).toEqual({
    atLeast: 9,
    exact: false,
  });
  expect(countLeftOfZero([{ own: points(mixed), xOf: null }], false)).toEqual({ atLeast: 0, exact: true });
});

test("the range whose outside is counted is the axis", () => {
  const limits = rangeWithoutOutliers([points(start)], false, "auto");
  const found = leftOut([points(start)], limits, [], false);
  expect(found?.range).toEqual(padded(limits as [number, number], false));
  expect([found?.count, found?.apart]).toEqual([{ atLeast: 4, exact: true }, 0]);
  expect(leftOut([points(start)], null, [], false)).toBeNull();
  expect(leftOut([points(start)], null, [null, 2], false)?.range).toEqual([-Number.MAX_VALUE, 2]);
  expect(leftOut([points(mixed)], null, [-5, 2], true)).toMatchObject({
    range: [Number.MIN_VALUE, 2],
    apart: notPositive,
  });
});

test("ends of the axis without outliers are values", () => {
  const [low, high] = rangeWithoutOutliers([points(start)], false, "always") as [number, number];
  expect([start.includes(low), start.includes(high)]).toEqual([true, true]);
});
