// @vitest-environment happy-dom
import { expect, test } from "vitest";
import { positions } from "../../src/compare/compare.ts";
import {
  isNumeric,
  MOST_LINES,
  parallelAxis,
  parallelRows,
  scatterRows,
} from "../../src/compare/compare-rows.ts";
import { comparedRuns, compareTable, configLines, MOST_RUNS, metricLines } from "../../src/compare/tables.ts";
import { decodeRunsTable, type TableRun } from "../../src/frames/runs-table.ts";
import type { RunStyle } from "../../src/plot/plot-rows.ts";
import { formatScalar, type RunColumn, RunColumns } from "../../src/runs/columns.ts";
import { table } from "../fixtures.ts";

function project(runs: Partial<TableRun>[], metrics: string[] = [], values: (number | undefined)[][] = []) {
  const known = decodeRunsTable(
    table(runs, metrics, (run, metric) => {
      const value = values[run]?.[metric];
      return value === undefined ? undefined : [value, value, value];
    }),
  );
  const columns = new RunColumns(known, known.runs, metrics);
  return { entries: known.runs, columns, column: (id: string) => columns.get(id) as RunColumn };
}

const undrawn = { now: 0, styleOf: () => null };
const red = { label: "red", color: "#ff0000", dash: [] } as unknown as RunStyle;

test("differing config comes first", () => {
  const { entries, columns } = project([{ config: { a: 1, b: 1 } }, { config: { a: 1, b: 2 } }]);
  expect(configLines(entries, columns.config).map(({ title, differs }) => [title, differs])).toEqual([
    ["b", true],
    ["a", false],
  ]);
});

test('a key missing in a run differs, and 1 differs from "1"', () => {
  const { entries, columns } = project([{ config: { a: 1, b: 1 } }, { config: { a: "1" } }]);
  expect(configLines(entries, columns.config).map(({ differs }) => differs)).toEqual([true, true]);
});

test("the smallest and largest values are marked, but never NaN", () => {
  const { entries } = project([{}, {}, {}, {}], ["loss"], [[2], [Number.NaN], [1], [2]]);
  const [{ least, most }] = metricLines(entries, ["loss"], "last");
  expect([[...least], [...most]]).toEqual([[2], [0, 3]]);
});

test("equal values are not marked, metrics without values are omitted", () => {
  const { entries } = project([{}, {}], ["loss", "never"], [[1], [1]]);
  const lines = metricLines(entries, ["loss", "never"], "last");
  expect(lines.map(({ title, least }) => [title, least.size])).toEqual([["loss", 0]]);
});

test("marks have labels, and names with markup are shown as text", () => {
  const { entries } = project([{ name: "<b>x</b>" }, {}], ["<i>"], [[1], [2]]);
  const element = compareTable(
    "Last",
    entries,
    () => null,
    metricLines(entries, ["<i>"], "last"),
    formatScalar,
  );
  expect([...element.querySelectorAll("[role=img]")].map(mark => mark.getAttribute("aria-label"))).toEqual([
    "the smallest",
    "the largest",
  ]);
  expect([element.querySelector("b, i"), element.textContent?.includes("<b>x</b>")]).toEqual([null, true]);
});

test("the table shows at most the newest runs", () => {
  const { entries } = project(Array.from({ length: 30 }, (_, i) => ({ id: `r${i}` })));
  const compared = comparedRuns(entries, id => id !== "r29");
  expect([compared.length, compared.at(-1)?.id]).toEqual([MOST_RUNS, "r28"]);
});

test("a scatter plot has the runs with both values, drawn ones on top", () => {
  const { entries, column } = project(
    [{ id: "a", config: { lr: 1 } }, { id: "b", config: { lr: 2 } }, { id: "c", config: { lr: 3 } }, {}],
    ["loss"],
    [[1], [Number.NaN], [3], [4]],
  );
  const styleOf = (id: string) => (id === "a" ? red : null);
  const rows = scatterRows(entries, column("config.lr"), column("summary.loss"), { now: 0, styleOf });
  expect(rows.map(({ x, y, color, drawn }) => [x, y, color, drawn])).toEqual([
    [3, 3, "#8b93a1", false],
    [1, 1, "#ff0000", true],
  ]);
});

