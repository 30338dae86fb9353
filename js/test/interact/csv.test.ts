import { expect, test } from "vitest";
import { toCsv } from "../../src/interact/csv.ts";
import type { PlotRow } from "../../src/plot/rows.ts";

const row = (run: string, value: number) => ({ run, step: 7, time: 0.5, value }) as PlotRow;

test("each row has run, step, time and value", () => {
  expect(toCsv([row("a", 0.25), row("b", Number.NaN)])).toBe(
    "run,step,time,value\r\na,7,1970-01-01T00:00:00.500Z,0.25\r\nb,7,1970-01-01T00:00:00.500Z,NaN\r\n",
  );
});

test.each([
  ['say "hi", all', '"say ""hi"", all"'],
  ["two\nlines", '"two\nlines"'],
  ["=1+1", "'=1+1"],
])("a run named %j is written as %s", (name, field) => {
  expect(toCsv([row(name, 1)]).startsWith(`run,step,time,value\r\n${field},7,`)).toBe(true);
});
