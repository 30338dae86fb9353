/** Answers about media in an exported page, from what the page holds. `src/trackbook/boards/exported_page.py` writes it. */
import { NoAnswer } from "../frames/requests.ts";
import type { MediaItem, PageMedia } from "./media-types.ts";
import { readTableFile } from "./table-file.ts";

const MOST_ITEMS = 10_000;
const LEFT_OUT = "This file was left out of the page.";
const NO_VIEWER =
  "This page was exported without the plotly package, which draws its Plotly figures: pip install plotly, and export it again.";
const FIELDS = ["metric", "run", "step", "item", "kind", "file", "size", "mime", "caption", "about"] as const;
const MIMES: Record<string, string> = {
  png: "image/png",
  jpg: "image/jpeg",
  jpeg: "image/jpeg",
  webp: "image/webp",
  gif: "image/gif",
  svg: "image/svg+xml",
  wav: "audio/wav",
  mp3: "audio/mpeg",
  ogg: "audio/ogg",
  flac: "audio/flac",
  mp4: "video/mp4",
  webm: "video/webm",
};

type Read = (element: string) => Promise<ArrayBuffer>;
type PageItem = MediaItem & { metric: string };

interface PageAnswer {
  content: Record<string, unknown>;
  buffers: DataView[];
}

const read = new WeakMap<PageMedia, Promise<readonly PageItem[]>>();

export async function answerMedia(
  media: PageMedia,
  question: Readonly<Record<string, unknown>>,
  readElement: Read,
): Promise<PageAnswer> {
  const known = read.get(media) ?? itemsOf(media, readElement);
  read.set(media, known);
  const answer = (content: Record<string, unknown>, buffers: DataView[] = []) => ({ content, buffers });
  switch (question.ask) {
    case "media":
      return answer({ steps: stepsOf(chosen(await known, question), question.runs as string[]) });
    case "media_at":
      return answer({
        items: itemsAt(chosen(await known, question), question.runs as string[], question.step as number),
      });
    case "media_window":
      return answer(cut(itemsWithin(chosen(await known, question), question)));
    case "histograms":
      return answer(
        histogramsOf(chosen(await known, { ...question, runs: [question.run] }), Number(question.most)),
      );
    case "media_file":
      return fileAnswer(media, String(question.file), await known, readElement);
    case "thumbnails":
      return thumbnailAnswer(media, question.files as string[], readElement);
    case "table_rows":
      return answer(await tableAnswer(media, question, readElement));
    case "asset": {
      const element = media.viewers?.[String(question.name)];
      if (!element) throw new NoAnswer(NO_VIEWER);
      return answer({}, [new DataView(await readElement(element))]);
    }
    default:
      throw new NoAnswer("This page only shows runs.");
  }
}

async function itemsOf({ rows }: PageMedia, readElement: Read): Promise<readonly PageItem[]> {
  if (!rows) return [];
  const data = JSON.parse(new TextDecoder().decode(await readElement(rows))) as unknown[][];
  return data.map(row => Object.fromEntries(FIELDS.map((name, i) => [name, row[i]])) as unknown as PageItem);
}

function chosen(items: readonly PageItem[], { metric, runs }: Readonly<Record<string, unknown>>): PageItem[] {
  const asked = new Map((runs as string[]).map((run, i) => [run, i]));
  const place = ({ run }: PageItem) => asked.get(run) as number;
  return items
    .filter(item => item.metric === metric && asked.has(item.run))
    .sort((a, b) => place(a) - place(b) || a.step - b.step || a.item - b.item);
}

function stepsOf(items: readonly PageItem[], runs: readonly string[]): Record<string, number[]> {
  const found = runs.map((run): [string, number[]] => [
    run,
    [...new Set(items.filter(item => item.run === run).map(({ step }) => step))],
  ]);
  return Object.fromEntries(found.filter(([, steps]) => steps.length));
}

function itemsAt(items: readonly PageItem[], runs: readonly string[], step: number): PageItem[] {
  return runs.flatMap(run => {
    const own = items.filter(item => item.run === run && item.step <= step);
    const newest = own.at(-1)?.step;
    return own.filter(item => item.step === newest);
  });
}

