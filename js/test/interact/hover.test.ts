// @vitest-environment happy-dom
import { expect, test } from "vitest";
import { Hover, hitsAt, neighbours } from "../../src/interact/hover.ts";
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
