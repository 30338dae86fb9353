import { readFileSync } from "node:fs";
import { expect, test, vi } from "vitest";
import { decodeSeries } from "../../src/frames/decode-series.ts";
import type { SeriesHeader } from "../../src/frames/protocol.ts";
import { NoAnswer } from "../../src/frames/requests.ts";
import type { BucketSeries } from "../../src/frames/series.ts";
import { type PageAnswer, PageArchive, type PageContents } from "../../src/hosts/page-archive.ts";
import { run } from "../fixtures.ts";

interface Golden {
  data: string;
  step: number[];
  time: number[];
  value: (number | string)[];
}

const GOLDEN: Golden = JSON.parse(
  readFileSync(new URL("../../../tests/golden/page/points.json", import.meta.url), "utf8"),
);
const picture = { runs: [run(0), run(1)], metrics: ["lr", "loss"] };

/** Pack points as the Python side does, which the golden file shows. */
function pack(steps: readonly number[], numberAt: (step: number) => number): ArrayBuffer {
  const differences = (numbers: number[]) => numbers.map((number, i) => number - (numbers[i - 1] ?? 0));
  const numbers = [
    ...differences([...steps]),
    ...differences(steps.map(step => step * 1e6)),
    ...steps.map(numberAt),
  ];
  const bytes = new Uint8Array(Float64Array.from(numbers).buffer);
  const packed = new Uint8Array(bytes.length);
  for (const [i, byte] of bytes.entries()) packed[(i % 8) * numbers.length + Math.floor(i / 8)] = byte;
  return packed.buffer;
}

/** An archive of blocks of points, each of consecutive steps of run 1's loss. */
function archive(blocks: readonly [first: number, last: number][], numberAt = (step: number) => step / 2) {
  const stepsOf = ([first, last]: readonly [number, number]) =>
    Array.from({ length: last - first + 1 }, (_, i) => first + i);
  const points = blocks.map((block, i) => ({
    element: String(i),
    run: 1,
    metric: 1,
    first: block[0],
    last: block[1],
    rows: stepsOf(block).length,
  }));
  const read = vi.fn(async (element: string) => pack(stepsOf(blocks[Number(element)]), numberAt));
  return { read, archive: new PageArchive({ details: {}, points }, picture, read) };
}

function seriesIn({ content, buffers }: PageAnswer) {
  return decodeSeries(content.series as SeriesHeader[], buffers[0].buffer as ArrayBuffer);
}

const detail = (from: number | null, to: number | null, buckets: number) => ({
  ask: "detail",
  series: [[1, 1]],
  from,
  to,
  buckets,
});

test("points come back as Python packed them", async () => {
  const bytes = Uint8Array.from(Buffer.from(GOLDEN.data, "base64"));
  const rows = GOLDEN.step.length;
  const block = {
    element: "p",
    run: 0,
    metric: 0,
    first: GOLDEN.step[0],
    last: GOLDEN.step.at(-1) as number,
    rows,
  };
  const contents: PageContents = { details: {}, points: [block] };
  const { content, buffers } = await new PageArchive(contents, picture, async () => bytes.buffer).answer({
    ask: "points",
    metric: "lr",
    runs: ["id0"],
  });
  const numbers = [...new Float64Array(buffers[0].buffer as ArrayBuffer)];
  expect(content).toEqual({ rows: [rows] });
  expect(numbers.slice(0, rows)).toEqual(GOLDEN.step);
  expect(numbers.slice(rows, 2 * rows)).toEqual(GOLDEN.time);
  expect(numbers.slice(2 * rows)).toEqual(GOLDEN.value.map(Number));
});

test("a narrow window is answered with its points, from the blocks that it needs", async () => {
  const { archive: page, read } = archive([
    [0, 99],
    [100, 199],
    [200, 299],
  ]);
  const [series] = seriesIn(await page.answer(detail(110, 120, 100)));
  expect(series.kind).toBe("points");
  expect([...(series.columns as { step: Float64Array }).step]).toEqual(
    [...Array(11).keys()].map(i => 110 + i),
  );
  expect([...(series.columns as { value: Float64Array }).value].slice(0, 2)).toEqual([55, 55.5]);
  expect(read.mock.calls).toEqual([["1"]]);
});

