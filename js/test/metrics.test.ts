import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { globMatches, goalByName, groupMetrics, splitMetric } from "../src/metrics.ts";

test.each([
  ["loss", "", "loss"],
  ["train/loss", "train", "loss"],
  ["a/b/c", "a", "b/c"],
  ["/odd", "", "odd"],
  ["odd/", "odd", "odd/"],
])("%s is in the group %j with the short name %s", (metric, group, short) => {
  expect(splitMetric(metric)).toEqual({ group, short });
});

test("groups keep the order of their first metric, the default group first", () => {
  const grouped = groupMetrics(["val/acc", "__proto__/x", "loss", "val/f1", "constructor"]);
  expect([...grouped]).toEqual([
    ["", ["loss", "constructor"]],
    ["val", ["val/acc", "val/f1"]],
    ["__proto__", ["__proto__/x"]],
  ]);
});

const globs: [glob: string, name: string, matches: boolean][] = JSON.parse(
  readFileSync(new URL("../../tests/golden/matching/globs.json", import.meta.url), "utf8"),
);

test.each(globs)("glob %j and name %j: %s", (glob, name, matches) => {
  expect(globMatches(glob, name)).toBe(matches);
});

test("a glob of many stars takes no time", () => {
  const hostile = `${"*a".repeat(5_000)}*b`;
  expect(globMatches(hostile, "a".repeat(10_000))).toBe(false);
  expect(globMatches(hostile, `${"a".repeat(10_000)}b`)).toBe(true);
});

const goals: [metric: string, goal: string | null][] = JSON.parse(
  readFileSync(new URL("../../tests/golden/matching/goals.json", import.meta.url), "utf8"),
);

test.each(goals)("the best values of %s are its %s", (metric, goal) => {
  expect(goalByName(metric)).toBe(goal);
});
