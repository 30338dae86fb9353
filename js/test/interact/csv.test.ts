import { expect, test, vi } from "vitest";
import type { Requests } from "../../src/frames/requests.ts";
import { allPoints, toCsv } from "../../src/interact/csv.ts";
import type { PlotRow, RunStyle } from "../../src/plot/plot-rows.ts";

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

test("all points come from the kernel, run by run", async () => {
  const data = new DataView(Float64Array.from([0, 10, 0, 1, 2, 3, 0.5, 0.25, Number.NaN]).buffer);
  const asked = vi.fn(async () => ({ content: { rows: [2, 1] }, buffers: [data] }));
  const styles = ["a", "b"].map(label => ({ label, run: { id: `id ${label}` } })) as unknown as RunStyle[];
  const rows = await allPoints({ ask: asked } as unknown as Requests, "loss", styles, () => {});
  expect(asked).toHaveBeenCalledWith(
    "points",
    { metric: "loss", runs: ["id a", "id b"] },
    expect.any(Function),
  );
  expect(rows).toEqual([
    { run: "a", step: 0, time: 1, value: 0.5 },
    { run: "a", step: 10, time: 2, value: 0.25 },
    { run: "b", step: 0, time: 3, value: Number.NaN },
  ]);
});
