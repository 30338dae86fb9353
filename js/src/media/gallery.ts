import { h, nextFrame, onResize, setChildren } from "../ui/dom.ts";
import { VirtualRows } from "../ui/virtual-rows.ts";
import { type GalleryLayout, layOut, mostColumns, tileAspect, usualColumns } from "./gallery-layout.ts";
import { newestStep, runLabel } from "./media-dom.ts";
import type { MediaStore } from "./media-store.ts";
import { MediaTile, type TileLook } from "./media-tile.ts";
import type { MediaItem, RunLook } from "./media-types.ts";
import type { OverlaySettings } from "./overlays.ts";

const WORDS = 20; // px of the line under a picture; as in media.css
const STEPS_A_QUESTION = 64;

/** What a gallery shows: the items of one step, or those of all steps, which it asks for as it scrolls. */
export interface GalleryContent {
  /** The runs that have media. */
  runs: readonly RunLook[];
  items: readonly MediaItem[];
  /** The steps to scroll through, the newest first; null shows `items` alone. */
  steps: readonly number[] | null;
  /** Return the items of some of the steps. */
  load(steps: readonly number[]): Promise<readonly MediaItem[]>;
}

/** What has a place in a row: an item, null for a run without one, undefined for one that is not loaded yet. */
type Cell = MediaItem | null | undefined;

interface RowElement {
  element: HTMLElement;
  tiles: MediaTile[];
}

/** A gallery that keeps only the visible rows in the page. Arrows move between its tiles, Enter opens one. */
export class Gallery {
  readonly element = h("div", { class: "tb-media-gallery" });
  #scroll = h("div", { class: "tb-media-scroll", role: "list" });
  #head = h("div", { class: "tb-media-columns" });
  #rows: VirtualRows | null = null;
  #layout: GalleryLayout = { columns: 1, width: 1, height: 1, row: 1 };
  #content: GalleryContent | null = null;
  #made = new Map<number, RowElement>();
  #asked = new Set<number>(); // chunks of steps
  #loaded = new Map<number, MediaItem[]>(); // by step; those of a chunk stay until it is loaded anew
  #mostLoaded = 1; // of one run at one step
  #chosen: number | undefined; // columns
  #active = 0;
  #isLarge = false; // whether the active item is shown large
  #store: MediaStore;
  #overlays: OverlaySettings;
  #open: (item: MediaItem) => void;
  #drawSoon: () => void;

