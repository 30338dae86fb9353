import { expect, test } from "vitest";
import { layOut, mostColumns, tileAspect } from "../../src/media/gallery-layout.ts";

const space = { width: 600, height: 400, words: 20 };

test("few tiles are as large as all of them fit", () => {
  expect(layOut(1, space, 1)).toMatchObject({ columns: 1, height: 372 });
  const { columns, width, row } = layOut(8, space, 0.75);
  expect(columns).toBe(4);
  expect(width).toBeGreaterThan(140);
  expect(2 * row).toBeLessThanOrEqual(space.height);
});

test("many tiles have a usual size and scroll", () => {
  expect(layOut(10_000, space, 1)).toMatchObject({ columns: 4, width: 144 });
});

test("runs side by side have a column each", () => {
  expect(layOut(12, space, 1, { columns: 3 })).toMatchObject({ columns: 3, width: 194 });
});

test("a number of columns that the reader chose is kept", () => {
  expect(layOut(4, space, 1, { asked: 8 })).toMatchObject({ columns: 8, width: 68 });
});

test("a row is never thinner than its words, whatever the space", () => {
  const { width, height } = layOut(5, { width: 0, height: 0, words: 20 }, 1);
  expect([width > 0, height > 0]).toEqual([true, true]);
});

test("a tile has the shape of its image, within bounds", () => {
  expect([tileAspect(200, 100), tileAspect(10, 1000), tileAspect(undefined, 5)]).toEqual([0.5, 1.6, 1]);
  expect(mostColumns(600)).toBe(5);
});
