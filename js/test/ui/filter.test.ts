import { expect, test } from "vitest";
import { parseFilter } from "../../src/ui/filter.ts";

test("nothing, or blanks, lets everything through", () => {
  expect(parseFilter("  ").matches("anything")).toBe(true);
});

test("text is looked for anywhere, whatever its case", () => {
  const { matches } = parseFilter("LOSS");
  expect([matches("train/loss"), matches("train/acc")]).toEqual([true, false]);
});

test("a regular expression is one", () => {
  const { matches, problem } = parseFilter("^val/.*(acc|f1)$");
  expect([matches("val/acc"), matches("train/acc"), problem]).toEqual([true, false, null]);
});

test("what does not parse is looked for as it stands, and says why", () => {
  const { matches, problem } = parseFilter("acc(top");
  expect([matches("val/acc(top-5)"), matches("val/acc")]).toEqual([true, false]);
  expect(problem).toBe("Searched as text: unterminated group");
});
