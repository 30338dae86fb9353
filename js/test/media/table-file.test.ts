import { expect, test } from "vitest";
import { readTableFile, strictJson, tableCsv } from "../../src/media/table-file.ts";

const file = (columns: Record<string, string>, data: string) =>
  readTableFile(
    `{"columns":${JSON.stringify(Object.entries(columns).map(([name, type]) => ({ name, type })))},"data":${data}}`,
  );
const csv = (columns: Record<string, string>, data: string) => tableCsv(file(columns, data)).split("\r\n");

test("numbers that JSON does not have, or a float cannot hold, are read as texts", () => {
  const { data } = file(
    { n: "number", t: "string" },
    '[[NaN,-Infinity,1152921504606846977,0.30000000000000004,1e-9],["NaN, \\"Infinity","a\\\\",": -Infinity","12345678901234567",null]]',
  );
  expect(data[0]).toEqual(["NaN", "-Infinity", "1152921504606846977", 0.1 + 0.2, 1e-9]);
  expect(data[1]).toEqual(['NaN, "Infinity', "a\\", ": -Infinity", "12345678901234567", null]);
});

test("a table is written as JSON that has all its digits, and texts for numbers that are not finite", () => {
  const kept = '"say \\"NaN\\" or -Infinity", 1152921504606846977, 1e-9, null';
  expect(strictJson(`{"data": [[NaN, -Infinity, ${kept}], [{"a": [Infinity]}]]}`)).toBe(
    `{"data": [["NaN", "-Infinity", ${kept}], [{"a": ["Infinity"]}]]}`,
  );
});

test("a table is written as CSV with every digit, and with nothing where a value is missing", () => {
  const lines = csv(
    { "n,1": "number", ok: "bool", j: "json" },
    '[[0.1,-7,NaN,9007199254740993,null],[true,false,null,true,true],[{"a":[1,2]},null,"x",3,[]]]',
  );
  expect(lines).toEqual([
    '"n,1",ok,j',
    '0.1,true,"{""a"":[1,2]}"',
    "-7,false,",
    "NaN,,x",
    "9007199254740993,true,3",
    ",true,[]",
    "",
  ]);
});

test("texts are quoted, and one that a spreadsheet would run is told apart by an apostrophe", () => {
  const cells = ["a, b", 'say "hi"', "two\nlines", "=1+1", "-2+3|cmd", "- item", "-0.5", "+1e3", "@x"];
  expect(csv({ t: "string" }, JSON.stringify([cells]))).toEqual([
    "t",
    '"a, b"',
    '"say ""hi"""',
    '"two\nlines"',
    "'=1+1",
    "'-2+3|cmd",
    "'- item",
    "-0.5",
    "+1e3",
    "'@x",
    "",
  ]);
});

test("a medium is the name of its file, or its caption where it has none", () => {
  const cells = [
    { kind: "image", file: "ab12.png", caption: "a cat", about: {} },
    { kind: "histogram", file: null, caption: "weights" },
    null,
  ];
  expect(csv({ image: "media" }, JSON.stringify([cells]))).toEqual(["image", "ab12.png", "weights", "", ""]);
});

test("a table without rows has its columns", () => {
  expect(csv({ a: "number", b: "string" }, "[[],[]]")).toEqual(["a,b", ""]);
});