  constructor(
    store: MediaStore,
    overlays: OverlaySettings,
    open: (item: MediaItem) => void,
    signal: AbortSignal,
  ) {
    [this.#store, this.#overlays, this.#open] = [store, overlays, open];
    this.#drawSoon = nextFrame(() => this.#draw(), signal);
    this.element.append(this.#head, this.#scroll);
    this.#scroll.addEventListener("scroll", this.#drawSoon, { signal, passive: true });
    this.element.addEventListener("keydown", event => this.#onKey(event), { signal });
    this.element.addEventListener("click", event => this.#onClick(event), { signal });
    overlays.addEventListener("change", () => this.#eachTile(tile => tile.showOverlays()), { signal });
    onResize(this.#scroll, this.#drawSoon, signal);
    signal.addEventListener("abort", () => this.#eachTile(tile => tile.destroy()));
  }

  show(content: GalleryContent) {
    const before = this.#content;
    this.#content = content;
    const isOther = before?.steps !== content.steps;
    if (isOther) this.#asked.clear();
    if (before?.steps && content.steps) this.#stay(content.steps.indexOf(before.steps[0]));
    if (isOther && Boolean(before?.steps) !== Boolean(content.steps)) this.#scroll.scrollTop = 0;
    this.#draw();
    this.#drawSoon(); // while a page changes its theme, the place may have another size for less than a frame
  }

  /** Keep in place what the reader looks at while a run logs: newer steps come before it. */
  #stay(newer: number) {
    if (newer <= 0) return;
    const { runs } = this.#content as GalleryContent;
    const places = newer * this.#itemsPerStep * Math.max(1, (this.#runsAside ?? runs).length);
    const isScrolled = this.#scroll.scrollTop > 0;
    if (isScrolled || this.#isLarge) this.#active += places;
    if (isScrolled) this.#rows?.grow(Math.round(places / this.#layout.columns));
  }

  /** Show fewer and larger tiles, or more and smaller ones. */
  resize(by: number) {
    this.#chosen = Math.min(16, Math.max(1, (this.#chosen ?? this.#layout.columns) + by));
    this.#draw();
  }

  /** The runs that stand side by side, one in each column; null if they do not fit, or if there is only one. */
  get #runsAside(): readonly RunLook[] | null {
    const { runs, items, steps } = this.#content as GalleryContent;
    const own = steps ? runs : runs.filter(({ id }) => items.some(item => item.run === id));
    return own.length > 1 && own.length <= mostColumns(this.#scroll.clientWidth) ? own : null;
  }

  #draw() {
    const content = this.#content;
    const { clientWidth: width, clientHeight: height } = this.#scroll;
    if (!content || !width) return;
    const aside = this.#runsAside;
    const alone = content.runs.length < 2 || aside !== null;
    const hasWords = !alone || content.steps !== null || content.items.some(({ caption }) => caption);
    const { width: wide, height: high } = content.items[0]?.about ?? {};
    const count = this.#count(aside);
    const space = { width, height, words: hasWords ? WORDS : 0 };
    const asked = this.#chosen ?? (content.steps && !aside ? usualColumns(width) : undefined);
    const layout = layOut(count, space, tileAspect(wide, high), { columns: aside?.length, asked });
    this.#place(layout);
    this.#showHead(aside);
    const look: TileLook = {
      width: layout.width,
      height: layout.height,
      runs: content.runs,
      names: { run: !alone, step: content.steps !== null },
      at: newestStep(content.items),
    };
    const rows = this.#rows as VirtualRows;
    const total = Math.ceil(count / layout.columns);
    this.#forget(...rows.window(total));
    rows.update(total, index => this.#rowElement(index, this.#cells(index, aside), look));
    this.element.dataset.rows = String(total);
    this.element.classList.toggle("tb-media-one", count === 1);
  }

  /** How many items a run has at a step, as far as is known. */
  get #itemsPerStep(): number {
    const { items, steps } = this.#content as GalleryContent;
    return Math.max(mostAtOnce(items), steps ? this.#mostLoaded : 1);
  }

  /** How many places there are. */
  #count(aside: readonly RunLook[] | null): number {
    const { items, steps, runs } = this.#content as GalleryContent;
    if (steps) return steps.length * this.#itemsPerStep * Math.max(1, (aside ?? runs).length);
    return aside ? aside.length * this.#itemsPerStep : items.length;
  }

  /** Return what stands in a row. In a gallery of steps places go by step, then item, then run. */
  #cells(index: number, aside: readonly RunLook[] | null): Cell[] {
    const { items, steps, runs } = this.#content as GalleryContent;
    const { columns } = this.#layout;
    const first = index * columns;
    if (!steps && !aside) return items.slice(first, first + columns);
    const ids = (aside ?? runs).map(({ id }) => id);
    const each = this.#itemsPerStep;
    const end = Math.min(first + columns, this.#count(aside));
    return Array.from({ length: end - first }, (_, i) => {
      const place = Math.floor((first + i) / ids.length);
      const run = ids[(first + i) % ids.length];
      const found = steps ? this.#itemsAt(Math.floor(place / each)) : items;
      return found && (found.find(one => one.run === run && one.item === place % each) ?? null);
    });
  }

  /** Return the items of the n-th step; undefined while they are asked for the first time. */
  #itemsAt(n: number): readonly MediaItem[] | undefined {
    const { runs, steps, load } = this.#content as GalleryContent;
    if (!steps) return undefined;
    const chunk = Math.floor(n / STEPS_A_QUESTION);
    const known = this.#loaded.get(steps[n]);
    if (this.#asked.has(chunk)) return known;
    this.#asked.add(chunk);
    const own = steps.slice(chunk * STEPS_A_QUESTION, (chunk + 1) * STEPS_A_QUESTION);
    load(own).then(
      items => {
        if (this.#content?.steps !== steps) return;
        for (const step of own) this.#loaded.set(step, []);
        for (const item of items) this.#loaded.get(item.step)?.push(item);
        const shown = new Set(runs.map(({ id }) => id));
        this.#mostLoaded = mostAtOnce([...this.#loaded.values()].flat().filter(({ run }) => shown.has(run)));
        this.#drawSoon();
      },
      () => this.#content?.steps === steps && this.#asked.delete(chunk), // asked for again when it is scrolled to
    );
    return known;
  }

  #place(layout: GalleryLayout) {
    const before = this.#layout;
    this.#layout = layout;
    if (this.#rows && before.row === layout.row && before.columns === layout.columns) return;
    const top = this.#rows ? this.#scroll.scrollTop / before.row / (layout.columns / before.columns || 1) : 0;
    this.#forget(0, 0);
    this.#rows?.element.remove();
    this.#rows = new VirtualRows(this.#scroll, layout.row, 0, { class: "tb-media-rows" });
    this.element.style.setProperty("--tb-tile", `${layout.width}px`);
    this.element.style.setProperty("--tb-tiles", String(layout.columns));
    this.#scroll.append(this.#rows.element);
    this.#scroll.scrollTop = top * layout.row;
  }

  #showHead(aside: readonly RunLook[] | null) {
    const { items, steps } = this.#content as GalleryContent;
    const newest = newestStep(items);
    const labels = (aside ?? []).map(run => {
      const step = items.find(item => item.run === run.id)?.step;
      return [run, steps || step === newest ? null : step] as const;
    });
    const key = JSON.stringify(labels);
    this.#head.hidden = !aside;
    if (this.#head.dataset.key === key) return;
    this.#head.dataset.key = key;
    setChildren(
      this.#head,
      labels.map(([run, step]) => runLabel(run, step)),
    );
  }

  #rowElement(index: number, cells: readonly Cell[], look: TileLook): HTMLElement {
    const made = this.#made.get(index) ?? { element: h("div", { class: "tb-media-row" }), tiles: [] };
    this.#made.set(index, made);
    while (made.tiles.length < cells.length) {
      const tile = new MediaTile(this.#store, this.#overlays);
      made.tiles.push(tile);
      made.element.append(h("div", { role: "listitem" }, tile.element));
    }
    for (const tile of made.tiles.splice(cells.length)) {
      tile.destroy();
      tile.element.parentElement?.remove();
    }
    for (const [i, tile] of made.tiles.entries()) {
      const place = index * this.#layout.columns + i;
      tile.element.tabIndex = place === this.#active ? 0 : -1;
      tile.element.dataset.place = String(place);
      tile.update(cells[i] ?? null, look);
      tile.element.classList.toggle("tb-media-waiting", cells[i] === undefined);
    }
    return made.element;
  }

  /** Take the rows out of memory that are out of sight. */
  #forget(from: number, end: number) {
    for (const [index, { tiles }] of this.#made) {
      if (index >= from && index < end) continue;
      for (const tile of tiles) tile.destroy();
      this.#made.delete(index);
    }
  }

  #eachTile(act: (tile: MediaTile) => void) {
    for (const { tiles } of this.#made.values()) tiles.forEach(act);
  }

  #tileAt(place: number): MediaTile | undefined {
    const { columns } = this.#layout;
    return this.#made.get(Math.floor(place / columns))?.tiles[place % columns];
  }

  #onClick(event: MouseEvent) {
    const tile = (event.target as Element).closest<HTMLElement>(".tb-media-tile");
    const item = tile && this.#tileAt(Number(tile.dataset.place))?.item;
    if (!item) return;
    this.#active = Number(tile.dataset.place);
    this.#isLarge = true;
    this.#open(item);
  }

  #onKey(event: KeyboardEvent) {
    const tile = (event.target as Element).closest<HTMLElement>(".tb-media-tile");
    if (!tile || event.ctrlKey || event.metaKey || event.altKey) return;
    const at = Number(tile.dataset.place);
    const { columns } = this.#layout;
    const page = columns * (this.#rows?.page ?? 1);
    const last = Math.max(0, this.#count(this.#runsAside) - 1);
    const moves: Record<string, number> = {
      ArrowLeft: at - 1,
      ArrowRight: at + 1,
      ArrowUp: at - columns,
      ArrowDown: at + columns,
      PageUp: at - page,
      PageDown: at + page,
      Home: 0,
      End: last,
    };
    if (!Object.hasOwn(moves, event.key)) return;
    event.preventDefault();
    const to = Math.min(last, Math.max(0, moves[event.key]));
    if (Math.abs(to - at) < columns && to !== moves[event.key]) return;
    this.#active = to;
    this.#rows?.reveal(Math.floor(to / columns));
    this.#draw();
    this.#tileAt(to)?.element.focus({ preventScroll: true });
  }

  /** Whether there is a place before or after that of the item that was opened last. */
  has(by: number): boolean {
    const to = this.#active + by;
    return to >= 0 && to < this.#count(this.#runsAside);
  }

  /** Take the place of an item, which was opened from elsewhere. */
  choose({ run, step, item }: MediaItem) {
    const { items, steps, runs } = this.#content as GalleryContent;
    const aside = this.#runsAside;
    if (!steps && !aside) {
      this.#active = Math.max(
        0,
        items.findIndex(other => other.run === run && other.item === item),
      );
      return;
    }
    const ids = (aside ?? runs).map(({ id }) => id);
    const place = steps ? steps.indexOf(step) * this.#itemsPerStep + item : item;
    this.#active = place * ids.length + ids.indexOf(run);
  }

  /** Move to the next or an earlier item, and return it; null at the ends, and where it is not loaded yet. */
  step(by: number): MediaItem | null {
    const { columns } = this.#layout;
    const to = this.#active + by;
    if (!this.has(by)) return null;
    this.#rows?.reveal(Math.floor(to / columns));
    this.#draw();
    const item = this.#tileAt(to)?.item ?? null;
    if (item) this.#active = to;
    return item;
  }

  /** Give the focus back to the tile that was opened last. */
  focus() {
    this.#isLarge = false;
    this.#tileAt(this.#active)?.element.focus({ preventScroll: true });
  }
}

function mostAtOnce(items: readonly MediaItem[]): number {
  return items.reduce((most, { item }) => Math.max(most, item + 1), 1);
}
