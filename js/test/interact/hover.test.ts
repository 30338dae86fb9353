// @vitest-environment happy-dom
import { expect, test } from "vitest";
import { changesOf, Hover, hitsAt, neighbours } from "../../src/interact/hover.ts";
import type { Trace } from "../../src/plot/plot.ts";

const trace = (label: string, ...xs: number[]) =>
  ({ style: { label }, rows: xs.map(x => ({ x, value: x })) }) as unknown as Trace;
const found = (traces: Trace[], x: number) =>
  hitsAt(traces, x).map(({ trace: { style }, row }) => [style.label, row.x]);

test("the pointer snaps to the nearest point of any run", () => {
  expect(found([trace("a", 0, 10, 20), trace("b", 0, 9, 20)], 9.2)).toEqual([
    ["a", 10],
    ["b", 9],
  ]);
});

test("runs that do not reach x are omitted", () => {
  expect(found([trace("a", 0, 10), trace("b", 0, 10, 20, 30)], 29)).toEqual([["b", 30]]);
});

test("beyond the last point the last point is used", () => {
  expect(found([trace("a", 0, 10)], 400)).toEqual([["a", 10]]);
});

test("without traces there are no hits", () => {
  expect(found([trace("a")], 1)).toEqual([]);
});

test("of many runs the tooltip lists those around the nearest line", () => {
  const traces = Array.from({ length: 60 }, (_, i) => ({ style: { label: i }, rows: [{ x: 0, value: i }] }));
  const hits = traces.map(each => ({ trace: each, row: each.rows[0] })) as never;
  const around = (i: number) => {
    const { hits: listed, above, below } = neighbours(hits, traces[i] as never);
    return [above, listed.map(({ row }) => row.value), below];
  };
  const down = (from: number) => Array.from({ length: 11 }, (_, i) => from - i);
  expect(around(30)).toEqual([24, down(35), 25]);
  expect(around(59)).toEqual([0, down(59), 49]);
  expect(around(0)).toEqual([49, down(10), 0]);
});

const hit = (id: string, part: number, value: number) =>
  ({ trace: { style: { run: { id, key: part }, label: `${id} ${part}` } }, row: { value } }) as never;
const changes = (hits: never[], baseline: string, count = 1) => {
  const scene = { parts: Array.from({ length: count }), options: { baseline } };
  return [...changesOf(hits, { scene } as never)].map(([{ style }, text]) => [style.label, text]);
};

test("the tooltip has the difference of each value to the baseline's", () => {
  const hits = [hit("a", 0, 1), hit("b", 0, 0.75), hit("c", 0, Number.NaN), hit("d", 0, 1)];
  expect(changes(hits, "a")).toEqual([
    ["a 0", "baseline"],
    ["b 0", "−0.2500"],
    ["d 0", "="],
  ]);
  expect(changes(hits, "")).toEqual([]);
  expect(changes(hits, "gone")).toEqual([]);
});

test("in a combined chart, each metric is compared with that of the baseline", () => {
  const hits = [hit("a", 0, 1), hit("a", 1, 5), hit("b", 0, 3), hit("b", 1, 4)];
  expect(changes(hits, "a", 2)).toEqual([
    ["a 0", "baseline"],
    ["a 1", "baseline"],
    ["b 0", "+2"],
    ["b 1", "−1"],
  ]);
});

test("a tooltip shows the differences beside the values", () => {
  const plotElement = document.createElement("div");
  const traces = ["a", "b"].map((id, i) => ({
    style: { run: { key: i, id }, label: id, color: "#000", dash: [] },
    rows: [{ x: 7, step: 7, value: 1 + i }],
  }));
  const scene = { parts: [{ metric: "loss" }], axes: { x: "step" }, options: { baseline: "a" } };
  const plot = { kind: "bar", rows: [1], traces };
  const [metric, body] = ["loss", document.body];
  const chart = { metric, visible: true, body, scene, plotElement, plot, showCrosshair() {}, highlight() {} };
  const { signal } = new AbortController();
  new Hover(
    document.body,
    () => [chart as never],
    () => "",
    signal,
  ).watch(chart as never);
  plotElement.dispatchEvent(new PointerEvent("pointermove"));
  const lines = [...document.querySelectorAll(".tb-tooltip:not([hidden]) .tb-tip-line")];
  expect(lines.map(line => [...line.children].slice(1).map(({ textContent }) => textContent))).toEqual([
    ["b", "2", "+1"],
    ["a", "1", "baseline"],
  ]);
});

test("a step of media is marked in the charts of training, not in those of the system", () => {
  const marked: unknown[] = [];
  const chart = (metric: string) => ({
    visible: true,
    scene: { parts: [{ metric }] },
    plot: { traces: [{ rows: [{ x: 3, step: 3 }] }] },
    showCrosshair: (x: number | null) => marked.push([metric, x]),
  });
  const charts = [chart("loss"), chart("@system/cpu")] as never[];
  const { signal } = new AbortController();
  new Hover(
    document.body,
    () => charts,
    () => "",
    signal,
  ).mark(3);
  expect(marked).toEqual([
    ["loss", 3],
    ["@system/cpu", null],
  ]);
});

test.each([
  ["loss", 7],
  ["@system/cpu", null],
])("pointing at %s chooses the step %s of media", (metric, chosen) => {
  const chart = {
    metric,
    visible: true,
    body: document.body,
    scene: { parts: [{ metric }], axes: { x: "step" } },
    plotElement: document.createElement("div"),
    plot: {
      kind: "bar",
      rows: [1],
      traces: [
        {
          style: { run: { key: 0, id: "r" }, label: "r", color: "#000", dash: [] },
          rows: [{ x: 7, step: 7 }],
        },
      ],
    },
    showCrosshair: () => {},
    highlight: () => {},
  } as never;
  const hover = new Hover(
    document.body,
    () => [chart],
    () => "",
    new AbortController().signal,
  );
  const steps: unknown[] = [];
  hover.onStep = step => steps.push(step);
  hover.watch(chart);
  (chart as { plotElement: HTMLElement }).plotElement.dispatchEvent(new PointerEvent("pointermove"));
  expect(steps).toEqual([chosen]);
});

test("of a smoothed line the tooltip names the columns of smoothed and of logged values", () => {
  document.body.replaceChildren();
  const plotElement = document.createElement("div");
  const style = { run: { key: 0, id: "a" }, label: "a", color: "#000", dash: [] };
  const plot = {
    kind: "line-step",
    rows: [1],
    smoothing: 8,
    traces: [{ style, rows: [{ x: 7, step: 7, time: 0, value: 0.25, smooth: 0.5 }] }],
  };
  const axis = {
    includes: () => true,
    span: () => [0],
    invert: () => 7,
    at: (value: number) => value,
    start: 0,
  };
  const scene = { parts: [{ metric: "loss" }], axes: { x: "step" }, options: { baseline: "" } };
  const shared = { metric: "loss", visible: true, body: document.body, scene, plotElement, plot };
  const chart = {
    ...shared,
    axes: { x: axis, y: axis },
    drawnValue: () => 0.5,
    showCrosshair() {},
    highlight() {},
  } as never;
  const { signal } = new AbortController();
  new Hover(
    document.body,
    () => [chart],
    () => "",
    signal,
  ).watch(chart);
  plotElement.dispatchEvent(new PointerEvent("pointermove"));
  const texts = [...document.querySelectorAll(".tb-tooltip .tb-tip-line")].map(line =>
    [...line.children].slice(-2).map(({ textContent }) => textContent),
  );
  expect(texts).toEqual([
    ["smoothed", "as logged"],
    ["0.5000", "0.2500"],
  ]);
});
