import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { decodeRunsTable, type TableRun } from "../../src/frames/runs-table.ts";
import { RunColumns } from "../../src/runs/columns.ts";
import { passing } from "../../src/runs/filter-field.ts";
import { completeFilter } from "../../src/runs/filter-names.ts";
import { FilterProblem, parseRunFilter } from "../../src/runs/run-filter.ts";
import { table } from "../fixtures.ts";

const RUNS: Partial<TableRun>[] = [
  { name: "a", config: { lr: 0.1, optimizer: "adam", "net.width": 64, "my key": 1 }, tags: ["base", "x"] },
  { name: "b", config: { lr: 0.01, optimizer: "sgd", "net.width": 128 }, state: "failed", group: "g" },
  { name: "c", config: { lr: 1e-3, optimizer: "Adam", "net.width": 256, bias: true }, notes: "a = b" },
  { name: "d", config: { optimizer: "adam (amsgrad)" }, ended: 3 + 7200 },
  { name: "lr=0.1", config: { layers: "[1, 2]" } },
];
const LAST = [0.5, 0.9, Number.NaN, 0.7];
const known = decodeRunsTable(
  table(RUNS, ["val/acc", "odd name"], (run, metric) =>
    metric === 0 && run < LAST.length ? [LAST[run], 0.1 * run, LAST[run] + 0.05] : undefined,
  ),
);
const columns = new RunColumns(known, known.runs, ["val/acc", "odd name"]);

const found = (text: string) =>
  passing(known.runs, parseRunFilter(text, columns), 10_000).map(({ name }) => name);

describe("expressions", () => {
  test.each([
    ["lr > 0.01", ["a"]],
    ["lr>=0.01", ["a", "b"]],
    ["lr > 0.01 and optimizer = adam", ["a"]],
    ["optimizer = adam", ["a", "c"]],
    ["optimizer == 'adam (amsgrad)'", ["d"]],
    ["optimizer != adam", ["b", "d", "lr=0.1"]],
    ["optimizer ~ adam", ["a", "c", "d"]],
    ["optimizer !~ adam", ["b", "lr=0.1"]],
    ["optimizer ~ '^a.*am$'", ["a", "c"]],
    ["lr = 1e-3 or lr = .1", ["a", "c"]],
    ["lr < 0.1 and optimizer = sgd or lr = 0.1", ["a", "b"]],
    ["lr < 0.1 and (optimizer = sgd or lr = 0.1)", ["b"]],
    ["not lr > 0.01", ["b", "c", "d", "lr=0.1"]],
    ["not (lr > 0.01 or lr < 0.01)", ["b", "d", "lr=0.1"]],
    ["lr = none", ["d", "lr=0.1"]],
    ["lr != none", ["a", "b", "c"]],
    ["lr in (0.1, 0.001)", ["a", "c"]],
    ["lr not in (0.1, 0.001)", ["b", "d", "lr=0.1"]],
    ["optimizer in (SGD, 'adam (amsgrad)')", ["b", "d"]],
    ["width >= 128", ["b", "c"]],
    ["net.width = 64", ["a"]],
    ["config.net.width = 64", ["a"]],
    ["bias = true", ["c"]],
    ["'my key' = 1", ["a"]],
    ["val/acc > 0.6", ["b", "d"]],
    ["val/acc = nan", ["c"]],
    ["val/acc >= 0", ["a", "b", "d"]],
    ["max.val/acc > 0.9", ["b"]],
    ["max(val/acc) > 0.9", ["b"]],
    ["max val/acc > 0.9", ["b"]],
    ["min(val/acc) < 0.05", ["a"]],
    ["last(val/acc) > 0.8", ["b"]],
    ["state = failed", ["b"]],
    ["name = a or group = g", ["a", "b"]],
    ["name ~ ^lr", ["lr=0.1"]],
    ["tags = base", ["a"]],
    ["tags != base", ["b", "c", "d", "lr=0.1"]],
    ["tags = none", ["b", "c", "d", "lr=0.1"]],
    ["duration > 1h", ["d"]],
    ["duration <= 60", ["a", "b", "c", "lr=0.1"]],
    ["started > 1970-01-01", ["b", "c", "d", "lr=0.1"]],
    ["lr > 0.001 AND NOT optimizer = sgd", ["a"]],
  ])("%s", (text, names) => expect(found(text)).toEqual(names));

  test.each([
    ["lr >", "Expected a value after “>”"],
    ["lr > 0.1 and", "Expected a column"],
    ["lr > 0.1 optimizer = adam", "Expected “and” or “or” before “optimizer”"],
    ["(lr > 0.1", "A parenthesis is not closed"],
    ["lr > 0.1)", "Expected “and” or “or” before “)”"],
    ["lr = 'a", "A quotation mark is not closed: 'a"],
    ["> 0.1", "Expected a column before “>”"],
    ["and > 0.1 and lr = 1", "Expected a column before “and”"],
    ["lrr > 0.1", "No column “lrr”; did you mean “lr”?"],
    ["val/ac > 0.1", "No column “val/ac”; did you mean “val/acc” or “min.val/acc”?"],
    ["zzzzzzz > 0.1", "No column “zzzzzzz”"],
    ["lr > adam", "“lr >” takes a number, not “adam”"],
    ["optimizer ~ '('", "Searched as text: unterminated group"],
    ["lr in 0.1 or lr = 1", "Expected (a, b) after “in”"],
    ["lr in (0.1", "A parenthesis is not closed"],
    ["lr 0.1 > 2", "Expected =, !=, <, <=, >, >=, ~ or “in” after “lr”"],
    ["max(val/acc > 1", "A parenthesis is not closed"],
  ])("%s is refused: %s", (text, problem) => {
    expect(() => found(text)).toThrow(new FilterProblem(problem));
  });

  const texts: Record<"accepted" | "refused", string[]> = JSON.parse(
    readFileSync(new URL("../../../tests/golden/matching/run_filters.json", import.meta.url), "utf8"),
  );

  test.each(texts.accepted)("%j is accepted, as in Python", text => {
    expect(() => found(text)).not.toThrow();
  });

  test.each(texts.refused)("%j is refused, as in Python", text => {
    expect(() => found(text)).toThrow(FilterProblem);
  });

  test("no input of its words fails in another way", () => {
    const words = [
      "lr",
      "optimizer",
      "'a b'",
      "0.1",
      "(",
      ")",
      ",",
      "and",
      "or",
      "not",
      "in",
      "=",
      "<=",
      "~",
      "max",
      '"',
    ];
    let seed = 7;
    const random = (below: number) => {
      seed = (seed * 1103515245 + 12345) % 2147483648;
      return Math.floor((seed / 2147483648) * below);
    };
    let parsed = 0;
    for (let i = 0; i < 5000; i++) {
      const text = Array.from({ length: 1 + random(9) }, () => words[random(words.length)]).join(" ");
      try {
        found(text);
        parsed++;
      } catch (error) {
        expect(error).toBeInstanceOf(FilterProblem);
      }
    }
    expect(parsed).toBeGreaterThan(100);
  });
});

