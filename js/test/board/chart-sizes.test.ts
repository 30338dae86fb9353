import { expect, test } from "vitest";
import { columnsIn, gridOf, heightOf, parseSize, sizeNear, spansOf } from "../../src/board/chart-sizes.ts";

test("the number of columns fits the width unless it is set", () => {
  expect([200, 700, 1100].map(width => columnsIn(width, 0))).toEqual([1, 2, 3]);
  expect(columnsIn(200, 4)).toBe(4);
});

test("columns and heights are whole pixels, which fit into the width", () => {
  for (let width = 300; width < 2000; width += 7.3) {
    const grid = gridOf(width, 0, 0);
    expect(Number.isInteger(grid.width) && Number.isInteger(grid.height)).toBe(true);
    expect(grid.columns * grid.width + (grid.columns - 1) * 20).toBeLessThanOrEqual(width);
  }
});

test("a chart of two rows is as high as two charts with what stands between them", () => {
  const grid = gridOf(1000, 3, 180);
  expect(heightOf(grid, 2)).toBe(180 + 20 + 16 + 180);
});

test("few charts fill the width, and stay low enough for a frame", () => {
  expect(gridOf(1570, 0, 0, 2)).toEqual({ columns: 2, width: 775, height: 320 });
  expect(gridOf(400, 0, 0, 2)).toEqual({ columns: 1, width: 400, height: 225 });
  expect(gridOf(1570, 4, 500, 2)).toMatchObject({ columns: 4, height: 500 });
  expect(gridOf(1570, 0, 0)).toMatchObject({ columns: 5 });
});

test("a size in pixels is the nearest one in columns and rows", () => {
  const grid = gridOf(1000, 3, 180); // columns of 320
  expect(sizeNear(grid, 330, 210)).toEqual({ columns: 1, rows: 1 });
  expect(sizeNear(grid, 600, 390)).toEqual({ columns: 2, rows: 2 });
  expect(sizeNear(grid, 5000, 5000)).toEqual({ columns: 3, rows: 4 });
  expect(sizeNear(grid, 1, 1)).toEqual({ columns: 1, rows: 1 });
});

test("a size that cannot be read is one column and one row", () => {
  expect(["2x3", "", "x", "0x1", undefined].map(parseSize)).toEqual([
    { columns: 2, rows: 3 },
    ...Array.from({ length: 4 }, () => ({ columns: 1, rows: 1 })),
  ]);
});

test("small groups share rows, a single chart fills a left over column", () => {
  expect(spansOf([1, 4, 1, 2], 2)).toEqual([2, 2, 2, 2]);
  expect(spansOf([1, 1, 2], 2)).toEqual([1, 1, 2]);
  expect(spansOf([1, 2, 5], 3)).toEqual([1, 2, 3]);
  expect(spansOf([1, 1, 3, 1], 3)).toEqual([1, 2, 3, 1]);
  expect(spansOf([1, 3], 3)).toEqual([1, 3]);
  expect(spansOf([2, 2], 3)).toEqual([2, 2]);
  expect(spansOf([1, 1], 1)).toEqual([1, 1]);
});

test("a group that begins a row leaves the rest of the one before to its neighbour", () => {
  expect(spansOf([1, 1, 1], 3, [false, false, true])).toEqual([1, 2, 1]);
  expect(spansOf([2, 1, 1], 4, [false, false, true])).toEqual([2, 2, 1]);
});
