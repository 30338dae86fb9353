import type { RunEntry } from "../frames/runs-table.ts";
import type { ViewState } from "../frames/view-state.ts";
import type { Goal } from "../plot/emphasis.ts";
import type { RunStyle } from "../plot/plot-rows.ts";
import { h, nextFrame, onResize, setChildren } from "../ui/dom.ts";
import { VirtualRows } from "../ui/virtual-rows.ts";
import { columnWidths, moved } from "./column-layout.ts";
import type { RunColumn } from "./columns.ts";
import { GroupRow, pin, RunRow } from "./row.ts";
import { parseSort, type RunGroup } from "./sorting.ts";
import type { Visibility } from "./visibility.ts";

export const ROW_HEIGHT = 28; // px; as in runs.css

export type GridItem =
  | { kind: "group"; key: string; group: RunGroup }
  | { kind: "run"; key: string; entry: RunEntry };

export interface GridScene {
  items: readonly GridItem[];
  columns: readonly RunColumn[];
  /** How many columns after the first stay when the list is scrolled. */
  pinned: number;
  now: number;
  /** Return which values of a column are good, by its id. */
  goalOf(id: string): Goal;
  styleOf(item: GridItem): Pick<RunStyle, "color" | "dash"> | null;
}

/** Actions that the grid leaves to the panel. */
interface GridActions {
  details(entry: RunEntry): void;
  /** Show this run in the details, if they are open. */
  follow(entry: RunEntry): void;
  /** Whether runs can be renamed; if not, the panel says why. */
  mayRename(): boolean;
  rename(entry: RunEntry, name: string): void;
  remove(entry: RunEntry): void;
}

let grids = 0;

/** The grid of runs. It is one tab stop: keys move the active row. Only visible rows are in the page. */
export class RunsGrid {
  readonly element = h("div", { class: "tb-runs-frame" });
  #scroll = h("div", { class: "tb-runs-scroll" });
  #grid = h("div", { class: "tb-runs", role: "grid", tabindex: "0", "aria-multiselectable": "true" });
  #head = h("div", { class: "tb-runs-row tb-runs-head", role: "row", "aria-rowindex": "1" });
  #rows = new VirtualRows(this.#scroll, ROW_HEIGHT, 1, { class: "tb-runs-rows", role: "rowgroup" });
  #rowElements = new Map<string, RunRow | GroupRow>();
  #headers = new Map<string, HTMLElement>();
  #id = `tb-runs-${++grids}`;
  #ids = new Map<string, string>();
  #pins: readonly number[] = []; // px from the left of each pinned column
  #active = "";
  #scene: GridScene | null = null;
  #folded = new Set<string>();
  #drawSoon: () => void;

