import { h, nextFrame, onResize, searchField, setText } from "../ui/dom.ts";
import { formatCount, formatWhole } from "../ui/format.ts";
import { VirtualRows } from "../ui/virtual-rows.ts";
import type { ItemSource, OpenItem } from "./lightbox.ts";
import { icon, MOST_UNASKED, problemNote, showBlob } from "./media-dom.ts";
import type { MediaStore, TablePage } from "./media-store.ts";
import type { MediaItem } from "./media-types.ts";
import { RowReader } from "./row-reader.ts";

const ROW = 26; // px; as in media.css
const MEDIA_ROW = 72; // px of a row with images
const PAGE = 200; // rows of a question
const FILTER_DELAY = 250; // ms after the last key
const LETTER = 7; // px
const WIDTHS = [56, 280] as const; // px of a column
const CAN_BE_LARGE: readonly string[] = ["image", "video"];

interface Place {
  row: number;
  column: number;
}

/** A table: its rows are asked for as they are scrolled to, sorted by a column and filtered by the kernel. */
export class TableView {
  readonly element = h("div", { class: "tb-media-table" });
  #filter = searchField("Filter rows");
  #status = h("span", { class: "tb-minor tb-number", role: "status" });
  #head = h("div", { class: "tb-media-table-head", role: "row" });
  #scroll = h("div", { class: "tb-media-table-scroll", role: "table", tabindex: "0" });
  #none = h("div", { class: "tb-media-none", role: "row" }, h("div", { role: "cell" }, "no row matches"));
  #rows: VirtualRows;
  #height = ROW;
  #pages = new Map<number, TablePage["rows"] | "loading">();
  #columns: TablePage["columns"] = [];
  #total = 0;
  #reader: RowReader;
  #read: number | null = null; // the row that is read whole
  #made = new Map<number, { element: HTMLElement; filled: boolean; gone: AbortController }>();
  #sort: string | null = null;
  #descending = false;
  #mayLackSort = false; // whether the table of another step may have no such column
  #timer: ReturnType<typeof setTimeout> | undefined;
  #asked = 0; // counts the orders of rows, so that answers of an earlier one are dropped
  #item: MediaItem;
  #store: MediaStore;
  #open: OpenItem;
  #signal: AbortSignal;
  #drawSoon: () => void;

