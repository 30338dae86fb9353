import { expect, test } from "vitest";
import { globMatches, groupMetrics, splitMetric } from "../src/metrics.ts";

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

test("a glob's star matches any text, other characters themselves", () => {
  expect(globMatches("val/*", "val/a/b")).toBe(true);
  expect(globMatches("*", "a\nb")).toBe(true);
  expect(globMatches("a.c[0]?", "a.c[0]?")).toBe(true);
  expect(globMatches("a.c", "abc")).toBe(false);
});
