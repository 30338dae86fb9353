import { expect, test } from "vitest";
import type { Picture } from "../../src/frames/picture.ts";
import { double, type Series } from "../../src/frames/series.ts";
import { axesOnly, valueAtStep, xAxisOf } from "../../src/plot/x-axis.ts";

function points(steps: number[], values: number[]): Series {
  const [step, value] = [Float64Array.from(steps), Float64Array.from(values)];
  return {
    kind: "points",
    run: 0,
    metric: 0,
    width: 1,
    rows: steps.length,
    columns: { step, time: step, value },
  };
}

test("at a step, the last logged value is used", () => {
  const at = valueAtStep(points([2, 5], [10, 20]));
  expect([1, 2, 4, 5, 99].map(at)).toEqual([Number.NaN, 10, 10, 20, 20]);
});

test("non-finite values are skipped", () => {
  expect(valueAtStep(points([0, 1], [10, Number.NaN]))(1)).toBe(10);
});

test("in and between buckets the value is interpolated", () => {
  const at = valueAtStep(double(points([0, 1, 2, 3], [0, 2, 4, 6])));
  expect([0, 0.5, 1, 1.5, 3].map(at)).toEqual([0, 1, 2, 3, 6]);
});

const DEFINED = [
  { glob: "val/*", x: "epoch" },
  { glob: "val/lo*s", x: "tokens" },
  { glob: "val/acc", x: "seen" },
  { glob: "a.c", x: "dots" },
];

test.each([
  ["val/f1", "step", "epoch"],
  ["@system/cpu %", "step", "relative"],
  ["@system/cpu %", "epoch", "relative"],
  ["@system/cpu %", "time", "time"],
  ["val/loss", "step", "tokens"],
  ["val/acc", "step", "seen"],
  ["abc", "step", "step"],
  ["train/val/f1", "step", "step"],
  ["val/f1", "time", "time"],
])("%s with the x axis %s is drawn over %s", (metric, chosen, x) => {
  expect(xAxisOf(metric, chosen, DEFINED)).toBe(x);
});

test("a metric that others are drawn over is an axis only", () => {
  const runs = [{ defined: [["val/*", "epoch"]] }] as unknown as Picture["runs"];
  expect([...axesOnly({ runs, metrics: ["loss", "epoch", "val/acc"] })]).toEqual(["epoch"]);
  expect([...axesOnly({ runs, metrics: ["loss", "epoch"] })]).toEqual([]);
});
