import { expect, test } from "vitest";
import { hitsAt } from "../../src/interact/hover.ts";
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