  /** `open` shows the medium of a cell large. */
  constructor(item: MediaItem, store: MediaStore, open: OpenItem, signal: AbortSignal) {
    [this.#item, this.#store, this.#open, this.#signal] = [item, store, open, signal];
    this.#scroll.setAttribute("aria-label", item.caption ?? "Table");
    this.#rows = this.#newRows(ROW);
    this.#scroll.append(this.#head, this.#rows.element);
    const line = h("div", { class: "tb-media-line" }, this.#filter, this.#status);
    this.#reader = new RowReader(by => this.#turn(by), signal);
    this.element.append(line, this.#scroll, this.#reader.element);
    this.#rowEvents();
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

  /** Show the table of another step, sorted, filtered and scrolled as this one. */
  show(item: MediaItem) {
    const isOther = item.file !== this.#item.file;
    this.#item = item;
    if (!isOther) return;
    this.#mayLackSort = this.#sort !== null;
    this.#scroll.setAttribute("aria-label", item.caption ?? "Table");
    this.#askAnew(Math.floor(this.#rows.window(this.#total)[0] / PAGE));
  }

  #newRows(height: number): VirtualRows {
    return new VirtualRows(this.#scroll, height, 1, { class: "tb-media-table-rows", role: "rowgroup" });
  }

  #rowEvents() {
    const signal = this.#signal;
    const click = (event: MouseEvent) => {
      const row = (event.target as Element).closest(".tb-media-table-row");
      if (!row || (event.target as Element).closest("button") || getSelection()?.toString()) return;
      this.#readRow(Number(row.getAttribute("aria-rowindex")) - 2);
    };
    const key = (event: KeyboardEvent) => {
      const isInRows = event.target === this.#scroll;
      const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      if (event.key === "Escape" && this.#read !== null) this.#turn(null);
      else if (event.key === "Enter" && isInRows && this.#read === null)
        this.#readRow(Math.round(this.#scroll.scrollTop / this.#height));
      else if (by && isInRows && this.#read !== null) this.#turn(by);
      else return;
      event.preventDefault();
      event.stopPropagation();
    };
    this.#scroll.addEventListener("click", click, { signal });
    this.element.addEventListener("keydown", key, { signal });
  }

  /** Read the row so many after the one that is read, or none. */
  #turn(by: number | null) {
    const isClosed = by === null || this.#read === null;
    this.#readRow(isClosed ? null : Math.max(0, Math.min(this.#total - 1, (this.#read as number) + by)));
    if (isClosed) this.#scroll.focus({ preventScroll: true });
  }

  #readRow(row: number | null) {
    this.#read = row;
    this.#showRead();
    if (row !== null) this.#rows.reveal(row);
    this.#draw();
  }

  #showRead() {
    const at = this.#read;
    const page = at === null ? undefined : this.#pages.get(Math.floor(at / PAGE));
    if (page === "loading" || (page === undefined && at !== null && at < this.#total)) return;
    const row = at === null || !page ? undefined : page[at % PAGE];
    if (at === null || !row) return this.#reader.show(null);
    const texts = this.#columns.flatMap(({ name, type }, i) =>
      type === "media" ? [] : [{ name, text: wholeText(row[i]) }],
    );
    this.#reader.show({ place: at, total: this.#total, cells: texts });
  }

  /** Ask for the rows anew. */
  #reorder() {
    this.#scroll.scrollTop = 0;
    this.#read = null;
    this.#askAnew(0);
  }

  #askAnew(page: number) {
    this.#asked++;
    this.#pages.clear();
    this.#forget(0, 0);
    this.#load(page);
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
        this.#mayLackSort = false;
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
        if (this.#mayLackSort) {
          [this.#mayLackSort, this.#sort] = [false, null];
          return this.#askAnew(page);
        }
        setText(this.#status, (error as Error).message);
      },
    );
  }

  #showStatus() {
    const { rows } = this.#item.about;
    const isFiltered = this.#filter.value.trim() !== "";
    const all = `${formatCount(this.#total)} ${this.#total === 1 ? "row" : "rows"}`;
    const some = `${formatCount(this.#total)} of ${formatCount(rows ?? 0)} rows`;
    setText(this.#status, isFiltered && rows !== undefined ? some : all);
    if (isFiltered && !this.#total) this.#scroll.append(this.#none);
    else this.#none.remove();
  }

  #setColumns({ columns, rows }: TablePage) {
    if (JSON.stringify(columns) === JSON.stringify(this.#columns)) return this.#markSort();
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
    if (height !== this.#height) {
      this.#height = height;
      this.#forget(0, 0);
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
    this.#showRead();
    for (const [index, { element }] of this.#made)
      element.classList.toggle("tb-media-read", index === this.#read && !this.#reader.element.hidden);
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
    element.append(
      ...this.#columns.map(({ type }, i) => this.#cell(cells?.[i], type, { row: index, column: i }, signal)),
    );
    this.#made.set(index, { element, filled: Boolean(cells), gone });
    return element;
  }

  #cell(value: unknown, type: string, place: Place, signal: AbortSignal): HTMLElement {
    const cell = h("div", { role: "cell", class: "tb-media-cell", "data-type": type });
    if (type === "string") cell.dir = "auto"; // the beginning of a text from right to left is what is seen of it
    const item = type === "media" ? this.#itemAt(place) : null;
    if (item) cell.append(this.#button(item, place, signal));
    else {
      const text = cellText(value);
      cell.textContent = text;
      const whole = typeof value === "number" ? String(value) : text;
      if (text.length > 12 || whole.length > 12) cell.title = whole;
    }
    return cell;
  }

  /** Return the medium of a cell, as a medium that the table's run has logged. */
  #itemAt({ row, column }: Place): MediaItem | null {
    const page = this.#pages.get(Math.floor(row / PAGE));
    const found = Array.isArray(page) ? mediaIn(page[row % PAGE]?.[column]) : null;
    const { run, step } = this.#item;
    return found && { ...found, run, step, item: row };
  }

  #button(item: MediaItem, place: Place, signal: AbortSignal): HTMLElement {
    const content = cellMedia(item, this.#store, signal);
    if (!item.file || !CAN_BE_LARGE.includes(item.kind)) return content;
    const label = `Open ${item.caption ?? item.about.name ?? item.kind}`;
    const button = h(
      "button",
      { type: "button", class: "tb-media-cell-button", "aria-label": label },
      content,
    );
    button.addEventListener("click", () => this.#open(item, this.#sourceAt(place)), { signal });
    return button;
  }

  /** The media of a column, from a cell on. */
  #sourceAt({ row, column }: Place): ItemSource {
    const at = { row, column };
    const isRow = (to: number) => to >= 0 && to < this.#total;
    return {
      has: by => isRow(at.row + by),
      step: by => {
        const to = at.row + by;
        if (!isRow(to)) return null;
        this.#rows.reveal(to);
        this.#draw();
        const item = this.#itemAt({ row: to, column });
        if (item) at.row = to;
        return item;
      },
      steps: () => [],
      turn: async () => null,
      closed: () => {
        const cell = this.#made.get(at.row)?.element.children[column];
        cell?.querySelector("button")?.focus({ preventScroll: true });
      },
    };
  }
}

function mediaIn(value: unknown): MediaItem | null {
  return typeof value === "object" && value !== null && "kind" in value && "file" in value
    ? (value as MediaItem)
    : null;
}

function cellText(value: unknown): string {
  if (value === null || value === undefined) return "";
  if (typeof value === "number") return formatWhole(value);
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

/** Return all of a cell, and JSON indented. */
function wholeText(value: unknown): string {
  if (typeof value === "number") return String(value).replace(/^-/, "−");
  return typeof value === "object" && value !== null ? JSON.stringify(value, null, 2) : cellText(value);
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
    if (signal.aborted) return;
    await showBlob(image, blob);
    image.classList.toggle("tb-media-pixels", image.naturalHeight <= MEDIA_ROW / 2);
  };
  show().catch(error => place.replaceChildren(problemNote(error)));
  return place;
}
