import { expect, test } from "vitest";
import { formatSetting, joinList, parseSetting, splitList } from "../../src/hosts/setting-text.ts";

test.each([
  ["smoothing", "8", 8],
  ["marks", "true", true],
  ["link_x", "0", false],
  ["y_scale", "log", "log"],
  ["panel", "", ""],
  ["x_axis", "val/acc", "val/acc"],
  ["metric_filter", "", ""],
  ["hidden_runs", "a,b", ["a", "b"]],
  ["hidden_runs", "", []],
  ["chart_height", "0", 0],
] as const)("%s=%s is read by the type of the setting", (name, text, value) => {
  expect(parseSetting(name, text)).toEqual({ value });
});

test.each([
  ["smoothing", "125", 99],
  ["smoothing", "-3", 0],
  ["smoothing", "2.6", 3],
  ["chart_height", "10", 80],
] as const)("%s=%s is moved to the nearest value, with a note", (name, text, value) => {
  const parsed = parseSetting(name, text);
  expect(parsed.value).toBe(value);
  expect(parsed.note).toContain(`not ${text}: ${value} is used`);
});

test.each([
  ["smoothing", "much", "smoothing is a number, not “much”"],
  ["smoothing", "Infinity", "smoothing is a number, not “Infinity”"],
  ["y_scale", "constructor", "y_scale is “linear” or “log”, not “constructor”"],
  ["marks", "yes", "marks is “true” or “false”, not “yes”"],
  ["x_axis", "", "x_axis has no value"],
] as const)("%s=%s is ignored, with a note", (name, text, note) => {
  expect(parseSetting(name, text)).toEqual({ note });
});

test.each([[["a", "b"]], [["loss, mean", "c\\d", " led", "x,"]], [["损失", "a/b"]]])(
  "a list comes back from its text: %j",
  items => {
    expect(splitList(joinList(items))).toEqual(items);
  },
);

test("spaces after commas and empty items are left out", () => {
  expect(splitList("train_loss, val_loss,,")).toEqual(["train_loss", "val_loss"]);
  expect(formatSetting(["a", "b"])).toBe("a,b");
});
