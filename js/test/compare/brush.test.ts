import { expect, test } from "vitest";
import { brushedRows } from "../../src/compare/brush.ts";
import { type CompareRow, UNDRAWN_COLOR } from "../../src/compare/compare-rows.ts";
import { PALETTE, rampColor } from "../../src/plot/palette.ts";

const line = (run: string, ...places: number[]): CompareRow[] =>
  places.map((at, index) => ({ run, axis: `axis${index}`, index, at, mark: "line", color: "", drawn: true }));
const rows = [...line("bad", 0.9, 0), ...line("best", 0.1, 1), ...line("good", 0.2, 0.8)];

test("lines are coloured by the last axis, the best on top", () => {
  const { rows: drawn, inside } = brushedRows(rows, new Map(), "light");
  expect(inside).toBe(3);
  expect(drawn.map(({ run }) => run)).toEqual(["bad", "bad", "good", "good", "best", "best"]);
  expect([drawn[0].color, drawn[4].color]).toEqual([PALETTE.light.ramp[0], PALETTE.light.ramp[4]]);
});

test("lines outside of a range are grey and behind", () => {
  const { rows: drawn, inside } = brushedRows(rows, new Map([["axis0", [0.15, 0.5]]]), "dark");
  expect(inside).toBe(1);
  expect(drawn.filter(row => row.drawn).map(({ run }) => run)).toEqual(["good", "good"]);
  expect(drawn.at(-1)?.run).toBe("good");
  expect(new Set(drawn.filter(row => !row.drawn).map(({ color }) => color))).toEqual(
    new Set([UNDRAWN_COLOR]),
  );
});

test("ranges of several axes hold together", () => {
  const ranges = new Map([
    ["axis0", [0, 0.5]],
    ["axis1", [0.9, 1]],
  ] as const);
  expect(brushedRows(rows, ranges, "light").inside).toBe(1);
});

test("ticks keep their look and stay behind", () => {
  const tick: CompareRow = { run: "", axis: "axis0", at: 1, mark: "tick", color: "", drawn: false };
  expect(brushedRows([...rows, tick], new Map(), "light").rows[0]).toEqual(tick);
});

test("the ramp goes from its first to its last colour, and no further", () => {
  const { ramp } = PALETTE.dark;
  expect([-1, 0, 0.25, 1, 2].map(share => rampColor(share, "dark"))).toEqual([
    ramp[0],
    ramp[0],
    ramp[1],
    ramp[4],
    ramp[4],
  ]);
});
