import { expect, test } from "vitest";
import type { MediaItem } from "../../src/media/media-types.ts";
import { answerMedia } from "../../src/media/page-answers.ts";
import { type Logged, MediaModel, medium } from "../media-fixtures.ts";

const items: Logged[] = [
  medium({ run: "a", step: 0, file: "0.png" }),
  medium({ run: "a", step: 10, item: 1, file: "2.png" }),
  medium({ run: "a", step: 10, item: 0, file: "1.png" }),
  medium({ run: "b", step: 4, file: "3.png" }),
  medium({ run: "b", step: 4, metric: "other", file: "4.png" }),
];
const table = {
  columns: [
    { name: "n", type: "number" },
    { name: "t", type: "string" },
  ],
  data: [
    [3, null, 20],
    ["x", "Yes", "y"],
  ],
};
const bytes = async (name: string) => new TextEncoder().encode(name).buffer as ArrayBuffer;
const page = new MediaModel(items, {}, bytes, async name => (name === "3.png" ? null : bytes(name)), {
  "t.json": table,
});
const ask = async (question: Record<string, unknown>) =>
  page.answer({ metric: "images", runs: ["b", "a"], ...question });
const found = async (question: Record<string, unknown>) =>
  ((await ask(question)).content.items as MediaItem[]).map(({ file }) => file);

test("the steps of each run are told once and in order", async () => {
  expect((await ask({ ask: "media" })).content).toEqual({ steps: { b: [4], a: [0, 10] } });
});

test("at a step each run has its newest items, in the order in which runs are asked", async () => {
  expect(await found({ ask: "media_at", step: 10 })).toEqual(["3.png", "1.png", "2.png"]);
  expect(await found({ ask: "media_at", step: 3 })).toEqual(["0.png"]);
  expect(await found({ ask: "media_at", step: -1 })).toEqual([]);
});

test("a window has the items of its steps", async () => {
  expect(await found({ ask: "media_window", from: 0, to: 5 })).toEqual(["3.png", "0.png"]);
  expect(await found({ ask: "media_window", from: 0, to: 10, steps: [10] })).toEqual(["1.png", "2.png"]);
});

test("files and thumbnails are those that the page holds; others are said to be left out", async () => {
  const { content, buffers } = await ask({ ask: "media_file", file: "1.png" });
  expect([content, buffers[0].byteLength]).toEqual([{ size: 5, mime: "image/png" }, 5]);
  expect((await ask({ ask: "thumbnails", files: ["1.png", "3.png"] })).content.mimes).toEqual([
    "image/webp",
    null,
  ]);
  const bare = { rows: null, files: {}, thumbnails: {} };
  for (const name of ["table_rows", "media_file"])
    await expect(answerMedia(bare, { ask: name, file: "t.json" }, bytes)).rejects.toThrow("left out");
});

test("rows of a table are sorted and filtered, and missing values come last", async () => {
  const rows = async (question: Record<string, unknown>) =>
    (
      await ask({
        ask: "table_rows",
        file: "t.json",
        from: 0,
        count: 10,
        filter: "",
        sort: null,
        ...question,
      })
    ).content;
  const numbers = async (question: Record<string, unknown>) =>
    ((await rows(question)).rows as unknown[][]).map(([number]) => number);
  expect(await numbers({})).toEqual([3, null, 20]);
  expect(await numbers({ sort: "n" })).toEqual([3, 20, null]);
  expect(await numbers({ sort: "n", descending: true })).toEqual([20, 3, null]);
  expect(await numbers({ from: 1, count: 1 })).toEqual([null]);
  expect(await rows({ filter: "Y" })).toMatchObject({ total: 2 });
});

test("the filter of a table finds media by their captions only", async () => {
  const cells = [{ kind: "image", file: "2.png", caption: "A Cat" }, { kind: "image", caption: null }, null];
  const columns = [
    { name: "i", type: "media" },
    { name: "k", type: "json" },
  ];
  const files = { "t.json": { columns, data: [cells, cells.map((_, key) => ({ key }))] } };
  const other = new MediaModel(items, {}, bytes, bytes, files);
  const total = async (filter: string) => {
    const question = { ask: "table_rows", file: "t.json", from: 0, count: 10, filter, sort: null };
    return (await other.answer(question)).content.total;
  };
  const texts = ["cat", "png", "image", "null", "key", "2"];
  expect(await Promise.all(texts.map(total))).toEqual([1, 0, 0, 0, 3, 1]);
});

test("a table with numbers that are not finite is shown and sorted as by the kernel", async () => {
  const text = '{"columns":[{"name":"n","type":"number"}],"data":[[NaN,2,null,Infinity,10,-Infinity]]}';
  const read = async () => new TextEncoder().encode(text).buffer as ArrayBuffer;
  const media = { rows: null, files: { "t.json": "t" }, thumbnails: {} };
  const question = { ask: "table_rows", file: "t.json", from: 0, count: 10, filter: "" };
  const cells = async (sort: string | null) =>
    ((await answerMedia(media, { ...question, sort }, read)).content.rows as unknown[][]).flat();
  expect(await cells(null)).toEqual(["NaN", 2, null, "Infinity", 10, "-Infinity"]);
  expect(await cells("n")).toEqual(["-Infinity", 2, 10, "NaN", "Infinity", null]);
});
