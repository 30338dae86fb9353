import { expect, test } from "vitest";
import { bucketsOf, type PointSeries, type Series } from "../../src/frames/series.ts";
import { domainsOf } from "../../src/plot/domains.ts";
import { ownSmoothing } from "../../src/plot/noise.ts";
import { styleRuns } from "../../src/plot/palette.ts";
import { plotOf } from "../../src/plot/plot.ts";
import { run } from "../fixtures.ts";

/** Numbers from 0 to 1 that are the same in every run. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1103515245 + 12345) % 2147483648;
    return state / 2147483648;
  };
}
function points(count: number, valueAt: (i: number) => number): PointSeries {
  const step = Float64Array.from({ length: count }, (_, i) => i);
  const columns = { step, time: step, value: step.map(valueAt) };
  return { kind: "points", run: 0, metric: 0, width: 1, rows: count, columns } as PointSeries;
}
const noise = random(1);
/** Nearly of a normal distribution. */
const normal = () => noise() + noise() + noise() + noise() + noise() + noise();
const pureNoise = points(300, () => noise());

test("a line that is noise is smoothed by itself, a trend with a little noise is not", () => {
  expect(ownSmoothing([pureNoise])).toBe(8);
  expect(ownSmoothing([points(300, i => 3 * Math.exp(-i / 80) + 0.2 * noise())])).toBe(0);
  expect(ownSmoothing([points(300, i => Math.sin(i / 20))])).toBe(0);
  expect(ownSmoothing([points(300, i => Math.floor(i / 50))])).toBe(0);
  expect(ownSmoothing([points(300, () => 0.1)])).toBe(0);
});

test("a few points are not smoothed, nor a chart most of whose lines are calm", () => {
  expect(ownSmoothing([points(60, () => noise())])).toBe(0);
  const calm = points(300, i => i);
  expect(ownSmoothing([calm, calm, pureNoise])).toBe(0);
  expect(ownSmoothing([])).toBe(0);
});

test("buckets are noise if most of them are thick", () => {
  const columns = (thickness: number) => {
    const mean = Float64Array.from({ length: 100 }, (_, i) => i / 100);
    const count = mean.map(() => 16);
    const [min, max] = [mean.map(at => at - thickness), mean.map(at => at + thickness)];
    return { count, mean, min, max, first: mean, last: mean };
  };
  const buckets = (thickness: number) =>
    ({
      kind: "buckets",
      run: 0,
      metric: 0,
      width: 16,
      rows: 100,
      columns: columns(thickness),
    }) as unknown as Series;
  expect([0.5, 0.01].map(thickness => ownSmoothing([buckets(thickness)]))).toEqual([8, 0]);
});

test.each([2, 4, 16])("in buckets of %i steps noise is what it is in points", width => {
  const inBuckets = (valueAt: (i: number) => number) =>
    ownSmoothing([bucketsOf(points(2000, valueAt), width)]);
  expect(inBuckets(normal)).toBe(8);
  expect(inBuckets(i => (i === 500 ? Number.NaN : normal()))).toBe(8);
  expect(inBuckets(i => 3 * Math.exp(-i / 500) + 0.2 * noise())).toBe(0);
  expect(inBuckets(i => Math.sin(i / 20))).toBe(width === 16 ? 8 : 0); // drawn as thick as the waves are high
  expect(inBuckets(i => i)).toBe(0);
  expect(inBuckets(() => 0.1)).toBe(0);
});

test("waves of twenty steps are no noise in narrow buckets", () => {
  const waves = points(600, i => Math.sin((2 * Math.PI * i) / 20));
  expect([waves, bucketsOf(waves, 2)].map(series => ownSmoothing([series]))).toEqual([0, 0]);
});

function plot(series: Series, smoothing: { amount: number; auto?: boolean }) {
  const settings = {
    styles: styleRuns([run(0)], "light"),
    hidden: new Set<string>(),
    smoothing: { kind: "mean" as const, ...smoothing },
    clipOutliers: "never" as const,
    options: {},
  };
  const axes = { x: "step", log: { x: false, y: false }, xSeries: [] };
  return plotOf({ series: [series], fine: [], settings, axes, zoom: { x: null, y: null } }, 300);
}

test("smoothing that is left to the chart holds where no other was set", () => {
  expect(plot(pureNoise, { amount: 0, auto: true }).smoothing).toBe(8);
  expect(plot(pureNoise, { amount: 0 }).smoothing).toBe(0);
  expect(plot(pureNoise, { amount: 3, auto: true }).smoothing).toBe(3);
});

test("the y axis follows the smoothed line, not the spikes behind it", () => {
  const spiky = points(300, i => i / 300 + (i % 29 === 0 ? 50 : 0));
  const { y } = domainsOf(plot(spiky, { amount: 20 }), { x: null, y: null });
  expect(y?.[1]).toBeLessThan(6);
  expect(domainsOf(plot(spiky, { amount: 0 }), { x: null, y: null }).y).toBe(null); // follows all data
});
