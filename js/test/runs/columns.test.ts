import { expect, test } from "vitest";
import { decodeRunsTable, type TableRun } from "../../src/frames/runs-table.ts";
import { formatConfigValue, RunColumns } from "../../src/runs/columns.ts";
import { table } from "../fixtures.ts";

function columns(runs: Partial<TableRun>[], metrics: string[] = [], drawn: string[] = []) {
  const known = decodeRunsTable(table(runs, metrics, (run, metric) => [run + metric, -1, 9]));
  return { made: new RunColumns(known, known.runs, drawn), entries: known.runs };
}

const ids = (list: readonly { id: string }[]) => list.map(({ id }) => id);

test("the default columns begin with the first metric and the varying config", () => {
  const { made } = columns(
    [{ config: { lr: 0.1, seed: 7 } }, { config: { lr: 0.2, seed: 7 } }],
    ["a", "b", "c", "d", "e"],
  );
  const expected = ["name", "summary.a", "config.lr", "summary.b", "duration", "summary.c", "summary.d"];
  expect(ids(made.shown([]))).toEqual(expected);
});

test("chosen columns follow the name in order, unknown ids are omitted", () => {
  const { made } = columns([{}], ["a"]);
  expect(ids(made.shown(["min.a", "name", "nonsense", "config.x"]))).toEqual(["name", "min.a", "config.x"]);
});

test("all metrics have last, min and max, also those only in the picture", () => {
  const { made } = columns([{}], ["a"], ["live"]);
  expect(ids(made.all())).toEqual(
    expect.arrayContaining(["summary.a", "min.a", "max.a", "summary.live", "min.live", "max.live"]),
  );
});

test("system metrics are not columns", () => {
  const { made } = columns([{}], ["a"], ["@system/cpu %"]);
  expect(made.metrics).toEqual(["a"]);
});

test("names may contain dots, slashes and odd characters", () => {
  const name = "__proto__/a.b <x>";
  const { made, entries } = columns([{ config: { "opt.lr": 3 } }], [name]);
  expect(made.get(`max.${name}`)?.value(entries[0], 0)).toBe(9);
  expect(made.get("config.opt.lr")?.value(entries[0], 0)).toBe(3);
});

test("a summary set by the user replaces the last value", () => {
  const { made, entries } = columns([{ summary: { a: 42 } }, {}], ["a"]);
  expect(entries.map(entry => made.get("summary.a")?.value(entry, 0))).toEqual([42, 1]);
});

test("the duration of a running run grows, of a lost run it is unknown", () => {
  const { made, entries } = columns([
    { started: 100, ended: null, state: "running" },
    { started: 100, ended: 130 },
    { started: 100, ended: null, state: "lost" },
  ]);
  expect(entries.map(entry => made.get("duration")?.value(entry, 160))).toEqual([60, 30, undefined]);
});

test.each([
  [0.003, "0.003"],
  [1e-4, "0.0001"],
  [-0.5, "−0.5"],
  [1e-7, "1e-7"],
  [0.1 + 0.2, "0.3"],
  [128, "128"],
  [true, "true"],
  ["adam", "adam"],
])("config is shown as it was written: %s", (value, text) => {
  expect(formatConfigValue(value)).toBe(text);
});
