import { expect, test } from "vitest";
import { perColumn } from "../src/pixels.ts";

const line = (values: number[]) => values.map((value, step) => ({ step, value }));
const thinned = (values: number[], columns: number) =>
  perColumn(line(values), ({ step }) => step, [0, values.length], columns);

test("few points stay as they are", () => {
  const points = line([1, 2, 3, 4]);
  expect(perColumn(points, ({ step }) => step, [0, 4], 1)).toEqual(points);
});

test("of each column first, smallest, largest and last stay, in their order", () => {
  const values = [5, 1, 9, 2, 6, 7, 3, 8, 8, 4];
  expect(thinned(values, 1).map(({ step }) => step)).toEqual([0, 1, 2, 9]);
  expect(thinned([...values, ...values], 2).map(({ step }) => step)).toEqual([0, 1, 2, 9, 10, 11, 12, 19]);
});

test("what is not finite stays once a column", () => {
  const values = [5, Number.NaN, 1, Number.NaN, Infinity, 9, Number.NaN, 4];
  expect(thinned(values, 1).map(({ value }) => value)).toEqual([5, Number.NaN, 1, Infinity, 9, 4]);
});

test("what lies outside the window stays at its edges", () => {
  const points = line(Array.from({ length: 100 }, (_, i) => Math.sin(i)));
  const kept = perColumn(points, ({ step }) => step, [40, 60], 2);
  expect(kept[0].step).toBe(0);
  expect(kept.at(-1)?.step).toBe(99);
});

/** The columns' vertical extents of a polyline, cut exactly where columns meet: all that a line of 1 px draws. */
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

test("the pixels are those of all points", () => {
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
