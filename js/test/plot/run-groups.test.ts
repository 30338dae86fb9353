import { expect, test } from "vitest";
import { assemble, type Picture } from "../../src/frames/picture.ts";
import { decodeFrame, type RunHeader } from "../../src/frames/protocol.ts";
import { double, type Series } from "../../src/frames/series.ts";
import { aggregate, RunGrouper } from "../../src/plot/run-groups.ts";
import { frame, run } from "../fixtures.ts";

type Point = [step: number, value: number, time?: number];

function points(...rows: Point[]): Series {
  const columns = {
    step: Float64Array.from(rows, ([step]) => step),
    time: Float64Array.from(rows, ([step, , time]) => time ?? step),
    value: Float64Array.from(rows, ([, value]) => value),
  };
  return { kind: "points", run: 0, metric: 0, width: 1, rows: rows.length, columns };
}

const every = (spacing: number, end: number, value: number) =>
  points(...Array.from({ length: Math.floor(end / spacing) }, (_, i): Point => [i * spacing, value]));

function of(
  series: Series[],
  band: "minmax" | "std" | "none" = "minmax",
  starts = series.map(() => 0),
  start = 0,
) {
  const made = aggregate({ series, starts, start }, band);
  return {
    steps: [...made.columns.step],
    times: [...made.columns.time],
    values: [...made.columns.value],
    low: made.band && [...made.band.low],
    high: made.band && [...made.band.high],
  };
}

test("a group is the mean of its runs in a band of their extremes", () => {
  const { steps, values, low, high } = of([points([0, 1], [1, 2]), points([0, 3], [1, 6])]);
  expect([steps, values, low, high]).toEqual([
    [0, 1],
    [2, 4],
    [1, 2],
    [3, 6],
  ]);
});

test("the standard deviation is that of the runs' means", () => {
  const { low, high } = of([points([0, 1]), points([0, 2]), points([0, 3])], "std");
  expect([low?.[0], high?.[0]]).toEqual([1, 3]);
});

test.each([
  ["none", [points([0, 1]), points([0, 2])]],
  ["minmax", [points([0, 1])]],
] as const)("a mean alone, or a run alone, has no band: %s", (band, series) => {
  expect(of([...series], band).low).toBeNull();
});

test("buckets are widened to the widest and keep their extremes", () => {
  const fine = points(...Array.from({ length: 16 }, (_, i): Point => [i, i]));
  const coarse = { ...doubledTimes(points(...Array.from({ length: 16 }, (_, i): Point => [i, 100])), 2) };
  const { values, low, high } = of([fine, coarse]);
  expect(values).toEqual([1.5, 5.5, 9.5, 13.5].map(mean => (mean + 100) / 2));
  expect(low).toEqual([0, 4, 8, 12]);
  expect(high).toEqual([100, 100, 100, 100]);
});

test("each run counts once per bucket", () => {
  const dense = points(...Array.from({ length: 64 }, (_, i): Point => [i, 0]));
  const { values } = of([doubledTimes(dense, 3), doubledTimes(every(8, 64, 10), 3)]);
  expect(new Set(values)).toEqual(new Set([5]));
});

test("runs with different steps are averaged in wider buckets", () => {
  const { values } = of([every(10, 1000, 0), every(7, 1000, 8)]);
  expect(values.filter(value => value === 4).length / values.length).toBeGreaterThan(0.8);
  expect(values.length).toBeGreaterThan(10);
});

test("runs that follow each other are not widened", () => {
  const late = points(...Array.from({ length: 50 }, (_, i): Point => [100 + i, 2]));
  const { steps, values } = of([points(...Array.from({ length: 50 }, (_, i): Point => [i, 1])), late]);
  expect([steps.length, values[0], values[99]]).toEqual([100, 1, 2]);
});

test("NaN of one run is skipped, NaN of all gives NaN", () => {
  const { values, low } = of([points([0, Number.NaN], [1, Number.NaN]), points([0, 4], [1, Number.NaN])]);
  expect(values).toEqual([4, Number.NaN]);
  expect(low).toEqual([4, Number.NaN]);
});

test("an infinity of all runs gives that infinity", () => {
  expect(of([points([0, Number.POSITIVE_INFINITY])]).values).toEqual([Number.POSITIVE_INFINITY]);
});

test("times are relative to each run's start", () => {
  const series = [points([0, 1, 100], [1, 1, 110]), points([0, 1, 900], [1, 1, 930])];
  expect(of(series, "none", [100, 900], 500).times).toEqual([500, 520]);
});

function doubledTimes(series: Series, times: number): Series {
  let wide = series;
  for (let i = 0; i < times; i++) wide = double(wide);
  return wide;
}

const picture = (rows: [number, number][][], runs: RunHeader[], seq = 1, before: Picture | null = null) => {
  const series = rows.map((own, key) => ({
    run: key,
    metric: 0,
    rows: own.map(([step, value]) => [step, 0, value]),
  }));
  return assemble(decodeFrame(frame(series, { runs, seq })), null, before) as Picture;
};
const parity = ({ key }: RunHeader) =>
  key % 2 ? { key: "odd", label: "odd" } : { key: "even", label: "even" };
const four = [0, 1, 2, 3].map(key => run(key, { state: "finished", ended: 10 }));
const rows: [number, number][][] = [[[0, 1]], [[0, 10]], [[0, 3]], [[0, 20]]];

test("a group has one header with its number of runs", () => {
  const made = new RunGrouper().groupPicture(picture(rows, four), parity, new Set(), "minmax");
  expect(made.runs.map(({ key, name }) => [key, name])).toEqual([
    [0, "even (2 runs)"],
    [1, "odd (2 runs)"],
  ]);
  expect(
    made.series.map(({ run, ...series }) => [
      run,
      (series as never as { columns: { value: Float64Array } }).columns.value[0],
    ]),
  ).toEqual([
    [0, 2],
    [1, 15],
  ]);
  expect(made.members.get("group:odd")).toEqual(["id1", "id3"]);
});

test("hidden runs are omitted, unless the whole group is hidden", () => {
  const made = new RunGrouper().groupPicture(
    picture(rows, four),
    parity,
    new Set(["id0", "id1", "id3"]),
    "minmax",
  );
  expect(made.runs.map(({ name }) => name)).toEqual(["even (1 run)", "odd (2 runs)"]);
});

test("a group is running while one of its runs is", () => {
  const runs = [four[0], run(1), four[2], four[3]];
  const made = new RunGrouper().groupPicture(picture(rows, runs), parity, new Set(), "none");
  expect(made.runs.map(({ state }) => state)).toEqual(["finished", "running"]);
});

test("unchanged groups keep their series", () => {
  const aggregator = new RunGrouper();
  const first = picture(rows, four);
  const before = aggregator.groupPicture(first, parity, new Set(), "minmax");
  const second = picture([...rows.slice(0, 3), [[0, 30]]], four, 2, first);
  const after = aggregator.groupPicture(second, parity, new Set(), "minmax");
  expect(after.series.map((series, i) => series === before.series[i])).toEqual([true, false]);
  expect(aggregator.groupPicture(second, parity, new Set(), "std").series[0]).not.toBe(after.series[0]);
});
