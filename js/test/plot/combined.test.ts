import { expect, test } from "vitest";
import { Combiner, combinedName, combineMetrics, otherSplits, partNames } from "../../src/plot/combined.ts";
import { plotOf } from "../../src/plot/plot.ts";
import { parts } from "../fixtures.ts";

const METRICS = ["lr", "train/loss", "train/acc", "val/loss"];

test("a combined chart stands where the first of its metrics stood", () => {
  const { names, members } = combineMetrics(METRICS, { both: ["*/loss"] }, false);
  expect(names).toEqual(["lr", "both", "train/acc"]);
  expect([...members]).toEqual([["both", ["train/loss", "val/loss"]]]);
});

test("a combined chart of metrics that nobody logged is left out", () => {
  expect(combineMetrics(METRICS, { both: ["gone"] }, false)).toEqual({ names: METRICS, members: new Map() });
});

test("metrics of train and val are combined where that is set, unless the name is taken", () => {
  expect(combineMetrics(METRICS, {}, true).names).toEqual(["lr", "loss", "train/acc"]);
  expect(combineMetrics([...METRICS, "loss"], {}, true).names).toEqual([...METRICS, "loss"]);
});

test("a metric is offered its other splits", () => {
  expect(otherSplits("train/loss", METRICS)).toEqual(["val/loss"]);
  expect(otherSplits("lr", METRICS)).toEqual([]);
  expect(otherSplits("train/acc", METRICS)).toEqual([]);
});

test("a name is what metrics have in common at their end", () => {
  expect(combinedName(["train/a/loss", "val/a/loss"])).toBe("a/loss");
  expect(combinedName(["train/loss", "lr"])).toBe("loss + lr");
  expect(partNames(["train/loss", "val/loss"])).toEqual(["train", "val"]);
  expect(partNames(["train/loss", "lr"])).toEqual(["train/loss", "lr"]);
});

test("each metric of a run is a line, told apart by its dash and named", () => {
  const { traces } = plotOf(new Combiner().combine(parts(2), "light"), 300);
  expect(traces.map(({ style }) => [style.label, style.run.id, style.dash.length > 0])).toEqual([
    ["run-0 · train", "id0", false],
    ["run-0 · val", "id0", true],
    ["run-1 · train", "id1", false],
    ["run-1 · val", "id1", true],
  ]);
  expect(traces.map(({ rows }) => rows.map(({ value }) => value))).toEqual([
    [0, 0, 0],
    [1, 0, 1],
    [0, 10, 0],
    [1, 10, 1],
  ]);
  const colors = traces.map(({ style }) => style.color);
  expect([colors[0] === colors[1], colors[0] === colors[2]]).toEqual([true, false]);
});

test("of a lone run the metrics differ in color too", () => {
  const combiner = new Combiner();
  const { traces } = plotOf(combiner.combine(parts(2, ["id0"]), "light"), 300);
  expect(traces.map(({ style }) => style.label)).toEqual(["train", "val"]);
  expect(traces[0].style.color).not.toBe(traces[1].style.color);
  expect(combiner.keys.map(({ name, color }) => [name, color])).toEqual(
    traces.map(({ style }) => [style.label, style.color]),
  );
});

test("what did not change stays the same object, so that the chart is not drawn again", () => {
  const [combiner, same] = [new Combiner(), parts(2)];
  const [a, b] = [combiner.combine(same, "light"), combiner.combine(same, "light")];
  expect(a.settings).toBe(b.settings);
  expect(a.series.every((series, i) => series === b.series[i])).toBe(true);
});
