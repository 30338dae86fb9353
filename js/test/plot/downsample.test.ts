import { expect, test } from "vitest";
import { double, type Series } from "../../src/frames/series.ts";
import { downsample, m4 } from "../../src/plot/downsample.ts";
import { placePoints } from "../../src/plot/plot-rows.ts";

const line = (values: number[]) => values.map((value, step) => ({ step, value }));
const thinned = (values: number[], columns: number) =>
  m4(line(values), ({ step }) => step, [0, values.length], columns);

test("few points are unchanged", () => {
  const points = line([1, 2, 3, 4]);
  expect(m4(points, ({ step }) => step, [0, 4], 1)).toEqual(points);
});

test("each column keeps its first, smallest, largest and last point", () => {
  const values = [5, 1, 9, 2, 6, 7, 3, 8, 8, 4];
  expect(thinned(values, 1).map(({ step }) => step)).toEqual([0, 1, 2, 9]);
  expect(thinned([...values, ...values], 2).map(({ step }) => step)).toEqual([0, 1, 2, 9, 10, 11, 12, 19]);
});

test("each column keeps one non-finite value of each kind", () => {
  const values = [5, Number.NaN, 1, Number.NaN, Infinity, 9, Number.NaN, 4];
  expect(thinned(values, 1).map(({ value }) => value)).toEqual([5, Number.NaN, 1, Infinity, 9, 4]);
});

test("points outside the range are kept at its edges", () => {
  const points = line(Array.from({ length: 100 }, (_, i) => Math.sin(i)));
  const kept = m4(points, ({ step }) => step, [40, 60], 2);
  expect(kept[0].step).toBe(0);
  expect(kept.at(-1)?.step).toBe(99);
});

/** Return the vertical extent of a polyline in each column, cut at the column borders: all that a 1 px line draws. */
function extents(points: { step: number; value: number }[], length: number, columns: number): number[] {
  const found = Array.from({ length: columns }, () => [Infinity, -Infinity]);
  const reach = (column: number, value: number) => {
    const of = found[Math.min(columns - 1, column)];
    of[0] = Math.min(of[0], Math.floor(value));
    of[1] = Math.max(of[1], Math.floor(value));
  };
  const x = (step: number) => (step / length) * columns;
  points.forEach(({ step, value }, i) => {
    reach(Math.floor(x(step)), value);
    const before = points[i - 1];
    if (!before) return;
    for (let border = Math.floor(x(before.step)) + 1; border <= x(step); border++) {
      const share = (border - x(before.step)) / (x(step) - x(before.step));
      const at = before.value + (value - before.value) * share;
      reach(border - 1, at);
      reach(border, at);
    }
  });
  return found.flat();
}

test("the reduced line draws the same pixels", () => {
  let [seed, at] = [1, 100];
  const walk = Array.from({ length: 20_000 }, () => {
    seed = (seed * 48271) % 2147483647;
    at += (seed / 2147483647 - 0.5) * 3;
    return at;
  });
  const few = thinned(walk, 300);
  expect(few.length).toBeLessThanOrEqual(1200);
  expect(extents(few, walk.length, 300)).toEqual(extents(line(walk), walk.length, 300));
});

/** Like `extents`, for points in pixels of both axes. */
function inked(points: readonly { x: number; value: number }[], length: number): Set<number> {
  const values = points.map(({ value }) => value);
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const line = points.map(({ x, value }) => ({ step: x, value: ((value - low) / (high - low)) * 199.999 }));
  const pixels = new Set<number>();
  const found = extents(line, length, COLUMNS);
  for (let column = 0; column < COLUMNS; column++)
    for (let y = found[2 * column]; y <= found[2 * column + 1]; y++) pixels.add(column * 200 + y);
  return pixels;
}

const COLUMNS = 324; // the plot width of a 360 px chart

function lehmer(seed: number) {
  let state = seed;
  return () => {
    state = (state * 48271) % 2147483647;
    return state / 2147483647 - 0.5;
  };
}

const SHAPES: Record<string, (share: number, random: number, before: number) => number> = {
  walk: (_, random, before) => before + random,
  noisy: (share, random) => 2 * Math.exp(-5 * share) + random * 0.3,
  spikes: (share, random) => Math.exp(-5 * share) + (random > 0.4999 ? 3 : random * 0.1),
};

test.each(Object.keys(SHAPES).flatMap(shape => [6_000, 60_000].map(length => ({ shape, length }))))(
  "the line of a bounded $shape of $length points is the full one but for 2 % of its pixels",
  ({ shape, length }) => {
    const random = lehmer(7);
    const value = new Float64Array(length);
    for (let i = 0; i < length; i++) value[i] = SHAPES[shape](i / length, random(), value[i - 1] ?? 0);
    const step = Float64Array.from(value.keys());
    const all = {
      kind: "points",
      run: 0,
      metric: 0,
      width: 1,
      rows: length,
      columns: { step, time: step, value },
    } as const;
    let bounded: Series = all;
    while (bounded.rows > 4096) bounded = double(bounded);
    const placement = {
      xOf: (point: { step: number }) => point.step,
      sorted: false,
      window: null,
      fine: null,
    };
    const [few] = downsample([placePoints(bounded, placement)], [0, length], COLUMNS, false);
    expect(few.length).toBeLessThanOrEqual(4 * COLUMNS);
    const [ours, full] = [inked(few, length), inked(placePoints(all, placement), length)];
    const different =
      [...ours].filter(at => !full.has(at)).length + [...full].filter(at => !ours.has(at)).length;
    expect(different / full.size).toBeLessThanOrEqual(0.02);
  },
);

test("columns of a logarithmic axis have equal width in pixels", () => {
  const line = Array.from({ length: 10_000 }, (_, x) => ({ x, value: Math.sin(x) }));
  const [few] = downsample([line], null, 100, true);
  expect(few[0].x).toBe(0); // off the axis; this test does not specify it
  expect(few.filter(({ x }) => x > 0 && x <= 10)).toHaveLength(10);
  expect(few.length).toBeLessThan(410);
});

test("all lines of a chart share the columns of its range", () => {
  const line = (length: number) => Array.from({ length }, (_, x) => ({ x, value: [0, 5, -5, 0][x % 4] }));
  const counts = (window: [number, number] | null) =>
    downsample([line(8000), line(2000)], window, 100, false).map(({ length }) => Math.round(length / 100));
  expect(counts(null)).toEqual([4, 1]);
  expect(counts([0, 2000])).toEqual([16, 4]);
});
