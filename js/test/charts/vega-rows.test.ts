import { expect, test } from "vitest";
import { VegaRows } from "../../src/charts/vega-rows.ts";

const row = (run: string, x: number, more: object = {}) => ({
  run,
  x,
  color: "red",
  dash: [],
  mark: "line",
  part: 0,
  ...more,
});

/** A dataset that applies changes as Vega's does. */
function dataset() {
  const [held, rows] = [new VegaRows(), new Set<object>()];
  const become = (wanted: ReturnType<typeof row>[]) => {
    const { added, removed } = held.update(wanted);
    for (const each of removed ?? [...rows]) expect(rows.delete(each)).toBe(true);
    for (const each of added) rows.add(each);
    expect([...rows].map(each => JSON.stringify(each)).sort()).toEqual(
      wanted.map(each => JSON.stringify(each)).sort(),
    );
    return { added: added.length, removed: removed?.length ?? null };
  };
  return { held, become };
}

test("rows of an unchanged number are overwritten", () => {
  const { become } = dataset();
  expect(become([row("a", 0), row("a", 1), row("b", 0)])).toEqual({ added: 3, removed: null });
  expect(become([row("a", 5), row("a", 6), row("b", 7)])).toEqual({ added: 0, removed: 0 });
});

test("growing lines add rows, shrinking or missing lines remove them", () => {
  const { become } = dataset();
  become([row("a", 0), row("b", 0), row("b", 1)]);
  expect(become([row("a", 0), row("a", 1), row("b", 0)])).toEqual({ added: 1, removed: 1 });
  expect(become([row("b", 3)])).toEqual({ added: 0, removed: 2 });
});

test("another colour or mark makes another line", () => {
  const { become } = dataset();
  become([row("a", 0), row("a", 1)]);
  expect(become([row("a", 0, { color: "blue" })])).toEqual({ added: 1, removed: 2 });
  expect(become([row("a", 0, { color: "blue", mark: "NaN" })])).toEqual({ added: 1, removed: 1 });
});

test("a row loses its band", () => {
  const { become } = dataset();
  become([row("a", 0, { low: 1, high: 2 }), row("a", 1)]);
  expect(become([row("a", 0), row("a", 1, { low: 2, high: 3 })])).toEqual({ added: 0, removed: 0 });
  expect(become([row("a", 0), row("a", 1)])).toEqual({ added: 1, removed: 1 });
});

test("held rows are copies of the given rows", () => {
  const [held, mine] = [new VegaRows(), row("a", 0)];
  const { added } = held.update([mine]);
  held.update([row("a", 9)]);
  expect([mine.x, added]).toEqual([0, [row("a", 9)]]);
});

test("after a failure all rows are inserted again", () => {
  const { held, become } = dataset();
  become([row("a", 0)]);
  held.forget();
  expect(become([row("a", 1)])).toEqual({ added: 1, removed: null });
});
