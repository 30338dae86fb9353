import type { Requests } from "../../frames/requests.ts";
import { escapeRegExp } from "../../regexp.ts";
import { h, nextFrame, onResize, searchField, setText } from "../../ui/dom.ts";
import { formatClock, formatCount } from "../../ui/format.ts";
import { VirtualRows } from "../../ui/virtual-rows.ts";
import { PolledTab } from "./polled-tab.ts";

const POLL_INTERVAL = 1000; // ms
const LINE_HEIGHT = 18; // px; as in runs/runs.css
const CONTEXT_LINES = 50; // lines loaded before a match that is jumped to
const SEARCH_DELAY = 200; // ms after the last key until the search starts

type ConsoleLine = readonly [line: number, stream: string, text: string, time: number, cell: number | null];

interface LineElement {
  line: ConsoleLine;
  look: string;
  element: HTMLElement;
}

/** A run's console output: its end first, earlier lines when scrolled to, and a search over all of it. */
export class ConsoleTab extends PolledTab {
  #search = searchField("Search console", "Search the console");
  #count = h("span", { class: "tb-minor tb-number", role: "status" });
  #before = arrow("↑", "Previous match");
  #after = arrow("↓", "Next match");
  #end = arrow("⤓", "To the end");
  #scroll = h("div", { class: "tb-console", tabindex: "0", role: "group", "aria-label": "Console output" });
  #rows = new VirtualRows(this.#scroll, LINE_HEIGHT, 0, { class: "tb-lines" });
  #elements = new Map<number, LineElement>(); // by line number
  #lines: ConsoleLine[] = []; // a contiguous range up to the end
  #earlier: number | null = null; // number of lines before `#lines`; null before the first answer
  #following = true;
  #scrollTop = 0; // the scroll position, which an element loses when it is hidden or moved
  #height = 0;
  #fetching = false;
  #pattern: RegExp | null = null;
  #matches: number[] = []; // line numbers of the matches
  #current = -1;
  #searched = false; // whether the kernel has answered the search
  #searchTimer: ReturnType<typeof setTimeout> | undefined;
  #drawSoon: () => void;

