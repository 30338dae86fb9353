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
  [
    "y_ranges",
    "train/loss:0:2.5,acc::1,lr:1e-6:",
    { "train/loss": [0, 2.5], acc: [null, 1], lr: [1e-6, null] },
  ],
  ["reference_lines", "acc:0.9:0.95, loss:-1", { acc: [0.9, 0.95], loss: [-1] }],
  ["chart_groups", "loss:a\\:b\\,c", { loss: "a:b,c" }],
  ["chart_sizes", "loss:2x1", { loss: "2x1" }],
  ["y_scales", "loss:log,acc:linear", { loss: "log", acc: "linear" }],
  ["combined", "losses:train/loss:val/loss", { losses: ["train/loss", "val/loss"] }],
  ["run_colors", "a1:#2347d9", { a1: "#2347d9" }],
  ["run_colors", "", {}],
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

test.each([
  ["y_ranges", "loss:2:1", {}],
  ["y_ranges", "loss::", {}],
  ["y_ranges", "loss:1", {}],
  ["y_ranges", "loss:0:1:2", {}],
  ["y_ranges", "acc:0:1,loss:a:1", { acc: [0, 1] }],
  ["reference_lines", "loss:", {}],
  ["reference_lines", "loss:Infinity", {}],
  ["chart_sizes", "loss:9x9", {}],
  ["y_scales", "loss:sqrt", {}],
  ["chart_groups", "loss", {}],
  ["run_colors", "a:red", {}],
  ["run_colors", "a:#123456\n", {}],
] as const)("an entry of %s=%s that cannot be is left out, with a note", (name, text, value) => {
  const parsed = parseSetting(name, text);
  expect(parsed.value).toEqual(value);
  expect(parsed.note).toMatch(/^\w+ has entries like “.+”, unlike “/);
});

test.each([
  [{ "train/loss": [0, null], "a:b,c\\d": [-1.5e-7, 3e21] }],
  [{ losses: ["a:b", "c,d", " e ", "\\"], none: [], __proto__x: ["f"] }],
  [{ " led": "损失", "x:": "y\n:z" }],
])("a mapping comes back from its text: %j", mapping => {
  const name = "losses" in mapping ? "combined" : "train/loss" in mapping ? "y_ranges" : "chart_groups";
  expect(parseSetting(name, formatSetting(mapping))).toEqual({ value: mapping });
});

test("spaces after commas and empty items are left out", () => {
  expect(splitList("train_loss, val_loss,,")).toEqual(["train_loss", "val_loss"]);
  expect(formatSetting(["a", "b"])).toBe("a,b");
});
