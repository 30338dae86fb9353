import { copyBytes } from "../frames/protocol.ts";
import { type Answer, NoAnswer, type Requests } from "../frames/requests.ts";
import type { MediaItem } from "./media-types.ts";

const THUMBNAILS_A_QUESTION = 64;
const QUESTIONS_AT_ONCE = 2; // of thumbnails, so that those of the rows in view are not behind many others
const KEPT_THUMBNAILS = 3000; // of at most 20 KB
const KEPT_ANSWERS = 100;
const KEPT_FILES = 64 * 2 ** 20; // bytes

/** Items, and whether there are more, which the kernel leaves out. */
export interface ItemWindow {
  items: readonly MediaItem[];
  more: boolean;
}

/** A page of a table. */
export interface TablePage {
  columns: readonly { name: string; type: string }[];
  rows: readonly (readonly unknown[])[];
  total: number;
}

export interface TableQuestion {
  file: string;
  sort: string | null;
  descending: boolean;
  filter: string;
  from: number;
  count: number;
}

interface Wanted {
  resolve: (blob: Blob | null) => void;
  reject: (why: unknown) => void;
  signal: AbortSignal;
}

/** Asks the kernel for media, and keeps the newest answers. */
export class MediaStore {
  #requests: Pick<Requests, "ask">;
  #answers = new Recent<Promise<Answer>>(KEPT_ANSWERS);
  #thumbnails = new Recent<Blob | null>(KEPT_THUMBNAILS);
  #files = new Recent<Blob>(KEPT_FILES, ({ size }) => size);
  #loading = new Map<string, Promise<Blob>>();
  #viewers = new Map<string, Promise<string>>();
  #wanted = new Map<string, Wanted[]>();
  #asking = 0;
  #scheduled = false;

  constructor(requests: Pick<Requests, "ask">) {
    this.#requests = requests;
  }

  /** Return the steps of each run, ascending, `thinned` if a run has very many. `version` changes when there are more. */
  async steps(
    metric: string,
    runs: readonly string[],
    version: unknown,
  ): Promise<{ steps: Map<string, number[]>; thinned: boolean }> {
    const { content } = await this.#ask("media", { metric, runs }, version);
    const steps = new Map(Object.entries(content.steps as Record<string, number[]>));
    return { steps, thinned: Boolean(content.thinned) };
  }

  /** Return the items of each run's newest step that is not after `step`. */
  async at(metric: string, runs: readonly string[], step: number, version: unknown): Promise<MediaItem[]> {
    const { content } = await this.#ask("media_at", { metric, runs, step }, version);
    return content.items as MediaItem[];
  }

  /** Return the items of these steps alone. */
  async window(
    metric: string,
    runs: readonly string[],
    steps: readonly number[],
    version: unknown,
  ): Promise<ItemWindow> {
    const ends = { from: Math.min(...steps), to: Math.max(...steps) };
    const { content } = await this.#ask("media_window", { metric, runs, ...ends, steps }, version);
    return content as unknown as ItemWindow;
  }

  async tablePage(question: TableQuestion): Promise<TablePage> {
    const { content } = await this.#ask("table_rows", { ...question }, "");
    return content as unknown as TablePage;
  }

  /** Ask once for what many may want; a refusal is not kept. */
  #ask(question: string, fields: Record<string, unknown>, version: unknown): Promise<Answer> {
    const key = JSON.stringify([question, fields, version]);
    const known = this.#answers.get(key);
    if (known) return known;
    const answer = this.#requests.ask(question, fields);
    this.#answers.set(key, answer);
    answer.catch(() => this.#answers.delete(key));
    return answer;
  }

  /** Return a file. Rejects with `NoAnswer` if the kernel does not have it. */
  file(name: string): Promise<Blob> {
    const known = this.#files.get(name);
    if (known) return Promise.resolve(known);
    const loading = this.#loading.get(name) ?? this.#load(name).finally(() => this.#loading.delete(name));
    this.#loading.set(name, loading);
    return loading;
  }

