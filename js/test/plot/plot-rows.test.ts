import { expect, test } from "vitest";
import { decodeSeries } from "../../src/frames/decode-series.ts";
import { decodeFrame } from "../../src/frames/protocol.ts";
import type { Series } from "../../src/frames/series.ts";
import { downsample } from "../../src/plot/downsample.ts";
import {
  latestValue,
  type Placement,
  placePoints,
  plotRows,
  type RunStyle,
} from "../../src/plot/plot-rows.ts";
import { frame, run } from "../fixtures.ts";

const style: RunStyle = { run: run(0, { started: 100 }), label: "a", color: "red", ink: "red", dash: [] };

function series(rows: number[][], width = 1): Series {
  const { header, data } = decodeFrame(frame([{ run: 0, metric: 0, width, rows }])) as NonNullable<
    ReturnType<typeof decodeFrame>
  >;
  return decodeSeries(header.series, data)[0];
}

/** A bucket of four points given as (step, value); times equal steps. */
function bucket(
  at: number,
  corners: Record<"first" | "min" | "max" | "last", [number, number]>,
  mask = 0,
): number[] {
  const corner = ([step, value]: [number, number]) => [step, step, value];
  const { first, min, max, last } = corners;
  return [
    at,
    4,
    (min[1] + max[1]) / 2,
    0,
    mask,
    0,
    Number(mask > 0),
    ...[first, min, max, last].flatMap(corner),
  ];
}

const PLACES = {
  step: ({ step }: { step: number }) => step,
  relative: ({ time }: { time: number }) => 1000 * (time - style.run.started),
  time: ({ time }: { time: number }) => 1000 * time,
};

function draw(
  rows: number[][],
  width = 1,
  xAxis: keyof typeof PLACES = "step",
  amount = 0,
  more: Partial<Placement & { columns: number }> = {},
) {
  const { columns = 512, ...rest } = more;
  const placement = { xOf: PLACES[xAxis], sorted: xAxis !== "step", window: null, fine: null, ...rest };
  const all = series(rows, width);
  const [points] = downsample([placePoints(all, placement)], placement.window, columns, false);
  return plotRows(all, points, style, { amount, kind: "mean" });
}

test("every point of a series of width 1 is drawn", () => {
  const rows = draw([
    [0, 101, 5],
    [3, 102, 6],
  ]);
  expect(rows.map(({ step, time, value, smooth, x }) => [step, time, value, smooth, x])).toEqual([
    [0, 101, 5, 5, 0],
    [3, 102, 6, 6, 3],
  ]);
});

test("x is the step, ms since the run's start, or ms since 1970", () => {
  const points = [
    [7, 101, 5],
    [8, 102, 5],
  ];
  const first = (xAxis: "step" | "relative" | "time") => draw(points, 1, xAxis)[0].x;
  expect([first("step"), first("relative"), first("time")]).toEqual([7, 1000, 101_000]);
});

test("over time, rows are sorted by time", () => {
  const rows = draw(
    [
      [0, 300, 1],
      [1, 200, 2],
    ],
    1,
    "time",
  );
  expect(rows.map(({ step }) => step)).toEqual([1, 0]);
});

test("a bucket is drawn as first, min, max and last, by step", () => {
  const rows = draw([bucket(0, { first: [0, 5], min: [3, 1], max: [1, 9], last: [7, 4] })], 8);
  expect(rows.map(({ step, value }) => [step, value])).toEqual([
    [0, 5],
    [1, 9],
    [3, 1],
    [7, 4],
  ]);
});

test("a point with several of these roles is drawn once", () => {
  const rows = draw([bucket(0, { first: [0, 1], min: [0, 1], max: [7, 9], last: [7, 9] })], 8);
  expect(rows.map(({ step }) => step)).toEqual([0, 7]);
});

test("non-finite values are marks at their step", () => {
  const rows = draw([
    [0, 0, 1],
    [1, 0, Number.NaN],
    [2, 0, Infinity],
    [3, 0, -Infinity],
    [4, 0, 2],
    [5, 0, 3],
  ]);
  expect(rows.map(({ mark }) => mark)).toEqual(["dot", "NaN", "Infinity", "-Infinity", "line", "line"]);
});

test("non-finite values known only from the mask are in the middle", () => {
  const rows = draw([bucket(0, { first: [0, 5], min: [3, 1], max: [1, 9], last: [7, 4] }, 1)], 8);
  expect(rows.filter(({ mark }) => mark === "NaN").map(({ step }) => step)).toEqual([3]);
});

test("a bucket with only NaN has marks but no line", () => {
  const none: [number, number] = [Number.NaN, Number.NaN];
  const row = bucket(0, { first: [0, Number.NaN], min: none, max: none, last: [6, Number.NaN] }, 1);
  row[1] = 0; // count
  expect(draw([row], 8).map(({ step, mark }) => [step, mark])).toEqual([
    [0, "NaN"],
    [6, "NaN"],
  ]);
});

test("a single finite point is a dot", () => {
  expect(draw([[7, 0, 1]])[0].mark).toBe("dot");
  expect(
    draw([
      [6, 0, Number.NaN],
      [7, 0, 1],
    ]).map(({ mark }) => mark),
  ).toEqual(["NaN", "dot"]);
});