  constructor(requests: Requests, signal: AbortSignal) {
    super(requests, POLL_INTERVAL, signal);
    this.#drawSoon = nextFrame(() => this.#draw(), signal);
    this.#scroll.append(this.#rows.element);
    this.element.append(
      h("div", { class: "tb-panel-line" }, this.#search, this.#count, this.#before, this.#after, this.#end),
      this.status,
      this.#scroll,
    );
    const on = (element: HTMLElement, event: string, act: (event: Event) => void) =>
      element.addEventListener(event, act, { signal });
    on(this.#search, "input", () => {
      clearTimeout(this.#searchTimer);
      this.#searchTimer = setTimeout(() => this.#startSearch(), SEARCH_DELAY);
    });
    on(this.#search, "keydown", event => this.#onKey(event as KeyboardEvent));
    on(this.#before, "click", () => this.#step(-1));
    on(this.#after, "click", () => this.#step(1));
    on(this.#end, "click", () => {
      this.#following = true;
      this.#draw();
    });
    on(this.#scroll, "scroll", () => {
      const { scrollTop, scrollHeight, clientHeight } = this.#scroll;
      if (clientHeight !== this.#height) return; // caused by hiding, showing or moving, not by the reader
      this.#following = scrollTop + clientHeight >= scrollHeight - LINE_HEIGHT;
      this.#scrollTop = scrollTop;
      this.#drawSoon();
    });
    const onSized = () => {
      this.#height = this.#scroll.clientHeight;
      if (!this.#following) this.#scroll.scrollTop = this.#scrollTop; // when following, drawing sets the position
      this.#draw(); // not soon: the browser would show other lines for a frame
    };
    onResize(this.#scroll, onSized, signal);
    signal.addEventListener("abort", () => clearTimeout(this.#searchTimer));
    this.clear();
  }

  protected override clear() {
    [this.#lines, this.#earlier, this.#following, this.#fetching] = [[], null, true, false];
    [this.#matches, this.#current, this.#searched] = [[], -1, false];
    this.#elements.clear();
    this.#draw();
  }

  protected override question(): [string, Record<string, unknown>] {
    return ["console", this.#earlier === null ? {} : { after: this.#lines.at(-1)?.[0] ?? -1 }];
  }

  protected override showAnswer({ lines, earlier, more }: Record<string, unknown>): boolean {
    const first = this.#earlier === null;
    if (first) [this.#lines, this.#earlier] = [lines as ConsoleLine[], earlier as number];
    else this.#append(lines as ConsoleLine[]);
    if (!this.#lines.length)
      this.showStatus(this.running ? "Nothing printed yet." : "No output was recorded.");
    this.#draw();
    if (first && this.#search.value) void this.#startSearch();
    return Boolean(more);
  }

  /** Append new lines; they may replace the last known ones. */
  #append(lines: readonly ConsoleLine[]) {
    if (!lines.length) return;
    const [first] = lines[0];
    const known = Math.max(first, this.#lines[0]?.[0] ?? first);
    const changed = lines.filter(([line]) => line >= known);
    const before = (line: number) => line < known;
    this.#lines = [...this.#lines.filter(([line]) => before(line)), ...changed];
    if (!this.#searched) return;
    const current = this.#matches[this.#current];
    this.#matches = [...this.#matches.filter(before), ...this.#matching(changed)];
    this.#current = Math.max(0, this.#matches.indexOf(current));
  }

  #matching(lines: readonly ConsoleLine[]): number[] {
    return lines.filter(([, , text]) => text.search(this.#pattern as RegExp) >= 0).map(([line]) => line);
  }

  #draw() {
    const { length } = this.#lines;
    this.#scroll.hidden = !length;
    this.#end.hidden = this.#following;
    this.#rows.element.style.height = `${length * LINE_HEIGHT}px`;
    if (this.#following) this.#scroll.scrollTop = length * LINE_HEIGHT;
    const made = new Map<number, LineElement>();
    this.#rows.update(length, place => {
      const line = this.#lines[place];
      const [number] = line;
      const current = number === this.#matches[this.#current];
      const look = `${this.#pattern} ${current}`;
      const known = this.#elements.get(number);
      const row =
        known?.line === line && known.look === look
          ? known
          : { line, look, element: this.#newRow(line, current) };
      made.set(number, row);
      return row.element;
    });
    this.#elements = made;
    if (this.#searched || !this.#pattern) this.#showCount();
    if (this.#earlier && !this.#following && this.#rows.window(length)[0] === 0) void this.#fetch();
  }

  #showCount() {
    const count = this.#matches.length;
    const which = count ? `${formatCount(this.#current + 1)} of ${formatCount(count)}` : "no match";
    setText(this.#count, this.#pattern ? which : "");
    for (const button of [this.#before, this.#after]) button.hidden = !count;
  }

  #newRow([, stream, text, time]: ConsoleLine, current: boolean): HTMLElement {
    const row = h("div", { class: "tb-line", "data-stream": stream });
    if (current) row.setAttribute("aria-current", "true");
    if (stream !== "cut") {
      const clock = new Date(time * 1000).toTimeString().slice(0, 8);
      row.append(h("span", { class: "tb-minor tb-number" }, clock));
      row.title = `${stream} · ${formatClock(time)}`;
    }
    row.append(h("span", {}, ...this.#withMarks(text)));
    return row;
  }

  #withMarks(text: string): (string | Node)[] {
    if (!this.#pattern) return [text];
    return text.split(this.#pattern).map((part, i) => (i % 2 ? h("mark", {}, part) : part));
  }

  /** Fetch earlier lines: one page, or all from line `since` on. The visible lines stay in place. */
  async #fetch(since?: number) {
    if (this.#fetching) return;
    this.#fetching = true;
    const [{ run }, [before]] = [this, this.#lines[0]];
    const content = await this.ask("console", { before, since });
    if (run !== this.run) return;
    this.#fetching = false;
    if (!content || before !== this.#lines[0][0]) return;
    const lines = content.lines as ConsoleLine[];
    [this.#lines, this.#earlier] = [[...lines, ...this.#lines], content.earlier as number];
    this.#rows.element.style.height = `${this.#lines.length * LINE_HEIGHT}px`;
    this.#scrollTop = this.#scroll.scrollTop += lines.length * LINE_HEIGHT;
    this.#draw();
  }

  async #startSearch() {
    clearTimeout(this.#searchTimer);
    const search = this.#search.value;
    [this.#matches, this.#current, this.#searched] = [[], -1, false];
    this.#pattern = search ? new RegExp(`(${escapeRegExp(search)})`, "iu") : null;
    this.#draw();
    const content = search ? await this.ask("console", { search }) : null;
    if (!content || search !== this.#search.value) return;
    [this.#matches, this.#searched] = [content.found as number[], true];
    const [, end] = this.#rows.window(this.#lines.length);
    const [last] = this.#lines[end - 1] ?? [-1];
    await this.#goTo(this.#matches.findLastIndex(line => line <= last));
  }

  #onKey(event: KeyboardEvent) {
    if (event.key === "Enter") this.#step(event.shiftKey ? -1 : 1);
    if (event.key === "Escape" && this.#search.value) event.stopPropagation(); // Escape clears the search field
  }

  #step(by: number) {
    const { length } = this.#matches;
    if (length) void this.#goTo((this.#current + by + length) % length);
  }

  async #goTo(at: number) {
    this.#current = Math.max(0, at);
    const line = this.#matches[this.#current];
    if (line === undefined) return this.#draw();
    this.#following = false;
    if (line < this.#lines[0][0]) await this.#fetch(Math.max(0, line - CONTEXT_LINES));
    const place = this.#lines.findIndex(([number]) => number >= line);
    const middle = this.#scroll.clientHeight / 2;
    this.#scrollTop = this.#scroll.scrollTop = Math.max(0, place * LINE_HEIGHT - middle);
    this.#draw();
  }
}

function arrow(text: string, label: string): HTMLButtonElement {
  return h("button", { type: "button", class: "tb-button", "aria-label": label, title: label }, text);
}
