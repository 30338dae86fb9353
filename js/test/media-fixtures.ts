import type { MediaEntry, MediaItem, PageMedia } from "../src/media/media-types.ts";
import { answerMedia } from "../src/media/page-answers.ts";
import { FakeModel } from "./fixtures.ts";

export type Logged = MediaItem & { metric: string };

export function medium(more: Partial<Logged> = {}): Logged {
  return {
    metric: "images",
    run: "id0",
    step: 0,
    item: 0,
    kind: "image",
    file: "a.png",
    size: 100,
    mime: "image/png",
    caption: null,
    about: {},
    ...more,
  };
}

/** The trait `media` of these items. */
export function mediaTrait(items: readonly Logged[]) {
  const metrics: Record<string, Omit<MediaEntry, "metric">> = {};
  for (const { metric, kind } of items) {
    metrics[metric] ??= { kind, count: 0 };
    metrics[metric].count++;
  }
  return { metrics };
}

/** A model whose kernel has media: the items, and the content of files by name. */
export class MediaModel extends FakeModel {
  readonly asked: Record<string, unknown>[] = [];
  items: readonly Logged[];
  #page: PageMedia & { files: Record<string, string> };
  #contents: (name: string) => Promise<ArrayBuffer>;
  #thumbnails: (name: string) => Promise<ArrayBuffer | null>;
  #tables: Record<string, unknown>;

  constructor(
    items: readonly Logged[],
    traits: Record<string, unknown> = {},
    contents: (name: string) => Promise<ArrayBuffer> = async () => new ArrayBuffer(0),
    thumbnails: (name: string) => Promise<ArrayBuffer | null> = contents,
    tables: Record<string, unknown> = {},
  ) {
    super({ media: mediaTrait(items), ...traits });
    this.items = items;
    [this.#contents, this.#thumbnails, this.#tables] = [contents, thumbnails, tables];
    this.#page = this.#pageOf();
  }

  /** Log more media. */
  log(...items: Logged[]) {
    this.items = [...this.items, ...items];
    this.#page = this.#pageOf();
    this.set("media", mediaTrait(this.items));
  }

  #pageOf() {
    const files = selves(this.items.flatMap(({ file }) => file ?? []));
    return { rows: "rows", files, thumbnails: {} };
  }

  importFile(): Promise<unknown> {
    return import("../src/media/entry.ts");
  }

  send(content: unknown) {
    const { id, ...question } = content as Record<string, unknown>;
    this.asked.push(question);
    const hear = (answer: object, buffers: DataView[]) => {
      for (const listener of this.listeners.get("msg:custom") ?? [])
        (listener as (...of: unknown[]) => void)({ answers: id, ...answer }, buffers);
    };
    this.answer(question).then(
      ({ content, buffers }) => hear(content, buffers),
      error => hear({ error: String(error.message) }, []),
    );
  }

  /** Answer as an exported page does. */
  async answer(question: Record<string, unknown>) {
    const thumbnails = new Map<string, ArrayBuffer>();
    for (const name of (question.files as string[] | undefined) ?? []) {
      const data = await this.#thumbnails(name);
      if (data?.byteLength) thumbnails.set(name, data);
    }
    const { files } = this.#page;
    if (question.file !== undefined) files[String(question.file)] = String(question.file);
    this.#page.thumbnails = selves(thumbnails.keys());
    return answerMedia(this.#page, question, async element => {
      if (element === "rows") return encoded(this.items.map(item => FIELDS.map(field => item[field])));
      if (question.ask === "thumbnails") return thumbnails.get(element) as ArrayBuffer;
      if (question.ask === "table_rows") return encoded(this.#tables[element]);
      return this.#contents(element);
    });
  }
}

const FIELDS = ["metric", "run", "step", "item", "kind", "file", "size", "mime", "caption", "about"] as const;
const encoded = (value: unknown) => new TextEncoder().encode(JSON.stringify(value)).buffer as ArrayBuffer;
const selves = (all: Iterable<string>): Record<string, string> =>
  Object.fromEntries([...all].map(name => [name, name]));
