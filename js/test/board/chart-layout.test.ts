import { expect, test } from "vitest";
import { foldedOfThemselves, isFolded, sectionsOf, titleIn, toggled } from "../../src/board/chart-layout.ts";

const USUAL = {
  prefixes: "auto" as const,
  pinned: [],
  chart_order: [],
  chart_groups: {},
  group_order: [],
};
const layers = (count: number) =>
  Array.from({ length: count }, (_, i) => [
    `model/layers/${i}/mlp/norm`,
    `model/layers/${i}/attn/norm`,
  ]).flat();
const shape = (names: string[], more: Partial<Parameters<typeof sectionsOf>[1]> = {}) =>
  sectionsOf(names, { ...USUAL, ...more }).map(({ label, depth, charts }) => [label, depth, charts.length]);

test("metrics are grouped by their first prefix, the default group first", () => {
  expect(shape(["train/loss", "lr", "train/acc"])).toEqual([
    ["metrics", 0, 1],
    ["train", 0, 2],
  ]);
});

test("a group of many charts has levels for its further prefixes", () => {
  const few = layers(3);
  expect(shape(few)).toEqual([["model", 0, 6]]);
  expect(shape([...layers(8), "model/loss"])).toEqual([
    ["model", 0, 1],
    ["layers", 1, 0],
    ...Array.from({ length: 8 }, (_, i) => [String(i), 2, 2]),
  ]);
});

test("a level that has nothing but another is joined with it, and a level of one chart dissolved", () => {
  expect(shape(["model/a/b/x", "model/a/b/y", "model/a/c/z"], { prefixes: "all" })).toEqual([
    ["model/a", 0, 1],
    ["b", 1, 2],
  ]);
});

test("every prefix, the first, or all before the last slash can be chosen", () => {
  const names = ["m/a/x", "m/a/y", "m/b/x", "m/b/y"];
  expect(shape(names, { prefixes: "first" })).toEqual([["m", 0, 4]]);
  expect(shape(names, { prefixes: "last" })).toEqual([
    ["m/a", 0, 2],
    ["m/b", 0, 2],
  ]);
  expect(shape(names, { prefixes: "all" })).toEqual([
    ["m", 0, 0],
    ["a", 1, 2],
    ["b", 1, 2],
  ]);
});

test("a group knows how many charts its levels have", () => {
  const [model] = sectionsOf(layers(8), USUAL);
  expect([model.label, model.count]).toEqual(["model/layers", 16]);
});

test("pinned charts stand on top, in the order in which they were pinned, and only there", () => {
  const sections = sectionsOf(["a/x", "b/y", "b/z"], { ...USUAL, pinned: ["b/z", "gone", "a/x"] });
  expect(sections.map(({ key, charts }) => [key, charts])).toEqual([
    ["@pinned", ["b/z", "a/x"]],
    ["b", ["b/y"]],
  ]);
});

test("charts follow the chosen order within their groups, and stand in a group that was chosen", () => {
  const settings = { ...USUAL, chart_order: ["a/z", "b/y", "a/x"], chart_groups: { "b/y": "a" } };
  expect(sectionsOf(["a/x", "a/w", "a/z", "b/y"], settings).map(({ charts }) => charts)).toEqual([
    ["a/z", "b/y", "a/x", "a/w"],
  ]);
});

test("a title leaves out the prefix of its group only", () => {
  expect(titleIn("model/layers/3/norm", { key: "model/layers/3" })).toBe("norm");
  expect(titleIn("val/loss", { key: "train" })).toBe("val/loss");
  expect(titleIn("loss", { key: "" })).toBe("loss");
});

test("from 40 charts on all groups but the first fold, and what surrounds that one stays open", () => {
  const many = (groups: number, each: number) =>
    Array.from({ length: groups * each }, (_, i) => `g${Math.floor(i / each)}/${i}`);
  const folded = (names: string[]) => [...foldedOfThemselves(sectionsOf(names, USUAL))];
  expect(folded(many(3, 13))).toEqual([]);
  expect(folded(many(4, 10))).toEqual(["g1", "g2", "g3"]);
  const nested = sectionsOf([...layers(20), "loss/x"], { ...USUAL, group_order: ["model"] });
  const itself = foldedOfThemselves(nested);
  expect(nested.filter(({ key }) => !itself.has(key)).map(({ key }) => key)).toEqual([
    "model/layers",
    "model/layers/0",
    "loss",
  ]);
});

test("small groups that fit beside the first stay open on a board of many charts", () => {
  const names = (group: string, count: number) => Array.from({ length: count }, (_, i) => `${group}/m${i}`);
  const all = [
    ...names("train", 2),
    ...names("layers", 36),
    ...names("samples", 3),
    ...names("eval", 8),
    ...names("media", 7),
  ];
  const folded = sectionsOf(all, USUAL).filter(({ key }) =>
    foldedOfThemselves(sectionsOf(all, USUAL)).has(key),
  );
  expect(folded.filter(({ depth }) => !depth).map(({ key }) => key)).toEqual(["layers", "eval"]);
});

test("folding is remembered against what folds by itself", () => {
  const itself = new Set(["b"]);
  let folding = { collapsed: [] as readonly string[], expanded: [] as readonly string[] } as never as {
    collapsed: string[];
    expanded: string[];
  };
  expect([isFolded("a", folding, itself), isFolded("b", folding, itself)]).toEqual([false, true]);
  for (const key of ["a", "b"]) folding = toggled(key, folding, itself);
  expect(folding).toEqual({ collapsed: ["a"], expanded: ["b"] });
  for (const key of ["a", "b"]) folding = toggled(key, folding, itself);
  expect(folding).toEqual({ collapsed: [], expanded: [] });
  expect(isFolded("b", { collapsed: ["b"], expanded: ["b"] }, itself)).toBe(true);
});
