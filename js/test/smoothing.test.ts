import { expect, test } from "vitest";
import { smooth } from "../src/smoothing.ts";

const ones = (n: number) => new Float64Array(n).fill(1);
const smoothed = (values: number[], n: number, weights = ones(values.length)) => [
  ...smooth(Float64Array.from(values), weights, n),
];

test("0 leaves the values as they are", () => {
  expect(smoothed([1, 5, 2], 0)).toEqual([1, 5, 2]);
});

test("n averages 2n + 1 rows, fewer at the ends", () => {
  expect(smoothed([0, 3, 6, 9, 30], 1)).toEqual([1.5, 3, 6, 15, 19.5]);
});

test("rows weigh as many points as they stand for", () => {
  expect(smoothed([0, 10], 1, Float64Array.of(3, 1))).toEqual([2.5, 2.5]);
});

test("rows of no finite value do not spoil their neighbours", () => {
  expect(smoothed([2, Number.NaN, 4], 1, Float64Array.of(1, 0, 1))).toEqual([2, 3, 4]);
});

test("a huge value blurs only its own window", () => {
  expect(smoothed([1e300, 1, 2, 3], 1)[3]).toBe(2.5);
});

test("a constant stays what it is, to the last bit", () => {
  const values = new Float64Array(400).fill(1e-3);
  expect(new Set(smooth(values, new Float64Array(400).fill(1), 12))).toEqual(new Set([1e-3]));
});
