import { expect, test } from "vitest";
import { importances } from "../../src/compare/importance.ts";
import { decodeRunsTable } from "../../src/frames/runs-table.ts";
import { RunColumns } from "../../src/runs/columns.ts";
import { table } from "../fixtures.ts";

function generator(seed: number) {
  let state = seed;
  return () => {
    state = (state * 1103515245 + 12345) % 2147483648;
    return state / 2147483648;
  };
}

/** A sweep whose result depends on lr (with an optimum in its middle) and a little on the optimizer, but not on the seed. */
function sweep(count: number) {
  const random = generator(3);
  const runs = Array.from({ length: count }, (_, i) => {
    const lr = random();
    const optimizer = ["adam", "sgd", "lion"][i % 3];
    const result = -((lr - 0.5) ** 2) + 0.02 * (optimizer === "adam" ? 1 : 0) + 0.005 * random();
    return { config: { lr, optimizer, width: 32 * (1 + (i % 4)), seed: random() }, result };
  });
  const known = decodeRunsTable(table(runs, ["acc"], run => [runs[run].result, 0, 0]));
  const columns = new RunColumns(known, known.runs, ["acc"]);
  return {
    entries: known.runs,
    columns,
    get: (id: string) => columns.get(id) as NonNullable<ReturnType<RunColumns["get"]>>,
  };
}

test("the key that decides comes first, also where its best value is in the middle", () => {
  const { entries, get } = sweep(120);
  const keys = ["seed", "width", "optimizer", "lr"].map(key => get(`config.${key}`));
  const found = importances(keys, get("summary.acc"), entries, 0);
  expect(found[0].column.title).toBe("lr");
  expect(found[0].share).toBeGreaterThan(0.6);
  const shares = Object.fromEntries(found.map(({ column, share }) => [column.title, share]));
  expect(shares.seed).toBeLessThan(0.1);
  expect(shares.width).toBeLessThan(0.1);
});

test("a key that the result follows explains all of it, with its direction", () => {
  const runs = Array.from({ length: 40 }, (_, i) => ({
    config: { up: i, down: -i, kind: i < 20 ? "a" : "b" },
  }));
  const known = decodeRunsTable(table(runs, ["acc"], run => [run, 0, 0]));
  const columns = new RunColumns(known, known.runs, ["acc"]);
  const get = (id: string) => columns.get(id) as never;
  const [up, down, kind] = ["up", "down", "kind"].map(
    key => importances([get(`config.${key}`)], get("summary.acc"), known.runs, 0)[0],
  );
  expect([up.correlation, down.correlation]).toEqual([1, -1].map(one => expect.closeTo(one, 10)));
  expect(up.share).toBeGreaterThan(0.9);
  expect(kind.share).toBeGreaterThan(0.7);
  expect(kind.correlation).toBeNaN();
});

test("few runs, and runs without a result, say nothing", () => {
  const { entries, get } = sweep(4);
  expect(importances([get("config.lr")], get("summary.acc"), entries, 0)).toEqual([]);
  expect(importances([get("config.lr")], get("summary.other"), sweep(40).entries, 0)).toEqual([]);
});
