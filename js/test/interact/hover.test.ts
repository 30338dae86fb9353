import { expect, test } from "vitest";
import { hitsAt } from "../../src/interact/hover.ts";
import type { Trace } from "../../src/plot/plot.ts";

const trace = (label: string, ...xs: number[]) =>
  ({ style: { label }, rows: xs.map(x => ({ x, value: x })) }) as unknown as Trace;
const found = (traces: Trace[], x: number) =>
  hitsAt(traces, x).map(({ trace: { style }, row }) => [style.label, row.x]);

test("the pointer snaps to the nearest point of any run, and the others follow", () => {
  expect(found([trace("a", 0, 10, 20), trace("b", 0, 9, 20)], 9.2)).toEqual([
    ["a", 10],
    ["b", 9],
  ]);
});

test("a run that does not reach so far is left out", () => {
  expect(found([trace("a", 0, 10), trace("b", 0, 10, 20, 30)], 29)).toEqual([["b", 30]]);
});

test("beyond the last point, the last point counts", () => {
  expect(found([trace("a", 0, 10)], 400)).toEqual([["a", 10]]);
});

test("nothing drawn, nothing found", () => {
  expect(found([trace("a")], 1)).toEqual([]);
});
