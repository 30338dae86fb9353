import { expect, test } from "vitest";
import { assemble } from "../../src/frames/picture.ts";
import { decodeFrame } from "../../src/frames/protocol.ts";
import { decodeRunsTable, runEntries } from "../../src/frames/runs-table.ts";
import { frame, run, table } from "../fixtures.ts";

const picture = (...args: Parameters<typeof frame>) => {
  const made = assemble(decodeFrame(frame(...args)), null, null);
  if (!made) throw new Error("no picture");
  return made;
};
const loss = (key: number, ...values: number[]) => ({
  run: key,
  metric: 0,
  rows: values.map((value, step) => [step, step, value]),
});

test("statistics are read from the kernel's layout", () => {
  const { runs } = decodeRunsTable(table([{}, {}], ["a", "b"], (run, metric) => [run, metric, 9]));
  expect(runs.map(one => one.statistic("last", "b"))).toEqual([0, 1]);
  expect([
    runs[0].statistic("min", "a"),
    runs[1].statistic("min", "b"),
    runs[1].statistic("max", "b"),
  ]).toEqual([0, 1, 9]);
});

test("a metric that was never logged differs from NaN", () => {
  const nan = [Number.NaN, Number.NaN, Number.NaN] as const;
  const { runs } = decodeRunsTable(table([{}, {}], ["a"], run => (run ? nan : undefined)));
  expect([runs[0].statistic("last", "a"), runs[1].statistic("last", "a")]).toEqual([undefined, Number.NaN]);
  expect(runs[0].statistic("last", "no such metric")).toBeUndefined();
});

test("a missing table or another version gives an empty table", () => {
  const other = table([{}]);
  other.header.version = 99;
  for (const trait of [undefined, {}, other])
    expect(decodeRunsTable(trait)).toEqual({ metrics: [], runs: [], omitted: 0, total: 0 });
});

test("config keys may have any name", () => {
  const config = JSON.parse('{"__proto__": 1, "constructor": 2}');
  const [entry] = decodeRunsTable(table([{ config }])).runs;
  expect([...entry.config]).toEqual([
    ["__proto__", 1],
    ["constructor", 2],
  ]);
});

test("drawn runs take their values from the picture, others from the table", () => {
  const known = decodeRunsTable(
    table([{ name: "old name", tags: ["t"], state: "running" }, { name: "undrawn" }], ["loss"], () => [
      5, 1, 9,
    ]),
  );
  const entries = runEntries(known, picture([loss(0, 5, 4)], { runs: [run(0, { name: "new name" })] }));
  expect(entries.map(({ name }) => name)).toEqual(["new name", "undrawn"]);
  expect([entries[0].tags, entries[0].drawn?.key, entries[1].drawn]).toEqual([["t"], 0, null]);
  const figures = entries.map(entry => [entry.statistic("last", "loss"), entry.statistic("min", "loss")]);
  expect(figures).toEqual([
    [4, 1],
    [5, 1],
  ]);
});

test("a run only in the picture is listed in order", () => {
  const known = decodeRunsTable(table([{ id: "a", started: 5 }]));
  const entries = runEntries(
    known,
    picture([loss(0, 3)], { runs: [run(0, { started: 1, state: "finished" })] }),
  );
  expect(entries.map(({ id }) => id)).toEqual(["id0", "a"]);
  expect([entries[0].statistic("last", "loss"), entries[0].statistic("min", "loss")]).toEqual([3, undefined]);
});