test("smoothing keeps the values and adds the smoothed line", () => {
  const rows = draw(
    [
      [0, 0, 0],
      [1, 0, 3],
      [2, 0, 6],
    ],
    1,
    "step",
    1,
  );
  expect(rows.map(({ value, smooth }) => [value, smooth])).toEqual([
    [0, 1.5],
    [3, 3],
    [6, 4.5],
  ]);
});

test("the smoothed line of buckets uses their means, not their extremes", () => {
  const flat = (at: number, peak: number) =>
    bucket(at, { first: [at * 4, 1], min: [at * 4, 1], max: [at * 4 + 1, peak], last: [at * 4 + 3, 1] });
  const rows = draw([flat(0, 3), flat(1, 3), flat(2, 3)], 4, "step", 1);
  expect(new Set(rows.map(({ smooth }) => smooth))).toEqual(new Set([2]));
});

test("the latest value is that of the largest step", () => {
  expect(
    latestValue(
      series([
        [0, 9, 1],
        [5, 3, Number.NaN],
      ]),
    ),
  ).toBeNaN();
  expect(latestValue(series([bucket(0, { first: [0, 5], min: [3, 1], max: [1, 9], last: [7, 4] })], 8))).toBe(
    4,
  );
});

test("buckets narrower than a pixel are reduced per column", () => {
  const buckets = [0, 1, 2, 3].map(at =>
    bucket(at, { first: [at * 4, 0], min: [at * 4, 0], max: [at * 4 + 1, at], last: [at * 4 + 3, 0.5] }),
  );
  const rows = draw(buckets, 4, "step", 0, { columns: 2 });
  expect(rows.map(({ step, value }) => [step, value])).toEqual([
    [0, 0],
    [5, 1],
    [7, 0.5],
    [8, 0],
    [13, 3],
    [15, 0.5],
  ]);
});

const flat = (at: number, width: number) =>
  bucket(at, {
    first: [at * width, 1],
    min: [at * width, 1],
    max: [at * width + 1, 2],
    last: [at * width + width - 1, 1],
  });

test("a range draws its rows and one on each side", () => {
  const rows = [0, 1, 2, 3, 4, 5].map(step => [step, 0, step]);
  expect(draw(rows, 1, "step", 0, { window: [2.5, 3.5] }).map(({ step }) => step)).toEqual([2, 3, 4]);
  expect(draw(rows, 1, "step", 0, { window: [9, 10] }).map(({ step }) => step)).toEqual([5]);
});

test("finer rows replace the coarse ones in their range", () => {
  const fine = series([4, 5, 6, 7].map(step => [step, 0, 9]));
  const drawn = draw([flat(0, 4), flat(1, 4), flat(2, 4)], 4, "step", 0, { fine });
  expect(drawn.map(({ step, value }) => [step, value])).toEqual([
    [0, 1],
    [1, 2],
    [3, 1],
    [4, 9],
    [5, 9],
    [6, 9],
    [7, 9],
    [8, 1],
    [9, 2],
    [11, 1],
  ]);
});

test("zooming does not move the smoothed line", () => {
  const coarse = [0, 1, 2, 3].map(at => flat(at, 4));
  const fine = series([4, 5, 6, 7].map(step => [step, 0, 900]));
  const whole = new Map(draw(coarse, 4, "step", 1).map(({ step, smooth }) => [step, smooth]));
  const zoomed = draw(coarse, 4, "step", 1, { fine, window: [4, 7] });
  for (const { step, smooth } of zoomed) if (whole.has(step)) expect(smooth).toBe(whole.get(step));
});

test("more than four points per pixel are reduced with M4", () => {
  const rows = Array.from({ length: 1000 }, (_, step) => [step, 0, step === 501 ? 99 : step % 7]);
  const drawn = draw(rows, 1, "step", 0, { columns: 50 });
  expect(drawn.length).toBeLessThanOrEqual(4 * 50 + 1); // the last point starts another column
  expect(drawn.some(({ value }) => value === 99)).toBe(true);
});

test("a point without an x is not drawn", () => {
  const xOf = ({ step }: { step: number }) => (step < 1 ? Number.NaN : step);
  const rows = draw(
    [
      [0, 0, 1],
      [1, 0, 2],
    ],
    1,
    "step",
    0,
    { xOf },
  );
  expect(rows.map(({ step }) => step)).toEqual([1]);
});

test("rows of a group have a band, smoothed like its mean", () => {
  const columns = { step: [0, 1, 2], time: [0, 1, 2], value: [1, 2, Number.NaN] };
  const arrays = Object.fromEntries(
    Object.entries(columns).map(([name, of]) => [name, Float64Array.from(of)]),
  );
  const band = { low: Float64Array.of(0, 1, Number.NaN), high: Float64Array.of(3, 5, Number.NaN) };
  const group = { kind: "points", run: 0, metric: 0, width: 1, rows: 3, columns: arrays, band } as never;
  const edges = (amount: number) => {
    const points = placePoints(group, { xOf: PLACES.step, sorted: false, window: null, fine: null });
    return plotRows(group, points, style, { amount, kind: "mean" }).map(({ low, high }) => [low, high]);
  };
  expect(edges(0)).toEqual([
    [0, 3],
    [1, 5],
    [undefined, undefined],
  ]);
  expect(edges(1)[0]).toEqual([0.5, 4]);
});
