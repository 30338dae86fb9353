// @vitest-environment happy-dom
import { expect, test } from "vitest";
import { latestValues, partLabels } from "../../src/charts/latest-values.ts";
import { Combiner } from "../../src/plot/combined.ts";
import type { Goal } from "../../src/plot/emphasis.ts";
import { styleRuns } from "../../src/plot/palette.ts";
import { type Plot, plotOf } from "../../src/plot/plot.ts";
import { parts, run } from "../fixtures.ts";

function plot(count: number, kind: Plot["kind"] = "line-step", drawn = count, scale = 1): Plot {
  const runs = Array.from({ length: count }, (_, key) =>
    run(key, { state: key === 1 ? "running" : "finished", faded: key === 0 }),
  );
  const traces = [...styleRuns(runs, "light").values()].map(style => ({
    style,
    rows: [],
    latest: style.run.key * scale,
    best: (style.run.key * 7) % 10,
  }));
  return {
    kind,
    log: { x: false, y: false },
    traces,
    rows: Array(drawn).fill({}),
    remarks: [],
    outliers: null,
    smoothing: 0,
    pressed: 0,
  };
}

const texts = (plot: Plot, width: number, goal: Goal = null) =>
  latestValues(plot, { width, title: "m".repeat(100), goal }).map(span => span.textContent);

test("values follow the legend's order, whichever run is current", () => {
  expect(texts(plot(4), 1000)).toEqual(["0", "1", "2", "3"]);
});

test("values that do not fit are counted", () => {
  expect(texts(plot(10), 144)).toEqual(["1", "9", "+8"]);
  expect(texts(plot(10), 10)).toEqual(["1", "+9"]);
});

test("of values that do not all fit, those of the current and the best runs are shown", () => {
  const [smallest, largest] = [texts(plot(10), 284, "min"), texts(plot(10), 284, "max")];
  expect([smallest, largest]).toEqual([
    ["↓ 0", "0", "1", "3", "6", "9", "+5"],
    ["↑ 9", "1", "4", "5", "7", "8", "+5"],
  ]);
});

test("a value has the colour and name of its run", () => {
  const [span] = latestValues(plot(2), { width: 1000, title: "m" });
  expect([span.title, span.style.color]).not.toContain("");
});

test("bar charts have no values in the header", () => {
  expect(texts(plot(4, "bar"), 1000)).toEqual([]);
  expect(texts(plot(14, "bar", 10), 1000)).toEqual(["+4"]);
});

test("without a legend, values include the run names and fit less often", () => {
  const named = latestValues(plot(10), { width: 600, title: "m", named: true });
  expect(named.length).toBeLessThan(latestValues(plot(10), { width: 600, title: "m" }).length);
  expect(named[0].querySelector(".tb-value-name")?.textContent).toBe(named[0].title);
});

test("the best value of all runs comes first, but not that of a lone run that is its latest", () => {
  expect(texts(plot(3), 1000, "max")).toEqual(["↑ 7", "0", "1", "2"]);
  expect(texts(plot(3), 200, "max").some(text => text?.startsWith("↑"))).toBe(false);
});

test("values are compared with the latest value of the baseline", () => {
  const labels = latestValues(plot(3), { width: 1000, title: "m", baseline: "id1" });
  expect(labels.map(label => label.textContent)).toEqual(["0 −1", "1", "2 +1"]);
});

const key = (runs: number, baseline: string, width = 1000, hidden: string[] = []) => {
  const combiner = new Combiner();
  const drawn = plotOf(combiner.combine(parts(runs, hidden), "light"), 300);
  return partLabels(combiner.keys, drawn, { width, title: "loss", baseline });
};
const shown = (labels: HTMLElement[]) => labels.map(({ textContent }) => textContent);

test("the key of a combined chart compares the current run with the baseline, metric by metric", () => {
  const labels = key(3, "id0");
  expect(shown(labels)).toEqual(["train0 +0", "val1 +0"]);
  expect(labels.map(({ title }) => title)).toEqual(["run-2 · train", "run-2 · val"]);
  expect(labels.every(label => label.style.color && label.querySelector(".tb-delta"))).toBe(true);
});

test("where that does not fit, or nothing is compared, the key has the metrics alone", () => {
  for (const labels of [key(3, "id0", 120), key(3, ""), key(3, "id2"), key(3, "id0", 1000, ["id0"])]) {
    expect(shown(labels)).toEqual(["train", "val"]);
    expect(labels.map(label => label.style.color)).toEqual(["", ""]);
    expect(labels[0].querySelector("svg")?.outerHTML).toContain("currentColor");
  }
  expect(shown(key(1, ""))).toEqual(["train0", "val1"]);
});

test("a short name leaves room for more values", () => {
  const long = plot(5, "line-step", 5, 1.2345);
  const fits = (title: string) => latestValues(long, { width: 300, title }).length;
  expect([fits("loss"), fits("a much longer name of a metric")]).toEqual([5, 3]);
});

test("short values fit where long ones do not", () => {
  const shown = (scale: number) => texts(plot(4, "line-step", 4, scale), 244);
  expect(shown(1)).toEqual(["0", "1", "2", "3"]);
  expect(shown(1.2345)).toEqual(["1.234", "3.704", "+2"]);
});
