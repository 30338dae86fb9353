import { h, nextFrame, onResize, searchField, setText } from "../ui/dom.ts";
import { formatAlone, formatCount } from "../ui/format.ts";
import { VirtualRows } from "../ui/virtual-rows.ts";
import { icon, MOST_UNASKED, problemNote, showBlob } from "./media-dom.ts";
import type { MediaStore, TablePage } from "./media-store.ts";
import type { MediaItem } from "./media-types.ts";

const ROW = 26; // px; as in media.css
const MEDIA_ROW = 72; // px of a row with images
const PAGE = 200; // rows of a question
const FILTER_DELAY = 250; // ms after the last key
const LETTER = 7; // px
const WIDTHS = [56, 280] as const; // px of a column

/** A table: its rows are asked for as they are scrolled to, sorted by a column and filtered by the kernel. */
export class TableView {
  readonly element = h("div", { class: "tb-media-table" });
  #filter = searchField("Filter rows");
  #status = h("span", { class: "tb-minor tb-number", role: "status" });
  #head = h("div", { class: "tb-media-table-head", role: "row" });
  #scroll = h("div", { class: "tb-media-table-scroll", role: "table", tabindex: "0" });
  #rows: VirtualRows;
  #pages = new Map<number, TablePage["rows"] | "loading">();
  #columns: TablePage["columns"] = [];
  #total = 0;
  #made = new Map<number, { element: HTMLElement; filled: boolean; gone: AbortController }>();
  #sort: string | null = null;
  #descending = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #asked = 0; // counts the orders of rows, so that answers of an earlier one are dropped
  #item: MediaItem;
  #store: MediaStore;
  #signal: AbortSignal;
  #drawSoon: () => void;