test("positions are numbers, logarithms over magnitudes, or ranks of texts", () => {
  const at = (values: (string | number)[], numeric: boolean) =>
    positions(
      values.map(x => ({ x, run: "", color: "", drawn: false, mark: "dot" })),
      "x",
      numeric,
    );
  expect(at([1, 3], true)).toEqual({ at: [1, 3], names: null, log: null });
  expect(at([0.001, 1], true)).toEqual({ at: [-3, 0], names: null, log: true });
  expect(at(["sgd", "adam", "sgd"], false)).toEqual({ at: [1, 0, 1], names: ["adam", "sgd"], log: null });
});

test("numbers mixed with texts make a categorical axis", () => {
  const { entries, column } = project([{ config: { a: 1, b: 1 } }, { config: { a: "x", b: 2 } }]);
  expect(["config.a", "config.b", "config.c"].map(id => isNumeric(column(id), entries, 0))).toEqual([
    false,
    true,
    false,
  ]);
});

test("parallel coordinates range from 0 to 1", () => {
  const { column } = project([]);
  const lr = parallelAxis(column("config.lr"), [1e-4, 1e-2, 1e-3]);
  expect([1e-4, 1e-3, 1e-2].map(value => lr?.place(value).toFixed(3))).toEqual(["0.000", "0.500", "1.000"]);
  const names = parallelAxis(column("config.opt"), ["sgd", "adam", "lion"]);
  expect(names?.ticks).toEqual([
    { at: 0, text: "adam" },
    { at: 0.5, text: "lion" },
    { at: 1, text: "sgd" },
  ]);
  expect(parallelAxis(column("config.seed"), [7, 7])).toBeNull();
});

test("an axis with many names omits labels but not positions", () => {
  const values = Array.from({ length: 50 }, (_, i) => `name ${i}`);
  const axis = parallelAxis(project([]).column("config.x"), values);
  expect(axis?.ticks.length).toBeLessThanOrEqual(8);
  expect(axis?.place("name 49")).toBe(1);
});

test("each run with all values is a line through its positions", () => {
  const { entries, column } = project(
    [
      { id: "a", config: { lr: 1 } },
      { id: "b", config: { lr: 3 } },
      { id: "c", config: {} },
    ],
    ["loss"],
    [[5], [7], [9]],
  );
  const made = parallelRows(entries, [column("config.lr"), column("summary.loss")], undrawn);
  const lines = made.rows.filter(({ mark }) => mark === "line").map(({ run, axis, at }) => [run, axis, at]);
  expect(lines).toEqual([
    ["a", "config.lr", 0],
    ["a", "summary.loss", 0],
    ["b", "config.lr", 1],
    ["b", "summary.loss", 1],
  ]);
  expect(made.runs).toBe(2);
});

test("labels of parallel axes are short, and differ where long values differ at their ends", () => {
  const paths = [0, 1].map(seed => `/mnt/checkpoints/llama-3-8b-instruct/seed-${seed}`);
  const axis = parallelAxis(project([]).column("config.output_dir"), paths);
  expect(axis?.ticks.map(({ text }) => text)).toEqual(["/mnt/c…seed-0", "/mnt/c…seed-1"]);
});

test("the number of parallel lines is limited", () => {
  const runs = Array.from({ length: 2000 }, (_, i) => ({ id: `r${i}`, config: { lr: i } }));
  const { entries, column } = project(runs);
  expect(parallelRows(entries, [column("config.lr"), column("duration")], undrawn).runs).toBe(MOST_LINES);
});
