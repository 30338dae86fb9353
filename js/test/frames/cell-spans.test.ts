import { expect, test } from "vitest";
import { type CellSpans, executionAt } from "../../src/frames/cell-spans.ts";

const told: CellSpans = {
  a: [
    [3, 100, 110],
    [5, 120, 130],
    [6, 130.01, null],
  ],
};

test.each([
  [100, "In [3]"],
  [109.9, "In [3]"],
  [125, "In [5]"],
  [130.005, "In [6]"], // between two cells: the later one, which is more likely
  [1e9, "In [6]"], // still running
])("a point at %d s belongs to %s", (time, name) => {
  expect(executionAt(told, "a", time)).toBe(name);
});

test("rounded times are matched to their cell", () => {
  expect([executionAt(told, "a", 99.99), executionAt(told, "a", 110.01)]).toEqual(["In [3]", "In [3]"]);
});

test.each([
  [told, "a", 115],
  [told, "a", 99],
  [told, "b", 105],
  [told, "__proto__", 105],
  [undefined, "a", 105],
])("unknown executions give an empty label", (origins, run, time) => {
  expect(executionAt(origins, run, time)).toBe("");
});
