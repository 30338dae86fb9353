import type { Picture } from "../frames/picture.ts";
import { BUCKET_COLUMNS, PLAIN, POINT_COLUMNS, type SeriesHeader } from "../frames/protocol.ts";
import { NoAnswer } from "../frames/requests.ts";
import { bucketsOf, type PointSeries, type Series } from "../frames/series.ts";
import type { MediaModule, PageMedia } from "../media/media-types.ts";
import { escapeRegExp } from "../regexp.ts";

const POINTS_A_BUCKET = 4; // as in src/trackbook/frames/buckets.py: so many take no more room than their bucket
const MOST_IN_WINDOW = 1_000_000; // points of a chart; a wider window keeps the rows of the picture
const MOST_SAVED = 4_000_000; // points of one file
const RESENT = 100; // console lines before the last known one that may have changed
const PAGE = 1000; // console lines an answer
const MICROSECONDS = 1e6;

const NO_POINTS = "This page has no other points than those drawn.";
const NO_DETAILS = "These details were left out of this page.";
const NO_KERNEL = "This page only shows runs.";

/** What a page holds beside the picture. `src/trackbook/boards/exported_page.py` writes it. */
export interface PageContents {
  /** Id of the element with the details of a run, by the id of the run. */
  details: Record<string, string>;
  /** Elements with points, those of a series in order of step; null if the page has none. */
  points: PointsBlock[] | null;
  media?: PageMedia;
}

interface PointsBlock {
  element: string;
  run: number;
  metric: number;
  first: number;
  last: number;
  rows: number;
}

type ConsoleLine = [line: number, stream: string, text: string, ...rest: unknown[]];

interface RunDetailsDocument {
  console: { lines: ConsoleLine[] };
  cells: Record<string, unknown>;
  environment: Record<string, unknown>;
}

export interface PageAnswer {
  content: Record<string, unknown>;
  buffers: DataView[];
}

type Question = Record<string, unknown>;

/** Answers the questions of a board's front end from what the page holds. */
export class PageArchive {
  #contents: PageContents;
  #picture: Pick<Picture, "runs" | "metrics">;
  #read: (element: string) => Promise<ArrayBuffer>;
  #details = new Map<string, Promise<RunDetailsDocument>>();

