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

test.each(["(a*)*b", "(a+)+$", "(?:a|aa)+$", "((a*))*", "(a{2,})*", "(x|y){9,}"])(
  "%s is searched as text",
  text => {
    const { matches, problem } = parseFilter(text);
    expect([matches(`${"a".repeat(5_000)}!`), matches(`val/${text}`)]).toEqual([false, true]);
    expect(problem).toMatch("a repetition of repetitions");
  },
);

test.each(["a*a*a*a*a*b", "(a*)\\1\\1b", ".*.*.*.*x"])("%s takes no time at a long name", text => {
  expect(parseFilter(text).matches("a".repeat(5_000))).toBe(false);
});

test.each([
  ["[(*+)]+loss", "(loss", true],
  ["\\(a*\\)+", "(aa)", true],
  ["(top|acc)-?5", "val/acc-5", true],
  ["a(b|c)d*", "acdd", true],
  ["l.*s.*$", "train/loss", true],
])("%s is an expression as ever", (text, name, matches) => {
  const filter = parseFilter(text);
  expect([filter.matches(name), filter.problem]).toEqual([matches, null]);
});
