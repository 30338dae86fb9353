import { expect, test } from "vitest";
import { decodeRunsTable } from "../../src/frames/runs-table.ts";
import { columnWidths, moved, pinnedFirst } from "../../src/runs/column-layout.ts";
import { RunColumns } from "../../src/runs/columns.ts";
import { groupSummary } from "../../src/runs/group-summary.ts";
import { table } from "../fixtures.ts";

const known = decodeRunsTable(
  table(
    [
      { config: { lr: 0.1, optimizer: "adam", long: "x".repeat(300) } },
      { config: { lr: 0.123456, optimizer: "adam" } },
      { config: { lr: 0.1, optimizer: "sgd" } },
    ],
    ["val/acc", "train/loss", "lr"],
    (run, metric) => (metric === 2 && run > 0 ? undefined : [run, run - 9.347e-5, run]),
  ),
);
const columns = new RunColumns(known, known.runs, ["val/acc", "train/loss", "lr"]);
const column = (id: string) => columns.byId().get(id) as NonNullable<ReturnType<RunColumns["get"]>>;

test("a column is as wide as its longest number, and texts have a limit", () => {
  const ids = ["name", "config.lr", "min.val/acc", "config.long"];
  const [name, lr, least, long] = columnWidths(ids.map(column), known.runs, 0, false);
  expect(name).toBe(200);
  expect(lr).toBeGreaterThanOrEqual(7.4 * "0.123456".length + 16);
  expect(least).toBeGreaterThanOrEqual(7.4 * "−9.347e-5".length + 16);
  expect(long).toBe(240);
});

test("pinned columns stand beside the names, in their order", () => {
  const shown = ["name", "a", "b", "c"].map(id => ({ id })) as never;
  expect(pinnedFirst(shown, ["c", "b", "gone"]).map(({ id }) => id)).toEqual(["name", "b", "c", "a"]);
});

test("a column moves before another or to the end", () => {
  expect(moved(["a", "b", "c"], "c", "a")).toEqual(["c", "a", "b"]);
  expect(moved(["a", "b", "c"], "a", null)).toEqual(["b", "c", "a"]);
  expect(moved(["a", "b", "c"], "a", "gone")).toEqual(["a", "b", "c"]);
});

test("a group tells mean and best of a metric, and its settings where they are equal", () => {
  const said = (id: string) => groupSummary(column(id), known.runs, 0).text;
  expect(said("summary.val/acc")).toBe("ø 1 ▴ 2");
  expect(said("summary.train/loss")).toBe("ø 1 ▾ 0");
  expect(said("summary.lr")).toBe("ø 0");
  expect(said("config.lr")).toBe("2 values");
  expect(groupSummary(column("config.optimizer"), known.runs.slice(0, 2), 0).text).toBe("adam");
  expect(groupSummary(column("summary.val/acc"), known.runs, 0).title).toBe("mean 1, best 2 of 3 runs");
  expect(groupSummary(column("notes"), known.runs, 0)).toEqual({ text: "", title: "", isNumeric: false });
});
