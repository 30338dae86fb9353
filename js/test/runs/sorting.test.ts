import { expect, test } from "vitest";
import { decodeRunsTable, type TableRun } from "../../src/frames/runs-table.ts";
import { RunColumns } from "../../src/runs/columns.ts";
import { groupOf, groupRuns, parseSort, sortRuns } from "../../src/runs/sorting.ts";
import { table } from "../fixtures.ts";

type Figures = Parameters<typeof table>[2];

function project(runs: Partial<TableRun>[], metrics: string[] = [], figures?: Figures) {
  const known = decodeRunsTable(table(runs, metrics, figures));
  const columns = new RunColumns(known, known.runs, metrics);
  return {
    entries: known.runs,
    sorted: (by: string) => sortRuns(known.runs, by, columns, 1000).map(({ name }) => name),
  };
}

const names = (entries: readonly { name: string }[]) => entries.map(({ name }) => name);

test("by default the newest run comes first", () => {
  expect(project([{ name: "a" }, { name: "b" }]).sorted("")).toEqual(["b", "a"]);
  expect(parseSort("-")).toEqual(parseSort(""));
});

test("names sort naturally", () => {
  const { sorted } = project([{ name: "run 10" }, { name: "run 2" }, { name: "Run 1" }]);
  expect(sorted("name")).toEqual(["Run 1", "run 2", "run 10"]);
  expect(sorted("-name")).toEqual(["run 10", "run 2", "Run 1"]);
});

test("missing values come last in both directions, after NaN", () => {
  const values = [3, undefined, Number.NaN, 1];
  const { sorted } = project(
    ["three", "missing", "nan", "one"].map(name => ({ name })),
    ["loss"],
    run => (values[run] === undefined ? undefined : [values[run], values[run], values[run]]),
  );
  expect(sorted("summary.loss")).toEqual(["one", "three", "nan", "missing"]);
  expect(sorted("-summary.loss")).toEqual(["three", "one", "nan", "missing"]);
});

test("numbers sort before texts", () => {
  const { sorted } = project([
    { name: "text", config: { x: "a" } },
    { name: "ten", config: { x: 10 } },
    { name: "nine", config: { x: 9 } },
    { name: "none" },
  ]);
  expect(sorted("config.x")).toEqual(["nine", "ten", "text", "none"]);
});

test("an unknown column keeps the order", () => {
  expect(project([{ name: "b" }, { name: "a" }]).sorted("nonsense")).toEqual(["b", "a"]);
});

test("groups are sorted by value, runs without one come last", () => {
  const { entries } = project([
    { name: "a", config: { lr: 0.1 } },
    { name: "b" },
    { name: "c", config: { lr: 0.01 } },
    { name: "d", config: { lr: 0.1 } },
  ]);
  const groups = groupRuns(entries, "config.lr").map(({ label, members }) => [label, names(members)]);
  expect(groups).toEqual([
    ["lr 0.01", ["c"]],
    ["lr 0.1", ["a", "d"]],
    ["no lr", ["b"]],
  ]);
});

test("a number and the equal text are separate groups", () => {
  const of = (value: string | number) =>
    groupOf({ group: null, config: new Map([["x", value]]) }, "config.x");
  expect(of(1).key).not.toBe(of("1").key);
  expect([of("adam").label, of(1).label]).toEqual(["adam", "x 1"]);
});
