import { expect, test } from "vitest";
import { parseFilter } from "../../src/ui/filter.ts";

test("an empty or blank filter matches everything", () => {
  expect(parseFilter("  ").matches("anything")).toBe(true);
});

test("text matches anywhere, ignoring case", () => {
  const { matches } = parseFilter("LOSS");
  expect([matches("train/loss"), matches("train/acc")]).toEqual([true, false]);
});

test("a regular expression matches as such", () => {
  const { matches, problem } = parseFilter("^val/.*(acc|f1)$");
  expect([matches("val/acc"), matches("train/acc"), problem]).toEqual([true, false, null]);
});

test("an invalid expression is searched as text, with the reason", () => {
  const { matches, problem } = parseFilter("acc(top");
  expect([matches("val/acc(top-5)"), matches("val/acc")]).toEqual([true, false]);
  expect(problem).toBe("Searched as text: unterminated group");
});