describe("text", () => {
  test.each([
    ["otter", ["brisk-otter-1"]],
    ["OTTER|fox", ["brisk-otter-1", "fox"]],
    ["base", ["tagged"]],
    ["id7", ["by id"]],
    ["why", ["noted"]],
    ["failed", ["broken"]],
    ["fold 2", ["grouped"]],
    ["", ["brisk-otter-1", "fox", "tagged", "by id", "noted", "broken", "grouped"]],
    ["(", []],
  ])("the search %j matches all fields of a run", (text, matching) => {
    const runs: Partial<TableRun>[] = [
      { id: "a", name: "brisk-otter-1" },
      { id: "b", name: "fox" },
      { id: "c", name: "tagged", tags: ["baseline"] },
      { id: "id7", name: "by id" },
      { id: "d", name: "noted", notes: "Why not" },
      { id: "e", name: "broken", state: "failed" },
      { id: "f", name: "grouped", group: "fold 2" },
    ];
    const { runs: entries } = decodeRunsTable(table(runs));
    const test = parseRunFilter(text, new RunColumns(known, entries, []));
    expect(passing(entries, test, 0).map(({ name }) => name)).toEqual(matching);
  });

  test.each([
    ["", ["a", "b", "c", "d", "lr=0.1"]],
    ["  ", ["a", "b", "c", "d", "lr=0.1"]],
    ["base", ["a"]],
    ["FAILED", ["b"]],
    ["amsgrad", ["d"]],
    ["sgd|amsgrad", ["b", "d"]],
    ["layers=1", []],
    ["(", ["d"]],
  ])("%j is searched for", (text, names) => expect(found(text)).toEqual(names));

  test("a word with a sign is a name where its left side is no column", () => {
    const other = decodeRunsTable(table([{ name: "wd=0.1" }, { name: "wd=0.2" }]));
    const none = new RunColumns(other, other.runs, []);
    const test = parseRunFilter("wd=0.1", none);
    expect(passing(other.runs, test, 0).map(({ name }) => name)).toEqual(["wd=0.1"]);
  });
});

describe("completions", () => {
  const offered = (text: string) => completeFilter(text, columns, known.runs, 10_000);

  test.each([
    ["", []],
    ["opt", ["optimizer"]],
    ["l", ["lr", "layers"]],
    ["lr ", ["lr =", "lr !=", "lr <", "lr <=", "lr >", "lr >=", "lr ~", "lr in ("]],
    ["lr > ", ["lr > 0.001", "lr > 0.01", "lr > 0.1"]],
    ["optimizer = a", ["optimizer = adam", "optimizer = Adam"]],
    ['optimizer = "a', ['optimizer = "adam (amsgrad)"']],
    ["optimizer = sgd", []],
    ["optimizer = s", ["optimizer = sgd"]],
    ["lr > 0.01 ", ["lr > 0.01 and ", "lr > 0.01 or "]],
    ["lr > 0.01 a", ["lr > 0.01 and "]],
    ["lr > 0.01 and opt", ["lr > 0.01 and optimizer"]],
    ["lr in (0.1, ", ["lr in (0.1, 0.001", "lr in (0.1, 0.01", "lr in (0.1, 0.1"]],
    ["tags = ", ["tags = base", "tags = x"]],
    ["(opt", ["(optimizer"]],
  ])("%j", (text, texts) => expect(offered(text)).toEqual(texts));

  test("a completed column, operator and value make a filter", () => {
    const column = offered("opt")[0];
    const value = offered(`${column} = s`)[0];
    expect(found(value)).toEqual(["b"]);
  });
});
