// @vitest-environment happy-dom
import { expect, test } from "vitest";
import { decodeRunsTable } from "../../src/frames/runs-table.ts";
import { RunColumns } from "../../src/runs/columns.ts";
import { RunRow } from "../../src/runs/row.ts";
import { durationOf, lastSeen } from "../../src/runs/run-state.ts";
import { table } from "../fixtures.ts";

const NOW = 20_000;
const UNSEEN = { state: "running", started: 1_000, ended: null, seen: NOW - 3 * 3600 } as const;

test("a running run whose process is not seen says since when", () => {
  expect(lastSeen(UNSEEN, NOW)).toBe("running, last seen 3 h ago");
  expect(lastSeen({ ...UNSEEN, seen: null }, NOW)).toBe("");
  expect(lastSeen({ state: "running" }, NOW)).toBe("");
  expect(lastSeen({ ...UNSEEN, state: "finished" }, NOW)).toBe("");
});

test("its duration ends when it was last seen", () => {
  expect(durationOf(UNSEEN, NOW)).toBe(NOW - 3 * 3600 - 1_000);
  expect(durationOf({ ...UNSEEN, seen: null }, NOW)).toBe(NOW - 1_000);
});

test("its row and its state column say so; it is filtered and sorted as running", () => {
  const known = decodeRunsTable(table([UNSEEN], [], () => [0, 0, 0]));
  const columns = new RunColumns(known, known.runs, []).shown(["state"]);
  const row = new RunRow("r");
  row.update(known.runs[0], 0, { columns, now: NOW, shown: false, active: false, style: null, pins: [] });
  expect(row.element.querySelector(".tb-state")?.getAttribute("aria-label")).toBe(
    "running, last seen 3 h ago",
  );
  expect(row.element.querySelector(".tb-runs-cell:last-child")?.textContent).toBe(
    "running, last seen 3 h ago",
  );
  expect(columns[1].value(known.runs[0], NOW)).toBe("running");
});