function itemsWithin(
  items: readonly PageItem[],
  { from, to, steps }: Readonly<Record<string, unknown>>,
): PageItem[] {
  const only = Array.isArray(steps) ? new Set(steps) : null;
  return items.filter(({ step }) => step >= Number(from) && step <= Number(to) && (only?.has(step) ?? true));
}

function histogramsOf(items: readonly PageItem[], most: number): Record<string, unknown> {
  const every = Math.max(1, Math.ceil(items.length / most));
  const some = items.filter(({ item }, i) => item === 0 && i % every === 0);
  return { steps: some.map(({ step }) => step), items: some.map(({ about }) => about) };
}

function cut(items: readonly PageItem[]): Record<string, unknown> {
  return { items: items.slice(0, MOST_ITEMS), more: items.length > MOST_ITEMS };
}

async function fileAnswer(
  { files }: PageMedia,
  name: string,
  items: readonly PageItem[],
  readElement: Read,
): Promise<PageAnswer> {
  if (!Object.hasOwn(files, name)) throw new NoAnswer(LEFT_OUT);
  const data = await readElement(files[name]);
  const mime = items.find(({ file }) => file === name)?.mime ?? mimeOf(name);
  return { content: { size: data.byteLength, mime }, buffers: [new DataView(data)] };
}

async function thumbnailAnswer(
  media: PageMedia,
  names: readonly string[],
  readElement: Read,
): Promise<PageAnswer> {
  const found = await Promise.all(
    names.map(async name => {
      if (!Object.hasOwn(media.thumbnails, name)) return null;
      const data = await readElement(media.thumbnails[name]);
      return { mime: imageKind(new Uint8Array(data)), data };
    }),
  );
  return {
    content: { mimes: found.map(each => each?.mime ?? null) },
    buffers: found.map(each => new DataView(each?.data ?? new ArrayBuffer(0))),
  };
}

/** Return the kind of an image from its first bytes. */
function imageKind(bytes: Uint8Array): string {
  if (bytes[0] === 0x89) return "image/png";
  return bytes[0] === 0xff ? "image/jpeg" : "image/webp";
}

function mimeOf(name: string): string {
  const ending = name.split(".").at(-1) ?? "";
  return Object.hasOwn(MIMES, ending) ? MIMES[ending] : "application/octet-stream";
}

async function tableAnswer(
  { files }: PageMedia,
  { file, sort, descending, filter, from, count }: Readonly<Record<string, unknown>>,
  readElement: Read,
): Promise<Record<string, unknown>> {
  if (!Object.hasOwn(files, String(file))) throw new NoAnswer(LEFT_OUT);
  const table = readTableFile(new TextDecoder().decode(await readElement(files[String(file)])));
  const all = (table.data[0] ?? []).map((_, row) => table.data.map(column => column[row]));
  const text = String(filter ?? "").toLowerCase();
  const matches = (row: readonly unknown[]) =>
    row.some((cell, column) => textOf(cell, table.columns[column].type).toLowerCase().includes(text));
  const rows = text ? all.filter(matches) : all;
  const at = table.columns.findIndex(({ name }) => name === sort);
  if (at >= 0) {
    const keyOf = table.columns[at].type === "number" ? sortedNumber : (cell: unknown) => cell;
    rows.sort((a, b) => compareCells(keyOf(a[at]), keyOf(b[at]), descending ? -1 : 1));
  }
  const first = Number(from);
  return { columns: table.columns, rows: rows.slice(first, first + Number(count)), total: rows.length };
}

/** Return what a cell shows as text; of media their caption. */
function textOf(cell: unknown, type: string): string {
  if (typeof cell !== "object" || cell === null) return String(cell ?? "");
  return type === "media" ? String((cell as { caption?: unknown }).caption ?? "") : JSON.stringify(cell);
}

/** Return a number that may be written as a text; as in Polars, NaN is above all others. */
function sortedNumber(cell: unknown): unknown {
  if (cell === null) return null;
  return cell === "NaN" ? Number.POSITIVE_INFINITY : Number(cell);
}

/** Numbers by value, texts by letter; what is missing comes last. */
function compareCells(a: unknown, b: unknown, direction: number): number {
  if (a === null || b === null) return Number(a === null) - Number(b === null);
  if (typeof a === "number" && typeof b === "number") return direction * (a - b);
  return direction * (String(a) < String(b) ? -1 : 1);
}