  constructor(
    contents: PageContents,
    picture: Pick<Picture, "runs" | "metrics">,
    read: (element: string) => Promise<ArrayBuffer> = readElement,
  ) {
    [this.#contents, this.#picture, this.#read] = [contents, picture, read];
  }

  /** Rejects with `NoAnswer` where the page does not hold the answer. */
  async answer(question: Question): Promise<PageAnswer> {
    switch (question.ask) {
      case "detail":
        return this.#detail(question as never);
      case "points":
        return this.#points(question as never);
      case "console":
        return reply(consolePage((await this.#detailsOf(question.run)).console.lines, question));
      case "cells":
      case "environment":
        return reply((await this.#detailsOf(question.run))[question.ask]);
      default: {
        const { media } = this.#contents;
        if (!media) throw new NoAnswer(NO_KERNEL);
        return (await importMedia()).answerFromPage(media, question, this.#read);
      }
    }
  }

  #detailsOf(run: unknown): Promise<RunDetailsDocument> {
    const element = this.#contents.details[String(run)];
    if (element === undefined) throw new NoAnswer(NO_DETAILS);
    const known = this.#details.get(element) ?? this.#read(element).then(parseJson);
    this.#details.set(element, known);
    return known as Promise<RunDetailsDocument>;
  }

  async #detail({ series, from, to, buckets }: DetailQuestion): Promise<PageAnswer> {
    const found = await Promise.all(series.map(key => this.#finer(key, from, to, buckets)));
    return encode(found.filter(each => each !== null));
  }

  /** Return the points or buckets of a series in a window; null if there are none, or too many to read now. */
  async #finer(
    [run, metric]: readonly [number, number],
    from: number | null,
    to: number | null,
    buckets: number,
  ): Promise<Series | null> {
    const all = this.#blocksOf(run, metric);
    const low = Math.max(from ?? 0, all[0]?.first ?? 0);
    const high = Math.min(to ?? Number.POSITIVE_INFINITY, all.at(-1)?.last ?? 0);
    if (low > high) return null;
    const width = 2 ** Math.max(0, Math.ceil(Math.log2((high - low + 1) / buckets)));
    const [start, end] = [Math.floor(low / width) * width, (Math.floor(high / width) + 1) * width - 1];
    const blocks = all.filter(({ first, last }) => last >= start && first <= end);
    if (countRows(blocks) > MOST_IN_WINDOW) return null;
    const columns = await this.#columns(blocks);
    const inside = (step: number) => step >= start && step <= end;
    const [begin, stop] = [columns.step.findIndex(inside), columns.step.findLastIndex(inside) + 1];
    if (begin < 0) return null;
    for (const name of POINT_COLUMNS) columns[name] = columns[name].subarray(begin, stop);
    const points: PointSeries = { kind: "points", run, metric, width: 1, rows: stop - begin, columns };
    return points.rows <= POINTS_A_BUCKET * buckets ? points : bucketsOf(points, width);
  }

  async #points({ metric, runs }: { metric: string; runs: string[] }): Promise<PageAnswer> {
    const keys = new Map(this.#picture.runs.map(({ id, key }) => [id, key]));
    const number = this.#picture.metrics.indexOf(metric);
    const blocks = runs.map(id => this.#blocksOf(keys.get(id) ?? -1, number));
    if (countRows(blocks.flat()) > MOST_SAVED)
      throw new NoAnswer(`These are more than ${MOST_SAVED.toLocaleString("en")} points.`);
    const columns = await this.#columns(blocks.flat());
    const data = new Float64Array(columns.step.length * POINT_COLUMNS.length);
    for (const [i, name] of POINT_COLUMNS.entries()) data.set(columns[name], i * columns.step.length);
    return { content: { rows: blocks.map(countRows) }, buffers: [new DataView(data.buffer)] };
  }

  #blocksOf(run: number, metric: number): PointsBlock[] {
    if (!this.#contents.points) throw new NoAnswer(NO_POINTS);
    return this.#contents.points.filter(block => block.run === run && block.metric === metric);
  }

  async #columns(blocks: readonly PointsBlock[]): Promise<PointSeries["columns"]> {
    const rows = countRows(blocks);
    const columns = {
      step: new Float64Array(rows),
      time: new Float64Array(rows),
      value: new Float64Array(rows),
    };
    let at = 0;
    for (const block of blocks) {
      const part = decodePoints(await this.#read(block.element));
      for (const name of POINT_COLUMNS) columns[name].set(part[name], at);
      at += block.rows;
    }
    return columns;
  }
}

interface DetailQuestion {
  series: [run: number, metric: number][];
  from: number | null;
  to: number | null;
  buckets: number;
}

/** Return the module of media, which a page that has some holds as a script before this one. */
export async function importMedia(): Promise<MediaModule> {
  const { trackbookMedia } = globalThis as { trackbookMedia?: MediaModule };
  if (!trackbookMedia) throw new NoAnswer("This page has no media.");
  return trackbookMedia;
}

function countRows(blocks: readonly PointsBlock[]): number {
  return blocks.reduce((sum, { rows }) => sum + rows, 0);
}

/** Decode a block of points: the bytes of its numbers by place; steps and times, in µs, as differences. */
function decodePoints(data: ArrayBuffer): PointSeries["columns"] {
  const bytes = new Uint8Array(data);
  const count = bytes.length / 8;
  const whole = new Uint8Array(bytes.length);
  for (let place = 0; place < 8; place++)
    for (let i = 0; i < count; i++) whole[8 * i + place] = bytes[place * count + i];
  const rows = count / POINT_COLUMNS.length;
  const column = (i: number) => new Float64Array(whole.buffer, 8 * i * rows, rows);
  const [step, time, value] = [sum(column(0)), sum(column(1)), column(2)];
  return { step, time: time.map(microseconds => microseconds / MICROSECONDS), value };
}

function sum(differences: Float64Array): Float64Array {
  for (let i = 1; i < differences.length; i++) differences[i] += differences[i - 1];
  return differences;
}

/** Encode series as a frame's plain blocks, which `decodeSeries` reads. */
function encode(found: readonly Series[]): PageAnswer {
  const headers: SeriesHeader[] = [];
  const parts: number[] = [];
  for (const { run, metric, width, rows, kind, columns } of found) {
    headers.push([run, metric, width, rows, PLAIN, 0]);
    const names = kind === "points" ? POINT_COLUMNS : BUCKET_COLUMNS;
    const all = names.map(name => (columns as Record<string, Float64Array>)[name]);
    for (let row = 0; row < rows; row++) for (const column of all) parts.push(column[row]);
  }
  const data = new DataView(Float64Array.from(parts).buffer);
  return { content: { series: headers }, buffers: [data] };
}

/** Answer a question about the console as `src/trackbook/boards/run_details.py` does. */
function consolePage(lines: readonly ConsoleLine[], question: Question): Record<string, unknown> {
  const { before, since, after, search } = question as Record<string, number | undefined>;
  const from = (line: number) => lines.filter(([number]) => number >= line);
  if (after !== undefined) return { lines: from(after - RESENT), more: false };
  if (search) {
    const pattern = new RegExp(escapeRegExp(String(search)), "iu");
    return { found: lines.filter(([, , text]) => pattern.test(text)).map(([line]) => line) };
  }
  const end = before === undefined ? lines.length : lines.length - from(before).length;
  const first = Math.min(
    Math.max(0, end - PAGE),
    since === undefined ? end : lines.length - from(since).length,
  );
  return { lines: lines.slice(first, end), earlier: first };
}

function reply(content: Record<string, unknown>): PageAnswer {
  return { content, buffers: [] };
}

function parseJson(data: ArrayBuffer): RunDetailsDocument {
  return JSON.parse(new TextDecoder().decode(data));
}

/** Read what an element of the page holds: gzip as base64. */
async function readElement(id: string): Promise<ArrayBuffer> {
  const text = document.getElementById(id)?.textContent ?? "";
  const bytes = Uint8Array.from(atob(text), character => character.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).arrayBuffer();
}