  async #load(name: string): Promise<Blob> {
    const parts: ArrayBuffer[] = [];
    for (let from = 0; ; ) {
      const { content, buffers } = await this.#requests.ask("media_file", { file: name, from });
      const { size, mime } = content as { size: number; mime: string };
      const part = copyBytes(buffers[0]);
      parts.push(part);
      from += part.byteLength;
      if (from < size && !part.byteLength) throw new NoAnswer("This file is not whole.");
      if (from < size) continue;
      const blob = new Blob(parts, { type: mime });
      this.#files.set(name, blob);
      return blob;
    }
  }

  async json<Value>(name: string): Promise<Value> {
    return JSON.parse(await (await this.file(name)).text());
  }

  /** Return the text of a file, of a long one its beginning. */
  async text(name: string): Promise<string> {
    const { buffers } = await this.#ask("media_file", { file: name, from: 0 }, "");
    return new TextDecoder().decode(copyBytes(buffers[0]));
  }

  /** Return the script of a viewer, which is asked for once. Rejects with `NoAnswer` if there is none. */
  viewer(name: string, onLate: () => void, patience: number): Promise<string> {
    const known = this.#viewers.get(name);
    if (known) return known;
    const asked = this.#requests.ask("asset", { name }, onLate, patience);
    const code = asked.then(({ buffers }) => new TextDecoder().decode(copyBytes(buffers[0])));
    this.#viewers.set(name, code);
    code.catch(() => this.#viewers.delete(name));
    return code;
  }

  /** Return histograms over the steps of a run, of many steps evenly some. */
  async histograms(metric: string, run: string, most: number, version: unknown): Promise<MediaItem[]> {
    const { content } = await this.#ask("histograms", { metric, run, most }, version);
    const { steps, items } = content as { steps: number[]; items: MediaItem["about"][] };
    const common = { run, item: 0, kind: "histogram", file: null, size: 0, mime: "", caption: null } as const;
    return items.map((about, i) => ({ ...common, step: steps[i], about }));
  }

  /** Return the thumbnail of a file; null if it has none. What is no longer wanted when its turn comes is not asked for. */
  thumbnail(name: string, signal: AbortSignal): Promise<Blob | null> {
    const known = this.#thumbnails.get(name);
    if (known !== undefined) return Promise.resolve(known);
    return new Promise((resolve, reject) => {
      const waiting = this.#wanted.get(name) ?? [];
      waiting.push({ resolve, reject, signal });
      this.#wanted.delete(name); // to the end: the newest are asked for first
      this.#wanted.set(name, waiting);
      this.#schedule();
    });
  }

  #schedule() {
    if (this.#scheduled) return;
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      while (this.#wanted.size && this.#asking < QUESTIONS_AT_ONCE) void this.#askForThumbnails();
    });
  }

  async #askForThumbnails() {
    const asked: [string, Wanted[]][] = [];
    for (const [name, waiting] of [...this.#wanted].reverse()) {
      if (asked.length === THUMBNAILS_A_QUESTION) break;
      this.#wanted.delete(name);
      const wanted = waiting.filter(({ signal }) => !signal.aborted);
      if (wanted.length) asked.push([name, wanted]);
    }
    if (!asked.length) return;
    this.#asking++;
    try {
      const { content, buffers } = await this.#requests.ask("thumbnails", {
        files: asked.map(([name]) => name),
      });
      const mimes = content.mimes as (string | null)[];
      for (const [i, [name, waiting]] of asked.entries()) {
        if (i >= mimes.length && mimes.length) {
          this.#wanted.set(name, [...waiting, ...(this.#wanted.get(name) ?? [])]); // the kernel needs longer
          continue;
        }
        const mime = mimes[i];
        const blob = mime ? new Blob([copyBytes(buffers[i])], { type: mime }) : null;
        this.#thumbnails.set(name, blob);
        for (const { resolve } of waiting) resolve(blob);
      }
    } catch (error) {
      for (const [, waiting] of asked) for (const { reject } of waiting) reject(error);
    } finally {
      this.#asking--;
      this.#schedule();
    }
  }
}

/** The newest entries, up to a total size. */
export class Recent<Value> {
  #entries = new Map<string, Value>();
  #total = 0;
  #most: number;
  #sizeOf: (value: Value) => number;

  constructor(most: number, sizeOf: (value: Value) => number = () => 1) {
    [this.#most, this.#sizeOf] = [most, sizeOf];
  }

  get(key: string): Value | undefined {
    const value = this.#entries.get(key);
    if (value !== undefined) {
      this.#entries.delete(key);
      this.#entries.set(key, value);
    }
    return value;
  }

  /** Keep a value. The newest is kept whatever its size. */
  set(key: string, value: Value) {
    this.delete(key);
    this.#entries.set(key, value);
    this.#total += this.#sizeOf(value);
    for (const oldest of this.#entries.keys()) {
      if (this.#total <= this.#most || oldest === key) break;
      this.delete(oldest);
    }
  }

  delete(key: string) {
    if (!this.#entries.has(key)) return;
    this.#total -= this.#sizeOf(this.#entries.get(key) as Value);
    this.#entries.delete(key);
  }
}

const stores = new WeakMap<object, MediaStore>();

/** Return the store of a board, which all its panels share. */
export function mediaStoreOf(requests: Pick<Requests, "ask">): MediaStore {
  const store = stores.get(requests) ?? new MediaStore(requests);
  stores.set(requests, store);
  return store;
}
