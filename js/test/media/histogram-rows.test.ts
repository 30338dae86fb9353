import { expect, test } from "vitest";
import { barRows, heatRows, rebinned } from "../../src/media/histogram-rows.ts";
import { medium } from "../media-fixtures.ts";

const histogram = (step: number, edges: number[], counts: number[]) =>
  medium({ step, kind: "histogram", file: null, about: { edges, counts } });

test("a bar has its run's colour and the ends of its bin", () => {
  const run = { id: "id0", label: "otter", color: "#123456", ink: "" };
  expect(barRows([histogram(9, [0, 1, 3], [5, 2])], [run])).toEqual([
    { from: 0, to: 1, count: 5, run: "otter", step: 9, color: "#123456" },
    { from: 1, to: 3, count: 2, run: "otter", step: 9, color: "#123456" },
  ]);
});

test("counts are spread over the bins that they cover, and none is lost", () => {
  expect(rebinned([0, 2, 4], [4, 8], 0, 1, 4)).toEqual([2, 2, 4, 4]);
  expect(rebinned([0.5, 1.5], [6], 0, 1, 3)).toEqual([3, 3, 0]);
  expect(rebinned([2, 2], [7], 0, 1, 4)).toEqual([0, 0, 7, 0]);
});

test("a heat map has a column for each step, up to the next one", () => {
  const rows = heatRows([histogram(10, [0, 48], [4]), histogram(0, [0, 24], [2])]);
  const first = rows.filter(({ step }) => step === 0);
  expect(first.length).toBe(24);
  expect(new Set(first.map(({ next }) => next))).toEqual(new Set([10]));
  expect(first.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1);
  expect(rows.filter(({ step }) => step === 10).length).toBe(48);
});

test("a histogram without bins draws nothing", () => {
  expect(heatRows([histogram(0, [], [])])).toEqual([]);
  expect(barRows([medium({ kind: "histogram" })], [])).toEqual([]);
});