test("a wide window is answered with aligned buckets of all of its points", async () => {
  const { archive: page } = archive(
    [
      [0, 999],
      [1000, 1999],
    ],
    step => (step === 1234 ? 1e6 : step % 2),
  );
  const [series] = seriesIn(await page.answer(detail(null, null, 10))) as BucketSeries[];
  expect([series.width, series.run, series.metric]).toEqual([256, 1, 1]);
  expect([...series.columns.bucket]).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  expect(series.columns.count.reduce((sum, count) => sum + count)).toBe(2000);
  expect(Math.max(...series.columns.max)).toBe(1e6);
  expect([series.columns.max_step[4], series.columns.max_time[4]]).toEqual([1234, 1234]);
});

test("series without points in the window are left out", async () => {
  const { archive: page } = archive([[0, 99]]);
  expect((await page.answer(detail(500, 600, 10))).content).toEqual({ series: [] });
  const other = { ...detail(0, 10, 10), series: [[0, 1]] };
  expect((await page.answer(other)).content).toEqual({ series: [] });
});

test("a window with too many points keeps the rows of the picture", async () => {
  const points = [0, 1].map(i => ({
    element: "",
    run: 1,
    metric: 1,
    first: i * 1e6,
    last: i * 1e6 + 999_999,
    rows: 1e6,
  }));
  const read = vi.fn();
  const page = new PageArchive({ details: {}, points }, picture, read);
  expect((await page.answer(detail(null, null, 100))).content).toEqual({ series: [] });
  expect(read).not.toHaveBeenCalled();
  await expect(
    new PageArchive({ details: {}, points: [...points, ...points, ...points] }, picture, read).answer({
      ask: "points",
      metric: "loss",
      runs: ["id1"],
    }),
  ).rejects.toThrow("more than 4,000,000 points");
});

const LINES = Array.from({ length: 2500 }, (_, i) => [i + 10, "stdout", `line ${i + 10}`, 0, null]);

function withDetails() {
  const found = {
    console: { lines: LINES },
    cells: { cells: [], earlier: 2 },
    environment: { environment: { a: 1 } },
  };
  const read = vi.fn(async () => new TextEncoder().encode(JSON.stringify(found)).buffer as ArrayBuffer);
  return { read, page: new PageArchive({ details: { id0: "d" }, points: null }, picture, read) };
}

const numbers = ({ content }: PageAnswer) => {
  const lines = content.lines as [number][];
  return [lines[0][0], lines.at(-1)?.[0], content.earlier];
};

test("the console is answered in pages, as the kernel does", async () => {
  const { page, read } = withDetails();
  const ask = (fields: object) => page.answer({ ask: "console", run: "id0", ...fields });
  expect(numbers(await ask({}))).toEqual([1510, 2509, 1500]);
  expect(numbers(await ask({ before: 1510 }))).toEqual([510, 1509, 500]);
  expect(numbers(await ask({ before: 1510, since: 20 }))).toEqual([20, 1509, 10]);
  expect(numbers(await ask({ after: 2509 }))).toEqual([2409, 2509, undefined]);
  expect((await ask({ search: "LINE 1234" })).content).toEqual({ found: [1234] });
  expect((await ask({ search: "." })).content).toEqual({ found: [] });
  expect(read).toHaveBeenCalledTimes(1);
});

test("code and environment are answered as written", async () => {
  const { page } = withDetails();
  expect((await page.answer({ ask: "cells", run: "id0" })).content).toEqual({ cells: [], earlier: 2 });
  expect((await page.answer({ ask: "environment", run: "id0" })).content).toEqual({ environment: { a: 1 } });
});

test.each([
  [{ ask: "console", run: "id1" }, "These details were left out of this page."],
  [{ ask: "points", metric: "loss", runs: ["id0"] }, "This page has no other points than those drawn."],
  [{ ask: "delete", run: "id0" }, "This page only shows runs."],
])("%j is refused with the reason", async (question, reason) => {
  const { page } = withDetails();
  await expect(page.answer(question)).rejects.toThrow(new NoAnswer(reason));
});