  constructor(
    private readonly state: ViewState,
    private readonly visibility: Visibility,
    private readonly doing: GridActions,
    private readonly onChange: () => void,
    private readonly signal: AbortSignal,
  ) {
    this.#grid.setAttribute("aria-label", "Runs of the project");
    this.#grid.append(h("div", { role: "rowgroup", class: "tb-runs-heads" }, this.#head), this.#rows.element);
    this.#scroll.append(this.#grid);
    this.element.append(this.#scroll);
    this.#drawSoon = nextFrame(() => this.#draw(), signal);
    this.#scroll.addEventListener("scroll", this.#drawSoon, { signal, passive: true });
    this.#grid.addEventListener("keydown", event => this.#onKey(event), { signal });
    this.#grid.addEventListener("click", event => this.#onClick(event), { signal });
    this.#grid.addEventListener("dblclick", event => this.#onDoubleClick(event), { signal });
    onResize(this.#scroll, this.#drawSoon, signal);
    this.#moveColumns();
  }

  isOpen(group: string): boolean {
    return !this.#folded.has(group);
  }

  get active(): string {
    return this.#active;
  }

  update(scene: GridScene) {
    this.#scene = scene;
    this.#showHead(scene);
    const isGrouped = scene.items.some(({ kind }) => kind === "group");
    const entries = scene.items.flatMap(item => (item.kind === "run" ? [item.entry] : item.group.members));
    const widths = columnWidths(scene.columns, entries, scene.now, isGrouped);
    this.#grid.style.setProperty("--tb-columns", widths.map(width => `${width}px`).join(" "));
    this.#grid.style.minWidth = `${widths.reduce((sum, width) => sum + width, 0)}px`;
    this.#pinColumns(scene, widths);
    this.#grid.setAttribute("aria-rowcount", String(scene.items.length + 1));
    this.#grid.setAttribute("aria-colcount", String(scene.columns.length));
    this.#grid.setAttribute("role", isGrouped ? "treegrid" : "grid");
    this.#draw();
  }

  /** Set where pinned columns stand when the list is scrolled: beside the names. */
  #pinColumns({ columns, pinned }: GridScene, widths: readonly number[]) {
    let left = widths[0];
    this.#pins = columns.slice(1, 1 + pinned).map((_, i) => {
      const at = left;
      left += widths[i + 1];
      return at;
    });
    this.#headers.forEach(header => {
      header.classList.remove("tb-pinned");
    });
    this.#pins.forEach((at, i) => {
      pin(this.#headers.get(columns[i + 1].id) as HTMLElement, at);
    });
    for (const { id, title } of columns) this.#namePin(id, title);
  }

  #namePin(id: string, title: string) {
    const header = this.#headers.get(id);
    const button = header?.querySelector<HTMLElement>(".tb-runs-pin");
    const isPinned = header?.classList.contains("tb-pinned") === true;
    if (!button || button.getAttribute("aria-pressed") === String(isPinned)) return;
    button.setAttribute("aria-pressed", String(isPinned));
    button.setAttribute("aria-label", `Pin ${title} beside the names`);
    button.title = isPinned ? `Unpin ${title}` : `Pin ${title} beside the names`;
  }

  /** Move a column by dragging its head onto another one's, or by Alt and an arrow key; pin it with its button. */
  #moveColumns() {
    const idOf = (target: EventTarget | null) =>
      (target as Element | null)?.closest<HTMLElement>("[role=columnheader]")?.dataset.column;
    const on = <Name extends keyof HTMLElementEventMap>(
      name: Name,
      act: (event: HTMLElementEventMap[Name]) => void,
    ) => this.#head.addEventListener(name, act, { signal: this.signal });
    let dragged = "";
    on("dragstart", event => {
      dragged = idOf(event.target) ?? "";
      event.dataTransfer?.setData("text/plain", dragged);
    });
    on("dragover", event => {
      if (dragged && idOf(event.target)) event.preventDefault();
    });
    on("drop", event => {
      const onto = idOf(event.target);
      if (!dragged || !onto || onto === dragged) return;
      event.preventDefault();
      const ids = this.#columnIds();
      const after = ids.indexOf(dragged) < ids.indexOf(onto); // dragged to the right: behind the other one
      this.#setOrder(moved(ids, dragged, after ? (ids[ids.indexOf(onto) + 1] ?? null) : onto));
      dragged = "";
    });
    on("keydown", event => {
      const id = idOf(event.target);
      const by = { ArrowLeft: -1, ArrowRight: 2 }[event.key];
      if (!id || !event.altKey || !by) return;
      const ids = this.#columnIds();
      this.#setOrder(moved(ids, id, ids[Math.max(0, ids.indexOf(id) + by)] ?? null));
      event.preventDefault();
    });
    on("click", event => {
      const pinning = (event.target as Element).closest(".tb-runs-pin");
      const id = pinning && idOf(pinning);
      if (id) this.state.toggle("pinned_columns", id);
    });
  }

  #columnIds(): string[] {
    return (this.#scene?.columns ?? []).map(({ id }) => id).filter(id => id !== "name");
  }

  #setOrder(ids: string[]) {
    this.state.set("run_columns", ids);
  }

  focus() {
    this.#grid.focus();
  }

  #draw() {
    const scene = this.#scene;
    if (!scene) return;
    const { scrollLeft, scrollWidth, clientWidth } = this.#scroll;
    this.element.classList.toggle("tb-more-left", scrollLeft > 1);
    this.element.classList.toggle("tb-more-right", scrollLeft + clientWidth < scrollWidth - 1);
    const made = new Map<string, RunRow | GroupRow>();
    this.#rows.update(scene.items.length, index => {
      const row = this.#rowOf(scene, index);
      made.set(scene.items[index].key, row);
      return row.element;
    });
    for (const [key, row] of this.#rowElements) {
      // keep a scrolled-out row while its name is edited
      if (!made.has(key) && row instanceof RunRow && row.editing) made.set(key, row);
    }
    this.#rowElements = made;
    const active = made.has(this.#active) ? (this.#ids.get(this.#active) ?? "") : "";
    if (active) this.#grid.setAttribute("aria-activedescendant", active);
    else this.#grid.removeAttribute("aria-activedescendant");
  }

  #rowOf(scene: GridScene, index: number): RunRow | GroupRow {
    const item = scene.items[index];
    const active = item.key === this.#active;
    const style = scene.styleOf(item);
    if (item.kind === "run") {
      const row = (this.#rowElements.get(item.key) as RunRow | undefined) ?? new RunRow(this.#idOf(item.key));
      const shown = this.visibility.shown(item.entry.id);
      row.update(item.entry, index, {
        columns: scene.columns,
        now: scene.now,
        shown,
        active,
        style,
        pins: this.#pins,
      });
      return row;
    }
    const row =
      (this.#rowElements.get(item.key) as GroupRow | undefined) ?? new GroupRow(this.#idOf(item.key));
    const shown = item.group.members.filter(({ id }) => this.visibility.shown(id)).length;
    const { columns, now } = scene;
    const state = { columns, now, active, style, pins: this.#pins, shown: shown > 0 };
    row.update(item.group, index, this.isOpen(item.key), shown, state);
    return row;
  }

  /** Return a safe element id: run ids are chosen by users. */
  #idOf(key: string): string {
    const id = this.#ids.get(key) ?? `${this.#id}-${this.#ids.size}`;
    this.#ids.set(key, id);
    return id;
  }

  #showHead({ columns, items, now }: GridScene) {
    const sort = parseSort(this.state.get("run_sort"));
    const headers = columns.map(column => {
      const header = this.#headers.get(column.id) ?? this.#newHeader(column);
      const sorted = sort.id === column.id ? (sort.descending ? "descending" : "ascending") : "none";
      header.setAttribute("aria-sort", sorted);
      header.classList.toggle("tb-runs-figure", typeof firstValue(items, column, now) === "number");
      return header;
    });
    this.#headers = new Map(columns.map(({ id }, i) => [id, headers[i]]));
    setChildren(this.#head, headers);
  }

  #newHeader(column: RunColumn): HTMLElement {
    const title = h("span", {}, column.title);
    const button = h(
      "button",
      { type: "button", class: "tb-runs-sort", title: `Sort by ${column.id}; drag to move` },
      title,
    );
    button.addEventListener("click", () => this.#sortBy(column), { signal: this.signal });
    const header = h(
      "div",
      { class: "tb-runs-cell", role: "columnheader", "data-column": column.id },
      button,
    );
    if (column.id === "name") header.classList.add("tb-runs-first");
    else {
      header.draggable = true;
      header.append(h("button", { type: "button", class: "tb-runs-pin" }));
    }
    return header;
  }

  /** Cycle the sorting: the best or largest number first, texts ascending first, then reversed, then unsorted. */
  #sortBy({ id, kind }: RunColumn) {
    const now = this.state.get("run_sort");
    const isUp = kind === "run" || kind === "config" || this.#scene?.goalOf(id) === "min";
    const ways = isUp ? [id, `-${id}`, ""] : [`-${id}`, id, ""];
    this.state.set("run_sort", ways[(ways.indexOf(now) + 1) % ways.length]);
  }

  #itemAt(event: Event): { item: GridItem; row: RunRow | GroupRow } | null {
    const element = (event.target as Element).closest(".tb-runs-rows > .tb-runs-row");
    const found = [...this.#rowElements].find(([, row]) => row.element === element);
    const item = found && this.#scene?.items.find(({ key }) => key === found[0]);
    return found && item ? { item, row: found[1] } : null;
  }

  #onClick(event: MouseEvent) {
    const hit = this.#itemAt(event);
    if (!hit) return;
    const { item, row } = hit;
    this.activate(item.key);
    if (event.target === row.box) {
      // the check box follows the state, which triggers a redraw
      if (event.altKey) this.visibility.solo(runIds(item));
      else this.visibility.toggle(runIds(item));
      this.onChange();
    } else if (item.kind === "run" && row instanceof RunRow && event.target === row.more) {
      this.doing.details(item.entry);
    } else if (event.altKey) this.visibility.solo(runIds(item));
    else if (item.kind === "group") this.#fold(item.key, !this.isOpen(item.key));
    else this.doing.follow(item.entry);
  }

  #onDoubleClick(event: MouseEvent) {
    const hit = this.#itemAt(event);
    if (hit?.item.kind !== "run" || !(event.target as Element).closest(".tb-runs-name")) return;
    this.#rename(hit.item.entry);
  }

  activate(key: string) {
    this.#active = key;
    this.#draw();
  }

  #onKey(event: KeyboardEvent) {
    const scene = this.#scene;
    if (!scene?.items.length || event.target !== this.#grid || event.ctrlKey || event.metaKey) return;
    const at = scene.items.findIndex(({ key }) => key === this.#active);
    const page = this.#rows.page;
    const last = scene.items.length - 1;
    const moves: Record<string, number> = {
      ArrowDown: at + 1,
      ArrowUp: at < 0 ? 0 : at - 1,
      PageDown: at + page,
      PageUp: at - page,
      Home: 0,
      End: last,
    };
    if (Object.hasOwn(moves, event.key)) {
      const index = Math.min(last, Math.max(0, moves[event.key]));
      this.#active = scene.items[index].key;
      this.#rows.reveal(index);
      this.#draw();
    } else if (at < 0 || !this.#handleKey(event, scene.items[at])) return;
    event.preventDefault();
  }

  /** Handle a key on the active row. Returns whether the key has a meaning. */
  #handleKey({ key, altKey }: KeyboardEvent, item: GridItem): boolean {
    if (key === " ") {
      if (altKey) this.visibility.solo(runIds(item));
      else this.visibility.toggle(runIds(item));
    } else if (item.kind === "group") {
      if (key === "ArrowLeft" || key === "ArrowRight") this.#fold(item.key, key === "ArrowRight");
      else if (key === "Enter") this.#fold(item.key, !this.isOpen(item.key));
      else return false;
    } else if (key === "Enter") this.doing.details(item.entry);
    else if (key === "F2") this.#rename(item.entry);
    else if (key === "Delete" || key === "Backspace") this.doing.remove(item.entry);
    else return false;
    return true;
  }

  #rename(entry: RunEntry) {
    const row = this.#rowElements.get(runKey(entry.id));
    if (!(row instanceof RunRow) || !this.doing.mayRename()) return;
    row.rename(name => {
      if (name !== null) this.doing.rename(entry, name);
      this.focus();
    });
  }

  #fold(key: string, open: boolean) {
    if (open) this.#folded.delete(key);
    else this.#folded.add(key);
    this.onChange();
  }
}

function firstValue(items: readonly GridItem[], column: RunColumn, now: number) {
  for (const item of items) {
    const value = item.kind === "run" ? column.value(item.entry, now) : undefined;
    if (value !== undefined && value !== null) return value;
  }
  return undefined;
}

export function runKey(id: string): string {
  return `run:${id}`;
}

function runIds(item: GridItem): string[] {
  return item.kind === "run" ? [item.entry.id] : item.group.members.map(({ id }) => id);
}
