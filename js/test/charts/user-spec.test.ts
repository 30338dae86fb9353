// @vitest-environment happy-dom
import { afterEach, expect, test } from "vitest";
import {
  configsOf,
  isComposite,
  readUserCharts,
  type UserChartSpec,
  userChartRows,
  withRunColors,
} from "../../src/charts/user-spec.ts";
import { decodeSeries } from "../../src/frames/decode-series.ts";
import { decodeFrame } from "../../src/frames/protocol.ts";
import widget from "../../src/index.ts";
import { styleRuns } from "../../src/plot/palette.ts";
import type { DrawSettings } from "../../src/plot/plot.ts";
import { FakeModel, frame, run, type SeriesSpec } from "../fixtures.ts";

const spec = { data: { name: "points" }, mark: "point", encoding: {} };
const chart = (name: string, more: Partial<UserChartSpec> = {}): UserChartSpec => ({
  name,
  spec,
  metrics: [],
  key: name,
  ...more,
});

afterEach(() => {
  document.body.replaceChildren();
});

function show(traits: Record<string, unknown>) {
  const el = document.createElement("div");
  document.body.append(el);
  const model = new FakeModel(traits);
  widget.render({ model, el });
  const groups = () =>
    [...el.querySelectorAll<HTMLElement>(".tb-group")].map(group => [
      group.dataset.group,
      [...group.querySelectorAll<HTMLElement>(".tb-chart")].map(one => one.dataset.metric),
    ]);
  return { model, el, groups };
}

function draw(specs: SeriesSpec[], metrics: string[], more: Partial<DrawSettings> = {}) {
  const runs = [run(0), run(1)];
  const { header, data } = decodeFrame(frame(specs, { runs, metrics })) as NonNullable<
    ReturnType<typeof decodeFrame>
  >;
  const settings: DrawSettings = {
    styles: styleRuns(runs, "light"),
    hidden: new Set(),
    smoothing: { amount: 0, kind: "mean" },
    clipOutliers: "never",
    options: {},
    ...more,
  };
  const series = decodeSeries(header.series, data);
  const axes = { x: "step", log: { x: false, y: false }, xSeries: [] };
  const parts = metrics.map((metric, i) => ({
    metric,
    series: series.filter(each => each.metric === i),
    axes,
  }));
  return userChartRows(parts, settings, 512);
}

const METRICS = { keyframe: frame([], { metrics: ["lr", "val/loss"] }) };

test("a user's chart is appended to the group of its name", () => {
  const { groups } = show({ ...METRICS, user_charts: [chart("val/own"), chart("own"), chart("new/own")] });
  expect(groups()).toEqual([
    ["", ["lr", "own"]],
    ["val", ["val/loss", "val/own"]],
    ["new", ["new/own"]],
  ]);
});

test("a user's chart named like a metric replaces its chart", () => {
  const { groups } = show({ ...METRICS, user_charts: [chart("val/loss")] });
  expect(groups()).toEqual([
    ["", ["lr"]],
    ["val", ["val/loss"]],
  ]);
});

test("charts follow the trait", () => {
  const { model, groups } = show({ ...METRICS });
  model.set("user_charts", [chart("own")]);
  expect(groups()[0]).toEqual(["", ["lr", "own"]]);
  model.set("user_charts", []);
  expect(groups()[0]).toEqual(["", ["lr"]]);
});

test("the metric filter applies to users' charts", () => {
  const { groups } = show({ ...METRICS, user_charts: [chart("own")], metric_filter: "own" });
  expect(groups()).toEqual([["", ["own"]]]);
});

test("any chart name is allowed", () => {
  const odd = ["__proto__", "constructor", "<img src=x onerror=alert(1)>", "'\"{{datum.value}}"];
  const { el, groups } = show({ ...METRICS, user_charts: odd.map(name => chart(name)) });
  expect(groups()[0]).toEqual(["", ["lr", ...odd]]);
  expect(el.querySelector("img")).toBeNull();
});

test("rows carry the metric's name and omit hidden runs", () => {
  const specs = [0, 1].flatMap(metric =>
    [0, 1].map(key => ({ run: key, metric, rows: [[0, 0, metric + key]] })),
  );
  const all = draw(specs, ["a", "b"]).map(({ run, metric, value }) => [run, metric, value]);
  expect(all).toHaveLength(4);
  expect(all).toContainEqual(["run-1", "b", 2]);
  const rows = draw(specs, ["a", "b"], { hidden: new Set(["id1"]) });
  expect(rows.map(({ run, metric }) => [run, metric])).toEqual([
    ["run-0", "a"],
    ["run-0", "b"],
  ]);
});

test("the number of rows is limited", () => {
  const rows = Array.from({ length: 1000 }, (_, step) => [step, step, Math.sin(step)]);
  const specs = Array.from({ length: 100 }, (_, metric) => ({ run: 0, metric, rows }));
  const drawn = draw(
    specs,
    specs.map(({ metric }) => `m${metric}`),
  );
  expect(drawn.length).toBeLessThanOrEqual(20_000);
  expect(new Set(drawn.map(({ metric }) => metric)).size).toBe(100);
});

test("composite charts are recognized", () => {
  const composite = (more: Record<string, unknown>) => isComposite(chart("own", { spec: more }));
  expect(composite({ mark: "point", encoding: { x: {} } })).toBe(false);
  expect(composite({ layer: [] })).toBe(false);
  expect(composite({ hconcat: [] })).toBe(true);
  expect(composite({ mark: "point", encoding: { column: {} } })).toBe(true);
});

test("a trait that is not a list gives no charts", () => {
  expect(readUserCharts(undefined).size).toBe(0);
  expect(readUserCharts({}).size).toBe(0);
});

test("runs that are encoded as a colour have those of the board, unless the chart has its own", () => {
  const styles = [
    { label: "a", color: "#11223344" },
    { label: "b", color: "#445566" },
  ];
  const scale = { domain: ["a", "b"], range: ["#112233", "#445566"] };
  const own = { domain: ["a"], range: ["red"] };
  const spec = {
    layer: [
      { mark: "line", encoding: { color: { field: "run", type: "nominal" }, y: { field: "value" } } },
      { mark: "area", encoding: { fill: { field: "run" }, stroke: { field: "run", scale: own } } },
    ],
    datasets: { mine: [{ encoding: { color: { field: "run" } } }] },
  };
  const before = JSON.stringify(spec);
  const [line, area] = withRunColors(spec, styles).layer as { encoding: Record<string, unknown> }[];
  expect(line.encoding.color).toEqual({ field: "run", type: "nominal", scale });
  expect(area.encoding).toEqual({ fill: { field: "run", scale }, stroke: { field: "run", scale: own } });
  expect(withRunColors(spec, styles).datasets).toEqual(spec.datasets);
  expect(JSON.stringify(spec)).toBe(before);
});

test("rows have the group and the nested config of their run", () => {
  const table = {
    runs: [{ id: "id0", config: new Map(Object.entries({ lr: 0.1, "net.width": 64 })) }],
  } as never;
  expect(configsOf(table).get("id0")).toEqual({ lr: 0.1, net: { width: 64 } });
  expect(configsOf(table)).toBe(configsOf(table));
});
