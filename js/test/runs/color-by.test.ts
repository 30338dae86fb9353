import { expect, test } from "vitest";
import golden from "../../../tests/golden/colors/columns.json";
import { decodeRunsTable, type Scalar } from "../../src/frames/runs-table.ts";
import { columnColors } from "../../src/runs/color-by.ts";
import { columnOf, type RunColumn } from "../../src/runs/columns.ts";
import { table } from "../fixtures.ts";

const column = columnOf("config.value") as RunColumn;

function colorsOf(values: readonly Scalar[], theme: "light" | "dark") {
  const { runs } = decodeRunsTable(table(values.map(value => ({ config: { value } }))));
  return columnColors(column, runs, 0, theme);
}

test.each(golden)("the colours of $name are those of Python", ({ values, theme, colors }) => {
  expect(Object.values(colorsOf(values, theme as "light").colors)).toEqual(colors);
});

test("the key names few values, and both ends of a ramp", () => {
  const few = colorsOf(["sgd", "adam", null, "sgd"], "light").key;
  expect([few.title, few.isRamp, few.values.map(({ text }) => text)]).toEqual([
    "value",
    false,
    ["adam", "sgd"],
  ]);
  const many = colorsOf([5, 1, 2, 3, 4, 6], "light").key;
  expect([many.isRamp, many.values.map(({ text }) => text)]).toEqual([true, ["1", "", "", "", "6"]]);
});
