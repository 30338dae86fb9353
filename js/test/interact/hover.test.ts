import { expect, test } from "vitest";
import { hitsAt, neighbours } from "../../src/interact/hover.ts";
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