  constructor(item: MediaItem, store: MediaStore, signal: AbortSignal) {
    [this.#item, this.#store, this.#signal] = [item, store, signal];
    this.#scroll.setAttribute("aria-label", item.caption ?? "Table");
    this.#rows = this.#newRows(ROW);
    this.#scroll.append(this.#head, this.#rows.element);
    const line = h("div", { class: "tb-media-line" }, this.#filter, this.#status);
    this.element.append(line, this.#scroll);
    this.#drawSoon = nextFrame(() => this.#draw(), signal);
    this.#scroll.addEventListener("scroll", this.#drawSoon, { signal, passive: true });
    onResize(this.#scroll, this.#drawSoon, signal);
    const filter = () => {
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => this.#reorder(), FILTER_DELAY);
    };
    this.#filter.addEventListener("input", filter, { signal });
    signal.addEventListener("abort", () => clearTimeout(this.#timer));
    this.#reorder();
  }

  #newRows(height: number): VirtualRows {
    return new VirtualRows(this.#scroll, height, 1, { class: "tb-media-table-rows", role: "rowgroup" });
  }

  /** Ask for the rows anew. */
  #reorder() {
    this.#asked++;
    this.#pages.clear();
    this.#forget(0, 0);
    this.#scroll.scrollTop = 0;
    this.#load(0);
  }

  #load(page: number) {
    if (this.#pages.has(page)) return;
    this.#pages.set(page, "loading");
    const asked = this.#asked;
    const question = {
      file: this.#item.file as string,
      sort: this.#sort,
      descending: this.#descending,
      filter: this.#filter.value.trim(),
      from: page * PAGE,
      count: PAGE,
    };
    this.#store.tablePage(question).then(
      answer => {
        if (asked !== this.#asked || this.#signal.aborted) return;
        this.#pages.set(page, answer.rows);
        this.#total = answer.total;
        this.#setColumns(answer);
        this.#showStatus();
        this.#draw();
        this.element.dataset.shown = String(answer.total);
      },
      error => {
        if (asked !== this.#asked) return;
        this.#pages.delete(page);
        setText(this.#status, (error as Error).message);
      },
    );
  }

  #showStatus() {
    const { rows } = this.#item.about;
    const filtered = this.#filter.value.trim() && rows !== undefined;
    const all = `${formatCount(this.#total)} ${this.#total === 1 ? "row" : "rows"}`;
    setText(this.#status, filtered ? `${formatCount(this.#total)} of ${formatCount(rows)} rows` : all);
  }

  #setColumns({ columns, rows }: TablePage) {
    if (this.#columns.length) return this.#markSort();
    this.#columns = columns;
    const widths = columns.map(({ name, type }, i) => {
      if (type === "media") return 96;
      const longest = rows
        .slice(0, 50)
        .reduce((most, row) => Math.max(most, cellText(row[i]).length), name.length + 2);
      return Math.min(WIDTHS[1], Math.max(WIDTHS[0], longest * LETTER + 20));
    });
    const template = widths.map(width => `minmax(${width}px, ${width}fr)`).join(" ");
    this.#scroll.style.setProperty("--tb-table-columns", template);
    this.#scroll.style.setProperty("--tb-table-width", `${widths.reduce((sum, width) => sum + width, 0)}px`);
    const hasMedia = columns.some(({ type }) => type === "media");
    const height = hasMedia ? MEDIA_ROW : ROW;
    this.#scroll.style.setProperty("--tb-table-row", `${height}px`);
    if (hasMedia) {
      this.#rows.element.remove();
      this.#rows = this.#newRows(height);
      this.#scroll.append(this.#rows.element);
    }
    this.#head.replaceChildren(...columns.map((column, i) => this.#headCell(column, i)));
    this.#markSort();
  }

  #headCell({ name, type }: TablePage["columns"][number], at: number): HTMLElement {
    const cell = h("div", { role: "columnheader", class: "tb-media-cell", "data-type": type });
    cell.dataset.column = String(at);
    if (type === "media" || type === "json") {
      cell.append(name);
      return cell;
    }
    const sort = h(
      "button",
      { type: "button", class: "tb-media-sort", title: `Sort by ${name}` },
      h("span", {}, name),
    );
    const click = () => {
      // ascending, descending, as logged
      const again = this.#sort === name;
      [this.#sort, this.#descending] = !again
        ? [name, false]
        : this.#descending
          ? [null, false]
          : [name, true];
      this.#reorder();
      this.#markSort();
    };
    sort.addEventListener("click", click, { signal: this.#signal });
    cell.append(sort);
    return cell;
  }

  #markSort() {
    for (const cell of this.#head.children) {
      const { name } = this.#columns[Number((cell as HTMLElement).dataset.column)];
      const order = name !== this.#sort ? "none" : this.#descending ? "descending" : "ascending";
      cell.setAttribute("aria-sort", order);
    }
  }

  #draw() {
    const [from, end] = this.#rows.window(this.#total);
    for (let page = Math.floor(from / PAGE); page * PAGE < end; page++) this.#load(page);
    this.#forget(from, end);
    this.#scroll.setAttribute("aria-rowcount", String(this.#total + 1));
    this.#rows.update(this.#total, index => this.#row(index));
  }

  /** Take the rows out of memory that are out of sight. */
  #forget(from: number, end: number) {
    for (const [index, { gone }] of this.#made) {
      if (index >= from && index < end) continue;
      gone.abort();
      this.#made.delete(index);
    }
  }

  #row(index: number): HTMLElement {
    const page = this.#pages.get(Math.floor(index / PAGE));
    const cells = Array.isArray(page) ? (page[index % PAGE] as readonly unknown[] | undefined) : undefined;
    const known = this.#made.get(index);
    if (known && known.filled === Boolean(cells)) return known.element;
    const element = h("div", {
      role: "row",
      class: "tb-media-table-row",
      "aria-rowindex": String(index + 2),
    });
    const gone = new AbortController();
    const signal = AbortSignal.any([this.#signal, gone.signal]);
    element.append(...this.#columns.map(({ type }, i) => this.#cell(cells?.[i], type, signal)));
    this.#made.set(index, { element, filled: Boolean(cells), gone });
    return element;
  }

  #cell(value: unknown, type: string, signal: AbortSignal): HTMLElement {
    const cell = h("div", { role: "cell", class: "tb-media-cell", "data-type": type });
    const item = type === "media" ? mediaIn(value) : null;
    if (item) cell.append(cellMedia(item, this.#store, signal));
    else {
      const text = cellText(value);
      cell.textContent = text;
      if (text.length > 12) cell.title = text;
    }
    return cell;
  }
}

function mediaIn(value: unknown): MediaItem | null {
  return typeof value === "object" && value !== null && "kind" in value && "file" in value
    ? (value as MediaItem)
    : null;
}

function cellText(value: unknown): string {
  if (value === null || value === undefined) return "";
  if (typeof value === "number") return Number.isInteger(value) ? String(value) : formatAlone(value);
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

function cellMedia(item: MediaItem, store: MediaStore, signal: AbortSignal): HTMLElement {
  const name = item.caption ?? item.about.name ?? item.kind;
  if (item.kind !== "image" || !item.file)
    return h("span", { class: "tb-minor" }, ...(item.kind === "audio" ? [icon("sound")] : []), name);
  const file = item.file;
  const image = h("img", { class: "tb-media-inline", alt: name, title: name });
  const place = h("span", {}, image);
  const show = async () => {
    const thumbnail = await store.thumbnail(file, signal);
    if (!thumbnail && item.size > MOST_UNASKED) return place.replaceChildren(name);
    const blob = thumbnail ?? (await store.file(file));
    if (!signal.aborted) await showBlob(image, blob);
  };
  show().catch(error => place.replaceChildren(problemNote(error)));
  return place;
}
